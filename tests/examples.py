"""The examples: how each is run, and what comes out of it, wherever it runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent.parent / "examples"
ARGOSY = [str(Path(sys.executable).with_name("argosy"))]


class Example(NamedTuple):
    """`parameters`: the final ones; `failed`: steps whose last attempt failed; `configurations`:
    for Argo, relative to the examples."""

    name: str
    parameters: dict[str, Any]
    failed: frozenset[str] = frozenset()
    configurations: tuple[str, ...] = ("argo.yaml",)
    environment: Mapping[str, str] = MappingProxyType({})


EXAMPLES = [
    Example(
        "first",
        {
            "name": "world",
            "times": 3,
            "greeting": "hello, hello, hello world",
            "shouted": "HELLO, HELLO, HELLO WORLD!",
            "length": 26,
        },
    ),
    Example(
        "fanout",
        {
            "regions": ["eu", "us", "ap"],
            "rate": 0.1,
            "orders": [
                ["eu", "tea", 3],
                ["us", "tea", 5],
                ["eu", "coffee", 2],
                ["us", "coffee", 1],
            ],
            "prices": {"tea": 2.5, "coffee": 4.0},
            "selected": [
                [["eu", "tea", 3], ["eu", "coffee", 2]],
                [["us", "tea", 5], ["us", "coffee", 1]],
                [],
            ],
            "revenue": 32.0,
            "largest": 12.5,
            "text": "3 regions, 32.00 in all, 12.50 at most, 10% rate",
        },
    ),
    Example(
        "choice",
        {
            "size": 120,
            "attempts": 3,
            "kind": "large",
            "rows": 360,
            "archived": True,
            "summary": "360 large rows, archived",
        },
        failed=frozenset({"publish"}),
    ),
    Example(
        "data",
        {"rows": 4, "lines": 4, "signature": "cbbda4fb"},
        configurations=("argo.yaml", "data/argo.yaml"),
        environment={"SIGNING_KEY": "not a secret here"},
    ),
    Example(
        "nested",
        {"factor": 10, "note": "outside", "numbers": [3, 1, 2], "score": 61},
    ),
    Example(
        "training",
        {
            "weight": 2.953125,
            "target": 3.0,
            "allowed": 0.1,
            "error": 0.046875,
            "done": True,
            "summary": "weight 2.953125, error 0.046875 of 0.1 allowed",
        },
    ),
    Example(
        "magnus",
        {"numbers": [1, 2, 3], "squared": [1, 4, 9], "total": 14},
        configurations=("magnus/argo.yaml",),
    ),
]


def in_a_job(example: Example) -> Example:
    """The example as it is configured to run in one pod."""
    secrets = ("data/argo.yaml",) if example.environment else ()
    return example._replace(configurations=("kubernetes.yaml", *secrets))


def argosy(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command."""
    return subprocess.run(
        [*ARGOSY, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def copy(target: Path) -> Path:
    """The examples in a folder of their own, so that a run leaves nothing behind."""
    ignored = shutil.ignore_patterns("manifests*", "__pycache__", ".argosy", "work")
    return Path(shutil.copytree(FOLDER, target / "examples", ignore=ignored))


def run_here(example: Example, folder: Path) -> dict[str, Any]:
    """The outcome of a local run of the example: {run, status, parameters, catalog, ...}."""
    found = argosy(
        "run", f"{example.name}/pipeline.yaml", "-o", "json", cwd=folder, **example.environment
    )
    if found.returncode:
        raise AssertionError(found.stderr)
    outcome: dict[str, Any] = json.loads(found.stdout)
    return outcome
