"""The options of the executor `argo`, judged by what the pods and the workflows of a real cluster
got. All workflows start together."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from argosy.compiler import Request, compile
from cluster import ARGO, FINISHED, IMAGE, Cluster, from_template, phase

STEP = "argosy.dev/step"
SETTINGS = {"GREETING": "hello", "LEVEL": "3"}
TEAM = "metadata.labels['team']"
SHARED = {"name": "shared", "mountPath": "/shared"}
TOUCH = {"image": IMAGE, "imagePullPolicy": "IfNotPresent", "volumeMounts": [SHARED]}


def shell(script: str, **fields: Any) -> dict[str, Any]:
    """A step whose script fails where any of its commands does."""
    command = f"set -e\n{script}"
    return {"type": "task", "command_type": "shell", "command": command, **fields}


def says(text: str) -> dict[str, Any]:
    """The body of a template for hooks and notifications."""
    container = {"image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": ["echo", text]}
    return {"container": container}


POD = {
    "labels": {"team": "churn", "when": "{{workflow.creationTimestamp.Y}}"},
    "annotations": {"example.com/owner": "me"},
    "service_account": {"name": "opt-pod", "annotations": {"example.com/role": "reader"}},
    "env": {"NODE": {"valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}, "PLAIN": "1"},
    "env_from": [{"prefix": "APP_", "configMapRef": {"name": "settings"}}],
    "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "256Mi"}},
    "volumes": [
        {"name": "shared", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "keys", "secret": {"secretName": "keys", "defaultMode": 0o400}},
        {
            "name": "about",
            "projected": {
                "sources": [
                    {
                        "downwardAPI": {
                            "items": [
                                {
                                    "path": "team",
                                    "fieldRef": {"fieldPath": "metadata.labels['team']"},
                                }
                            ]
                        }
                    },
                    {"serviceAccountToken": {"path": "token", "audience": "argosy"}},
                ]
            },
        },
    ],
    "volume_mounts": [
        SHARED,
        {"name": "settings", "mountPath": "/etc/app", "readOnly": True},
        {"name": "keys", "mountPath": "/etc/keys", "readOnly": True},
        {"name": "about", "mountPath": "/etc/about", "readOnly": True},
        {"name": "work", "mountPath": "/work"},
    ],
    "volume_claim_templates": [
        {
            "metadata": {"name": "work"},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "resources": {"requests": {"storage": "1Mi"}},
            },
        }
    ],
    "init_containers": [
        {"name": "first", "command": ["sh", "-c", "echo init >/shared/init"], **TOUCH}
    ],
    "sidecars": [
        {
            "name": "beside",
            "command": ["sh", "-c", "echo sidecar >/shared/sidecar; sleep 600"],
            "ports": [{"containerPort": 18099}],
            **TOUCH,
        }
    ],
    "node_selector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "argosy.dev/none", "operator": "Exists"}],
    "affinity": {
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 1,
                    "preference": {
                        "matchExpressions": [{"key": "disk", "operator": "In", "values": ["fast"]}]
                    },
                }
            ]
        }
    },
    "topology_spread": [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"team": "churn"}},
        }
    ],
    "priority_class": "system-cluster-critical",
    "runtime_class": "argosy-e2e",
    "termination_grace_period": "7s",
    "host_aliases": [{"ip": "10.1.2.3", "hostnames": ["db.example.com"]}],
    "dns_config": {"searches": ["example.com"]},
    "pod_spec_patch": {"enableServiceLinks": False},
    "workflow_metadata": {"labels": {"cost-centre": "42"}},
    "workflow_timeout": "10m",
    "priority": 5,
    "metrics": [
        {
            "name": "argosy_e2e_seconds",
            "help": "How long it took.",
            "gauge": {"value": "{{workflow.duration}}", "realtime": False},
        }
    ],
    "extra": {"podDisruptionBudget": {"minAvailable": 1}},
}
CHECKS = """
test "$PLAIN $APP_GREETING $APP_LEVEL" = "1 hello 3"
test -n "$NODE"
test "$(cat /etc/app/GREETING)" = hello
test "$(cat /etc/keys/token)" = not-a-secret
test "$(cat /etc/about/team)" = churn
test -s /etc/about/token
test "$(cat /shared/init)" = init
for i in 1 2 3 4 5 6 7 8 9 10; do test -s /shared/sidecar || sleep 1; done
test "$(cat /shared/sidecar)" = sidecar
grep -q db.example.com /etc/hosts
"""
MUTEX = {"synchronization": {"mutexes": [{"name": "warehouse"}]}}
SEMAPHORE = {"semaphores": [{"configMapKeyRef": {"name": "limits", "key": "one"}}]}
FAILS = "exit 3"
EVERY = {"schedule": "* * * * *", "timezone": "Asia/Tokyo"}


class Case(NamedTuple):
    """A pipeline: its steps, what configures it, its parameters. `starts`: whether a workflow of
    it, with its name, is started; a CronWorkflow starts its own."""

    steps: Mapping[str, Any]
    config: Mapping[str, Any] = {}
    parameters: Mapping[str, Any] = {}
    starts: bool = True


def overrides(**options: Any) -> dict[str, Any]:
    return {"overrides": {"argo": options}}


CASES: dict[str, Case] = {
    "opt-pod": Case(
        {
            "see": shell(CHECKS + "echo kept >/work/kept"),
            "other": shell(
                CHECKS.replace("1 hello", "2 hello")
                + 'test "$(cat /work/kept)" = kept\ntest "$PWD" = /opt\ntest "$EXTRA" = yes',
                depends_on=["see"],
                **overrides(
                    env={"PLAIN": "2"},
                    labels={"role": "other"},
                    termination_grace_period=9,
                    metrics=[
                        {"name": "argosy_e2e_tries", "help": "Tries.", "counter": {"value": "1"}}
                    ],
                    extra={
                        "container": {
                            "workingDir": "/opt",
                            "env": [{"name": "EXTRA", "value": "yes"}],
                        }
                    },
                ),
            ),
        },
        POD,
    ),
    "opt-secure": Case(
        {
            "see": shell(
                'test "$(id -u)" = 1000\n! touch /new 2>/dev/null\ntouch "$HOME/new" "$TMPDIR/new"'
            )
        },
        {
            "security": "restricted",
            "pod_security_context": {"runAsUser": 1000},
            "security_context": {"readOnlyRootFilesystem": True},
        },
    ),
    "opt-mutex-1": Case({"hold": shell("sleep 3")}, MUTEX),
    "opt-mutex-2": Case({"hold": shell("sleep 3")}, MUTEX),
    "opt-one": Case(
        {
            "a": shell("sleep 2", **overrides(synchronization=SEMAPHORE)),
            "b": shell("sleep 2", **overrides(synchronization=SEMAPHORE)),
        }
    ),
    "opt-parallelism": Case({"a": shell("sleep 2"), "b": shell("sleep 2")}, {"parallelism": 1}),
    "opt-retry": Case(
        {
            "again": shell(FAILS, **overrides(retry={"expression": "lastRetry.exitCode == '1'"})),
            "never": shell(FAILS, **overrides(retry={"expression": "lastRetry.exitCode == '9'"})),
            "error": shell(FAILS, **overrides(retry={"policy": "OnError"})),
            "elsewhere": shell(FAILS, **overrides(retry={"affinity": {"nodeAntiAffinity": {}}})),
        },
        {"retry": {"max_attempts": 2, "backoff": 1}, "workflow_timeout": "150s"},
    ),
    "opt-queue": Case(
        {
            "nowhere": shell(
                "true", **overrides(node_selector={"nowhere": "true"}, queue_timeout="20s")
            )
        }
    ),
    "opt-hooks": Case(
        {
            "work": shell(
                "sleep 5",
                **overrides(
                    hooks={
                        "seen": {
                            "expression": "tasks.work.status == 'Running'",
                            "template": says("the step runs"),
                        }
                    }
                ),
            )
        },
        {
            "hooks": {
                "running": {
                    "expression": "workflow.status == 'Running'",
                    "template": says("the workflow runs"),
                }
            },
            "notifications": {
                "bad": {"template": says("it failed")},
                "good": {
                    "on": "success",
                    "templateRef": {"name": "notices", "template": "say"},
                    "arguments": {"parameters": [{"name": "text", "value": "{{workflow.name}}"}]},
                },
                "broken": {
                    "on": "always",
                    "template": {
                        "container": {
                            "image": IMAGE,
                            "imagePullPolicy": "IfNotPresent",
                            "command": ["false"],
                        }
                    },
                },
            },
        },
    ),
    "opt-memo": Case(
        {
            "load": shell(
                "true",
                **overrides(
                    memoize={
                        "key": "load-{{workflow.parameters.day}}-{{workflow.namespace}}",
                        "maxAge": "1h",
                        "cache": {"configMap": {"name": "argosy-e2e", "key": "load"}},
                    }
                ),
            ),
            "after": shell('test "$ARGOSY_PRM_day" = monday', depends_on=["load"]),
        },
        parameters={"day": "monday"},
    ),
    "opt-gone": Case({"a": shell("true")}, {"pod_gc": "OnPodCompletion", "ttl": {"success": 20}}),
    "opt-waits": Case({"a": shell("true")}, {"suspend": True, "kind": "Workflow"}, starts=False),
    "opt-enum": Case(
        {"a": shell('test "$ARGOSY_PRM_region" = us')},
        {"parameters": {"region": {"enum": ["eu", "us"], "description": "Where."}}},
        {"region": "eu"},
        starts=False,
    ),
    "opt-cron": Case(
        {"a": shell("true")},
        {
            "schedules": [EVERY, "0 0 1 1 *"],
            "timezone": "Europe/Madrid",
            "concurrency_policy": "Forbid",
            "starting_deadline": "30s",
            "history_limits": {"successful": 1, "failed": 0},
        },
        starts=False,
    ),
}
ENDED = ["opt-pod", "opt-secure", "opt-mutex-1", "opt-mutex-2", "opt-one", "opt-parallelism"]
ENDED += ["opt-retry", "opt-hooks", "opt-queue", "opt-memo"]
FAIL = ["opt-retry", "opt-queue"]


class Started(NamedTuple):
    cluster: Cluster
    objects: Mapping[str, list[dict[str, Any]]]

    def pods(self, name: str) -> dict[str, list[dict[str, Any]]]:
        """The pods of a workflow by their steps, and by their templates where they are no step's;
        each step's in the order of their making."""
        found: dict[str, list[dict[str, Any]]] = {}
        pods = self.cluster.pods(name)
        for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"])):
            step = pod["metadata"]["annotations"].get(STEP)
            node = pod["metadata"]["annotations"]["workflows.argoproj.io/node-name"]
            found.setdefault(step or re.sub(r".*\.|\(\d+\)", "", node), []).append(pod)
        return found


