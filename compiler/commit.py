"""The Git commit of the working directory, as a run records it."""

from __future__ import annotations

import subprocess
from contextlib import suppress

TIMEOUT = 5.0
COMMAND = (
    *("git", "--no-optional-locks", "-c", "core.fsmonitor=false"),
    *("status", "--porcelain=v2", "--branch", "--", ":/", ":(exclude,top,glob)**/.argosy/**"),
)
"""The runs of a project are no change of it."""


class Commit:
    """Asks Git, while something else goes on."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        with suppress(OSError):  # there is no Git
            self._process = subprocess.Popen(
                COMMAND, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )

    def result(self) -> dict[str, str | bool]:
        """{commit, dirty}; empty outside of a checkout. `dirty`: files differ from the commit."""
        if self._process is None:
            return {}
        try:
            said, _ = self._process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return {}
        lines = said.splitlines()
        heads = [line.split()[2].decode() for line in lines if line.startswith(b"# branch.oid ")]
        if not heads or heads[0] == "(initial)":
            return {}
        return {"commit": heads[0], "dirty": any(not line.startswith(b"#") for line in lines)}
