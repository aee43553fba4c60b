"""A working directory that is a copy of the project: where nothing can be mounted over it."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from typing import NamedTuple

from argosy.runtime import files, temporary
from argosy.runtime.errors import ServiceError
from argosy.runtime.patterns import WHOLE, expand
from argosy.runtime.service import PROJECT

from .base import Workdir, Workdirs
from .ignore import Ignore

BASE = "base"
LARGE, MANY = 1 << 30, 20_000
"""Bytes and files from which on it is worth saying that each step has a copy of them."""


class CopyWorkdir(Workdir):
    kind = "copy"
    stays = False

    def __init__(self, project: str, path: str, copied: Container[str]) -> None:
        super().__init__(path)
        self._project = project
        self._copied = copied

    @property
    def environment(self) -> Mapping[str, str]:
        # Compiled modules are not kept: those of a project that is installed in place would be
        # written to the project.
        return {"PWD": self.path, PROJECT: self._project, "PYTHONDONTWRITEBYTECODE": "1"}

    def enter(self) -> None:
        os.chdir(self.path)
        sys.dont_write_bytecode = True

    def created(self) -> Iterable[str]:
        return (name for name in expand(WHOLE, self.path) if name not in self._copied)

    def lacks(self, name: str) -> str:
        if name in self._copied or not os.path.lexists(os.path.join(self._project, name)):
            return ""
        return (
            f"'{name}' is in the project, but not in the step's copy of it: .gitignore or "
            f".argosyignore leaves it out; add to .argosyignore: !{name}"
        )

    def close(self) -> None:
        temporary.remove(self.path)


class Item(NamedTuple):
    """A file, link or directory of the project: its name there, and how it is; `target` is what a
    link points to."""

    name: str
    mode: int
    size: int
    changed: int
    target: str


class CopyWorkdirs(Workdirs):
    """Copies the project, as it is when the run begins, into the run's own `folder`, and that copy
    for each step; what is `mounted` in it is shared. Raises ServiceError where that cannot be."""

    kind = CopyWorkdir.kind

    def __init__(
        self, project: str, folder: str, mounted: Collection[str], say: Callable[[str], None]
    ) -> None:
        self.temporary = folder
        self._project = project
        self._base = os.path.join(folder, BASE)
        self._items = items(project, {folder, *mounted})
        self._names = frozenset(item.name for item in self._items)
        size = sum(item.size for item in self._items)
        if size > LARGE or len(self._items) > MANY:
            say(
                f"each step gets a copy of {project}: {len(self._items)} files, "
                f"{size / (1 << 20):.0f} MiB; list in .argosyignore what steps do not need"
            )
        try:
            copy_items(self._items, project, self._base)
        except BaseException:
            temporary.remove(folder)
            raise

    def open(self) -> CopyWorkdir:
        # Its own name stays that of the project, which a step may print or look at.
        folder = os.path.join(self.temporary, os.urandom(6).hex())
        copy_items(self._items, self._base, folder)
        return CopyWorkdir(self._project, folder, self._names)

    def close(self) -> None:
        temporary.remove(self.temporary)


def items(project: str, apart: Collection[str]) -> list[Item]:
    """What of the project is copied. The directories `apart` are not: there is a link to each."""
    found = []
    for name, entry in Ignore(project, apart).walk():
        made = entry.stat(follow_symlinks=False)
        if entry.path in apart:
            found.append(Item(name, stat.S_IFLNK, 0, 0, entry.path))
        elif stat.S_ISLNK(made.st_mode):
            found.append(Item(name, made.st_mode, 0, 0, os.readlink(entry.path)))
        elif stat.S_ISREG(made.st_mode) or stat.S_ISDIR(made.st_mode):
            size = made.st_size if stat.S_ISREG(made.st_mode) else 0
            found.append(Item(name, made.st_mode, size, made.st_mtime_ns, ""))
    return found


def copy_items(found: list[Item], source: str, target: str) -> None:
    try:
        os.mkdir(target, 0o755)
        for item in found:
            copy_item(item, os.path.join(source, item.name), os.path.join(target, item.name))
    except OSError as error:
        raise ServiceError(
            f"cannot copy {error.filename or source} to {target}: {error.strerror}; TMPDIR can "
            "name a place with more room, and .argosyignore what steps do not need"
        ) from error


def copy_item(item: Item, source: str, target: str) -> None:
    if stat.S_ISDIR(item.mode):
        os.mkdir(target, stat.S_IMODE(item.mode) | 0o700)
    elif stat.S_ISLNK(item.mode):
        os.symlink(item.target, target)
    else:
        files.clone(source, target)
        os.chmod(target, stat.S_IMODE(item.mode))
        os.utime(target, ns=(item.changed, item.changed))
