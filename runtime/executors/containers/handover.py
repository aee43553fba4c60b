"""Secrets on their way into a container: files on a tmpfs, mounted for as long as it runs.

A container's environment can be read by whoever may ask the engine; these files only by who is in
the container, and by this user: the folder above them is private, and called what nobody guesses.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping

from argosy.runtime import temporary

PREFIX = "argosy-"


class HandOver:
    """The files of one run's containers, made as they are needed."""

    def __init__(self, parent: str | None = None) -> None:
        self._parent = parent or memory()
        self._folder: str | None = None

    def give(self, values: Mapping[str, str]) -> str:
        """A folder with a file for each value, for one container to mount."""
        if self._folder is None:
            self._folder = temporary.make(PREFIX, self._parent)
        folder = tempfile.mkdtemp(dir=self._folder)
        # Whoever the container's user is: the folder above lets nobody else here get so far.
        for name, value in values.items():
            path = os.path.join(folder, name)
            write(path, value)
            os.chmod(path, 0o444)
        os.chmod(folder, 0o555)  # noqa: S103 - as above
        return folder

    def take(self, folder: str) -> None:
        """Removes what a container had."""
        temporary.remove(folder)

    def close(self) -> None:
        if self._folder is not None:
            temporary.remove(self._folder)

    def sweep(self) -> None:
        """Removes what runs left here that were killed."""
        temporary.sweep(PREFIX, self._parent)


def memory() -> str:
    """A folder that is never on a disk, where there is one; else the temporary folder."""
    candidates = ("/dev/shm", os.environ.get("XDG_RUNTIME_DIR", ""))  # noqa: S108 - see above
    return next(filter(is_tmpfs, candidates), tempfile.gettempdir())


def is_tmpfs(folder: str) -> bool:
    """Whether a tmpfs is mounted at `folder`."""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as file:
            mounts = [line.split() for line in file]
    except OSError:
        return False
    return any(mount[1] == folder and mount[2] == "tmpfs" for mount in mounts)


def write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
