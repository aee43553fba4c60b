"""What leaves a map: one entry made of those that its iterations wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .entries import Entries, Entry, Key, State, inside
from .errors import TaskError
from .layout import ITERATION, fill
from .values import brief


def reduced(
    source: Mapping[str, Any],
    key: Key,
    entering: State,
    iterations: Sequence[State],
    value: Callable[[Entry], Any],
) -> State:
    """The state after a map: what was written inside, reduced over the iterations, over what
    entered. What the iterations only passed on is what entered."""
    at, rank = fill(source["map"], key), fill(source["rank"], key, ".")
    made = [inside(state.parameters, f"{at}/{index}") for index, state in enumerate(iterations)]
    reducers = source.get("reduce") or {}
    names = dict.fromkeys([*source.get("names", ()), *reducers, *(n for one in made for n in one)])
    parameters = dict(entering.parameters)
    for name in names:
        if name == source["as"]:
            continue
        entry = reduce(name, reducers.get(name, "list"), [one.get(name) for one in made], value)
        if entry is not None:
            parameters[name] = {**entry, "by": at, "rank": rank}
    files = [inside(state.catalog, f"{at}/{index}") for index, state in enumerate(iterations)]
    gathered = gather(source["map"].rpartition(f"{ITERATION}/")[2], files)
    gathered = {name: {**entry, "by": at, "rank": rank} for name, entry in gathered.items()}
    return State(parameters, {**entering.catalog, **gathered}, entering.items)


def reduce(
    name: str, how: str, entries: Sequence[Entry | None], value: Callable[[Entry], Any]
) -> Entry | None:
    """One parameter's entries, `None` where an iteration wrote none, as one entry; `None` where
    nothing is left of them."""
    wrote = [entry for entry in entries if entry is not None]
    if how == "last":
        return wrote[-1] if wrote else None
    if any("pickle" in entry or "objects" in entry for entry in wrote):
        if how != "list":
            raise TaskError(
                f"'{name}' holds what put_object kept, which {how} cannot reduce: use list or last"
            )
        return {"objects": [None if entry is None else place(entry) for entry in entries]}
    if how in ("sum", "max"):
        return total(name, how, [value(entry) for entry in wrote])
    values = [None if entry is None else value(entry) for entry in entries]
    if how == "list":
        return {"value": values}
    from .tasks import reducer  # few maps have one of the user's

    return {"value": reducer.call(how, name, values)}


def place(entry: Entry) -> dict[str, Any]:
    """An entry without who wrote it."""
    return {name: kept for name, kept in entry.items() if name not in ("by", "rank")}


def total(name: str, how: str, values: Sequence[Any]) -> Entry | None:
    """The sum, or the greatest, of what the iterations wrote."""
    if how == "max" and not values:
        return None
    kinds = {type(value) for value in values}
    numbers = kinds <= {int, float}
    if not numbers and not (how == "max" and kinds == {str}):
        raise TaskError(
            f"parameter '{name}' cannot be reduced by {how}: the iterations wrote "
            f"{brief(list(values))}; return numbers, or name another reducer"
        )
    return {"value": sum(values) if how == "sum" else max(values)}


def gather(folder: str, files: Sequence[Entries]) -> Entries:
    """What a map adds to the catalog: each file as `<map>/<index>/<name>`, and under its own name
    too where all iterations that wrote it wrote the same. `folder` is the map's path within what
    is around it."""
    contents: dict[str, set[str]] = {}
    for one in files:
        for name, entry in one.items():
            contents.setdefault(name, set()).add(entry["sha256"])
    agreed = {
        name: entry for one in files for name, entry in one.items() if len(contents[name]) == 1
    }
    own = {
        f"{folder}/{index}/{name}": entry
        for index, one in enumerate(files)
        for name, entry in one.items()
    }
    return {**agreed, **own}
