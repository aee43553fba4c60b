"""Runs of pipelines here and on the cluster, and what the run log says of them: the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cluster import IMAGE, Cluster, account, claim, from_template
from examples import argosy

CLAIM, ACCOUNT, MOUNT = "runs", "runner", "/runs"


class Result(NamedTuple):
    """How a run ended: the statuses of each step's attempts, the final parameters, and the hash of
    each file."""

    status: str
    steps: dict[str, list[str]]
    parameters: dict[str, Any]
    catalog: dict[str, str]


def shown(run: str, folder: Path, store: Path | None = None) -> dict[str, Any]:
    """What `argosy show` says of a run; its log is in `store`, or where `argosy run` in `folder`
    left it."""
    options: list[str] = []
    if store:
        config = {"run_log_store": {"type": "file-system", "config": {"location": str(store)}}}
        (folder / "show.yaml").write_text(json.dumps(config))
        options = ["-c", "show.yaml"]
    found = argosy("show", run, "-o", "json", *options, cwd=folder)
    assert found.returncode == 0, found.stderr
    document: dict[str, Any] = json.loads(found.stdout)
    return document


def result(document: Mapping[str, Any]) -> Result:
    """The result in what `argosy show` says."""
    return Result(
        document["status"],
        {
            s["step"]: [a["status"] for a in s["attempts"]]
            for s in document["steps"]
            if s["attempts"]
        },
        document["parameters"],
        {name: entry["sha256"] for name, entry in document["catalog"].items()},
    )


def run_id(pipeline: str, workflow: Mapping[str, Any]) -> str:
    return f"{pipeline}-{workflow['metadata']['uid'][:8]}"


class Lab:
    """Many small pipelines, each run here and on the cluster, where they share a claim and a
    service account. `folder` is for what they are made of."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self._workflows: dict[str, dict[str, Any]] = {}
        cluster.create(claim(CLAIM), *account(ACCOUNT))
        self.volume = cluster.folder(CLAIM)
        self.configuration: dict[str, Any] = {
            "executor": {
                "type": "argo",
                "config": {
                    "image": IMAGE,
                    "image_pull_policy": "IfNotPresent",
                    "service_account": ACCOUNT,
                    "claims": {CLAIM: MOUNT},
                },
            },
            "run_log_store": {"type": "file-system"},
            "catalog": {"type": "file-system"},
        }

    def place(self, name: str) -> Path:
        """The folder of one pipeline."""
        found = self.folder / name
        found.mkdir(exist_ok=True)
        return found

    def render(self, definition: Mapping[str, Any], **options: Any) -> str:
        """The objects of a pipeline; `options` are of the executor."""
        folder = self.place(definition["name"])
        (folder / "pipeline.yaml").write_text(json.dumps(definition, ensure_ascii=False))
        over = {"executor": {"config": options}}
        for name, content in {"argo": self.configuration, "more": over}.items():
            (folder / f"{name}.yaml").write_text(json.dumps(content))
        done = argosy("render", "pipeline.yaml", "-c", "argo.yaml", "-c", "more.yaml", cwd=folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def apply(self, *manifests: str) -> None:
        apply = ("apply", "--server-side", "--validate=strict", "-f", "-")
        self.cluster.kubectl(*apply, input="---\n".join(manifests))

    def start(self, *definitions: Mapping[str, Any], **options: Any) -> None:
        """Starts a workflow of each pipeline, called as that is."""
        self.apply(*(self.render(definition, **options) for definition in definitions))
        names = [definition["name"] for definition in definitions]
        self.cluster.create(*(from_template(name, name, {}) for name in names))

    def here(self, name: str, *options: str, **environment: str) -> dict[str, Any]:
        """Runs the pipeline on this machine; what `argosy show` says of that."""
        folder = self.place(name)
        done = argosy("run", "pipeline.yaml", *options, cwd=folder, **environment)
        assert done.returncode in (0, 1), done.stderr
        return shown("latest", folder)

    def there(self, name: str, pipeline: str = "") -> dict[str, Any]:
        """What `argosy show` says of the run of a workflow, once that has ended."""
        workflow = self._workflows.get(name) or self.cluster.wait(name)
        run = run_id(pipeline or name, workflow)
        return shown(run, self.place(pipeline or name), self.volume / "argosy")

    def wait(self, *names: str, seconds: float = 300) -> None:
        """Waits for many at once."""
        self._workflows.update(self.cluster.wait_all(names, seconds))

    def status(self, name: str) -> str:
        """What the engine says of a workflow that has been waited for."""
        return str(self._workflows[name]["status"]["phase"])

    def pods(self, name: str) -> int:
        """How many pods a workflow had."""
        return len(self.cluster.pods(name))
