"""Manifests on their way through kustomize, `kubectl apply` and the clock."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cluster import IMAGE, Cluster
from examples import argosy
from runs import Lab, result, run_id, shown

DEFINITION = {
    "name": "report",
    "description": 'It\'s "the" report: {{x}}, 100 % #1\nand more.',
    "parameters": {"words": ["a", "b"], "flag": True},
    "dag": {
        "steps": {
            "sign": {
                "type": "task",
                "command_type": "shell",
                "command": "export ARGOSY_PRM_length=${#SIGNING_KEY}",
                "secrets": ["SIGNING_KEY"],
                "retry": {"max_attempts": 2, "backoff": "2s"},
                "timeout": "1m",
            },
            "each": {
                "type": "map",
                "iterate_on": "words",
                "iterate_as": "word",
                "branch": {"steps": {"say": {"type": "stub"}}},
                "depends_on": ["sign"],
            },
        }
    },
}
CONFIGURATION = {
    "executor": {
        "type": "argo",
        "config": {
            "image": "registry.example.com/team/report:1",
            "image_pull_policy": "IfNotPresent",
            "image_pull_secrets": ["registry"],
            "claims": {"report-runs": {"mount_path": "/runs", "create": True, "size": "1Gi"}},
            "env": {"LEVEL": "yes", "n": "1e3"},
            "labels": {"team": "data"},
            "annotations": {"example.com/owner": "a: b"},
            "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
            "tolerations": [{"key": "batch", "operator": "Exists"}],
            "node_selector": {"kubernetes.io/os": "linux"},
            "retry": 2,
            "workflow_timeout": "10m",
            "parallelism": 3,
            "schedules": ["@every 5s"],
            "timezone": "Europe/Madrid",
        },
    },
    "run_log_store": {"type": "file-system"},
    "secrets": {"type": "kubernetes", "config": {"secret": "signing"}},
}


class Overlay(NamedTuple):
    cluster: Cluster
    folder: Path
    applied: str


@pytest.fixture(scope="module")
def overlay(
    new_cluster: Callable[[], Cluster], tmp_path_factory: pytest.TempPathFactory
) -> Overlay:
    """An overlay with a prefix, a namespace, another image and a generated secret, applied."""
    cluster, folder = new_cluster(), tmp_path_factory.mktemp("overlay")
    (folder / "pipeline.yaml").write_text(json.dumps(DEFINITION))
    (folder / "argo.yaml").write_text(json.dumps(CONFIGURATION))
    done = argosy("render", "pipeline.yaml", "-c", "argo.yaml", "-o", "base", cwd=folder)
    assert done.returncode == 0, done.stderr
    name, _, tag = IMAGE.rpartition(":")
    image = {"name": "registry.example.com/team/report", "newName": name, "newTag": tag}
    kustomization = {
        "resources": ["base"],
        "namePrefix": "team-",
        "namespace": cluster.namespace,
        "images": [image],
        "secretGenerator": [{"name": "signing", "literals": ["SIGNING_KEY=twelve bytes"]}],
    }
    (folder / "kustomization.yaml").write_text(json.dumps(kustomization))
    cluster.kubectl("apply", "-k", str(folder), "--dry-run=server", "--validate=strict")
    return Overlay(cluster, folder, cluster.kubectl("apply", "-k", str(folder)))


def test_an_overlay_renames_all_that_is_referred_to(overlay: Overlay) -> None:
    kinds = sorted(line.partition("/")[0].partition(".")[0] for line in overlay.applied.split("\n"))
    assert kinds == [
        "",
        "cronworkflow",
        "persistentvolumeclaim",
        "role",
        "rolebinding",
        "secret",
        "serviceaccount",
        "workflowtemplate",
    ]
    assert all("/team-" in line for line in overlay.applied.splitlines())


def test_the_clock_starts_a_run_of_it(overlay: Overlay) -> None:
    cluster = overlay.cluster
    # Argo looks again after 20 minutes where it saw the schedule before the template; or at once.
    cluster.kubectl("annotate", "cronworkflow", "team-report", "example.com/look=again")
    until = time.monotonic() + 60
    while not (workflows := cluster.get("workflows")["items"]):
        assert time.monotonic() < until, cluster.kubectl("describe", "cronworkflow")
        time.sleep(1)
    suspend(cluster)
    name = workflows[0]["metadata"]["name"]
    workflow = cluster.wait(name)
    assert workflow["status"]["phase"] == "Succeeded", cluster.report(name)
    store = cluster.folder("team-report-runs") / "argosy"
    found = result(shown(run_id("report", workflow), overlay.folder, store))
    assert found.steps == {"sign": ["succeeded"]}
    assert found.parameters == {"words": ["a", "b"], "flag": True, "length": 12}
    assert {pod["spec"]["containers"][1]["image"] for pod in cluster.pods(name)} == {IMAGE}


def test_applying_it_again_changes_nothing(overlay: Overlay) -> None:
    cluster, folder = overlay.cluster, str(overlay.folder)
    cluster.kubectl("apply", "-k", folder)  # the clock goes again
    cluster.kubectl("diff", "-k", folder)
    lines = cluster.kubectl("apply", "-k", folder).splitlines()
    assert [line for line in lines if not line.endswith(" unchanged")] == []
    suspend(cluster)


def suspend(cluster: Cluster) -> None:
    """Stops the clock."""
    patch = json.dumps({"spec": {"suspend": True}})
    cluster.kubectl("patch", "cronworkflow", "team-report", "--type=merge", "-p", patch)


def test_a_workflow_runs_once_it_is_applied(lab: Lab) -> None:
    command: dict[str, Any] = {"type": "task", "command_type": "shell", "command": "true"}
    definition = {"name": "once", "dag": {"steps": {"a": command}}}
    lab.apply(lab.render(definition, kind="Workflow"))
    found = result(lab.there("once"))
    assert (found.status, found.steps) == ("succeeded", {"a": ["succeeded"]})
