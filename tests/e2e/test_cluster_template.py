"""A pipeline as a ClusterWorkflowTemplate: applied, compared, run from, pruned, and overlaid."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from api_server import ApiServer, api_server
from cluster import IMAGE, Cluster, phase
from definitions import shell
from examples import argosy

KIND = "clusterworkflowtemplate"
PIPELINE = "argosy.dev/pipeline"


class Place(NamedTuple):
    """A pipeline, which has a name of its own: all of the cluster sees it."""

    cluster: Cluster
    folder: Path
    name: str

    def define(self, steps: dict[str, Any]) -> None:
        definition = {"name": self.name, "dag": {"steps": steps}}
        (self.folder / "p.yaml").write_text(json.dumps(definition))

    def configure(self, **config: Any) -> None:
        base = {"image": IMAGE, "image_pull_policy": "IfNotPresent"}
        executor = {"type": "argo", "config": {**base, **config}}
        (self.folder / "c.yaml").write_text(json.dumps({"executor": executor}))

    def argosy(self, command: str, *arguments: str, status: int = 0) -> str:
        way = ("-c", "c.yaml", "--namespace", self.cluster.namespace)
        done = argosy(command, "p.yaml", *arguments, *way, cwd=self.folder)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def place(new_cluster: Callable[[], Cluster], tmp_path: Path) -> Iterator[Place]:
    found = Place(new_cluster(), tmp_path, f"everywhere-{uuid.uuid4().hex[:6]}")
    found.define({"a": shell('test "$(cat /runs/a)" = 1 || echo 1 >/runs/a')})
    claim = {"mount_path": "/runs", "create": True, "size": "1Mi"}
    found.configure(kind="ClusterWorkflowTemplate", claims={f"{found.name}-runs": claim})
    yield found
    found.cluster.kubectl("delete", KIND, "-l", f"{PIPELINE}={found.name}")


def test_it_is_applied_run_from_compared_and_kept(place: Place) -> None:
    assert f"{KIND}/{place.name} created" in place.argosy("apply")
    assert "namespace" not in place.cluster.get(KIND, place.name)["metadata"]
    assert place.argosy("diff", "--cluster") == ""
    told = json.loads(place.argosy("submit", "--wait", "-o", "json"))
    assert told["status"] == "succeeded"
    spec = place.cluster.get("workflow", told["workflow"])["spec"]
    assert spec["workflowTemplateRef"] == {"name": place.name, "clusterScope": True}

    place.define({"b": shell("true")})
    assert f"ClusterWorkflowTemplate {place.name}" in place.argosy("diff", "--cluster", status=1)
    assert f"{KIND}/{place.name} configured" in place.argosy("apply")
    assert place.argosy("diff", "--cluster") == ""

    place.configure(kind="WorkflowTemplate")
    lines = place.argosy("apply", "--prune").splitlines()
    (kept,) = (line for line in lines if line.startswith(KIND))
    assert kept == f"{KIND}/{place.name} kept: another namespace may run it; kubectl deletes it"
    assert place.cluster.get(KIND, place.name)


@pytest.fixture
def web() -> Iterator[ApiServer]:
    with api_server() as found:
        found.answer = lambda sent: (200, {"token": sent.headers["token"]})
        yield found


def test_an_overlay_renames_it_and_what_it_names(place: Place, web: ApiServer) -> None:
    """The agent's Secret and account among that: with a suffix they are no more called as Argo
    would look for them."""
    reference = {"secretKeyRef": {"name": "made", "key": "TOKEN"}}
    header = {"name": "token", "valueFrom": reference}
    ask = {"http": {"url": web.url, "headers": [header]}}
    steps = {
        "ask": {"type": "argo", "template": ask, "returns": {"answer": "result"}},
        "see": shell(
            'test "$TOKEN $LEVEL $(cat /made/TOKEN /settings/LEVEL)" = "t0ken 3 t0ken3"',
            depends_on=["ask"],
        ),
    }
    place.define(steps)
    place.configure(
        kind="ClusterWorkflowTemplate",
        env_from=[{"secretRef": {"name": "made"}}, {"configMapRef": {"name": "settings"}}],
        volumes=[
            {"name": "made", "secret": {"secretName": "made"}},
            {"name": "settings", "configMap": {"name": "settings"}},
        ],
        volume_mounts=[
            {"name": "made", "mountPath": "/made"},
            {"name": "settings", "mountPath": "/settings"},
        ],
    )
    done = argosy("render", "p.yaml", "-c", "c.yaml", "-o", "base", cwd=place.folder)
    assert done.returncode == 0, done.stderr
    kustomization = {
        "resources": ["base"],
        "namePrefix": "team-",
        "nameSuffix": "-x",
        "namespace": place.cluster.namespace,
        "secretGenerator": [{"name": "made", "literals": ["TOKEN=t0ken"]}],
        "configMapGenerator": [{"name": "settings", "literals": ["LEVEL=3"]}],
    }
    (place.folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    place.cluster.apply(place.folder)
    place.cluster.kubectl("diff", "--server-side", "-k", str(place.folder))

    told = json.loads(place.argosy("submit", "--wait", "-o", "json"))
    workflow = place.cluster.get("workflow", told["workflow"])
    assert phase(workflow) == "Succeeded", place.cluster.report(told["workflow"])
    assert workflow["spec"]["workflowTemplateRef"]["name"] == f"team-{place.name}-x"
    assert told["parameters"] == {"answer": {"token": "t0ken"}}
