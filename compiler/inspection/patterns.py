"""Whether two patterns of the catalog can match the same name."""

from __future__ import annotations

import os
import re

TOKEN = re.compile(r"\*\*/?|\*|\?|\[!?\]?[^\]]*\]|\{[^}]*\}|.", re.DOTALL)
MOST = 1_000_000
"""So many pairs of places are looked at; longer patterns count as matching."""
ANY, SOME, ONE = "**", "*", "?"
"""What matches everything, everything in a folder, and one character in it."""


def may_match(one: str, other: str) -> bool:
    """Whether a file may have a name that both match; a folder's name matches all that is in it.

    >>> may_match("data/*.csv", "data/part_?.csv"), may_match("data/a.csv", "data/b_*")
    (True, False)
    >>> may_match("out/x.txt", "out"), may_match("m/0/x", "**/x"), may_match("a*", "b*")
    (True, True, False)
    """
    first, second = _tokens(one), _tokens(other)
    if len(first) * len(second) > MOST:
        return True
    seen: set[tuple[int, int]] = set()
    stack = [(0, 0)]
    while stack:
        place = stack.pop()
        if place in seen:
            continue
        seen.add(place)
        i, j = place
        if _ends(first, i) and _ends(second, j):
            return True
        if i < len(first) and first[i] in (ANY, SOME):
            stack.append((i + 1, j))
        if j < len(second) and second[j] in (ANY, SOME):
            stack.append((i, j + 1))
        if i < len(first) and j < len(second) and _meet(first[i], second[j]):
            stack.append((i + (first[i] not in (ANY, SOME)), j + (second[j] not in (ANY, SOME))))
    return False


def _tokens(pattern: str) -> list[str]:
    """The pattern, one token for each character or wildcard, and then all that is in a folder."""
    normal = os.path.normpath(pattern)
    if normal == ".":
        return [ANY]
    found = []
    for token in TOKEN.findall(normal):
        if token.startswith(ANY) or token[0] == "{":  # an item of a map may be any text
            found.append(ANY)
        else:
            found.append(ONE if len(token) > 1 else token)
    return [*found, "/", ANY]


def _ends(tokens: list[str], place: int) -> bool:
    """Whether nothing more need follow: the pattern is at its end, or at that of its folder."""
    return place in (len(tokens), len(tokens) - 2) or (place == len(tokens) - 1 and place == 0)


def _meet(one: str, other: str) -> bool:
    """Whether a character is matched by both tokens."""
    if ANY in (one, other):
        return True
    wild = (SOME, ONE)
    if one in wild or other in wild:
        return "/" not in (one, other)
    return one == other
