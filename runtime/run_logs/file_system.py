"""A run log in a folder: one file an object."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from argosy.runtime import files
from argosy.runtime.errors import ServiceError, UnreadableError
from argosy.runtime.layout import PACKED
from argosy.runtime.service import Option, RunLogStore, project

if TYPE_CHECKING:
    from argosy.runtime.packs import Pack

IN_RUN = re.compile(r"runs/[^/]+/")
PACK = re.compile(rf"runs/[^/]+/{re.escape(PACKED)}")
OPEN = 4
"""So many packs are kept open."""


class FileSystemRunLog(RunLogStore):
    service_provider = "file-system"
    options: ClassVar[Mapping[str, Option]] = {
        "location": Option(
            "string", ".argosy", "the folder; a relative one is in the working folder"
        ),
        "sync": Option(
            "boolean", None, "whether a write outlives the machine; none: only where an engine runs"
        ),
    }

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._here = project()
        self._packs: dict[tuple[str, int, int], Pack] = {}

    @property
    def folder(self) -> str:
        """Where the objects are. An integration may still move it, a step's `chdir` may not."""
        return os.path.join(self._here, os.path.expanduser(self.config["location"]))

    def put(self, key: str, data: bytes) -> None:
        try:
            files.write(self._path(key), data, bool(self.config["sync"]))
        except OSError as error:
            raise self._fault("write", key, error) from error

    def get(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            # Opening a FIFO would wait for its writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb", buffering=0) as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise UnreadableError(f"run log: {path} is not a regular file")
                return file.readall()
        except (FileNotFoundError, NotADirectoryError):
            return self._packed(key)
        except IsADirectoryError as error:
            raise UnreadableError(f"run log: {path} is not a regular file") from error
        except OSError as error:
            raise UnreadableError(f"run log: cannot read {path}: {error.strerror}") from error

    def list(self, prefix: str) -> list[str]:
        folders = [prefix.rpartition("/")[0]]
        found = {key for key in self._members(folders[0]) if key.startswith(prefix)}
        try:
            while folders:
                folder = folders.pop()
                for entry in entries(self._path(folder)):
                    key = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.name[0] == ".":
                        continue
                    if entry.is_dir(follow_symlinks=False):  # a link may lead to where it is
                        if f"{key}/".startswith(prefix):
                            folders.append(key)
                    elif PACK.fullmatch(key):
                        found.update(one for one in self._members(key) if one.startswith(prefix))
                    elif key.startswith(prefix):
                        found.add(key)
        except OSError as error:
            raise self._fault("list", prefix, error) from error
        return sorted(found)

    def list_runs(self) -> Sequence[str]:
        found: list[str] = []
        for entry in entries(self._path("runs")):
            prefix = f"runs/{entry.name}/"
            if not entry.is_dir(follow_symlinks=False):
                found.append(f"runs/{entry.name}")
                continue
            ends = self.list(f"{prefix}end/")
            if ends:
                run = [f"{prefix}{one.name}" for one in entries(entry.path) if one.is_file()]
                found += ends + [key for key in run if not PACK.fullmatch(key)]
            else:
                found += self.list(prefix)
        return sorted(found)

    def append(self, key: str, data: bytes) -> None:
        self._unpack(key)
        try:
            files.append(self._path(key), data, bool(self.config["sync"]))
        except OSError as error:
            raise self._fault("append to", key, error) from error

    def delete(self, key: str) -> None:
        self._unpack(key)
        try:
            files.remove(self._path(key), self.folder)
        except OSError as error:
            raise self._fault("delete", key, error) from error

    def pack(self, run: str) -> None:
        from argosy.runtime import packs  # at the end of a run

        folder = self._path(f"runs/{run}")
        try:
            packs.pack(folder, bool(self.config["sync"]))
        except OSError as error:
            raise self._fault("write", f"runs/{run}/{PACKED}", error) from error

    def _unpack(self, key: str) -> None:
        """Has an object in a file of its own, and with it all others of its run."""
        if self._packed(key) is not None:
            from argosy.runtime import packs

            run = IN_RUN.match(key)
            packs.unpack(self._path(run[0]) if run else "")

    def _packed(self, key: str) -> bytes | None:
        """The object in the pack of its run."""
        run = IN_RUN.match(key)
        pack = self._pack(run[0]) if run else None
        if run is None or pack is None:
            return None
        try:
            return pack.get(key[run.end() :])
        except ValueError as error:
            raise UnreadableError(f"run log: cannot read {key} ({error})") from error

    def _members(self, key: str) -> Iterable[str]:
        """The keys of what is in the pack of a run that `key` is below."""
        run = IN_RUN.match(f"{key}/")
        pack = self._pack(run[0]) if run else None
        return (f"{run[0]}{name}" for name in pack.names) if run and pack else ()

    def _pack(self, prefix: str) -> Pack | None:
        path = self._path(prefix + PACKED)
        try:
            found = os.stat(path)
        except OSError:
            return None
        version = (path, found.st_ino, found.st_mtime_ns)
        if version not in self._packs:
            from argosy.runtime import packs

            while len(self._packs) >= OPEN:
                self._packs.pop(next(iter(self._packs)))
            try:
                self._packs[version] = packs.Pack(path)
            except (OSError, ValueError) as error:
                raise UnreadableError(f"run log: cannot read {path} ({error})") from error
        return self._packs[version]

    def _path(self, key: str) -> str:
        return os.path.join(self.folder, key)

    def _fault(self, verb: str, key: str, error: OSError) -> ServiceError:
        return ServiceError(
            f"run log: cannot {verb} {self._path(key)}: {error.strerror}; "
            "is there room, and may this user write there?"
        )


def entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return [*found]
    except (FileNotFoundError, NotADirectoryError):
        return []
