"""State at its two ends: what a node reads from its sources, and how what it leaves is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .blobs import PAUSES, Blobs, get, sha256
from .entries import (
    Entry,
    Key,
    State,
    above,
    inside,
    iterating,
    merge,
    named,
    newest,
    without,
    written,
)
from .errors import NodeError, ServiceError, TaskError
from .layout import fill, outside, state_key
from .parts import WHOLE, cut, encoded, joined
from .reduce import reduced
from .suggestions import nearest
from .values import brief, choose

if TYPE_CHECKING:
    from .service import RunLogStore


class Reader:
    """Reads the sources of one node. Afterwards `reads` says which attempt of each instance it
    read, the run's arguments being that of '', and `parts` has the parts of the states by hash.

    `says` decides alternatives: it is asked for a source with `if`, and for its key.
    `patience` is the pauses before an object that is not there is given up. `blobs` is what
    readers of one process share.
    """

    def __init__(
        self,
        store: RunLogStore,
        run: str,
        arguments: Mapping[str, Any],
        says: Callable[[Mapping[str, Any], Key], bool],
        patience: Sequence[float] = PAUSES,
        blobs: Blobs | None = None,
    ) -> None:
        self.store = store
        self.run = run
        self.arguments = arguments
        self.says = says
        self.patience = patience
        self.blobs = blobs or Blobs(store, patience)
        self.reads: dict[str, str] = {}
        self.parts: dict[str, State] = {}
        self.reduced: dict[str, Any] = {}
        self._states: dict[str, State] = {}

    def read(self, sources: Iterable[Any], key: Key) -> State:
        """The merged state of `sources`; `key` fills the `*` in their paths."""
        return merge([self._source(source, key) for source in sources] or [State({}, {})])

    def value(self, entry: Entry) -> Any:
        """The JSON value of a parameter's entry."""
        return self.blobs.value(json_entry(entry))

    def _source(self, source: Any, key: Key) -> State:
        if isinstance(source, str):
            return self._stored(fill(source, key)) if source else self._arguments()
        if isinstance(source, dict):
            for form, read in FORMS.items():
                if form in source:
                    return read(self, source, key)
        raise NodeError(f"a source is {brief(source)}, which this version of Argosy does not know")

    def _arguments(self) -> State:
        self.reads[""], made = self.blobs.arguments(self.arguments)
        return State(made, {})

    def _stored(self, instance: str) -> State:
        if instance not in self._states:
            found = get(self.store, state_key(self.run, instance), self.patience)
            if found is None:
                raise ServiceError(
                    f"the state of '{instance}' is not in the run log of {self.run}, though the "
                    "step succeeded; does every step use the same run log store?"
                )
            document = json.loads(found)
            self.reads[instance] = document["attempt"]
            self._states[instance] = self.state(document)
        return self._states[instance]

    def state(self, document: Mapping[str, Any]) -> State:
        """A state of what is kept of it."""
        rest = State(document["parameters"], document["catalog"], document.get("items", {}))
        parts = document.get("parts")
        if not parts:
            return rest
        return joined([*map(self._part, parts), rest])

    def _part(self, sha: str) -> State:
        if sha not in self.parts:
            self.parts[sha] = State(**json.loads(self.blobs.read(sha)))
        return self.parts[sha]

    def _alternative(self, source: Mapping[str, Any], key: Key) -> State:
        return self.read(source["from"], key) if self.says(source, key) else State({}, {})

    def _item(self, source: Mapping[str, Any], key: Key) -> State:
        depth = source["depth"]
        entering = self.read(source["in"], key)
        items = self.items(source["on"], entering)
        index = int(key[depth])
        if index >= len(items):
            raise NodeError(
                f"KEY asks for item {index} of parameter '{source['on']}', which has {len(items)}"
            )
        by = entering.parameters[source["on"]]["by"]
        item = self.blobs.refer(written(by, above(entering), items[index]))
        count = len(items)
        return iterating(entering, source["item"], depth, item, index=index, count=count)

    def _round(self, source: Mapping[str, Any], key: Key) -> State:
        """What entered the loop, or what the round before this one left; and this one's index."""
        depth, name = source["depth"], source["round"]
        index = int(key[depth])
        if index:
            entering = self.read([source["last"]], (*key[:depth], str(index - 1)))
        else:
            entering = self.read(source["in"], key)
        if name is None:
            return entering
        # Without the index of the round before, whose rank would make this one's ever longer.
        entering = entering._replace(parameters=without(entering.parameters, name))
        return iterating(entering, name, depth, written("", above(entering), index))

    def _looped(self, source: Mapping[str, Any], key: Key) -> State:
        """What the last round left, without its index: what has that name is what entered."""
        name = source["loop"]
        entering, left = self.read(source["in"], key), self.read(source["out"], key)
        entered = named(entering.parameters, [name])
        parameters = {**without(left.parameters, name), **entered}
        return State(parameters, left.catalog, entering.items)

    def items(self, name: str, entering: State) -> list[Any]:
        """What a map over parameter `name` has an iteration for. Raises NodeError where that is no
        list."""
        if name not in entering.parameters:
            raise NodeError(
                f"a map iterates over parameter '{name}', which is not there; "
                f"{nearest(name, entering.parameters)}"
            )
        items = self.blobs.items(json_entry(entering.parameters[name]))
        if not isinstance(items, list):
            message = f"a map iterates over parameter '{name}', which is {brief(items)}, not a list"
            if isinstance(items, str) and items.lstrip().startswith("["):
                message += (
                    "; it is text: -p NAME=VALUE gives a list only if the definition declares one "
                    "as its default, a file (-p FILE) always"
                )
            raise NodeError(message)
        return items

    def choice(
        self, name: str, values: Mapping[str, Any], default: str | None, entering: State
    ) -> str | None:
        """The branch that a conditional takes. None is for a parameter that is not there."""
        entry = entering.parameters.get(name)
        return default if entry is None else choose(self.value(entry), values, default)

    def _only(self, source: Mapping[str, Any], key: Key) -> State:
        entering = self.read(source["in"], key)
        return entering._replace(parameters=named(entering.parameters, source["only"]))

    def _dag(self, source: Mapping[str, Any], key: Key) -> State:
        entering = self.read(source["in"], key)
        leaving = self.read(source["out"], key)
        made = inside(leaving.parameters, fill(source["dag"], key))
        if source.get("outputs") is not None:
            made = named(made, source["outputs"])
        catalog = newest([entering.catalog, leaving.catalog])
        return State({**entering.parameters, **made}, catalog, entering.items)

    def iterations(self, source: Mapping[str, Any], key: Key) -> int:
        """How many iterations a map has."""
        return len(self.items(source["on"], self.read(source["in"], key)))

    def _map(self, source: Mapping[str, Any], key: Key) -> State:
        key = outside(source["map"], key)
        entering = self.read(source["in"], key)
        count = len(self.items(source["on"], entering))
        at = fill(source["map"], key)
        outer, self.reads = self.reads, {}
        left = [self._left(source["out"], (*key, str(index)), at) for index in range(count)]
        iterations, self.reads = self.reads, outer
        if "" in iterations:
            self.reads[""] = iterations[""]
        self.reads[f"{at}/"] = sha256(encoded(sorted(iterations.items())).encode())[:16]
        return self._noted(source, reduced(source, key, entering, left, self.value))

    def _noted(self, source: Mapping[str, Any], state: State) -> State:
        """Keeps what reducers of the user's own made: another version of them makes another value
        of the same iterations."""
        for name, how in (source.get("reduce") or {}).items():
            if ":" in how and "value" in (entry := state.parameters.get(name, {})):
                self.reduced[name] = entry["value"]
        return state

    def _left(self, sources: Iterable[Any], key: Key, at: str) -> State:
        """What an iteration of the map `at` wrote. The states that only it reads are forgotten:
        there may be many iterations."""
        outer = self._states
        self._states = dict(outer)
        left = self.read(sources, key)
        self._states = outer
        return State(*(inside(e, f"{at}/{key[-1]}") for e in (left.parameters, left.catalog)))


