"""How large a pipeline an engine holds, and how compiling grows with it."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

from .definitions import CONFIGURATION, chain, mixed
from .measure import run
from .row import Row

ARGOSY = str(Path(sysconfig.get_path("scripts")) / "argosy")
LOWER = """\
from argosy.compiler import phases
from argosy.compiler.compilation import Request
phases.compile(Request("p.yaml", ("argo.yaml",)), until=phases.render)
"""
"""All of compiling but `verify`, which refuses what no engine holds."""
STEP = 50
"""The largest pipeline is found to within so many steps."""


def scale(folder: Path) -> Iterator[Row]:
    (folder / "argo.yaml").write_text(CONFIGURATION)
    (folder / "p.yaml").write_text(mixed(1_000))
    size = plan(folder)
    measured = f"{size['spec'] / 1024:.0f} KiB, {size['templates']} templates"
    yield Row("manifest of 1,000 mixed steps", measured, "")
    for name, definition in (("mixed steps", mixed), ("steps in a row", chain)):
        yield Row(
            f"{name} that one workflow holds", f"{largest(folder, definition):,}", "", top=True
        )
    seconds = {}
    for steps in (1_000, 10_000):
        (folder / "p.yaml").write_text(mixed(steps))
        seconds[steps] = min(run([sys.executable, "-c", LOWER], folder).processor for _ in range(3))
    growth = f"{seconds[10_000] / seconds[1_000]:.1f} x ({seconds[10_000]:.2f} s)"
    yield Row("compile 10,000 mixed steps, over 1,000", growth, "11 x", top=True)


def plan(folder: Path) -> dict[str, int]:
    """What `argosy plan` says of the size of p.yaml."""
    command = [ARGOSY, "plan", "p.yaml", "-c", "argo.yaml", "-o", "json"]
    found = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    size: dict[str, int] = json.loads(found)["size"]
    return size


def largest(folder: Path, definition: Callable[[int], str]) -> int:
    """The most steps of a kind that are not refused."""
    fits, refused = 0, 10_000
    while refused - fits > STEP:
        steps = (fits + refused) // 2 // 10 * 10
        (folder / "p.yaml").write_text(definition(steps))
        command = [ARGOSY, "render", "p.yaml", "-c", "argo.yaml"]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True)
        if done.returncode == 0:
            fits = steps
        else:
            refused = steps
    return fits
