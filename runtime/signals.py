"""Signals as something to wait for: while entered, each that arrives is a byte in a pipe.

Nothing is interrupted by one, so an object is never left half made; who can wait looks.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType

from .errors import StoppedError

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def name(number: int) -> str:
    """`SIGTERM`, for a message."""
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"


class Signals:
    """`received` has the signals that told this process to stop, in order."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.descriptor, self._writer = -1, -1
        self._before: dict[int, object] = {}
        self._wakeup = -1

    def __enter__(self) -> Signals:
        self.descriptor, self._writer = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._writer, False)
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (*STOPPING, signal.SIGCHLD):
            # What nohup ignores stays ignored.
            if number == signal.SIGCHLD or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, noted)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # as signal() gave it
        signal.set_wakeup_fd(self._wakeup)
        os.close(self.descriptor)
        os.close(self._writer)

    def drain(self) -> None:
        """Takes what has arrived out of the pipe."""
        with suppress(BlockingIOError):
            while data := os.read(self.descriptor, 512):
                self.received += [number for number in data if number in STOPPING]

    def check(self) -> None:
        """Raises StoppedError where this process was told to stop."""
        self.drain()
        if self.received:
            number = self.received[0]
            raise StoppedError(f"stopped by {name(number)} before the step began", number)


def noted(number: int, frame: FrameType | None) -> None:
    """A handler, so that the signal's number is written to the pipe."""


def reset() -> None:
    """What a child does that was forked while Signals was entered."""
    signal.set_wakeup_fd(-1)
    for number in (*STOPPING, signal.SIGCHLD):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
