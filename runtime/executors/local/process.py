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
INTERNAL_FAULT = 2
"""The exit status of a child that could not even say what went wrong with its node."""


class Child(Protocol):
    """A process that leads a group of its own. `output` is a pipe that does not block."""

    pid: int
    output: int

    def poll(self) -> int | None:
        """None while it runs, then its exit status: 128 + n where the signal n ended it."""


class Forked:
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
        return _exit_status(os.waitstatus_to_exitcode(status)) if pid else None


class Spawned:
    """A new process that runs `argv`."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        import subprocess

        self._process: Popen[bytes] = subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._process.pid
        stream: Any = self._process.stdout
        self.output = os.dup(stream.fileno())
        stream.close()
        os.set_blocking(self.output, False)

    def poll(self) -> int | None:
        code = self._process.poll()
        return None if code is None else _exit_status(code)


def send(child: Child, number: int) -> None:
    """Signals the child's group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


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


def _exit_status(code: int) -> int:
    return 128 - code if code < 0 else code
