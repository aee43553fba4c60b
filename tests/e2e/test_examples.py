"""Every example: rendered, applied and run on the cluster, it ends as it does here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cluster import IMAGE, Cluster, account, claim
from examples import EXAMPLES, Example, argosy, copy, run_here
from runs import result, run_id, shown

CONTROLS = {
    # The list that `features` iterates over has no single step that hands it over, nor has that of
    # `score/each`, which is among the inputs of a scoped dag. Both maps end in reducers.
    "fanout": 2,
    "nested": 2,
}
"""Pods that are neither a step's nor the one that closes the run."""

STORES = {"magnus": ("magnus-volume", "run_log_store")}
"""The claim that holds the run log, and where in it; `argo.yaml`'s by default."""


class Started(NamedTuple):
    """`name` is that of the pipeline, of its template, and of the workflow."""

    cluster: Cluster
    folder: Path
    name: str


@pytest.fixture(scope="module")
def started(
    new_cluster: Callable[[], Cluster], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Started]:
    """All examples, each in a namespace of its own, submitted at once."""
    found = {}
    for example in EXAMPLES:
        cluster, folder = new_cluster(), copy(tmp_path_factory.mktemp(example.name))
        for one in beforehand(example):
            cluster.create(one)
        overlay = render(example, folder)
        cluster.apply(overlay)
        (template,) = cluster.get("workflowtemplates")["items"]
        found[example.name] = Started(cluster, folder, cluster.submit(template["metadata"]["name"]))
    return found


def beforehand(example: Example) -> list[dict[str, Any]]:
    """What an example's configuration says is there."""
    if example.name == "magnus":
        return [*account("default-editor"), claim("magnus-volume")]
    metadata = {"name": "signing"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    return [{**secret, "stringData": example.environment}] if example.environment else []


def render(example: Example, folder: Path) -> Path:
    """The rendered manifests, below an overlay that has them use the image that is tested."""
    configurations = [part for path in example.configurations for part in ("-c", path)]
    definition = f"{example.name}/pipeline.yaml"
    done = argosy("render", definition, *configurations, "-o", "overlay/base", cwd=folder)
    assert done.returncode == 0, done.stderr
    name, _, tag = IMAGE.rpartition(":")
    (folder / "overlay/kustomization.yaml").write_text(f"""
resources: [base]
images: [{{name: registry.example.com/argosy-examples, newName: {name}, newTag: {tag}}}]
""")
    return folder / "overlay"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_ends_on_the_cluster_as_it_does_here(
    example: Example, started: Mapping[str, Started]
) -> None:
    cluster, folder, name = started[example.name]
    run_here(example, folder)
    here = result(shown("latest", folder))
    workflow = cluster.wait(name)
    assert workflow["status"]["phase"] == "Succeeded", cluster.report(name)
    volume, store = STORES.get(example.name, ("argosy-runs", "argosy"))
    there = result(shown(run_id(name, workflow), folder, cluster.folder(volume) / store))
    assert there == here
    assert there.parameters == example.parameters
    attempts = sum(map(len, there.steps.values()))
    assert len(cluster.pods(name)) == attempts + CONTROLS.get(example.name, 0) + 1
