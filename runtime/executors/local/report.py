"""What a person sees of a run while it goes on: lines on stderr, and on a terminal one line more
below them that says what runs now.

Lines are written at once and past Python's buffers, because what a buffer holds when a process
forks is written twice.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Sequence

STDERR = 2
SHOWN = 4
"""So many running steps are named in the line that says what runs now."""


class Report:
    """Plain lines, for a pipe or a file."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock

    def started(self, step: str, attempt: int, attempts: int) -> None:
        self.say(f"{step}: started{_of(attempt, attempts)}")

    def line(self, step: str, text: bytes) -> None:
        """One line of a step's output, as it came."""
        self.write(step.encode() + b" | " + text + b"\n")

    def ended(self, step: str, how: str, seconds: float) -> None:
        """`how` is its status; being skipped takes no time worth telling."""
        after = "" if how == "skipped" else f" after {duration(seconds)}"
        self.say(f"{step}: {how}{after}")

    def left(self, step: str, status: str, reason: str) -> None:
        """A step without a process has ended, or will not run."""
        self.say(f"{step}: {status}" + (f": {reason}" if reason else ""))

    def say(self, text: str) -> None:
        self.write(text.encode(errors="replace") + b"\n")

    def running(self, steps: Sequence[tuple[str, float]]) -> None:
        """What runs now, the first begun first, with the time that each was started."""

    def close(self) -> None:
        """Nothing more will run."""

    def write(self, data: bytes) -> None:
        _write(data)


class LiveReport(Report):
    """For a terminal: rewrites its last line instead of saying what started."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._below = b""

    def started(self, step: str, attempt: int, attempts: int) -> None:
        if attempt > 1:
            super().started(step, attempt, attempts)

    def running(self, steps: Sequence[tuple[str, float]]) -> None:
        now = self.clock()
        named = [f"{step} {duration(now - since, whole=True)}" for step, since in steps[:SHOWN]]
        more = f" and {len(steps) - SHOWN} more" if len(steps) > SHOWN else ""
        text = f"running: {', '.join(named)}{more}" if named else ""
        below = text[: _columns() - 1].encode(errors="replace")
        if below != self._below:
            self._below = below
            _write(b"\r\x1b[K" + below)

    def close(self) -> None:
        if self._below:
            self._below = b""
            _write(b"\r\x1b[K")

    def write(self, data: bytes) -> None:
        _write(b"\r\x1b[K" + data + self._below if self._below else data)


def for_stderr() -> Report:
    """The report that suits where stderr goes."""
    return LiveReport() if os.isatty(STDERR) and os.environ.get("TERM") != "dumb" else Report()


def duration(seconds: float, whole: bool = False) -> str:
    """`0.02 s`, `12.3 s`, `2 m 5 s`, `1 h 3 m`."""
    if seconds < 60:
        digits = 0 if whole else 2 if round(seconds, 2) < 1 else 1
        return f"{int(seconds) if whole else seconds:.{digits}f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest} s"
    return f"{minutes // 60} h {minutes % 60} m"


def _of(attempt: int, attempts: int) -> str:
    return f", attempt {attempt} of {attempts}" if attempt > 1 else ""


def _columns() -> int:
    try:
        return os.get_terminal_size(STDERR).columns or 80
    except OSError:
        return 80


def _write(data: bytes) -> None:
    """All of it, waiting where a terminal is slow; nothing more once nobody reads."""
    while data:
        try:
            data = data[os.write(STDERR, data) :]
        except BlockingIOError:
            select.select((), (STDERR,), ())
        except OSError:
            return
