"""What the runtime asks of a step's working directory, and the one that is a directory as it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from typing import ClassVar

from argosy.runtime.patterns import expand

Signature = tuple[int, ...]
RECENT = 2_000_000_000
"""Nanoseconds in which a file system may give two changes of a file the same time."""


class Workdir:
    """The working directory of one attempt.

    path        what the step has as its working directory
    incoming    the directory that the files of `get` are written to
    outgoing    the directory where the files that the step writes are found

    This one is a directory that is there already: a pod's own, or the work directory of a
    container. `before` has the signatures of what was in it when the step began.
    """

    kind: ClassVar[str] = ""
    """What it is, for the record of the attempt; empty where that is nothing to tell."""
    stays: ClassVar[bool] = True
    """Whether what is written to `path` is there when the step has ended."""

    def __init__(self, path: str, before: Mapping[str, Signature] | None = None) -> None:
        self.path = self.incoming = self.outgoing = path
        self._before = dict(before or {})

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables for the step's process."""
        return {}

    def watch(self, patterns: Iterable[str]) -> None:
        """Takes note of what `patterns` match, just before the step's process starts."""
        names = {name for pattern in patterns for name in expand(pattern, self.outgoing)}
        self._before.update(signatures(self.outgoing, names))

    def enter(self) -> None:
        """Makes it the working directory of this process, which is the step's. Raises OSError."""

    def wrote(self, name: str) -> bool:
        """Whether the step created or changed a file of `outgoing`."""
        return self._before.get(name) != signature(os.path.join(self.outgoing, name))

    def locate(self, path: str) -> str:
        """Where this process finds the file that the step's process has at the real path `path`."""
        return path

    def created(self) -> Iterable[str]:
        """The names of files that the step left here, where they go with the directory."""
        return ()

    def lacks(self, name: str) -> str:
        """Why a file of the project is not in the working directory; empty where it is."""
        return ""

    def close(self) -> None:
        """Removes what was made for it."""


class Shared(Workdir):
    """A directory that steps share: whatever is there when a step ends counts as the step's."""

    kind = "shared"

    def watch(self, patterns: Iterable[str]) -> None:
        """Nothing is compared."""

    def wrote(self, name: str) -> bool:
        return True


class Workdirs:
    """Gives each step of a run its working directory. `temporary` is the directory of the run's
    private files; empty where the system's own is used."""

    kind: ClassVar[str] = Workdir.kind
    temporary = ""

    def open(self) -> Workdir:
        """The working directory of one attempt. Raises ServiceError where it cannot be made."""
        return Workdir(os.getcwd())

    def close(self) -> None:
        """The run is over."""


class SharedWorkdirs(Workdirs):
    kind = Shared.kind

    def open(self) -> Workdir:
        return Shared(os.getcwd())


def signatures(folder: str, names: Iterable[str]) -> dict[str, Signature]:
    """The signatures of files by name. A file that was just written is dated back a little, so that
    a change in the same tick of the file system's clock shows."""
    found = {}
    for name in names:
        path = os.path.join(folder, name)
        made = os.lstat(path)
        if stat.S_ISREG(made.st_mode) and made.st_ctime_ns - made.st_mtime_ns < RECENT:
            os.utime(path, ns=(made.st_atime_ns, made.st_mtime_ns - RECENT))
        found[name] = signature(path)
    return found


def signature(path: str) -> Signature:
    """What differs once a file is replaced, written to or given another mode."""
    found = os.lstat(path)
    return (found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
