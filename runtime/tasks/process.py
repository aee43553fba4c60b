"""The process that the user's code runs in: started, listened to, told to end, and found to have.

It leads a group of its own, so that what it starts ends with it. It is a fork: this process has a
single thread and has imported only the runtime, and a new interpreter would cost forty times more.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, NoReturn

from argosy.runtime import signals
from argosy.runtime.errors import NodeError
from argosy.runtime.output import Output
from argosy.runtime.signals import Signals

GRACE = 10.0
"""Seconds between telling the step to end and killing it."""

LEFTOVERS = 1.0
"""Seconds that what the step left running has to finish what it prints."""

CHUNK = 1 << 16


class Ended(NamedTuple):
    """How it ended: `code` is its exit status, or the negated number of the signal that ended it;
    `stopped_by` the signal that this process was told to stop by."""

    code: int
    timed_out: bool
    stopped_by: int | None


def run(act: Callable[[], int], output: Output, timeout: float | None, told: Signals) -> Ended:
    """Runs `act` in a process of its own, which exits with what that returns, to its end."""
    if not hasattr(os, "fork"):
        raise NodeError("a step needs a system with fork: Linux, macOS, or WSL on Windows")
    return Process(act, output, timeout, told).wait()


class Process:
    def __init__(
        self, act: Callable[[], int], output: Output, timeout: float | None, told: Signals
    ) -> None:
        self._output = output
        self._told = told
        self._selector = selectors.DefaultSelector()
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._kill_at: float | None = None
        self._timed_out = False
        self._stopped_by: int | None = None
        self._code: int | None = None
        self._forwarded = len(told.received)
        self._start(act)

    def _start(self, act: Callable[[], int]) -> None:
        readers, writers = {}, {}
        for stream in (1, 2):
            readers[stream], writers[stream] = os.pipe()
        guard, self._life = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal that comes between is dealt with by the one or the other, once.
        signal.pthread_sigmask(signal.SIG_BLOCK, signals.STOPPING)
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._life)
            become(act, writers, guard)
        with suppress(OSError):  # the child says so too; whoever is first
            os.setpgid(self._pid, self._pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals.STOPPING)
        os.close(guard)
        for stream, reader in readers.items():
            os.close(writers[stream])
            os.set_blocking(reader, False)
            self._selector.register(reader, selectors.EVENT_READ, stream)
        self._selector.register(self._told.descriptor, selectors.EVENT_READ, 0)

    def wait(self) -> Ended:
        try:
            while self._code is None:
                self._listen(self._pause())
                self._keep_time()
            self._finish()
        finally:
            self._send(signal.SIGKILL)
            for key in [*self._selector.get_map().values()]:
                if key.data:
                    os.close(key.fd)
            self._selector.close()
            os.close(self._life)
        return Ended(self._code, self._timed_out, self._stopped_by)

    def _finish(self) -> None:
        """Hears out who still has the pipes: a `tee` has a last line, a daemon would go on."""
        self._hear_out(LEFTOVERS)
        self._send(signal.SIGKILL)
        self._hear_out(LEFTOVERS / 4)

    def _hear_out(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while len(self._selector.get_map()) > 1 and time.monotonic() < until:
            self._listen(until - time.monotonic())

    def _pause(self) -> float:
        dues = [due for due in (self._deadline, self._kill_at) if due is not None]
        pause = self._output.tick()
        return max(0.0, min([pause, *(due - time.monotonic() for due in dues)]))

    def _listen(self, pause: float) -> None:
        for key, _ in self._selector.select(max(0.0, pause)):
            if key.data:
                self._read(key.fd, key.data)
            else:
                self._hear()

    def _read(self, descriptor: int, stream: int) -> None:
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return
        if data:
            self._output.feed(stream, data)
        else:
            self._selector.unregister(descriptor)
            os.close(descriptor)

    def _hear(self) -> None:
        """Deals with the signals that have come."""
        self._told.drain()
        for number in self._told.received[self._forwarded :]:
            if self._stopped_by is None:
                self._stopped_by = number
                self._end(number)
            else:
                self._send(signal.SIGKILL)
        self._forwarded = len(self._told.received)
        if self._code is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)

    def _keep_time(self) -> None:
        now = time.monotonic()
        if self._deadline is not None and now >= self._deadline and self._code is None:
            self._deadline = None
            self._timed_out = self._stopped_by is None
            self._end(signal.SIGTERM)
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            self._send(signal.SIGKILL)

    def _end(self, number: int) -> None:
        """Tells the group to end, and sees to it."""
        self._send(number)
        if self._kill_at is None:
            self._kill_at = time.monotonic() + GRACE

    def _send(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, number)


def become(act: Callable[[], int], writers: dict[int, int], guard: int) -> NoReturn:
    """The child's life. It never returns into the code of the process that it was copied from."""
    status = 1
    try:
        os.setpgid(0, 0)
        signals.reset()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals.STOPPING)
        die_with(guard)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for stream, writer in writers.items():
            os.dup2(writer, stream)
            os.close(writer)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
        status = act()
    except BaseException:  # the last place that can report it
        import traceback

        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def die_with(guard: int) -> None:
    """Has the kernel kill this process's group when the other end of the pipe `guard` is closed:
    when the process that started it is gone, however it went. Linux only."""
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(guard, fcntl.F_SETOWN, -os.getpid())
        fcntl.fcntl(guard, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(guard, fcntl.F_SETFL, fcntl.fcntl(guard, fcntl.F_GETFL) | os.O_ASYNC)
        os.set_inheritable(guard, True)
