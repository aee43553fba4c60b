"""Which of several sources is read: the one whose node ended so.

The engine says how nodes ended; where there is no engine to ask, the records of the run do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .entries import Key
from .errors import NodeError
from .layout import fill, outside, record_key, record_prefix, state_key, step_key, steps_prefix

if TYPE_CHECKING:
    from .service import RunLogStore
    from .state import Reader

ENDED_WELL = ("Succeeded",)
ENDED_BADLY = ("Failed", "Error", "Errored")
GOOD = ("succeeded", "skipped")
"""The statuses of a record whose state counts."""

Decider = Callable[[Mapping[str, Any], Key], bool]


def statuses(text: str) -> dict[str, str]:
    """ENDED by path.

    >>> statuses("a=Succeeded b/c=Failed")
    {'a': 'Succeeded', 'b/c': 'Failed'}
    """
    found = {}
    for token in text.split():
        path, equals, status = token.rpartition("=")
        if not equals or not path:
            raise NodeError(f"ENDED has {token!r}; it is made of path=Status")
        found[path] = status
    return found


def by_statuses(ended: Mapping[str, str]) -> Decider:
    """Decides alternatives as the engine says."""

    def says(source: Mapping[str, Any], key: Key) -> bool:
        path = source["if"]
        if path not in ended:
            raise NodeError(f"ENDED does not say how '{path}' ended; it has: {', '.join(ended)}")
        if source["is"] == "failed":
            return ended[path] in ENDED_BADLY
        # An engine skips a map over an empty list, which has succeeded.
        empty = ended[path] == "Skipped" and any(
            isinstance(one, dict) and one.get("map") == path for one in source["from"]
        )
        return empty or ended[path] in ENDED_WELL

    return says


class Records:
    """Decides alternatives by the records of a run. `reader` reads the lists of maps."""

    def __init__(self, store: RunLogStore, run: str) -> None:
        self.store = store
        self.run = run
        self.reader: Reader | None = None

    def says(self, source: Mapping[str, Any], key: Key) -> bool:
        if source["is"] == "ok":
            began = "unless" in source and self.store.list(
                record_prefix(self.run, source["unless"])
            )
            return not began and self.readable(source["from"], key)
        # Here the sources are what entered the node: they are there however that ended.
        return self._failed(fill(source["if"], key))

    def readable(self, sources: Iterable[Any], key: Key) -> bool:
        """Whether all of the sources are there; of alternatives that stand alone, one of them."""
        alternatives: list[Any] = []
        certain: list[Any] = []
        for source in sources:
            is_alternative = isinstance(source, dict) and "if" in source
            (alternatives if is_alternative else certain).append(source)
        if not certain and alternatives:
            return any(self.says(source, key) for source in alternatives)
        return all(self._there(source, key) for source in certain)

    def _there(self, source: Any, key: Key) -> bool:
        if isinstance(source, str):
            return not source or self.ended(fill(source, key)) in GOOD
        if not self.readable(source["in"], key):
            return False
        if "map" in source and self.reader is not None:
            key = outside(source["map"], key)
            count = self.reader.iterations(source, key)
            return all(self.readable(source["out"], (*key, str(index))) for index in range(count))
        return self.readable(source.get("out", ()), key)

    def ended(self, instance: str) -> str | None:
        """The status of the attempt that an instance's state is of; `None` where it has none."""
        state = self.store.get(state_key(self.run, instance))
        if state is None:
            return None
        attempt = json.loads(state)["attempt"]
        # A state under a graph's path is that of one of its steps, which has the record.
        record = self.store.get(record_key(self.run, instance, attempt))
        return json.loads(record)["status"] if record else "succeeded"

    def _failed(self, path: str) -> bool:
        """Whether the newest attempt of the step, or of a step of the composite, failed."""
        prefix = steps_prefix(self.run) + step_key(path)
        newest: dict[str, str] = {}
        for key in self.store.list(prefix):
            step, _, rest = key[len(steps_prefix(self.run)) :].partition("/")
            if key[len(prefix)] in "/." and rest.endswith(".json"):
                newest[step] = key
        records = (self.store.get(key) for key in newest.values())
        return any(json.loads(record)["status"] == "failed" for record in records if record)
