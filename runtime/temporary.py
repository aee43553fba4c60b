"""Private temporary directories that the next run removes, where their own process was killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from .owner import gone, identity, place

OWNER = "owner"
"""A file that says whose a directory is."""


def make(prefix: str, parent: str) -> str:
    """A new directory in `parent` that only this user sees, and that belongs to this process."""
    folder = os.path.join(parent, prefix + os.urandom(6).hex())
    os.mkdir(folder, 0o700)
    path = os.path.join(folder, OWNER)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{identity(os.getpid())}\n{place()}")
    return folder


def sweep(prefix: str, parent: str) -> None:
    """Removes the directories of processes that ended without removing them."""
    for path in abandoned(prefix, parent):
        remove(path)


def abandoned(prefix: str, parent: str) -> Iterator[str]:
    with os.scandir(parent) as entries:
        candidates = [entry for entry in entries if entry.name.startswith(prefix)]
    for entry in candidates:
        with suppress(OSError):  # another user's, or just removed
            if entry.is_symlink() or entry.stat(follow_symlinks=False).st_uid != os.getuid():
                continue
            with open(os.path.join(entry.path, OWNER), encoding="utf-8") as file:
                owner, _, where = file.read().partition("\n")
            if where == place() and gone(owner):
                yield entry.path


def remove(path: str) -> None:
    """Removes a directory with all that is in it, as far as that can be: also what nobody may
    read. Links are removed, not followed."""
    if not _emptied(path):
        with suppress(OSError):
            os.chmod(path, 0o700)
        _emptied(path)
    with suppress(OSError):
        os.rmdir(path)


def _emptied(path: str) -> bool:
    """Whether everything in a directory could be removed."""
    try:
        with os.scandir(path) as entries:
            inside = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for inner, is_directory in inside:
            if is_directory:
                remove(inner)
            else:
                os.unlink(inner)
    except OSError:
        return False
    return True