def json_entry(entry: Entry) -> Entry:
    """The entry. Raises TaskError for that of an object."""
    if entry.get("pickle") or "objects" in entry:
        raise TaskError("an object that put_object stored is not a JSON value; use get_object")
    return entry


FORMS: Mapping[str, Callable[[Reader, Mapping[str, Any], Key], State]] = {
    "if": Reader._alternative,
    "item": Reader._item,
    "round": Reader._round,
    "loop": Reader._looped,
    "only": Reader._only,
    "dag": Reader._dag,
    "map": Reader._map,
}
"""What a source is, by the member that only it has."""


def write(reader: Reader, places: Iterable[str], attempt: str, state: State) -> State:
    """Writes a state under each instance of `places`, after what it names. Gives the state as it
    was written."""
    blobs = reader.blobs
    parameters = {name: blobs.refer(entry) for name, entry in state.parameters.items()}
    for entry in (*parameters.values(), *state.items.values()):
        blobs.keep(entry)
    made = state._replace(parameters=parameters)
    data = document(attempt, made, ())
    if len(data) > WHOLE:
        parts, rest = cut(made, reader.parts.items())
        hashes = [part if isinstance(part, str) else blobs.write(part) for part in parts]
        data = document(attempt, rest, hashes)
    for instance in places:
        reader.store.put(state_key(reader.run, instance), data)
    return made


def document(attempt: str, state: State, parts: Sequence[str]) -> bytes:
    """A state as it is kept; `parts` are the hashes of what it has in common with others."""
    found = {"attempt": attempt, **state._asdict()}
    if not state.items:
        del found["items"]
    if parts:
        found["parts"] = parts
    return encoded(found).encode()
