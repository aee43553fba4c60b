"""Processes of this machine, as tests look for them."""

from __future__ import annotations

import time
from pathlib import Path

PATIENCE = 30.0
"""Seconds: what is killed ends when the system gets round to it."""


def gone(pid: int) -> bool:
    """Whether a process ends, or only awaits its parent, before long."""
    until = time.monotonic() + PATIENCE
    while running(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
