"""What a name that is not known may have been meant to be, for the end of a message."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import difflib

SHOWN = 10
"""The most names that a message lists."""
COMPARED = 1_000
"""The most names that a word is compared with, and (LONGEST) the most characters that one has:
beyond them looking would take longer than a reader waits."""
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
    if len(names) > SHOWN:
        import difflib  # for an error only

        matcher = difflib.SequenceMatcher(None, "", word[:LONGEST])
        names[:COMPARED] = sorted(names[:COMPARED], key=lambda name: -_quick(matcher, name))
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"known: {', '.join(name[:LONGEST] for name in names[:SHOWN]) or 'none'}{more}"


def closest(word: str, known: Iterable[str], similar: float = SIMILAR) -> str:
    """The one of `known` that `word` is nearly; '' where there is none."""
    import difflib

    if len(word) > LONGEST:
        return ""
    names = [name for name in islice(known, COMPARED) if len(name) <= LONGEST]
    return next(iter(difflib.get_close_matches(word, names, n=1, cutoff=similar)), "")


def _quick(matcher: difflib.SequenceMatcher[str], name: str) -> float:
    matcher.set_seq1(name[:LONGEST])
    return matcher.quick_ratio()
