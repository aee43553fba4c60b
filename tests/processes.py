"""Processes of this machine, as tests look for them."""

from __future__ import annotations

import socket
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


def free_port() -> int:
    """A port of loopback that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
        return found
