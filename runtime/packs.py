"""A run that has ended as one file: a file system takes 4 KiB or more for each, however small.

The objects below `steps/` and `state/` of a run become members of the ZIP file `packed.zip` in the
run's folder, by their names there. A file that is written later counts more than the member.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from zipfile import BadZipFile

from . import files
from .layout import PACKED

FOLDERS = ("steps", "state")
LEAST = 500
"""So many files make a run worth packing."""


class Pack:
    """The members of a pack that is there. Raises ValueError where it is damaged."""

    def __init__(self, path: str) -> None:
        try:
            self._file = zipfile.ZipFile(Apart(path))
        except BadZipFile as error:
            raise ValueError(str(error)) from error
        self.names = self._file.namelist()

    def get(self, name: str) -> bytes | None:
        try:
            return self._file.read(name)
        except KeyError:
            return None
        except (BadZipFile, zlib.error) as error:
            raise ValueError(str(error)) from error


class Apart(io.RawIOBase):
    """A file to read with a position of its own in each process: forks share that of another."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._size = os.fstat(self._descriptor).st_size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = os.pread(self._descriptor, len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def pack(folder: str, sync: bool) -> None:
    """Packs a run's folder, where it has many files. Whoever reads meanwhile finds each object in
    its file or in the pack."""
    names = [*_names(folder)]
    if len(names) < LEAST:
        return
    target = os.path.join(folder, PACKED)
    beside = files.beside_of(target)
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
            for name in names:
                with open(os.path.join(folder, name), "rb") as one:
                    file.writestr(name, one.read())
            if os.path.exists(target):
                before = Pack(target)
                for name in sorted({*before.names} - {*names}):
                    file.writestr(name, before.get(name) or b"")
        if sync:
            with open(beside, "rb") as written:
                os.fsync(written.fileno())
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    if sync:
        files.sync_folder(target)
    for name in names:
        os.unlink(os.path.join(folder, name))
    for top in FOLDERS:
        for parent, _, _ in os.walk(os.path.join(folder, top), topdown=False):
            with suppress(OSError):  # something is in it that is no object
                os.rmdir(parent)


def unpack(folder: str) -> None:
    """Has every object of a run's folder in a file of its own again."""
    target = os.path.join(folder, PACKED)
    packed = Pack(target)
    for name in packed.names:
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            files.write(path, packed.get(name) or b"")
    os.unlink(target)


def _names(folder: str) -> Iterator[str]:
    for top in FOLDERS:
        for parent, _, found in os.walk(os.path.join(folder, top)):
            below = os.path.relpath(parent, folder).replace(os.sep, "/")
            yield from (f"{below}/{name}" for name in found if name[0] != ".")
