"""What is measured, each with its goal. A case returns the rows of its part of the table."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from . import bare
from .definitions import CONFIGURATION, NOTHING, chain, mixed
from .measure import compare, run

ARGOSY = str(Path(sysconfig.get_path("scripts")) / "argosy")


class Row(NamedTuple):
    what: str
    measured: str
    goal: str


Case = Callable[[Path], Iterator[Row]]


def render(folder: Path) -> Iterator[Row]:
    """A cold `argosy render` beside a bare program that writes as much."""
    (folder / "argo.yaml").write_text(CONFIGURATION)
    for steps in (10, 100, 1_000):
        (folder / "mixed.yaml").write_text(mixed(steps))
        command = [ARGOSY, "render", "mixed.yaml", "-c", "argo.yaml", "-o", "-"]
        text = subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True
        ).stdout
        beside = [sys.executable, bare.__file__, "mixed.yaml", str(len(text))]
        ours, theirs = compare(9 if steps < 1_000 else 5, command, beside, cwd=folder)
        yield Row(
            f"render {steps:,} steps, over a bare parse and render",
            f"{ours.seconds / theirs.seconds:.2f} x time ({ours.seconds * 1000:.0f} ms),"
            f" {ours.memory / theirs.memory:.2f} x memory ({ours.memory:.0f} MiB)",
            "1.6 x each",
        )
        if steps == 1_000:
            yield Row("manifest, bytes a step", f"{len(text) / steps:.0f}", "300")


def empty_step(folder: Path) -> Iterator[Row]:
    """The runtime's own time around a step that does nothing."""
    (folder / "nothing.py").write_text(NOTHING)
    node = {"step": "nothing", "rank": "0", "from": [], "command": "nothing.at_all"}
    config = {
        "pipeline": {"name": "bench", "digest": ""},
        "executor": "argo",
        "arguments": {},
        "run_log_store": {"type": "file-system", "config": {"location": str(folder / "log")}},
        "catalog": {"type": "do-nothing", "config": {}},
        "secrets": {"type": "do-nothing", "config": {}},
    }
    step = [sys.executable, "-m", "argosy.runtime", "exec", json.dumps(node)]
    environment = {"ARGOSY_CONFIG": json.dumps(config), "ARGOSY_RUN_ID": "bench-00000000"}
    ours, theirs = compare(15, step, [sys.executable, "-c", "pass"], cwd=folder, env=environment)
    yield Row(
        "an empty step in a pod, over `python -c pass`",
        f"{(ours.seconds - theirs.seconds) * 1000:.0f} ms",
        "60 ms",
    )


def local_run(folder: Path) -> Iterator[Row]:
    """`argosy run` of steps that do nothing, one after the other."""
    (folder / "nothing.py").write_text(NOTHING)
    seconds = {}
    for steps, times, goal in ((5, 7, "0.3 s"), (100, 3, "1.5 s"), (1_000, 1, "")):
        (folder / "chain.yaml").write_text(chain(steps))
        command = [ARGOSY, "run", "chain.yaml"]
        seconds[steps] = min(run(command, cwd=folder).seconds for _ in range(times))
        if goal:
            yield Row(f"run {steps} empty steps in sequence", f"{seconds[steps]:.2f} s", goal)
    yield Row("run 1,000 empty steps, over 100", f"{seconds[1_000] / seconds[100]:.1f} x", "11 x")


CASES: tuple[Case, ...] = (render, empty_step, local_run)
