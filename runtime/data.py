"""Files between the working folder and the catalog."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import files
from .errors import NodeError, TaskError
from .suggestions import nearest

if TYPE_CHECKING:
    from .entries import Entries, Entry
    from .service import Catalog

MAGIC = re.compile(r"[*?[]")


def name_of(path: str) -> str:
    """A file's name in the catalog: its path in the working folder, with `/` on every system."""
    name = os.path.relpath(path) if os.path.isabs(path) else os.path.normpath(path)
    if name == os.curdir or name.split(os.sep)[0] == os.pardir:
        raise TaskError(
            f"{path} is outside the working folder {os.getcwd()}; "
            "put_in_catalog(path, name) gives it a name in the catalog"
        )
    return name.replace(os.sep, "/")


def checked(pattern: str) -> str:
    """A pattern of a step's `get` or `put`, as it is matched."""
    found = os.path.normpath(pattern)
    if os.path.isabs(found) or found.split("/")[0] == os.pardir:
        raise NodeError(
            f"catalog pattern '{pattern}' leaves the working folder; patterns are relative to it"
        )
    return found


def matcher(pattern: str) -> re.Pattern[str]:
    """A pattern of names: `*` stays in a folder, `**` does not, and a folder is all that is in it.

    >>> bool(matcher("data/*.csv").match("data/a.csv")), bool(matcher("data").match("data/b/c"))
    (True, True)
    """
    parts = []
    for part in re.findall(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]|.", pattern, re.DOTALL):
        if part in WILDCARDS:
            parts.append(WILDCARDS[part])
        elif len(part) > 1:
            parts.append(f"[{'^' if part[1] == '!' else ''}{re.escape(part[1:-1].lstrip('!'))}]")
        else:
            parts.append(re.escape(part))
    body = "".join(parts).replace(r"\-", "-")
    return re.compile(f"(?:{body})(?:/.*)?\\Z", re.DOTALL)


WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def get(
    catalog: Catalog, entries: Mapping[str, Entry], patterns: Iterable[str], folder: str = ""
) -> None:
    """Brings what the patterns match to `folder`, else the working folder. Raises TaskError for one
    that matches nothing."""
    names: dict[str, None] = {}
    for pattern in patterns:
        if pattern == ".":
            matched = list(entries)
        else:
            match = matcher(checked(pattern)).match
            matched = [name for name in sorted(entries) if match(name)]
        if not matched:
            raise TaskError(
                f"catalog: get '{pattern}' matches nothing; "
                f"there is: {', '.join(sorted(entries)) or 'nothing'}"
            )
        names.update(dict.fromkeys(matched))
    for name in names:
        bring(catalog, entries, name, os.path.join(folder, checked(name)))


def bring(catalog: Catalog, entries: Mapping[str, Entry], name: str, path: str) -> str:
    """Brings one file to `path`, where it is not there already. Gives the path."""
    if name not in entries:
        raise TaskError(f"catalog: there is no '{name}'; {nearest(name, entries)}")
    entry = entries[name]
    if not same(path, entry):
        catalog.get(entry["sha256"], os.path.abspath(path))
    return path


def same(path: str, entry: Mapping[str, Any]) -> bool:
    """Whether the file at `path` has the content of the entry."""
    try:
        return (
            bool(os.path.getsize(path) == entry["size"])
            and files.sha256_of(path) == entry["sha256"]
        )
    except OSError:
        return False


def put(
    catalog: Catalog,
    entering: Mapping[str, Entry],
    found: Mapping[str, str],
    by: str,
    rank: str,
) -> Entries:
    """Keeps the files `found`, paths by name, and gives the entries of those that are new."""
    made: Entries = {}
    for name, path in found.items():
        try:
            size, sha = os.path.getsize(path), files.sha256_of(path)
        except OSError as error:
            raise TaskError(
                f"catalog: cannot read {path}: {error.strerror}; "
                "a file is kept when its step has ended, so leave it there until then"
            ) from error
        if name in entering and entering[name]["sha256"] == sha:
            continue
        catalog.put(sha, path)
        made[name] = {"sha256": sha, "size": size, "by": by, "rank": rank}
    return made


def match_files(patterns: Iterable[str], warn: Any, folder: str = "") -> dict[str, str]:
    """The files in `folder`, else the working folder, that a step's `put` matches: paths by name in
    the catalog.

    Raises TaskError for a file that is not there; a pattern may match nothing, and `warn` says so.
    """
    found: dict[str, str] = {}
    for pattern in patterns:
        paths = list(expand(checked(pattern), folder))
        if not paths and not MAGIC.search(pattern):
            where = folder or os.getcwd()
            raise TaskError(f"catalog: put '{pattern}': there is no such file in {where}")
        if not paths:
            warn(f"catalog: put '{pattern}' matches no file in {folder or os.getcwd()}")
        if folder:
            names = (os.path.relpath(path, folder).replace(os.sep, "/") for path in paths)
            found.update(zip(names, paths, strict=True))
        else:
            found.update((name_of(path), path) for path in paths)
    return found


def expand(pattern: str, folder: str = "") -> Iterator[str]:
    """The files that a pattern means, those in a folder that it matches included."""
    matched: Iterable[str] = [pattern]
    if MAGIC.search(pattern):
        import glob

        matched = sorted(glob.iglob(pattern, root_dir=folder or None, recursive=True))
    for path in (os.path.join(folder, path) for path in matched):
        if os.path.isdir(path):
            for parent, folders, names in os.walk(path):
                folders[:] = sorted(name for name in folders if name[0] != ".")
                yield from (os.path.join(parent, name) for name in sorted(names) if name[0] != ".")
        elif os.path.isfile(path):
            yield path
