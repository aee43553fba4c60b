"""A run log in a folder: one file an object."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Any, ClassVar

from argosy.runtime import files
from argosy.runtime.errors import ServiceError, UnreadableError
from argosy.runtime.service import Option, RunLogStore, project


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
            return None
        except IsADirectoryError as error:
            raise UnreadableError(f"run log: {path} is not a regular file") from error
        except OSError as error:
            raise UnreadableError(f"run log: cannot read {path}: {error.strerror}") from error

    def list(self, prefix: str) -> list[str]:
        found: list[str] = []
        folders = [prefix.rpartition("/")[0]]
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
                    elif key.startswith(prefix):
                        found.append(key)
        except OSError as error:
            raise self._fault("list", prefix, error) from error
        return sorted(found)

    def append(self, key: str, data: bytes) -> None:
        try:
            files.append(self._path(key), data, bool(self.config["sync"]))
        except OSError as error:
            raise self._fault("append to", key, error) from error

    def delete(self, key: str) -> None:
        try:
            files.remove(self._path(key), self.folder)
        except OSError as error:
            raise self._fault("delete", key, error) from error

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
