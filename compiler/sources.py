"""Sources: what a node reads, as values, and as the JSON that travels in NODE's `from`.

`flow` makes them; `argosy.runtime.state` reads them. docs/runtime.md says what each gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .graph import Outcome


class State(NamedTuple):
    """The state that was written at a path; '' is the run's arguments."""

    path: str


class If(NamedTuple):
    """`of`, where the node `name` of `graph` (or the branch `label` of it) ended so."""

    graph: str
    name: str
    label: str | None
    path: str
    outcome: Outcome
    of: Sources


class Item(NamedTuple):
    """`of`, with one item of a list as a parameter: what enters an iteration of a map."""

    iterate_on: str
    iterate_as: str
    depth: int
    of: Sources


class Round(NamedTuple):
    """What enters a round of a loop: `of` the first one, any other what the round before it left at
    the path `last`; and its index, where that is called `iterate_as`."""

    iterate_as: str | None
    depth: int
    of: Sources
    last: str


class Joined(NamedTuple):
    """What leaves a map: `inside`, reduced over all iterations, over what entered."""

    path: str
    rank: str
    iterate_on: str
    iterate_as: str
    reducers: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    of: Sources
    inside: Sources


class Looped(NamedTuple):
    """What leaves a loop whose rounds have an index: the state at `path`, but under `iterate_as`
    what entered."""

    path: str
    iterate_as: str
    of: Sources


class Only(NamedTuple):
    """What enters a scoped dag."""

    inputs: tuple[str, ...]
    of: Sources


class Scoped(NamedTuple):
    """What leaves a scoped dag."""

    path: str
    rank: str
    outputs: tuple[str, ...] | None
    of: Sources
    inside: Sources


Source = State | If | Item | Round | Joined | Looped | Only | Scoped
Sources = tuple[Source, ...]
START: Sources = (State(""),)


def deeper(sources: Sources, most: int) -> bool:
    """Whether sources nest deeper than `most`."""
    depth, level = 0, list(sources)
    while level and depth <= most:
        depth += 1
        level = [inner for source in level for inner in _parts(source)]
    return depth > most


def _parts(source: Source) -> Iterator[Source]:
    """The sources inside a source."""
    if not isinstance(source, State):
        yield from source.of
    if isinstance(source, (Joined, Scoped)):
        yield from source.inside


def asks(sources: Iterable[Source], graph: str | None) -> Iterator[If]:
    """The alternatives that the statuses of `graph`'s nodes decide (None: of any graph)."""
    for source in every(sources):
        if isinstance(source, If) and graph in (None, source.graph):
            yield source


def starts(sources: Iterable[Source]) -> bool:
    """Whether the run's arguments are among them."""
    return any(source == State("") for source in every(sources))


def of_maps(sources: Iterable[Source]) -> bool:
    """Whether what leaves a map is among them."""
    return any(isinstance(source, Joined) for source in every(sources))


def every(sources: Iterable[Source]) -> Iterator[Source]:
    """The sources, and those inside them."""
    stack = list(sources)
    while stack:
        source = stack.pop()
        yield source
        stack.extend(_parts(source))


def encode(source: Source) -> Any:
    """A source as JSON: the form that `argosy.runtime.state` reads."""
    if isinstance(source, State):
        return source.path
    of = [encode(part) for part in source.of]
    if isinstance(source, If):
        outcome = "ok" if source.outcome == "success" else "failed"
        return {"if": source.path, "is": outcome, "from": of}
    if isinstance(source, Only):
        return {"only": list(source.inputs), "in": of}
    if isinstance(source, Item):
        on, depth = source.iterate_on, source.depth
        return {"item": source.iterate_as, "on": on, "depth": depth, "in": of}
    if isinstance(source, Round):
        index = {"round": source.iterate_as, "depth": source.depth}
        return {**index, "in": of, "last": source.last}
    if isinstance(source, Looped):
        return {"loop": source.iterate_as, "in": of, "out": [source.path]}
    inside = [encode(part) for part in source.inside]
    if isinstance(source, Scoped):
        outputs = None if source.outputs is None else list(source.outputs)
        scoped = {"dag": source.path, "rank": source.rank, "outputs": outputs}
        return {**scoped, "in": of, "out": inside}
    return {
        "map": source.path,
        "rank": source.rank,
        "on": source.iterate_on,
        "as": source.iterate_as,
        "in": of,
        "out": inside,
        **({"reduce": dict(source.reducers)} if source.reducers else {}),
        **({"names": list(source.names)} if source.names else {}),
    }
