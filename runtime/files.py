"""Files as the providers and the runtime write them: whole, or not at all."""

from __future__ import annotations

import os
from contextlib import suppress

BUFFER = 1 << 20


def write(path: str, data: bytes, sync: bool = False) -> None:
    """Writes `data` beside `path` and renames it there; with `sync`, so that a crash of the
    machine cannot undo it. Folders are made as they are needed."""
    beside = beside_of(path)
    try:
        _fill(create(beside), data, sync)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    if sync:
        sync_folder(path)


def append(path: str, data: bytes, sync: bool = False) -> None:
    _fill(create(path, os.O_APPEND), data, sync)


def _fill(descriptor: int, data: bytes, sync: bool) -> None:
    """Writes all of `data`, and closes."""
    try:
        write_all(descriptor, data)
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: str, root: str) -> None:
    """Deletes a file if it is there, and the folders above it, below `root`, that this empties."""
    with suppress(FileNotFoundError):
        os.unlink(path)
    folder = os.path.dirname(path)
    with suppress(OSError):  # something else is in it
        while len(folder) > len(root):
            os.rmdir(folder)
            folder = os.path.dirname(folder)


def copy(source: str, target: str, sync: bool = False) -> str:
    """Copies a file, in place of what is at `target`, and gives the SHA-256 of what was copied."""
    with Copy(source, target, sync) as copied:
        copied.keep()
        return copied.sha256


def clone(source: str, target: str) -> None:
    """Copies a file to a new one, without its content passing through this process, or even without
    copying it, where the file system can do that."""
    reader = os.open(source, os.O_RDONLY)
    try:
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _clone(reader, writer)
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def _clone(reader: int, writer: int) -> None:
    if hasattr(os, "copy_file_range"):
        with suppress(OSError):  # these two file systems, or this kernel, cannot
            while os.copy_file_range(reader, writer, 1 << 30):
                pass
    while data := os.read(reader, BUFFER):  # nothing, where all is copied
        write_all(writer, data)


class Copy:
    """A file copied beside its place, so that its hash can be looked at before it counts."""

    def __init__(self, source: str, target: str, sync: bool = False) -> None:
        self.target = target
        self.sync = sync
        self.beside = beside_of(target)
        self.sha256 = ""
        self.source = source

    def __enter__(self) -> Copy:
        import hashlib  # costs 2 ms, and most steps copy nothing

        digest = hashlib.sha256()
        reader = os.open(self.source, os.O_RDONLY)
        try:
            writer = create(self.beside)
            try:
                while data := os.read(reader, BUFFER):
                    digest.update(data)
                    write_all(writer, data)
                if self.sync:
                    os.fsync(writer)
            finally:
                os.close(writer)
        except BaseException:
            self.__exit__()
            raise
        finally:
            os.close(reader)
        self.sha256 = digest.hexdigest()
        return self

    def keep(self) -> None:
        os.replace(self.beside, self.target)
        if self.sync:
            sync_folder(self.target)

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            os.unlink(self.beside)


def sha256_of(path: str) -> str:
    """The hash of a file's content, in hexadecimal."""
    import hashlib

    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        while data := os.read(descriptor, BUFFER):
            digest.update(data)
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def beside_of(path: str) -> str:
    """A name in the same folder that nobody else has. It begins with a dot, as no key does."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name[:64]}.{os.urandom(6).hex()}")


def create(path: str, flags: int = 0) -> int:
    """A descriptor for writing; the folders on the way are made where they are missing."""
    flags |= os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags, 0o666)


def write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(path: str) -> None:
    descriptor = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
