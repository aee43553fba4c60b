"""A run in a temporary working folder, whose nodes are run as an executor runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from argosy.runtime import layout
from argosy.runtime.context import Context
from argosy.runtime.execute import execute
from argosy.runtime.node import from_json
from argosy.runtime.run_logs.file_system import FileSystemRunLog


class Done(NamedTuple):
    """`record` is that of the newest attempt."""

    status: int
    out: str
    err: str
    record: dict[str, Any]


class Run:
    """One run: `code` writes modules of the user's, `exec` runs a node."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.name = "churn-1"
        self.config: dict[str, Any] = {"pipeline": {"name": "churn"}, "executor": "local"}
        self.arguments: dict[str, Any] = {}
        self.options: dict[str, Any] = {}
        self.store = FileSystemRunLog({"location": str(folder / ".argosy")})
        self._capture = capture

    def code(self, text: str, module: str = "jobs") -> None:
        (self.folder / f"{module}.py").write_text(text)

    def context(self) -> Context:
        return Context(self.name, self.config, self.arguments, **self.options)

    def exec(
        self, step: str, key: str = "", ended: str = "", attempt: int = 1, **node: Any
    ) -> Done:
        """Runs the node `step`; `from_` is its `from`."""
        self._capture.readouterr()
        raw = {"step": step, **{name.rstrip("_"): value for name, value in node.items()}}
        status = execute(from_json(raw), key, ended, self.context(), attempt)
        out, err = self._capture.readouterr()
        instance = layout.fill(step, layout.indexes(key))
        return Done(status, out, err, (self.records(instance) or [{}])[-1])

    def records(self, instance: str) -> list[dict[str, Any]]:
        keys = self.store.list(layout.record_prefix(self.name, instance))
        found = [self.store.get(key) or b"" for key in keys if key.endswith(".json")]
        return [json.loads(data) for data in found]

    def log(self, instance: str) -> bytes:
        keys = self.store.list(layout.record_prefix(self.name, instance))
        return b"".join(self.store.get(key) or b"" for key in keys if ".log/" in key)

    def state(self, instance: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.store.get(layout.state_key(self.name, instance)) or b"null"
        )
        return found

    def parameters(self, instance: str) -> dict[str, Any]:
        """The values of a state."""
        entries = self.state(instance)["parameters"]
        return {name: entry.get("value") for name, entry in entries.items()}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    return Run(tmp_path, capfd)