@pytest.fixture(scope="module")
def started(new_cluster: Callable[[], Cluster], tmp_path_factory: Any) -> Iterator[Started]:
    """Everything, started."""
    cluster = new_cluster()
    runtime = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": "runc"}
    cluster.kubectl(
        *("apply", "-f", "-"), input=json.dumps({**runtime, "metadata": {"name": "argosy-e2e"}})
    )
    cluster.create(*objects_of_the_cluster())
    folder = tmp_path_factory.mktemp("options")
    objects = {name: rendered(folder, name, case) for name, case in CASES.items()}
    everything = [one for found in objects.values() for one in found]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": everything})
    cluster.kubectl("apply", "--server-side", "--validate=strict", "-f", "-", input=text)
    cluster.create(*(from_template(n, n, {}) for n, case in CASES.items() if case.starts))
    yield Started(cluster, objects)
    cluster.kubectl("delete", "runtimeclass", "argosy-e2e", "--wait=false")
    Cluster("argo").kubectl("delete", "configmap", "argosy-e2e", "--ignore-not-found")


def objects_of_the_cluster() -> list[dict[str, Any]]:
    """What the pipelines' configurations refer to."""
    say = {
        "name": "say",
        "inputs": {"parameters": [{"name": "text"}]},
        **says("{{inputs.parameters.text}}"),
    }
    given: list[tuple[str, str, str, dict[str, Any]]] = [
        ("v1", "ConfigMap", "settings", {"data": SETTINGS}),
        ("v1", "ConfigMap", "limits", {"data": {"one": "1"}}),
        ("v1", "Secret", "keys", {"stringData": {"token": "not-a-secret"}}),
        (ARGO, "WorkflowTemplate", "notices", {"spec": {"templates": [say]}}),
    ]
    return [
        {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **rest}
        for version, kind, name, rest in given
    ]


