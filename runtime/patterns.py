"""Patterns of file names, as a step's `get` and `put` have them: relative to the working directory.

They read as in a shell: `*`, `?` and `[a-z]` match within one name and `**` any number of
directories; none of them matches a dot at the beginning of a name. A directory that a pattern
matches stands for everything in it, hidden or not. Symbolic links are never followed. In a map,
`{name}` is the item, by the name that the map gives it; `{{` and `}}` are braces.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from .errors import NodeError
from .suggestions import nearest
from .values import brief

MAGIC = re.compile(r"[*?[]")
BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
RECURSIVE = "**"
TOKEN = re.compile(r"\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)
RUNS = ".argosy"
"""The directory of a project that has its runs: no step's files."""
WHOLE = "."
"""The pattern of everything."""


def checked(pattern: str) -> str:
    """A pattern as it is matched. Raises NodeError where it leaves the working directory."""
    normal = os.path.normpath(pattern)
    if os.path.isabs(normal) or normal.split("/")[0] == os.pardir:
        raise NodeError(f"catalog pattern '{pattern}' is outside the working directory")
    return normal


def filled(patterns: Iterable[str], items: Mapping[str, Any]) -> list[str]:
    """The patterns with the item of a map, or the index of a loop, for its name in braces.

    Raises NodeError for a name that there is no item of, and for an item that is no file's name.

    >>> filled(["work/{region}.csv", "{{x}}"], {"region": "eu*"})
    ['work/eu[*].csv', '{x}']
    """

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        if match[1] not in items:
            raise NodeError(
                f"catalog pattern '{match.string}': no map around the step has the items "
                f"'{match[1]}'; {nearest(match[1], items)}"
            )
        item = items[match[1]]
        if isinstance(item, (dict, list)):
            raise NodeError(
                f"catalog pattern '{match.string}': the item '{match[1]}' is {brief(item)}, which "
                "cannot be in a file's name; iterate over texts or numbers"
            )
        return escaped(item if isinstance(item, str) else json.dumps(item))

    return [BRACES.sub(value, pattern) for pattern in patterns]


def items_named(pattern: str) -> list[str]:
    """What a pattern has in braces.

    >>> items_named("{{x}}/{region}/{day}.csv")
    ['region', 'day']
    """
    return [match[1] for match in BRACES.finditer(pattern) if match[1] is not None]


def with_any_item(pattern: str) -> str:
    """The pattern that matches what a pattern does with any items.

    >>> with_any_item("work/{region}.csv")
    'work/*.csv'
    """
    return BRACES.sub(lambda match: match[0][0] if match[1] is None else "*", pattern)


def is_magic(pattern: str) -> bool:
    """Whether a pattern may match several names."""
    return pattern == WHOLE or bool(MAGIC.search(pattern))


def escaped(text: str) -> str:
    """The pattern that matches `text` only.

    >>> escaped("a*b")
    'a[*]b'
    """
    return MAGIC.sub(r"[\g<0>]", text)


@lru_cache(maxsize=1024)
def matcher(pattern: str) -> re.Pattern[str]:
    """The names that a pattern matches, and all that is below them.

    >>> [bool(matcher("data/*.csv").match(name)) for name in ("data/a.csv", "data/b/a.csv")]
    [True, False]
    >>> [bool(matcher("*").match(name)) for name in ("store/.zgroup", ".env")]
    [True, False]
    """
    parts = checked(pattern).split("/")
    if parts == [WHOLE]:
        return re.compile("", re.DOTALL)
    if parts[-1] == RECURSIVE:
        parts.append("*")
    body = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == RECURSIVE:
            body += r"(?:(?!\.)[^/]+/)*"
        else:
            body += name_pattern(part) + ("" if last else "/")
    return re.compile(f"(?:{body})(?:/.*)?\\Z", re.DOTALL)


def name_pattern(part: str) -> str:
    """The regular expression of one part of a pattern."""
    found = []
    for token in TOKEN.findall(part):
        if token.startswith("*"):
            found.append("[^/]*")
        elif token.startswith("?"):
            found.append("[^/]")
        elif len(token) > 1:
            negated = token[1] == "!"
            letters = token[2 if negated else 1 : -1].replace("\\", r"\\").replace("[", r"\[")
            letters = f"\\{letters}" if letters[:1] in ("^", "]") else letters
            found.append(f"[{'^/' if negated else ''}{letters}]")
        else:
            found.append(re.escape(token))
    return ("" if part[:1] == "." else r"(?!\.)") + "".join(found)


def expand(pattern: str, folder: str) -> Iterator[str]:
    """The files and links in `folder` that a pattern matches, by their names there, in order.

    Anything else (a socket, a device) is left out.
    """
    parts = checked(pattern).split("/")
    parts = [] if parts == [WHOLE] else parts
    if parts and parts[-1] == RECURSIVE:
        parts.append("*")
    known: set[str] = set()
    for name in _expand(folder, "", parts):
        if name not in known:
            known.add(name)
            yield name


def _expand(folder: str, at: str, parts: Sequence[str]) -> Iterator[str]:
    if not parts:
        yield from everything(folder, at)
        return
    head, rest = parts[0], parts[1:]
    if head == RECURSIVE:
        yield from _expand(folder, at, rest)
        for name in names_in(folder, at):
            if name[0] != "." and is_directory(folder, at + name):
                yield from _expand(folder, f"{at}{name}/", parts)
        return
    names: Iterable[str] = [head]
    if MAGIC.search(head):
        match = re.compile(f"{name_pattern(head)}\\Z", re.DOTALL).match
        names = [name for name in names_in(folder, at) if match(name)]
    for name in names:
        if not rest:
            yield from everything(folder, at + name)
        elif is_directory(folder, at + name):
            yield from _expand(folder, f"{at}{name}/", rest)


def everything(folder: str, name: str) -> Iterator[str]:
    """A file or a link itself, or the files and links in a directory, however deep."""
    path = os.path.join(folder, name)
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return
    if stat.S_ISDIR(mode):
        at = f"{name.rstrip('/')}/" if name else ""
        for inner in names_in(folder, at):
            yield from everything(folder, at + inner)
    elif stat.S_ISREG(mode) or stat.S_ISLNK(mode):
        yield name


def names_in(folder: str, at: str) -> list[str]:
    try:
        names = os.listdir(os.path.join(folder, at))
    except OSError:
        return []
    return sorted(name for name in names if at or name != RUNS)


def is_directory(folder: str, name: str) -> bool:
    """Whether it is a directory, and no link to one."""
    try:
        return stat.S_ISDIR(os.lstat(os.path.join(folder, name)).st_mode)
    except OSError:
        return False
