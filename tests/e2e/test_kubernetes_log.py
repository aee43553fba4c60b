"""The run log of argo where none is configured: in the cluster, beside the workflow of the run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster import IMAGE, Cluster, from_template
from examples import argosy
from runs import run_id

DEFINITION = {
    "name": "parameters",
    "parameters": {"xs": [1, 2, 3]},
    "dag": {
        "steps": {
            "first": {
                "type": "task",
                "command_type": "shell",
                "command": "echo hello; export ARGOSY_PRM_word=hello "
                "ARGOSY_PRM_large=$(head -c 40000 /dev/zero | tr '\\0' x)",
                "returns": ["word", "large"],
            },
            "each": {
                "type": "map",
                "iterate_on": "xs",
                "iterate_as": "x",
                "depends_on": ["first"],
                "branch": {
                    "steps": {
                        "twice": {
                            "type": "task",
                            "command_type": "shell",
                            "command": "export ARGOSY_PRM_y=$((2 * ARGOSY_PRM_x))",
                            "returns": ["y"],
                        }
                    }
                },
            },
            "last": {
                "type": "task",
                "command_type": "shell",
                "command": 'export ARGOSY_PRM_size=$(wc -c <"$ARGOSY_PRM_large_FILE")',
                "depends_on": ["each"],
                "returns": ["size"],
            },
        }
    },
}
MAPS = ("configmaps", "-l", "argosy.dev/run")


@pytest.fixture(scope="module")
def place(new_cluster: Callable[[], Cluster], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A namespace, and a folder with a pipeline whose configuration is an image."""
    cluster, folder = new_cluster(), tmp_path_factory.mktemp("default")
    configuration = {"executor": {"type": "argo", "config": {"image": IMAGE}}}
    (folder / "argo.yaml").write_text(json.dumps(configuration))
    # The tests' cluster cannot pull; and the command looks where the executor says.
    here = {"image_pull_policy": "IfNotPresent", "namespace": cluster.namespace}
    (folder / "here.yaml").write_text(json.dumps({"executor": {"config": here}}))
    (folder / "pipeline.yaml").write_text(json.dumps(DEFINITION))
    rendered = command(folder, "render", "pipeline.yaml", "-o", "manifests")
    assert rendered.returncode == 0, rendered.stderr
    cluster.apply(folder / "manifests")
    return cluster, folder


def command(folder: Path, *arguments: str) -> Any:
    return argosy(*arguments, "-c", "argo.yaml", "-c", "here.yaml", cwd=folder)


def said(folder: Path, *arguments: str) -> str:
    done = command(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def workflow(place: Any) -> dict[str, Any]:
    cluster, _ = place
    found: dict[str, Any] = cluster.wait(cluster.submit("parameters"))
    assert found["status"]["phase"] == "Succeeded", cluster.report("parameters")
    return found


def test_an_image_is_all_that_it_takes(place: Any, workflow: dict[str, Any]) -> None:
    _, folder = place
    run = run_id("parameters", workflow)
    shown = json.loads(said(folder, "show", run, "-o", "json"))
    assert shown["status"] == "succeeded"
    assert shown["parameters"]["y"] == [2, 4, 6]
    assert shown["parameters"]["size"] == 40000
    assert {step["step"] for step in shown["steps"] if step["attempts"]} == {
        "first",
        *(f"each/{index}/twice" for index in range(3)),
        "last",
    }
    (listed,) = json.loads(said(folder, "runs", "-o", "json"))
    assert (listed["run"], listed["status"]) == (run, "succeeded")
    assert said(folder, "logs", "latest", "first") == "hello\n"


def test_a_run_that_goes_on_keeps_what_it_needs_of_the_old_one(
    place: Any, workflow: dict[str, Any]
) -> None:
    """The old run's workflow goes, and its objects with it; the blob, which the new run names
    too, stays."""
    cluster, folder = place
    again = from_template("parameters", "again", {})
    annotations = {"argosy.dev/resume": run_id("parameters", workflow)}
    again["spec"]["podMetadata"] = {"annotations": annotations}
    cluster.create(again)
    found = cluster.wait("again")
    assert found["status"]["phase"] == "Succeeded", cluster.report("again")
    run = run_id("parameters", found)
    shown = json.loads(said(folder, "show", run, "-o", "json"))
    assert {step["status"] for step in shown["steps"] if step["attempts"]} == {"skipped"}

    cluster.kubectl("delete", "workflow", "parameters")
    uid, until = found["metadata"]["uid"], time.monotonic() + 60
    while time.monotonic() < until:
        left = cluster.get(*MAPS)["items"]
        if all(owners(one) == {uid} for one in left):
            break
        time.sleep(1)
    keys = {one["metadata"]["annotations"]["argosy.dev/key"] for one in left}
    assert all(owners(one) == {uid} for one in left)
    assert sum(key.startswith("blobs/") for key in keys) == 1
    assert all(key.startswith((f"runs/{run}/", "blobs/")) for key in keys)

    options = ("-c", "argo.yaml", "-c", "here.yaml")
    removed = argosy("runs", *options, "rm", run, cwd=folder)
    assert f"{run}: deleted" in removed.stderr
    assert cluster.get(*MAPS)["items"] == []


def owners(found: dict[str, Any]) -> set[str]:
    return {one["uid"] for one in found["metadata"]["ownerReferences"]}