def rendered(folder: Path, name: str, case: Case) -> list[dict[str, Any]]:
    """The objects of a pipeline."""
    definition = {"name": name, "parameters": case.parameters, "dag": {"steps": case.steps}}
    config = {"image": IMAGE, "image_pull_policy": "IfNotPresent", **case.config}
    pipeline, configuration = folder / f"{name}.yaml", folder / f"{name}-argo.yaml"
    pipeline.write_text(json.dumps(definition))
    configuration.write_text(json.dumps({"executor": {"type": "argo", "config": config}}))
    compilation = compile(Request(str(pipeline), (str(configuration),)))
    files = [compilation.files[one.file] for one in compilation.manifests if one.applied]
    return [one for file in files for one in yaml.safe_load_all(file)]


@pytest.fixture(scope="module")
def ended(started: Started) -> dict[str, dict[str, Any]]:
    """The workflows that end, once they have. Of two of them only the time changes."""
    cluster = started.cluster
    found = cluster.wait_all([name for name in ENDED if name not in FAIL], 300)

    def over() -> bool:
        look_again(cluster, *FAIL)
        return all(phase(cluster.get("workflow", name)) in FINISHED for name in FAIL)

    eventually(over, f"{FAIL} have not ended", 180)
    return found | cluster.wait_all(FAIL)


