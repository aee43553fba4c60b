"""Files of a catalog, written to a directory and nowhere else.

Names and links come from a run log that others write. So each part of a name is opened from the
directory above it and never through a symbolic link, and links are made after all files.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import click

from argosy.runtime.data import PERMISSIONS, same
from argosy.runtime.service import Catalog

PREFIX = ".argosy-get-"
SHOWN = 10


class Fetched(NamedTuple):
    """The names of what was `written`, of what was there with the same content, and, with the
    reason, of what was left out."""

    written: list[str]
    unchanged: list[str]
    skipped: dict[str, str]


def fetch(
    catalog: Catalog, entries: Mapping[str, Mapping[str, Any]], folder: Path, force: bool
) -> Fetched:
    """Writes the entries below `folder`. Raises ClickException before anything is written where
    that would replace a file by a different one, unless `force` is set."""
    done = Fetched([], [], {})
    wanted = {}
    for name, entry in sorted(entries.items()):
        if reason := refused(name, entry):
            done.skipped[name] = reason
        else:
            wanted[name] = entry
    folder.mkdir(parents=True, exist_ok=True)
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        differing = []
        for name, entry in wanted.items():
            how = compared(folder / name, entry)
            if how == "same":
                done.unchanged.append(name)
            elif how == "different":
                differing.append(name)
        if differing and not force:
            more = f" and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
            raise click.ClickException(
                f"{folder} has other files of these names: {', '.join(differing[:SHOWN])}{more}; "
                "--force replaces them"
            )
        ahead = [name for name in wanted if name not in done.unchanged]
        with temporary(folder) as place:
            for name in sorted(ahead, key=lambda name: "link" in wanted[name]):
                write(catalog, wanted[name], name, place, root)
                done.written.append(name)
    finally:
        os.close(root)
    done.written.sort()
    return done


def refused(name: str, entry: Mapping[str, Any]) -> str:
    """Why an entry is not written; empty where it is."""
    if not all(part not in ("", ".", "..") and "\0" not in part for part in name.split("/")):
        return "its name leads out of the directory"
    target = entry.get("link")
    if target is None:
        return ""
    there = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    if posixpath.isabs(there) or there.split("/")[0] == "..":
        return f"it is a link to {target}, outside of the directory"
    return ""


def compared(path: Path, entry: Mapping[str, Any]) -> str:
    """Whether what is at `path` is the `same`, `different`, or not there at all (empty)."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if "link" in entry:
        equal = stat.S_ISLNK(found.st_mode) and str(path.readlink()) == entry["link"]
    else:
        mode = int(entry["mode"], 8) & PERMISSIONS if "mode" in entry else found.st_mode
        equal = same(str(path), entry) and (mode ^ found.st_mode) & PERMISSIONS == 0
    return "same" if equal else "different"


@contextmanager
def temporary(folder: Path) -> Iterator[Path]:
    """A private directory on the file system of `folder`, while it is needed."""
    place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def write(catalog: Catalog, entry: Mapping[str, Any], name: str, place: Path, root: int) -> None:
    """Writes one entry below the directory `root`, by way of `place`."""
    *above, last = name.split("/")
    made = place / "file"
    with suppress(FileNotFoundError):
        made.unlink()
    if "link" in entry:
        made.symlink_to(entry["link"])
    else:
        catalog.get(entry["sha256"], str(made))
        if "mode" in entry:
            made.chmod(int(entry["mode"], 8) & PERMISSIONS)
    try:
        with directory(root, above) as into:
            os.rename(made, last, dst_dir_fd=into)
    except OSError as error:
        raise click.ClickException(f"cannot write {name}: {error.strerror}") from None


@contextmanager
def directory(root: int, parts: list[str]) -> Iterator[int]:
    """A descriptor of a directory below `root`, made as it is needed; no part is a link."""
    descriptor = os.dup(root)
    try:
        for part in parts:
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=descriptor)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            inner = os.open(part, flags, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)
