"""Files between the working directory and the catalog.

A file's entry has its hash and size, and its permissions as `mode` where they are not the usual
ones. A symbolic link's has what it points to as `link`, of which sha256 and size are then.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import files
from .errors import NodeError, TaskError
from .layout import readable
from .patterns import checked, expand, is_magic, matcher
from .suggestions import closest, nearest

if TYPE_CHECKING:
    from .entries import Entries, Entry
    from .service import Catalog
    from .workdir.base import Workdir

PERMISSIONS = 0o777


def name_of(path: str) -> str:
    """A file's name in the catalog: its path in the working directory, with `/` on every system."""
    name = os.path.relpath(path) if os.path.isabs(path) else os.path.normpath(path)
    if name == os.curdir or name.split(os.sep)[0] == os.pardir:
        raise TaskError(
            f"{path} is outside the working directory {os.getcwd()}; "
            "put_in_catalog(path, name) gives it a name in the catalog"
        )
    return name.replace(os.sep, "/")


def get(
    catalog: Catalog, entries: Mapping[str, Entry], patterns: Iterable[str], folder: str
) -> list[str]:
    """Brings what the patterns match to `folder`; gives the names. Raises NodeError for a pattern
    that matches nothing."""
    names: dict[str, None] = {}
    for pattern in patterns:
        match = matcher(pattern).match
        matched = [name for name in sorted(entries) if match(name)]
        if not matched:
            raise NodeError(
                f"catalog: get '{pattern}' matches no file that an earlier step put; "
                f"{put_so_far(pattern, entries)}"
            )
        names.update(dict.fromkeys(matched))
    # Links last, so that no file is written to where one points.
    for name in sorted(names, key=lambda name: "link" in entries[name]):
        bring(catalog, entries, name, os.path.join(folder, checked(name)))
    return [*names]


def put_so_far(wanted: str, entries: Mapping[str, Entry]) -> str:
    """What there is to get, in place of a name or pattern that there is not."""
    close = closest(wanted, list(entries))
    if close:
        return f"did you mean '{close}', which {readable(entries[close]['by'])} put?"
    return nearest(wanted, entries) if entries else "none of the steps before this one put any"


def bring(catalog: Catalog, entries: Mapping[str, Entry], name: str, path: str) -> str:
    """Brings one file to `path`, where it is not there already. Gives the path."""
    if name not in entries:
        raise TaskError(f"catalog: there is no '{name}'; {put_so_far(name, entries)}")
    entry = entries[name]
    try:
        if "link" in entry:
            link(entry["link"], path)
            return path
        if not same(path, entry):
            catalog.get(entry["sha256"], os.path.abspath(path))
        if "mode" in entry:
            os.chmod(path, int(entry["mode"], 8) & PERMISSIONS)
    except OSError as error:
        raise TaskError(f"catalog: cannot write {path}: {error.strerror}") from error
    return path


def link(target: str, path: str) -> None:
    """Makes a symbolic link, in the place of a file or link that is there."""
    beside = files.beside_of(path)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    os.symlink(target, beside)
    try:
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def same(path: str, entry: Mapping[str, Any]) -> bool:
    """Whether the file at `path` has the content of the entry."""
    try:
        found = os.lstat(path)
        return bool(
            stat.S_ISREG(found.st_mode)
            and found.st_size == entry["size"]
            and files.sha256_of(path) == entry["sha256"]
        )
    except OSError:
        return False


def put(catalog: Catalog, found: Mapping[str, str], by: str, rank: str) -> Entries:
    """Keeps the files and links `found`, paths by name, and gives their entries."""
    made: Entries = {}
    usual = usual_mode()
    for name, path in found.items():
        try:
            entry = describe(path, usual)
        except OSError as error:
            raise TaskError(
                f"catalog: cannot read {path}: {error.strerror}; "
                "a file is kept when its step has ended, so leave it there until then"
            ) from error
        if "link" not in entry:
            catalog.put(entry["sha256"], path)
        made[name] = {**entry, "by": by, "rank": rank}
    return made


def describe(path: str, usual: int) -> dict[str, Any]:
    """The entry of a file, without who wrote it. `usual` is the mode that need not be said."""
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        import hashlib

        target = os.readlink(path)
        text = os.fsencode(target)
        sha = hashlib.sha256(b"link " + text).hexdigest()
        return {"sha256": sha, "size": len(text), "link": target}
    entry = {"sha256": files.sha256_of(path), "size": found.st_size}
    mode = stat.S_IMODE(found.st_mode) & PERMISSIONS
    return entry if mode == usual else {**entry, "mode": f"{mode:o}"}


def usual_mode() -> int:
    """The permissions of a new file of this process's."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def match_files(
    patterns: Iterable[str], workdir: Workdir, warn: Callable[[str], object]
) -> dict[str, str]:
    """The files that a step's `put` matches and the step wrote: paths by name in the catalog.

    Raises TaskError for a name that was not written; a wildcard may match nothing, and `warn` says
    so.
    """
    found: dict[str, str] = {}
    for pattern in patterns:
        names = [name for name in expand(pattern, workdir.outgoing) if workdir.wrote(name)]
        if not names and not is_magic(pattern):
            raise TaskError(f"catalog: put '{pattern}': {not_written(pattern, workdir)}")
        if not names:
            warn(f"catalog: put '{pattern}' matches no file that the step wrote")
        found.update((name, os.path.join(workdir.outgoing, name)) for name in names)
    return found


def not_written(name: str, workdir: Workdir) -> str:
    """Why there is nothing to put under a name."""
    name = checked(name)
    for folder in (workdir.outgoing, workdir.incoming, workdir.path):
        path = os.path.join(folder, name)
        if os.path.isdir(path) and not os.path.islink(path) and not os.listdir(path):
            return "the step left an empty directory there, and a catalog has files only"
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            return "it is a pipe, a socket or a device, and a catalog has files only"
        if os.path.lexists(path):
            return "the step did not write it: it is as it was when the step began"
    at = ""
    for part in name.split("/")[:-1]:
        at = os.path.join(at, part)
        if os.path.islink(os.path.join(workdir.outgoing, at)) or os.path.islink(
            os.path.join(workdir.path, at)
        ):
            return (
                f"{at} is a symbolic link, and put takes files of the working directory only; "
                "write them there, or call put_in_catalog(path, name)"
            )
    return f"the step wrote no such file in {workdir.path}"
