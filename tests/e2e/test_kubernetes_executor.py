"""Pipelines without Argo: whole runs in the pods of Jobs."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cluster import IMAGE, Cluster
from examples import EXAMPLES, Example, argosy, copy, in_a_job, run_here
from runs import Result, result, shown

EACH = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
SECRET = "a value that none may see"  # noqa: S105 (of a test)


def shell(command: str, *after: str, **more: Any) -> dict[str, Any]:
    step = {"type": "task", "command_type": "shell", "command": command, **more}
    return {**step, "depends_on": list(after)} if after else step


SMALL: Mapping[str, dict[str, Any]] = {
    # Its pod is deleted while `slow` runs, which ends only when it is run again.
    "evicted": {
        "first": shell("true"),
        "slow": shell("if ! test -e /files/began; then echo >/files/began; sleep 600; fi", "first"),
        "last": shell("true", "slow"),
    },
    "hungry": {
        "eat": shell(
            "if ! test -e /files/ate; then echo >/files/ate; head -c 400m /dev/zero | tail; fi",
            retry={"max_attempts": 2},
        ),
        "after": shell("true", "eat"),
    },
    "wrong": {"a": shell("exit 3"), "b": shell("true", "a")},
    "late": {"a": shell("sleep 600")},
    # What `leave` starts has left its group, and has no parent any more when it ends.
    "orphans": {
        "leave": shell("setsid sleep 1 >/dev/null 2>&1 &"),
        "look": shell(
            "sleep 2; export ARGOSY_PRM_left=$(cat /proc/[0-9]*/stat | grep -c '(sleep) Z')",
            "leave",
        ),
    },
    "secrets": {
        "asks": shell('echo "it is $TOKEN"', secrets=["TOKEN"]),
        "looks": shell(
            "cat /proc/*/environ >/tmp/seen 2>/dev/null; env >>/tmp/seen; ls /proc >>/tmp/seen; "
            "export ARGOSY_PRM_seen=$(grep -ac 'none may see' /tmp/seen) "
            "ARGOSY_PRM_tried=$(ls -d /proc/[0-9]* | wc -l)",
            "asks",
        ),
    },
}
OPTIONS: Mapping[str, dict[str, Any]] = {
    "hungry": {"resources": {"limits": {"memory": "256Mi"}}},
    "late": {"workflow_timeout": 10},
    "secrets": {"security": "restricted", "pod_security_context": {"runAsUser": 1000}},
}


class Place:
    """A namespace, and a folder with what runs there; all of it starts at once. `pipelines` has
    the names of the pipelines."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = copy(folder)
        self.pipelines: dict[str, str] = {}
        self.folder.joinpath("here.yaml").write_text(
            json.dumps({"executor": {"config": {"image": IMAGE, "namespace": cluster.namespace}}})
        )
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "signing"}}
        values = {"SIGNING_KEY": "not a secret here", "TOKEN": SECRET}
        cluster.create({**secret, "stringData": values})

    def start(self, example: Example, *configurations: str) -> None:
        """Applies the manifests and starts a run."""
        name = example.name
        options = [*in_a_job(example).configurations, *configurations, "here.yaml"]
        arguments = [part for path in options for part in ("-c", path)]
        definition = f"{example.name}/pipeline.yaml"
        done = argosy("render", definition, *arguments, "-o", f"out/{name}", cwd=self.folder)
        assert done.returncode == 0, done.stderr
        self.cluster.apply(self.folder / "out" / name)
        (cronjob,) = re.findall(
            '"name": "(.*)"', (self.folder / f"out/{name}/cronjob.yaml").read_text()
        )
        self.pipelines[name] = cronjob
        self.cluster.start_job(cronjob, f"{name}-1")

    def start_small(self, name: str, **options: Any) -> None:
        definition = {"name": name, "dag": {"steps": SMALL[name]}}
        configuration: dict[str, Any] = {"executor": {"config": options}}
        if name == "secrets":
            configuration["secrets"] = {"type": "kubernetes", "config": {"secret": "signing"}}
        self.folder.joinpath(name).mkdir()
        for file, content in {"pipeline": definition, "more": configuration}.items():
            self.folder.joinpath(name, f"{file}.yaml").write_text(json.dumps(content))
        self.start(Example(name, {}), f"{name}/more.yaml")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command with the configuration of this place."""
        return argosy(*arguments, "-c", "kubernetes.yaml", "-c", "here.yaml", cwd=self.folder)

    def shown(self, name: str, job: Mapping[str, Any]) -> dict[str, Any]:
        """What `argosy show` says of the run of a Job, from the cluster."""
        run = f"{self.pipelines[name]}-{job['metadata']['uid'][:8]}"
        done = self.command("show", run, "-o", "json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def ended(self, name: str) -> tuple[dict[str, Any], Result]:
        """The Job of a pipeline once it has ended, and what its run log has."""
        job = self.cluster.wait_job(f"{name}-1")
        return job, result(self.shown(name, job))


@pytest.fixture(scope="module")
def place(new_cluster: Callable[[], Cluster], tmp_path_factory: pytest.TempPathFactory) -> Place:
    found = Place(new_cluster(), tmp_path_factory.mktemp("jobs"))
    for name in SMALL:
        found.start_small(name, **OPTIONS.get(name, {}))
    for example in EXAMPLES:
        found.start(example)
    return found


@pytest.fixture(scope="module")
def deleted(place: Place) -> str:
    """The pod of `evicted` that is gone, deleted when its step was at work."""
    cluster = place.cluster
    began = cluster.folder("argosy-files") / "began"
    wait_for(began.exists)
    (pod,) = cluster.job_pods("evicted-1")
    name: str = pod["metadata"]["name"]
    cluster.kubectl("delete", "pod", name, "--wait=false")
    return name


def wait_for(condition: Callable[[], Any], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.5)


def test_a_pod_goes_on_where_another_was_deleted(place: Place, deleted: str) -> None:
    job, found = place.ended("evicted")
    assert job["ended"]["type"] == "Complete", place.cluster.job_logs("evicted-1")
    assert found.status == "succeeded"
    assert found.steps == {
        "first": ["succeeded"],
        "slow": ["failed", "succeeded"],
        "last": ["succeeded"],
    }
    pods = place.cluster.job_pods("evicted-1")
    assert deleted not in {pod["metadata"]["name"] for pod in pods}
    assert "first: skipped" in place.cluster.job_logs("evicted-1")


@EACH
def test_an_example_ends_in_a_job_as_it_does_here(example: Example, place: Place) -> None:
    run_here(example, place.folder)
    here = result(shown("latest", place.folder))
    job, there = place.ended(example.name)
    assert job["ended"]["type"] == "Complete", place.cluster.job_logs(f"{example.name}-1")
    assert there == here
    assert there.parameters == example.parameters
    assert len(place.cluster.job_pods(f"{example.name}-1")) == 1


def test_a_step_out_of_memory_is_recorded_and_tried_again(place: Place) -> None:
    job, found = place.ended("hungry")
    assert job["ended"]["type"] == "Complete", place.cluster.job_logs("hungry-1")
    assert found.steps == {"eat": ["failed", "succeeded"], "after": ["succeeded"]}


def test_a_run_that_failed_is_not_started_again(place: Place) -> None:
    job, found = place.ended("wrong")
    assert (job["ended"]["type"], job["ended"]["reason"]) == ("Failed", "PodFailurePolicy")
    assert (found.status, found.steps) == ("failed", {"a": ["failed"]})
    assert len(place.cluster.job_pods("wrong-1")) == 1


def test_a_run_that_is_over_its_deadline_is_closed(place: Place) -> None:
    job, found = place.ended("late")
    assert (job["ended"]["type"], job["ended"]["reason"]) == ("Failed", "DeadlineExceeded")
    assert (found.status, found.steps) == ("cancelled", {"a": ["cancelled"]})


def test_a_secret_reaches_the_step_that_asks_and_no_other(place: Place) -> None:
    job, found = place.ended("secrets")
    assert job["ended"]["type"] == "Complete", place.cluster.job_logs("secrets-1")
    assert found.parameters["seen"] == 0
    assert found.parameters["tried"] > 3, "it saw the other processes"
    assert SECRET not in place.cluster.job_logs("secrets-1")
    assert "asks | it is *" in place.cluster.job_logs("secrets-1"), "it was there, and is masked"


def test_a_process_that_a_step_leaves_behind_is_taken_leave_of(place: Place) -> None:
    job, found = place.ended("orphans")
    assert job["ended"]["type"] == "Complete", place.cluster.job_logs("orphans-1")
    assert found.parameters["left"] == 0


def test_a_run_log_goes_with_its_job(place: Place) -> None:
    cluster = place.cluster
    job, _ = place.ended("wrong")
    label = f"argosy.dev/run=wrong-{job['metadata']['uid'][:8]}"
    assert cluster.get("configmaps", "-l", label)["items"]
    cluster.kubectl("delete", "job", "wrong-1")
    wait_for(lambda: not cluster.get("configmaps", "-l", label)["items"])


def test_a_run_is_submitted_stopped_and_gone_on_with(place: Place) -> None:
    definition = {
        "name": "patient",
        "parameters": {"go": "no"},
        "dag": {
            "steps": {
                "first": shell("true"),
                "wait": shell('test "$ARGOSY_PRM_go" = yes || sleep 600', "first"),
            }
        },
    }
    (place.folder / "patient.yaml").write_text(json.dumps(definition))
    rendered = place.command("render", "patient.yaml", "-o", "out/patient")
    assert rendered.returncode == 0, rendered.stderr
    place.cluster.apply(place.folder / "out/patient")
    submitted = json.loads(place.command("submit", "patient.yaml", "-o", "json").stdout)
    run, job = submitted["run"], submitted["job"]
    wait_for(lambda: "wait" in place.command("show", run).stdout)
    assert f"{run}: stopping" in place.command("stop", run).stdout
    assert place.cluster.wait_job(job)["ended"]["type"] == "Failed"
    watched = place.command("watch", run)
    assert watched.returncode == 1
    assert "wait: cancelled" in watched.stdout
    again = place.command("submit", "patient.yaml", "--resume", run, "-p", "go=yes", "--wait")
    assert again.returncode == 0, again.stderr
    newest = json.loads(place.command("show", again.stdout.partition(":")[0], "-o", "json").stdout)
    assert (newest["status"], newest["parameters"]) == ("succeeded", {"go": "yes"})
    listed = {
        row["run"]: row["status"] for row in json.loads(place.command("runs", "-o", "json").stdout)
    }
    assert (listed[run], listed[newest["run"]]) == ("cancelled", "succeeded")


def test_an_overlay_and_the_clock(new_cluster: Callable[[], Cluster], tmp_path: Path) -> None:
    """A prefix, a namespace, another image and a generated secret, and a run that the clock
    starts; applied again, nothing changes."""
    cluster, folder = new_cluster(), copy(tmp_path)
    (folder / "clock.yaml").write_text('executor: {config: {schedules: ["@every 5s"]}}')
    options = [
        part
        for path in ("kubernetes.yaml", "data/argo.yaml", "clock.yaml")
        for part in ("-c", path)
    ]
    done = argosy("render", "data/pipeline.yaml", *options, "-o", "base", cwd=folder)
    assert done.returncode == 0, done.stderr
    name, _, tag = IMAGE.rpartition(":")
    image = {"name": "registry.example.com/argosy-examples", "newName": name, "newTag": tag}
    kustomization = {
        "resources": ["base"],
        "namePrefix": "team-",
        "namespace": cluster.namespace,
        "images": [image],
        "secretGenerator": [{"name": "signing", "literals": ["SIGNING_KEY=not a secret here"]}],
    }
    (folder / "kustomization.yaml").write_text(json.dumps(kustomization))
    cluster.apply(folder)
    wait_for(lambda: cluster.get("jobs")["items"])
    cluster.kubectl("patch", "cronjob", "team-data", "-p", '{"spec": {"suspend": true}}')
    (job, *_) = cluster.get("jobs")["items"]
    ended = cluster.wait_job(job["metadata"]["name"])["ended"]
    assert ended["type"] == "Complete", cluster.job_logs(job["metadata"]["name"])
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(folder))
    cluster.kubectl("patch", "cronjob", "team-data", "-p", '{"spec": {"suspend": false}}')
    cluster.kubectl("diff", "--server-side", "--force-conflicts", "-k", str(folder))
    cluster.kubectl("delete", "cronjob", "team-data")
