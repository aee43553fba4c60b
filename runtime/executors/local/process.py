"""One step's process: how it is started, told to end, and found to have ended.

Forking costs a millisecond where a new interpreter costs forty, and is safe here because the
process that forks runs a single thread and no user code. Where there is no fork, it spawns.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from argosy.runtime.signals import STOPPING, reset

if TYPE_CHECKING:
    from subprocess import Popen

HEARD = (*STOPPING, signal.SIGCHLD)
CHUNK = 1 << 16
PIPE_SIZE = 1 << 20
INTERNAL_FAULT = 2
"""The exit status of a child that could not even say what went wrong with its node."""


class Child(Protocol):
    """A step that runs somewhere else. When there is something to `read`, the descriptor `output`
    can be read; when it has ended, `ends`, or, where that is None, there is a SIGCHLD."""

    output: int
    ends: int | None

    def read(self) -> bytes | None:
        """What it has printed since, None where that is nothing yet; empty when it has closed its
        output."""

    def rest(self) -> Iterable[bytes]:
        """What it had printed when it ended and nobody has read."""

    def poll(self) -> int | None:
        """None while it runs, then its exit status: 128 + n where the signal n ended it."""

    def send(self, number: int) -> None:
        """Signals it, and all that it has started."""

    def close(self) -> None:
        """Lets go of what it held; it has ended."""


class Process:
    """A process that leads a group of its own. `output` is a pipe that does not block."""

    pid: int
    output: int
    ends: int | None = None

    def read(self) -> bytes | None:
        try:
            return os.read(self.output, CHUNK)
        except BlockingIOError:
            return None

    def rest(self) -> Iterable[bytes]:
        # No more than is in the pipe: a process that it left behind may write for ever.
        for _ in range(PIPE_SIZE // CHUNK):
            data = self.read()
            if not data:
                return
            yield data

    def send(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def close(self) -> None:
        os.close(self.output)


class Forked(Process):
    """A copy of this process that runs `act` and exits with what that returns."""

    def __init__(self, act: Callable[[], int], not_for_it: Iterable[int]) -> None:
        """`not_for_it` are the file descriptors that the child must not keep open."""
        self.output, writer = os.pipe()
        # Until the child has let go of this process's handlers, a signal to it would be heard here.
        signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        self.pid = os.fork()
        if self.pid == 0:
            _become(act, writer, (*not_for_it, self.output))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
        os.close(writer)
        os.set_blocking(self.output, False)
        # Said by both sides, so that it holds before either goes on.
        with suppress(OSError):
            os.setpgid(self.pid, self.pid)

    def poll(self) -> int | None:
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return exit_status(os.waitstatus_to_exitcode(status)) if pid else None


class Spawned(Process):
    """A new process that runs `argv`."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        import subprocess

        self._popen: Popen[bytes] = subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._popen.pid
        stream: Any = self._popen.stdout
        self.output = os.dup(stream.fileno())
        stream.close()
        os.set_blocking(self.output, False)

    def poll(self) -> int | None:
        code = self._popen.poll()
        return None if code is None else exit_status(code)


def _become(act: Callable[[], int], writer: int, not_for_it: Iterable[int]) -> NoReturn:
    """The child's life. It never returns to the loop of the process that it was copied from."""
    status = INTERNAL_FAULT
    try:
        os.setpgid(0, 0)
        reset()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
        for descriptor in not_for_it:
            os.close(descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.close(writer)
        status = act()
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except BaseException:  # the last place that can report it
        import traceback

        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def exit_status(code: int) -> int:
    """Of a process that ended with `code`, a negative one being the number of a signal."""
    return 128 - code if code < 0 else code
