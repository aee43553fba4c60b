"""A Job's pod without a cluster: its container's process, with the variables that it would have."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from argosy.compiler import Request, compile
from argosy.runtime import layout
from marks import marks_of, with_marks

UID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
RUN = "churn-0a1b2c3d"


class Pod:
    """A pipeline's pods, one after another. `folder` is the volume and the working folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.marks = marks_of(folder)
        self.count = 0
        self.more: dict[str, str] = {}

    def jobs(self, text: str) -> None:
        (self.folder / "jobs.py").write_text(with_marks(text, self.folder))

    def compiled(self, definition: Mapping[str, Any], **options: Any) -> Any:
        config = {"image": "i", "claims": {"runs": str(self.folder)}, **options}
        configuration = {
            "executor": {"type": "kubernetes", "config": config},
            "run_log_store": {"type": "file-system"},
            "catalog": {"type": "file-system"},
            "secrets": {"type": "kubernetes", "config": {"secret": "churn"}},
        }
        files = {"p.json": {"name": "churn", **definition}, "c.json": configuration}
        for name, content in files.items():
            (self.folder / name).write_text(yaml.safe_dump(content, sort_keys=False))
        return compile(Request(str(self.folder / "p.json"), (str(self.folder / "c.json"),)))

    def render(self, definition: Mapping[str, Any], **options: Any) -> None:
        """Has the pods run this pipeline."""
        (job,) = (
            m for m in self.compiled(definition, **options).manifests if m.template == "cronjob"
        )
        template = job.data["spec"]["jobTemplate"]["spec"]["template"]
        (container,) = template["spec"]["containers"]
        assert container["args"] == ["run"]
        self.variables = container["env"]

    def environment(self) -> dict[str, str]:
        """What the kubelet makes of the variables."""
        fields = {
            "metadata.labels['batch.kubernetes.io/job-name']": "churn-1",
            "metadata.labels['batch.kubernetes.io/controller-uid']": UID,
            "metadata.namespace": "team",
            "metadata.name": f"churn-1-{self.count}",
            "metadata.uid": f"{self.count}f00",
        }
        found: dict[str, str] = {}
        for variable in self.variables:
            source = variable.get("valueFrom", {})
            if "secretKeyRef" in source:
                value = f"value of {source['secretKeyRef']['key']}"
            elif "resourceFieldRef" in source:
                value = "2"
            elif source:
                value = fields[source["fieldRef"]["fieldPath"]]
            else:
                value = expanded(variable["value"], found)
            found[variable["name"]] = value
        return found

    def start(self) -> subprocess.Popen[str]:
        self.count += 1
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.Popen(
            [sys.executable, "-m", "argosy.runtime", "run"],
            cwd=self.folder,
            env={**kept, **self.environment(), **self.more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self) -> tuple[int, str, str]:
        """The exit status of a new pod, and what it said."""
        process = self.start()
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def told(self) -> dict[str, Any]:
        status, out, err = self.run()
        assert status == 0, err
        found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return found

    def read(self, key: str) -> Any:
        return json.loads((self.folder / "argosy" / key).read_text())

    def statuses(self, step: str) -> list[str]:
        folder = self.folder / "argosy" / layout.record_prefix(RUN, step)
        return [json.loads(path.read_text())["status"] for path in sorted(folder.glob("*.json"))]

    def ends(self) -> list[str]:
        folder = self.folder / "argosy" / layout.end_prefix(RUN)
        return [json.loads(path.read_text())["status"] for path in sorted(folder.glob("*.json"))]


def expanded(text: str, known: Mapping[str, str]) -> str:
    """As the kubelet: `$(NAME)` is a variable's value where there is one, `$$` one dollar."""

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        return "$" if name is None else known.get(name, match[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", replace, text)
