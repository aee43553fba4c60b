"""What `.gitignore` and `.argosyignore` leave out of a copy of the project."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

GITIGNORE, ARGOSYIGNORE = ".gitignore", ".argosyignore"
ALWAYS = (".git", ".argosy", "__pycache__")
"""Ignored unless `.argosyignore` takes them back."""
TOKEN = re.compile(r"\\.|/\*\*/|^\*\*/|/\*\*$|\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)
TOKENS = {"/**/": "/(?:.*/)?", "**/": "(?:.*/)?", "/**": "/.*", "?": "[^/]"}


class Rule(NamedTuple):
    """One line: what it matches, relative to the project; whether it takes names back (`!`);
    whether it is about directories only."""

    match: re.Pattern[str]
    negated: bool
    directories: bool


class Ignore:
    """The rules of a project, read as they are needed. As in git, the last one that matches
    decides, and nothing is taken back from a directory that is ignored; the project's
    `.argosyignore` comes after every `.gitignore`. What is in the directories `closed` is left
    out."""

    def __init__(self, project: str, closed: Collection[str] = ()) -> None:
        self._project = project
        self._closed = closed
        always = [rule for name in ALWAYS if (rule := parsed(name, ""))]
        self._outer = always
        self._last = [*rules(os.path.join(project, ARGOSYIGNORE), "")]

    def walk(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Everything that is not ignored, by its name in the project: a directory before what is
        in it."""
        yield from self._walk("", self._outer)

    def _walk(self, at: str, outer: Sequence[Rule]) -> Iterator[tuple[str, os.DirEntry[str]]]:
        folder = os.path.join(self._project, at)
        known = [*outer, *rules(os.path.join(folder, GITIGNORE), at)]
        try:
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError:  # what this user cannot read no step can
            return
        for entry in inside:
            name, is_directory = at + entry.name, entry.is_dir(follow_symlinks=False)
            if not ignored(name, is_directory, (*known, *self._last)):
                yield name, entry
                if is_directory and entry.path not in self._closed:
                    yield from self._walk(f"{name}/", known)


def ignored(name: str, is_directory: bool, known: Sequence[Rule]) -> bool:
    for rule in reversed(known):
        if (is_directory or not rule.directories) and rule.match.match(name):
            return not rule.negated
    return False


def rules(path: str, at: str) -> Iterable[Rule]:
    """The rules of the file at `path`, which are about what is below `at`."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().split("\n")
    except OSError:
        return []
    return [rule for line in lines if (rule := parsed(line, at))]


def parsed(line: str, at: str) -> Rule | None:
    """The rule of a line; None for a blank one and a comment.

    >>> [bool(parsed("/build/*.o", "").match.match(name)) for name in ("build/a.o", "x/build/a.o")]
    [True, False]
    >>> bool(parsed("*.csv", "").match.match("data/.hidden.csv"))
    True
    """
    line = re.sub(r"(?<!\\) +$", "", line.rstrip("\r"))
    if not line or line[0] == "#":
        return None
    negated = line[0] == "!"
    pattern = line[1:] if negated else line
    directories = pattern.endswith("/")
    pattern = pattern.rstrip("/")
    if not pattern:
        return None
    anywhere = "" if "/" in pattern else "(?:.*/)?"
    body = expression(pattern.lstrip("/"))
    match = re.compile(f"{re.escape(at)}{anywhere}{body}\\Z", re.DOTALL)
    return Rule(match, negated, directories)


def expression(pattern: str) -> str:
    found = []
    for token in TOKEN.findall(pattern):
        if token in TOKENS:
            found.append(TOKENS[token])
        elif token[0] == "*":
            found.append("[^/]*")
        elif token[0] == "\\":
            found.append(re.escape(token[1:]))
        elif token[0] == "[" and len(token) > 1:
            negated = token[1] in "!^"
            letters = token[2 if negated else 1 : -1].replace("\\", r"\\").replace("[", r"\[")
            letters = f"\\{letters}" if letters[:1] == "]" else letters
            found.append(f"[{'^/' if negated else ''}{letters}]")
        else:
            found.append(re.escape(token))
    return "".join(found)
