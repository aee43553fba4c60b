"""The objects of a pipeline for plain Kubernetes."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import yaml

from argosy.compiler import phases
from argosy.compiler.errors import ManifestError
from argosy.compiler.kubernetes.checks import check_options, warn_options
from argosy.compiler.kubernetes.options import (
    OPTIONS,
    Options,
    read_options,
)
from argosy.compiler.manifests.objects import Manifest
from argosy.compiler.options.pod import POD
from argosy.runtime.executors.local.schedule import Schedule
from argosy.runtime.executors.pod import plan_in
from definitions import steps
from lowered import compiled

GRAPH = """\
a: {type: task, command: a.b, secrets: [TOKEN], on_failure: h}
h: {type: task, command_type: shell, command: "echo '$(id)' $$ \\u2028 \\x7f"}
m: {type: map, iterate_on: xs, iterate_as: x, branch: {steps: {x: {type: task, command: a.c}}}}
c: {type: conditional, parameter: k, branches: {1: {steps: {y: {type: stub}}}}, depends_on: [m]}
"""
EVERYTHING = {
    "image_pull_policy": "IfNotPresent",
    "image_pull_secrets": ["pull"],
    "command": ["python3", "-m", "argosy.runtime"],
    "env": {"y": "no", "N": "1e3"},
    "resources": {"limits": {"cpu": 2}},
    "node_selector": {"disk": "fast"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "labels": {"on": "yes"},
    "annotations": {"example.com/owner": "a: b"},
    "claims": {"runs": {"mount_path": "/runs", "create": True, "size": "1Gi"}},
    "service_account": {"create": True},
    "retry": 2,
    "timeout": "1m",
    "workflow_timeout": "1h",
    "max_workers": 3,
    "backoff_limit": 0,
    "ttl": "1d",
    "namespace": "ml",
    "schedules": ["0 6 * * *", "@weekly"],
    "timezone": "Europe/Madrid",
    "concurrency_policy": "Forbid",
    "starting_deadline": "10m",
    "history_limits": {"successful": 5, "failed": 5},
}


def lowered(config: dict[str, Any] | None = None, **more: Any) -> Any:
    more = {"parameters": {"xs": [1], "k": 1}, "engine": "kubernetes", **more}
    return compiled(steps(GRAPH), config=config, **more)


def job_of(compilation: Any) -> Any:
    """The specification of the Job of a run."""
    first: Manifest = compilation.manifests[0]
    spec = first.data["spec"]
    return spec["jobTemplate"]["spec"] if first.template == "cronjob" else spec


def test_each_option_is_a_field() -> None:
    assert set(OPTIONS) == set(POD) | set(Options._fields) - {"pod"}


def test_runs_start_from_a_cronjob_that_never_starts_one_by_itself() -> None:
    first = lowered().manifests[0]
    assert (first.file, first.data["metadata"]["name"]) == ("cronjob.yaml", "p")
    assert first.data["spec"]["suspend"] is True
    assert first.data["spec"]["schedule"] == "0 0 31 2 *"


def test_each_schedule_is_a_cronjob() -> None:
    found = [m for m in lowered(EVERYTHING).manifests if m.template == "cronjob"]
    assert [m.data["metadata"]["name"] for m in found] == ["p", "p-2"]
    assert [m.data["spec"]["schedule"] for m in found] == EVERYTHING["schedules"]
    assert all(m.data["spec"]["timeZone"] == "Europe/Madrid" for m in found)
    assert not any(m.data["spec"]["suspend"] for m in found)
    assert found[0].data["spec"]["jobTemplate"] == found[1].data["spec"]["jobTemplate"]


def test_a_job_of_another_content_is_another_job() -> None:
    names = [
        lowered({"kind": "Job", "env": {"A": value}}).manifests[0].data["metadata"]["name"]
        for value in ("1", "2", "1")
    ]
    assert names[0] == names[2] != names[1]


def test_a_run_that_failed_is_not_run_again_and_a_lost_pod_is() -> None:
    job = job_of(lowered(EVERYTHING))
    failed, disrupted = job["podFailurePolicy"]["rules"]
    assert (failed["action"], failed["onExitCodes"]["values"]) == ("FailJob", [1, 2])
    assert disrupted["action"] == "Ignore"
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert job["backoffLimit"] == 0
    assert job["activeDeadlineSeconds"] == 3600
    assert job["ttlSecondsAfterFinished"] == 86400


def test_the_plan_in_the_pod_is_one_that_the_launcher_runs() -> None:
    (container,) = job_of(lowered(EVERYTHING))["template"]["spec"]["containers"]
    texts = {one["name"]: one.get("value", "") for one in container["env"]}
    assert "$" not in texts["ARGOSY_PLAN"]
    assert texts["ARGOSY_PLAN"].isascii()
    plan = plan_in(texts)
    nodes = {node["name"]: node for node in plan["graphs"][""]["nodes"]}
    assert nodes["h"]["node"]["command"] == "echo '$(id)' $$ \u2028 \x7f"
    assert nodes["a"]["node"]["timeout"] == 60
    assert nodes["a"]["retry"]["max_attempts"] == 2
    schedule = Schedule(plan["graphs"])
    assert [schedule.next() is not None for _ in range(3)] == [True, True, False]
    assert texts["ARGOSY_WORKERS"] == "3"


def test_a_steps_own_retry_wins_over_the_executors() -> None:
    graph = "a: {type: task, command: a.b}\nb: {type: task, command: a.b, retry: 1}"
    job = job_of(compiled(steps(graph), config={"retry": 3}, engine="kubernetes"))
    (container,) = job["template"]["spec"]["containers"]
    plan = plan_in({one["name"]: one.get("value", "") for one in container["env"]})
    a, b = plan["graphs"][""]["nodes"]
    assert a["retry"]["max_attempts"] == 3
    assert "retry" not in b


def test_a_step_a_line() -> None:
    text = lowered(until="render").files["cronjob.yaml"]
    lines = [line for line in text.splitlines() if '{"name":"' in line and '"path"' in line]
    assert len(lines) == 6


@pytest.mark.parametrize("config", [{}, EVERYTHING, {"kind": "Job"}])
def test_files_hold_the_objects_that_were_lowered(config: dict[str, Any]) -> None:
    compilation = lowered(config, until="verify")
    for manifest in compilation.manifests:
        assert yaml.safe_load(compilation.files[manifest.file]) == manifest.data


def test_a_pod_gets_the_secrets_that_its_steps_ask_for() -> None:
    (container,) = job_of(lowered())["template"]["spec"]["containers"]
    (found,) = (one for one in container["env"] if "SECRET" in one["name"])
    reference = {"secretKeyRef": {"name": "safe", "key": "TOKEN"}}
    assert found == {"name": "ARGOSY_SECRET_TOKEN", "valueFrom": reference}


def test_without_rights_to_give_there_is_no_role() -> None:
    assert {m.template for m in lowered().manifests} == {
        "cronjob",
        "serviceaccount",
        "kustomization",
    }


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"image": None}, "executor kubernetes needs an image"),
        ({"kind": "Job", "schedules": ["@daily"]}, "a Job runs once"),
        ({"timezone": "UTC"}, "timezone is that of schedules"),
        ({"parallelism": 2}, "executor kubernetes has no option 'parallelism'"),
        ({"backoff_limit": -1}, "backoff_limit: must be at least 0"),
        ({"kind": "CronWorkflow"}, "kind: cannot be 'CronWorkflow'"),
        ({"concurrency_policy": "Forbid"}, "concurrency_policy is that of schedules"),
        ({"kind": "Job", "history_limits": {"failed": 1}}, "history_limits are a CronJob's"),
    ],
)
def test_a_wrong_option_is_said(config: dict[str, Any], said: str) -> None:
    (fault,) = check_options({"image": "i", **config})
    assert said in fault.message


def test_what_is_merged_last_is_verified_too() -> None:
    own = {"spec": {"containers": [{"name": "main", "tty": True}]}}
    job = job_of(lowered({"extra": {"completions": 2, "template": own}}))
    (container,) = job["template"]["spec"]["containers"]
    assert (job["completions"], container["tty"], container["args"]) == (2, True, ["run"])
    (fault,) = check_options({"image": "i", "extra": {"complete": 2}})
    assert "unknown field" in fault.message


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ({"image": "other"}, "'image' is of the one pod that runs all steps"),
        ({"workflow_timeout": 1}, "'workflow_timeout' is of the one pod"),
        ({"env": {"A": None}}, "'A' is of the one pod"),
        (
            {"env": {"A": {"valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}}},
            "as only the",
        ),
        ({"timout": 1}, "no option 'timout'"),
        ({"timeout": "soon"}, "timeout: takes a duration"),
    ],
)
def test_what_is_of_the_pod_is_no_step_s(override: dict[str, Any], said: str) -> None:
    (fault,) = check_options(override, step=True)
    assert said in fault.message


def test_a_step_may_override_what_the_launcher_does() -> None:
    assert check_options({"env": {"A": 1}, "retry": 3, "timeout": "1m"}, step=True) == []
    claim = {"mount_path": "/a", "create": True, "size": "1Gi", "access_mode": "ReadWriteOnce"}
    assert warn_options({"image": "i", "claims": {"a": claim}}) == [], "one pod is on one node"
    assert read_options({"image": "i"}).backoff_limit == 3


def test_a_plan_that_is_too_large_is_refused_with_the_limit() -> None:
    filling = Random(0).randbytes(900_000).hex()  # noqa: S311 (does not compress)
    graph = steps(f"a: {{type: task, command_type: shell, command: '{filling}'}}")
    compilation = compiled(graph, engine="kubernetes", until="render")
    with pytest.raises(ManifestError, match=r"CronJob p: spec: has .* bytes.*limit .* 1,048,576"):
        phases.verify(compilation)