@pytest.mark.parametrize("name", [name for name in ENDED if name not in FAIL])
def test_what_steps_found_in_their_pods_is_right(
    name: str, started: Started, ended: dict[str, dict[str, Any]]
) -> None:
    assert phase(ended[name]) == "Succeeded", started.cluster.report(name)


def test_pods_got_what_the_options_say(started: Started, ended: dict[str, dict[str, Any]]) -> None:
    pods = started.pods("opt-pod")
    assert set(pods) == {"see", "other", "onExit"}
    for (pod,), grace in zip(pods.values(), (7, 9, 7), strict=True):
        spec, metadata = pod["spec"], pod["metadata"]
        assert metadata["labels"]["team"] == "churn"
        assert metadata["labels"]["when"] == metadata["creationTimestamp"][:4]
        assert metadata["annotations"]["example.com/owner"] == "me"
        assert spec["nodeSelector"] == POD["node_selector"]
        assert POD["tolerations"][0] in spec["tolerations"]  # type: ignore[index]
        assert spec["affinity"] == POD["affinity"]
        assert spec["topologySpreadConstraints"] == POD["topology_spread"]
        assert spec["priorityClassName"] == "system-cluster-critical"
        assert spec["runtimeClassName"] == "argosy-e2e"
        assert spec["terminationGracePeriodSeconds"] == grace
        assert spec["hostAliases"] == POD["host_aliases"]
        assert spec["dnsConfig"] == POD["dns_config"]
        assert spec["enableServiceLinks"] is False
        assert spec["serviceAccountName"] == "opt-pod"
        assert [one["name"] for one in spec["initContainers"]] == ["init", "first"]
        containers = {one["name"]: one for one in spec["containers"]}
        assert set(containers) == {"wait", "main", "beside"}
        assert containers["main"]["resources"]["limits"] == {"memory": "256Mi"}
        mounts = {one["mountPath"]: one["name"] for one in containers["main"]["volumeMounts"]}
        assert (
            mounts.items() >= {"/shared": "shared", "/etc/app": "settings", "/work": "work"}.items()
        )
        volumes = {one["name"]: one for one in spec["volumes"]}
        assert volumes["work"]["persistentVolumeClaim"]["claimName"] == "opt-pod-work"
        assert volumes["shared"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "1Mi"}
    assert pods["other"][0]["metadata"]["labels"]["role"] == "other"
    account = started.cluster.get("serviceaccount", "opt-pod")
    assert account["metadata"]["annotations"]["example.com/role"] == "reader"


