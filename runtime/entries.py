"""State as a value: entries by name, and what happens where two states meet.

Each entry says which instance wrote it (`by`) and its place in the order of the graph (`rank`). The
higher rank wins, so it does not matter in which order states are read, or who finished first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from .values import item_text

Entry = Mapping[str, Any]
Entries = dict[str, Entry]
Key = tuple[str, ...]
DESCRIBES = ("sha256", "size", "mode", "link")
"""The members of a file's entry that are the file's own."""


class State(NamedTuple):
    """Entries by name: {"value" | "blob" + "size" (+ "pickle") | "objects", "by", "rank"} for a
    parameter, {"sha256", "size", "by", "rank"} and maybe "mode" or "link" for a file of the
    catalog. `objects` is a list of entries without `by` and `rank`, or that list's own "blob" and
    "size". `items`: the items of the maps and the indexes of the loops around, by the place of
    their index in KEY; each is an entry with its "name", a map's also with "index" and
    "count"."""

    parameters: Entries
    catalog: Entries
    items: Entries = {}  # noqa: RUF012 - no state is changed once it is made


STORED = "parameters", "catalog"
"""The members that each stored state has; the items are there only inside maps and loops."""


@lru_cache(maxsize=4096)
def order(rank: str) -> tuple[int, ...]:
    """A rank as what is compared.

    >>> order("2.0.10") > order("2.0.9") > order("2.0") > order("")
    True
    """
    return tuple(map(int, rank.split("."))) if rank else ()


def newest(entries: Iterable[Mapping[str, Entry]]) -> Entries:
    """Of each name the entry of the highest rank."""
    found: Entries = {}
    for one in entries:
        for name, entry in one.items():
            known = found.get(name)
            if known is None or order(entry["rank"]) > order(known["rank"]):
                found[name] = entry
    return found


def merge(states: Sequence[State]) -> State:
    """The states as one."""
    if len(states) == 1:
        return states[0]
    return State(*map(newest, zip(*states, strict=True)))


def inside(entries: Mapping[str, Entry], instance: str) -> Entries:
    """The entries that were written in the composite `instance`."""
    prefix = f"{instance}/"
    return {name: entry for name, entry in entries.items() if entry["by"].startswith(prefix)}


def map_variable(state: State, value: Callable[[Entry], Any]) -> dict[str, Any]:
    """The items of the maps, and the indexes of the loops, that a state is in: outermost first.
    `value` gives what is in an entry."""
    items = sorted(state.items.items(), key=lambda item: int(item[0]))
    return {entry["name"]: value(entry) for _, entry in items}


def map_place(state: State) -> tuple[int, int] | tuple[None, None]:
    """The index of an iteration of the innermost map that a state is in, and how many there are."""
    depths = [int(depth) for depth, entry in state.items.items() if "count" in entry]
    if not depths:
        return None, None
    entry = state.items[str(max(depths))]
    return entry["index"], entry["count"]


def iterating(state: State, name: str, depth: int, entry: Entry, **place: int) -> State:
    """A state as it enters an iteration: with its item, or its index, under `name`. `place`: of a
    map's iteration its "index", and their "count"."""
    return state._replace(
        parameters={**state.parameters, name: entry},
        items={**state.items, str(depth): {**entry, "name": name, **place}},
    )


def item_texts(state: State) -> dict[int, str]:
    """The items and indexes of `map_variable` by their depth, as people are shown them."""
    return {
        int(depth): item_text(entry["name"], entry["value"])
        for depth, entry in state.items.items()
        if "value" in entry
    }


def above(state: State) -> str:
    """A rank just over everything in `state`: that of a map's item, which comes after all that
    enters the map and before all that is written inside."""
    ranks = [e["rank"] for entries in (state.parameters, state.catalog) for e in entries.values()]
    highest = max(ranks, key=order, default="")
    return f"{highest}.0" if highest else "0"


def described(catalog: Mapping[str, Entry]) -> dict[str, dict[str, Any]]:
    """Files of the catalog by name, without who wrote them."""
    return {
        name: {member: entry[member] for member in DESCRIBES if member in entry}
        for name, entry in sorted(catalog.items())
    }


def is_true(parameter: str, state: State) -> bool:
    """Whether a parameter is there and is JSON's `true`: what ends a loop."""
    return state.parameters.get(parameter, {}).get("value") is True


def without(entries: Mapping[str, Entry], name: str) -> Entries:
    return {other: entry for other, entry in entries.items() if other != name}


def named(entries: Mapping[str, Entry], names: Iterable[str]) -> Entries:
    return {name: entries[name] for name in names if name in entries}


def written(by: str, rank: str, value: Any) -> dict[str, Any]:
    """The entry of a parameter's new value."""
    return {"value": value, "by": by, "rank": rank}
