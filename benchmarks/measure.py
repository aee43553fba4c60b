"""What a command costs, from its start to its end."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

AS_INSTALLED = {"PYTHONDONTWRITEBYTECODE": ""}
"""What is installed has its bytecode beside it, whatever the shell that this runs in says."""


class Cost(NamedTuple):
    """Wall time and the processor's in seconds, the most memory at once in MiB."""

    seconds: float
    processor: float
    memory: float


def run(command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> Cost:
    """Runs it once. Raises `CalledProcessError`, with what it said, where it fails."""
    errors = cwd / "stderr"
    with errors.open("w+b") as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **AS_INSTALLED, **(env or {})},
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(
            process.returncode, command, stderr=errors.read_text(errors="replace")
        )
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(times: int, *commands: Sequence[str], **options: object) -> list[Cost]:
    """The median cost of each command, run in turn so that all see the same machine."""
    costs: list[list[Cost]] = [[] for _ in commands]
    for turn in range(times + 1):
        for command, found in zip(commands, costs, strict=True):
            cost = run(command, **options)  # type: ignore[arg-type]
            if turn:  # the first one only warms the caches
                found.append(cost)
    return [Cost(*map(statistics.median, zip(*found, strict=True))) for found in costs]