def test_a_workflow_got_what_the_options_say(
    started: Started, ended: dict[str, dict[str, Any]]
) -> None:
    workflow = ended["opt-pod"]
    assert workflow["metadata"]["labels"]["cost-centre"] == "42"
    spec = workflow["status"]["storedWorkflowTemplateSpec"]
    assert (spec["priority"], spec["activeDeadlineSeconds"]) == (5, 600)
    assert spec["metrics"]["prometheus"][0]["name"] == "argosy_e2e_seconds"
    assert spec["podDisruptionBudget"] == {"minAvailable": 1}
    assert not any(c["type"] == "MetricsError" for c in workflow["status"].get("conditions", ()))


def span(pod: dict[str, Any]) -> tuple[datetime, datetime]:
    """When a pod's step began and ended."""
    (state,) = [
        one["state"]["terminated"]
        for one in pod["status"]["containerStatuses"]
        if one["name"] == "main"
    ]
    begin, end = (datetime.fromisoformat(state[key][:-1]) for key in ("startedAt", "finishedAt"))
    return begin, end


def apart(first: dict[str, Any], second: dict[str, Any]) -> bool:
    (begin, end), (other, last) = span(first), span(second)
    return end <= other or last <= begin


def test_a_mutex_excludes(started: Started, ended: dict[str, dict[str, Any]]) -> None:
    one, two = (started.pods(f"opt-mutex-{n}") for n in (1, 2))
    for first in (*one["hold"], *one["onExit"]):
        for second in (*two["hold"], *two["onExit"]):
            assert apart(first, second)


@pytest.mark.parametrize("name", ["opt-one", "opt-parallelism"])
def test_a_semaphore_of_one_and_a_parallelism_of_one_exclude_steps(
    name: str, started: Started, ended: dict[str, dict[str, Any]]
) -> None:
    pods = started.pods(name)
    assert apart(pods["a"][0], pods["b"][0])


def test_steps_are_tried_again_as_the_policy_and_the_expression_say(
    started: Started, ended: dict[str, dict[str, Any]]
) -> None:
    pods = started.pods("opt-retry")
    assert {step: len(pods[step]) for step in ("again", "never", "error")} == {
        "again": 2,
        "never": 1,
        "error": 1,
    }
    assert phase(ended["opt-retry"]) == "Failed"


def test_a_step_is_tried_again_on_another_node(
    started: Started, ended: dict[str, dict[str, Any]]
) -> None:
    """The cluster has one node: the second try waits until the workflow's time is over, and its
    pod goes then."""
    nodes = {one["displayName"]: one for one in ended["opt-retry"]["status"]["nodes"].values()}
    assert nodes["elsewhere(0)"]["phase"] == "Failed"
    assert "hostNodeName" in nodes["elsewhere(0)"]
    assert "hostNodeName" not in nodes["elsewhere(1)"]
    assert nodes["elsewhere(1)"]["phase"] != "Succeeded"


def test_a_step_that_finds_no_place_fails_after_its_queue_timeout(
    started: Started, ended: dict[str, dict[str, Any]]
) -> None:
    nodes = ended["opt-queue"]["status"]["nodes"].values()
    (found,) = (one for one in nodes if one["displayName"] == "nowhere")
    begin, end = (datetime.fromisoformat(found[key][:-1]) for key in ("startedAt", "finishedAt"))
    assert (end - begin).total_seconds() >= 20
    assert phase(ended["opt-queue"]) == "Failed"
    (pod,) = started.pods("opt-queue")["nowhere"]
    assert pod["status"]["phase"] == "Pending"


