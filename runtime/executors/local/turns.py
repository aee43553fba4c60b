"""Which steps may run side by side where all share one working directory (`workdir: shared`).

Two steps that both write `out.csv` would write one file. Steps whose catalog patterns overlap
therefore run in turn, in any order. Two that only bring the same files, as the iterations of a map
do, need not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping

from argosy.runtime.errors import ArgosyError
from argosy.runtime.patterns import MAGIC

END_OF_MAGIC = re.compile(r".*[*?\]]", re.DOTALL)


class Files:
    """What one step touches: its `get` and `put` patterns, and, read when it matters, the catalog
    that enters it, as SHA-256 by name."""

    def __init__(
        self, get: Iterable[str], put: Iterable[str], entering: Callable[[], Mapping[str, str]]
    ) -> None:
        self.get = [*map(os.path.normpath, get)]
        self.put = [*map(os.path.normpath, put)]
        self._entering = entering
        self._read: Mapping[str, str] | None = None

    @property
    def any(self) -> bool:
        return bool(self.get or self.put)

    def meet(self, other: Files) -> bool:
        """Whether the two must not run at the same time."""
        if overlap(self.put, other.put + other.get) or overlap(self.get, other.put):
            return True
        return overlap(self.get, other.get) and self._differ(other)

    def _differ(self, other: Files) -> bool:
        """Whether one name stands for different contents in what enters the two."""
        try:
            mine, theirs = self.entering, other.entering
        except ArgosyError:  # the step itself will say so
            return True
        return any(mine[name] != theirs[name] for name in mine.keys() & theirs.keys())

    @property
    def entering(self) -> Mapping[str, str]:
        if self._read is None:
            self._read = self._entering()
        return self._read


def overlap(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether a file may match one pattern of each. In doubt it may.

    >>> overlap(["data/*.csv"], ["data/a.json"]), overlap(["data"], ["data/a.json"])
    (False, True)
    """
    others = list(others)
    return any(_overlap(one, other) for one in some for other in others)


def _overlap(one: str, other: str) -> bool:
    if os.curdir in (one, other):
        return True
    if not MAGIC.search(one) and not MAGIC.search(other):
        # Names of files, or of folders with all that is in them.
        return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
    head, other_head = MAGIC.split(one, 1)[0], MAGIC.split(other, 1)[0]
    tail, other_tail = END_OF_MAGIC.sub("", one), END_OF_MAGIC.sub("", other)
    if not head.startswith(other_head) and not other_head.startswith(head):
        return False
    in_folder = f"{tail}/" in other or f"{other_tail}/" in one
    return in_folder or tail.endswith(other_tail) or other_tail.endswith(tail)
