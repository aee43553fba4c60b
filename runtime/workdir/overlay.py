"""A working directory that is the project itself, with the step's changes in a layer over it.

The kernel lays three directories over one another at the project's path, for the step's process
and those that it starts: at the bottom the project, which stays as it is; then what `get` brought;
at the top, and alone writable, what the step itself creates, changes and deletes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from argosy.runtime import temporary
from argosy.runtime.errors import ServiceError
from argosy.runtime.patterns import WHOLE, expand

from .base import Workdir, Workdirs
from .mounts import Overlay

UPPER, WORK, INCOMING = "upper", "work", "get"


class Mounting(NamedTuple):
    """How a run mounts: the paths below the project that stay as they are, whether by a user
    namespace, and the options of the mount."""

    kept: Sequence[str]
    users: bool
    options: str


class OverlayWorkdir(Workdir):
    kind = "overlay"
    stays = False

    def __init__(self, project: str, folder: str, mounting: Mounting) -> None:
        super().__init__(project)
        self._folder = folder
        self._mounting = mounting
        self.outgoing = os.path.join(folder, UPPER)
        self.incoming = os.path.join(folder, INCOMING)

    def watch(self, patterns: object) -> None:
        """What the step writes is in a directory of its own."""

    def wrote(self, name: str) -> bool:
        return True

    def enter(self) -> None:
        project, mounting = self.path, self._mounting
        lower = [self.incoming, project] if os.path.isdir(self.incoming) else [project]
        work = os.path.join(self._folder, WORK)
        Overlay(lower, self.outgoing, work, mounting.kept, mounting.users, mounting.options).enter()

    def locate(self, path: str) -> str:
        if not path.startswith(self.path.rstrip("/") + "/"):
            return path
        name = os.path.relpath(path, self.path)
        for layer in (self.outgoing, self.incoming):
            found = os.path.join(layer, name)
            if os.path.lexists(found):
                return found
        return path

    def created(self) -> Iterable[str]:
        return expand(WHOLE, self.outgoing)

    def close(self) -> None:
        temporary.remove(self._folder)


class OverlayWorkdirs(Workdirs):
    """Makes them in `folder`, which belongs to the run."""

    kind = OverlayWorkdir.kind

    def __init__(self, project: str, folder: str, mounting: Mounting) -> None:
        self.temporary = folder
        self._project = project
        self._mounting = mounting
        self._mode = stat.S_IMODE(os.stat(project).st_mode) & 0o777 | 0o700

    def open(self) -> OverlayWorkdir:
        folder = os.path.join(self.temporary, os.urandom(6).hex())
        try:
            os.mkdir(folder, 0o700)
            os.mkdir(os.path.join(folder, UPPER), self._mode)
            os.mkdir(os.path.join(folder, WORK))
        except OSError as error:
            raise ServiceError(
                f"cannot make a working directory in {self.temporary}: {error.strerror}; "
                "TMPDIR can name another place"
            ) from error
        return OverlayWorkdir(self._project, folder, self._mounting)

    def close(self) -> None:
        temporary.remove(self.temporary)
