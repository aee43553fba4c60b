"""The preset `security: restricted` in a namespace that enforces the Pod Security Standard of that
name: what breaks it never becomes a pod."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster import IMAGE, PYTHON, Cluster
from definitions import shell
from examples import argosy
from own_network import own_network, possible
from runs import result, run_id, shown

ENFORCE = "pod-security.kubernetes.io/enforce=restricted"
MODULE = ["python3", "-m", "argosy.runtime"]
USER = {"pod_security_context": {"runAsUser": 1000}}
PRESET = {"security": "restricted", **USER}


STEPS = {
    "find": shell('test "$(id -u)" = 1000; export ARGOSY_PRM_xs="[1, 2]"', returns=["xs"]),
    "each": {
        "type": "map",
        "iterate_on": "xs",
        "iterate_as": "x",
        "depends_on": ["find"],
        "branch": {
            "steps": {
                "twice": shell("export ARGOSY_PRM_y=$((2 * ARGOSY_PRM_x))", returns=["y"]),
            }
        },
    },
    "say": shell('export ARGOSY_PRM_said="$ARGOSY_PRM_y"', returns=["said"], depends_on=["each"]),
}
FOREIGN = {
    "one": {
        "type": "task",
        "command_type": "container",
        "image": PYTHON,
        "command": "python3",
        "args": ["-c", "open('/argosy/outputs/n', 'w').write('42')"],
        "returns": ["n"],
    }
}


class Place:
    """A folder with pipelines, and the namespace where they run."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder

    def start(self, name: str, steps: dict[str, Any], **options: Any) -> None:
        """Applies the manifests of a pipeline; as Argo's they are started too."""
        config = {"image": IMAGE, "image_pull_policy": "IfNotPresent"}
        config |= {"namespace": self.cluster.namespace, **options}
        executor = {"type": "kubernetes" if name == "job" else "argo", "config": config}
        definition = {"name": name, "dag": {"steps": steps}}
        for file, content in {name: definition, f"{name}-there": {"executor": executor}}.items():
            (self.folder / f"{file}.yaml").write_text(json.dumps(content))
        self.command("render", f"{name}.yaml", "-o", name, "-c", f"{name}-there.yaml")
        self.cluster.apply(self.folder / name)
        if name == "job":
            self.cluster.start_job("job", "job")
        else:
            self.cluster.submit(name)

    def command(self, *arguments: str) -> str:
        done = argosy(*arguments, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def there(self, name: str, made: dict[str, Any]) -> dict[str, Any]:
        """What `argosy show` says of a run in the cluster."""
        run = run_id(name, made)
        found = self.command("show", run, "-o", "json", "-c", f"{name}-there.yaml")
        return dict(json.loads(found))

    def here(self, name: str) -> dict[str, Any]:
        """What it says of a run on this machine."""
        self.command("run", f"{name}.yaml")
        return shown("latest", self.folder)


@pytest.fixture(scope="module")
def place(
    new_cluster: Callable[[], Cluster], runtime: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Everything, started."""
    if not possible():
        pytest.skip("the network of this cluster's pods cannot be entered")
    cluster = new_cluster()
    found = Place(cluster, tmp_path_factory.mktemp("restricted"))
    brought = {"image": PYTHON, "runtime": {"inject": True, "image": runtime}, "command": MODULE}
    with own_network(cluster):
        cluster.kubectl("label", "namespace", cluster.namespace, ENFORCE)
        found.start("steps", STEPS, **PRESET)
        found.start("foreign", FOREIGN, **PRESET)
        found.start("brought", STEPS, **brought, **PRESET)
        found.start("job", STEPS, **PRESET)
        found.start("open", STEPS, **USER)
        yield found


def test_steps_run_where_the_standard_is_enforced(place: Place) -> None:
    names = ["steps", "brought"]
    workflows = place.cluster.wait_all([*names, "foreign"], 300)
    for name in names:
        assert workflows[name]["status"]["phase"] == "Succeeded", place.cluster.report(name)
        assert result(place.there(name, workflows[name])) == result(place.here(name))
        for pod in place.cluster.pods(name):
            assert not pod["spec"].get("hostNetwork")
    assert place.there("foreign", workflows["foreign"])["parameters"] == {"n": 42}


def test_a_pipeline_in_one_pod_runs_there_too(place: Place) -> None:
    job = place.cluster.wait_job("job")
    assert job["ended"]["type"] == "Complete", place.cluster.job_logs("job")
    assert result(place.there("job", job)) == result(place.here("job"))


def test_without_the_preset_no_pod_is_made(place: Place) -> None:
    found = place.cluster.wait("open")
    assert found["status"]["phase"] == "Error"
    said = " ".join(node.get("message", "") for node in found["status"]["nodes"].values())
    assert 'violates PodSecurity "restricted:latest"' in said
    assert place.cluster.pods("open") == []
