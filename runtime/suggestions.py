"""What a name that is not known may have been meant to be, for the end of a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

SHOWN = 10
"""The most names that a message lists."""
COMPARED = 1_000
"""The most names that a word is compared with, and (LONGEST) the most characters that one has:
beyond them looking would take longer than a reader waits."""
CANDIDATES = 20
"""The most names that are compared character by character."""
LONGEST = 100
SIMILAR = 0.6
"""How much of two names is the same (difflib's ratio) where one may be meant for the other."""


def nearest(word: str, known: Iterable[object]) -> str:
    """The known name that `word` is nearly, or else a list of names, the nearest ones first.

    >>> nearest("comand", ["command", "image"])
    "did you mean 'command'?"
    >>> nearest("x", ["a", "b", "a"]), nearest("x", [])
    ('known: a, b', 'known: none')
    >>> nearest("", map(str, range(12)))
    'known: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more'
    """
    names = list(dict.fromkeys(map(str, known)))
    close = closest(word, names)
    if close:
        return f"did you mean '{close}'?"
    shown = names if len(names) <= SHOWN else ranked(word, names)[:SHOWN]
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"known: {', '.join(name[:LONGEST] for name in shown) or 'none'}{more}"


def closest(word: str, known: Iterable[str], similar: float = SIMILAR) -> str:
    """The one of `known` that `word` is nearly; '' where there is none."""
    import difflib  # for an error only

    if len(word) > LONGEST:
        return ""
    names = [name for name in islice(known, COMPARED) if len(name) <= LONGEST]
    if len(names) > CANDIDATES:
        names = ranked(word, names)[:CANDIDATES]
    return next(iter(difflib.get_close_matches(word, names, n=1, cutoff=similar)), "")


def ranked(word: str, names: Sequence[str]) -> list[str]:
    """The first names, those that have most characters in common with `word` before the others."""
    import difflib

    matcher = difflib.SequenceMatcher(None, "", word[:LONGEST])

    def distance(name: str) -> float:
        matcher.set_seq1(name[:LONGEST])
        return -matcher.quick_ratio()

    return sorted(names[:COMPARED], key=distance)
