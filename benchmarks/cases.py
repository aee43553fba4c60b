"""What is measured, each with its goal. A case returns the rows of its part of the table."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

from . import bare
from .definitions import (
    CONFIGURATION,
    NOTHING,
    RUNNABLE,
    RUNNABLE_CONFIGURATION,
    chain,
    mixed,
)
from .growth import growth
from .measure import compare, run
from .peers import peers
from .row import Row
from .scale import scale
from .stores import stores

ARGOSY = str(Path(sysconfig.get_path("scripts")) / "argosy")


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
        # The processor's time: that of the wall is the same where nothing else runs, as here there
        # is one process at work, and a busy machine does not change it as much.
        ours, theirs = compare(15, command, beside, cwd=folder)
        yield Row(
            f"render {steps:,} steps, over a bare parse and render",
            f"{ours.processor / theirs.processor:.2f} x time ({ours.processor * 1000:.0f} ms),"
            f" {ours.memory / theirs.memory:.2f} x memory ({ours.memory:.0f} MiB)",
            "1.6 x each",
            top=True,
        )
        if steps == 1_000:
            yield Row("manifest, bytes a step", f"{len(text) / steps:.0f}", "300", top=True)


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
        top=True,
    )


def local_run(folder: Path) -> Iterator[Row]:
    """`argosy run` of steps that do nothing, one after the other."""
    (folder / "nothing.py").write_text(NOTHING)
    seconds = {}
    for steps, times, goal in ((5, 7, "0.3 s"), (100, 3, "1.5 s"), (1_000, 2, "")):
        (folder / "chain.yaml").write_text(chain(steps))
        command = [ARGOSY, "run", "chain.yaml"]
        seconds[steps] = min(run(command, cwd=folder).seconds for _ in range(times))
        if goal:
            yield Row(
                f"run {steps} empty steps in sequence", f"{seconds[steps]:.2f} s", goal, top=True
            )
    yield Row("run 1,000 empty steps, over 100", f"{seconds[1_000] / seconds[100]:.1f} x", "11 x")


def beside_runnable(folder: Path) -> Iterator[Row]:
    """A step that does nothing beside one of `runnable`, which runs its steps in its own process;
    left out where that cannot be installed."""
    (folder / "nothing.py").write_text(NOTHING)
    (folder / "theirs.py").write_text(RUNNABLE)
    (folder / "theirs.yaml").write_text(RUNNABLE_CONFIGURATION)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([sys.executable, "-m", "venv", "venv"], cwd=folder, check=True)
    install = [python, "-m", "pip", "install", "--quiet", "runnable"]
    if subprocess.run(install, cwd=folder, check=False, capture_output=True).returncode:
        return
    seconds: dict[int, list[float]] = {}
    for steps in (1, 51):
        (folder / "chain.yaml").write_text(chain(steps))
        ours, theirs = [ARGOSY, "run", "chain.yaml"], [python, "theirs.py", str(steps)]
        seconds[steps] = [cost.seconds for cost in compare(3, ours, theirs, cwd=folder)]
    ours_each, theirs_each = (
        (many - one) / 50 for one, many in zip(seconds[1], seconds[51], strict=True)
    )
    yield Row(
        "a step of a local run, over one of `runnable`",
        f"{ours_each / theirs_each:.2f} x ({ours_each * 1000:.0f} ms)",
        "",
    )


CASES: tuple[Case, ...] = (
    render,
    scale,
    peers,
    empty_step,
    local_run,
    growth,
    stores,
    beside_runnable,
)
