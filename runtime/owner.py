"""Whose containers and secret files are whose: a process is named so that its pid, given to
another, is not taken for it."""

from __future__ import annotations

import os
import platform
from contextlib import suppress


def place() -> str:
    """Where pids mean what they mean here: this boot of the machine, this pid namespace."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not Linux
        return platform.node()


def identity(pid: int) -> str:
    """`pid start`: the start in clock ticks since boot, or empty where the system does not say.

    Raises ProcessLookupError where there is no such process, or only what its parent has not
    taken notice of yet.
    """
    if not os.path.exists("/proc/self/stat"):
        with suppress(PermissionError):
            os.kill(pid, 0)
        return f"{pid} "
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # From field 3 on: the one before, the program's name in brackets, may hold anything.
            fields = file.read().rpartition(")")[2].split()
    except FileNotFoundError:
        fields = ["X"]
    if fields[0] in ("X", "Z"):
        raise ProcessLookupError(pid)
    return f"{pid} {fields[19]}"


def gone(name: str) -> bool:
    """Whether the process that `identity` called so has ended."""
    pid = name.partition(" ")[0]
    try:
        return not pid.isdigit() or identity(int(pid)) != name
    except ProcessLookupError:
        return True
