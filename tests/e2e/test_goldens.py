"""Every manifest that is written down, as the API server and `argo lint` see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster import Cluster

ROOT = Path(__file__).parents[2]
FILES = [
    *sorted((ROOT / "tests" / "golden").glob("*.yaml")),
    *sorted((ROOT / "examples").glob("*/manifests*")),
]
NOTIFICATIONS = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "WorkflowTemplate",
    "metadata": {"name": "notifications"},
    "spec": {
        "templates": [
            {
                "name": "slack",
                "inputs": {"parameters": [{"name": "text", "default": ""}]},
                "container": {"image": "busybox", "command": ["true"]},
            }
        ]
    },
}
"""What the hooks of the examples refer to."""


def objects(path: Path) -> list[dict[str, Any]]:
    """What a file, or a folder, would have applied, for whatever namespace."""
    files = [path] if path.is_file() else sorted(path.glob("*.yaml"))
    found: list[dict[str, Any]] = []
    for file in files:
        for one in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if "metadata" in one:
                one["metadata"].pop("namespace", None)
                for subject in one.get("subjects", ()):
                    subject.pop("namespace", None)
                found.append(one)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_server_and_the_linter_take_it(cluster: Cluster, path: Path, tmp_path: Path) -> None:
    items = objects(path)
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", input=text)
    linted = [one for one in items if one["apiVersion"].startswith("argoproj.io/")]
    if not linted:  # nothing of Argo's
        return
    for number, one in enumerate([*linted, NOTIFICATIONS]):
        (tmp_path / f"{number}.json").write_text(json.dumps(one))
    cluster.run("argo", "lint", "--offline", str(tmp_path))
