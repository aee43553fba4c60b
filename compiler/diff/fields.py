"""The fields that differ between two values of JSON.

Members of a list that have names are known by them, so that one more task is one difference; text
that is JSON itself (a step's node, the services' configuration) is looked into.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import takewhile
from typing import Any, NamedTuple

from argosy.runtime.errors import NodeError
from argosy.runtime.node import expand

ABSENT = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()
"""In place of a value: there is none."""

Path = tuple[str, ...]
"""Parts that make its text when they are joined: `spec`, `.templates`, `[main]`."""


class Change(NamedTuple):
    """A field, and its value before and after; ABSENT where there is none."""

    path: Path
    old: Any
    new: Any

    @property
    def place(self) -> str:
        """The path as text.

        >>> Change(("metadata", ".labels", '["a/b"]'), 1, 2).place
        'metadata.labels["a/b"]'
        """
        return "".join(self.path).removeprefix(".")


def changes(old: Any, new: Any, path: Path = ()) -> Iterator[Change]:
    """Every field that differs, in the order of the new value, then of the old."""
    if isinstance(old, str) and isinstance(new, str) and old != new:
        old, new = decoded(old, new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in (*new, *(key for key in old if key not in new)):
            yield from changes(old.get(key, ABSENT), new.get(key, ABSENT), (*path, _member(key)))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_lists(old, new, path)
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield Change(path, old, new)


def _of_lists(old: list[Any], new: list[Any], path: Path) -> Iterator[Change]:
    before, after = _named(old), _named(new)
    if before is None or after is None:
        before, after = _numbered(old, new)
    for key in (*after, *(key for key in before if key not in after)):
        at = (*path, f"[{key}]")
        yield from changes(before.get(key, ABSENT), after.get(key, ABSENT), at)
    both = [key for key in before if key in after]
    if both != (order := [key for key in after if key in before]):
        yield Change((*path, "(order)"), both, order)


def _named(items: list[Any]) -> dict[Any, Any] | None:
    """The members of a list by name; None where one has none, or shares it."""
    found = {item["name"]: item for item in items if isinstance(item, dict) and "name" in item}
    return found if len(found) == len(items) else None


def _numbered(old: list[Any], new: list[Any]) -> tuple[dict[int, Any], dict[int, Any]]:
    """The members by number, without those that are equal at the beginning and at the end: one that
    came between is no change of all after it."""
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    before, after = (
        {at: items[at] for at in range(head, len(items) - tail)} for items in (old, new)
    )
    return before, after


def _alike(old: list[Any], new: list[Any]) -> int:
    """How many members at the beginning are equal."""
    equal = (not any(changes(one, other)) for one, other in zip(old, new, strict=False))
    return len(list(takewhile(bool, equal)))


def decoded(*texts: str) -> tuple[Any, ...]:
    """What the texts are as JSON, where each of them is an object or a list; else themselves."""
    found = tuple(_json(text) for text in texts)
    return texts if None in found else found


def _json(text: str) -> Any:
    if text[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(text)
        return expand(found) if isinstance(found, dict) else found
    except (ValueError, RecursionError, NodeError):
        return None


def _member(key: Any) -> str:
    plain = isinstance(key, str) and key.replace("_", "").replace("-", "").isalnum()
    return f".{key}" if plain else f"[{json.dumps(key)}]"