def test_hooks_and_notifications_are_called(
    started: Started, ended: dict[str, dict[str, Any]]
) -> None:
    nodes = {one["displayName"]: one for one in ended["opt-hooks"]["status"]["nodes"].values()}
    said = started.cluster.logs("opt-hooks")
    assert "the step runs" in said
    assert "the workflow runs" in said
    assert "] opt-hooks" in said
    assert "it failed" not in said
    assert {name: nodes[name]["phase"] for name in ("end", "good", "bad", "broken")} == {
        "end": "Succeeded",
        "good": "Succeeded",
        "bad": "Skipped",
        "broken": "Failed",
    }


def test_a_step_that_is_memoized_runs_once(
    started: Started, ended: dict[str, dict[str, Any]]
) -> None:
    started.cluster.create(from_template("opt-memo", "opt-memo-again", {}))
    again = started.cluster.wait("opt-memo-again")
    assert phase(again) == "Succeeded", started.cluster.report("opt-memo-again")
    (node,) = (n for n in again["status"]["nodes"].values() if n["displayName"] == "load")
    assert node["memoizationStatus"]["hit"] is True
    assert set(started.pods("opt-memo")) == {"load", "after", "onExit"}
    assert set(started.pods("opt-memo-again")) == {"after", "onExit"}


def test_pods_and_runs_go_when_they_are_said_to(started: Started) -> None:
    cluster = started.cluster

    def gone() -> bool:
        look_again(cluster, "opt-gone")
        names = [one["metadata"]["name"] for one in cluster.get("workflows")["items"]]
        return "opt-gone" not in names

    eventually(lambda: cluster.pods("opt-gone") == [], "its pods are there")
    eventually(gone, "opt-gone is there", 180)


def test_a_run_waits_where_it_is_suspended(started: Started) -> None:
    assert started.cluster.pods("opt-waits") == []
    started.cluster.run("argo", "resume", "opt-waits")
    assert phase(started.cluster.wait("opt-waits")) == "Succeeded"


def test_a_parameter_takes_one_of_its_values(started: Started) -> None:
    cluster = started.cluster
    submit = ("submit", "--from", "workflowtemplate/opt-enum", "--wait", "-o", "name")
    cluster.run("argo", *submit, "--name", "opt-enum-us", "-p", "region=us")
    cluster.run("argo", *submit, "--name", "opt-enum-moon", "-p", "region=moon", check=False)
    assert phase(cluster.wait("opt-enum-us")) == "Succeeded"
    assert phase(cluster.wait("opt-enum-moon")) == "Failed"
    said = 'argument region is "moon", which is none of "eu", "us"'
    assert said in cluster.logs("opt-enum-moon")
    (region,) = cluster.get("workflowtemplate", "opt-enum")["spec"]["arguments"]["parameters"]
    assert (region["enum"], region["description"]) == (["eu", "us"], "Where.")


def test_a_schedule_starts_a_run(started: Started) -> None:
    def runs() -> list[dict[str, Any]]:
        label = "workflows.argoproj.io/cron-workflow=opt-cron"
        items = started.cluster.get("workflows", "-l", label)["items"]
        return [one for one in items if phase(one) in FINISHED]

    eventually(lambda: bool(runs()), "no run has ended", 300)
    assert phase(runs()[0]) == "Succeeded"
    cron = started.cluster.get("cronworkflow", "opt-cron")
    spec = cron["spec"]
    yearly = "CRON_TZ=Europe/Madrid 0 0 1 1 *"
    assert spec["schedules"] == ["CRON_TZ=Asia/Tokyo * * * * *", yearly]
    assert spec["successfulJobsHistoryLimit"] == 1
    assert not cron["status"].get("conditions")
    started.cluster.kubectl("delete", "cronworkflow", "opt-cron")


def look_again(cluster: Cluster, *workflows: str) -> None:
    """Argo looks at a workflow when something in it changes, and may miss that it has ended."""
    told = ("annotate", "--overwrite", "workflow", *workflows, f"now={time.time()}")
    cluster.kubectl(*told, check=False)


def eventually(holds: Callable[[], bool], otherwise: str, seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, otherwise
        time.sleep(1)
