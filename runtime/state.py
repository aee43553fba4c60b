"""State at its two ends: what a node reads from its sources, and how what it leaves is written."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .entries import (
    Entries,
    Entry,
    Key,
    State,
    above,
    inside,
    merge,
    named,
    newest,
    without,
    written,
)
from .errors import NodeError, ServiceError, TaskError
from .layout import blob_key, fill, outside, state_key
from .reduce import reduced
from .suggestions import nearest
from .values import brief, choose, dump

if TYPE_CHECKING:
    from .service import RunLogStore

LARGE = 32 * 1024
"""Bytes of JSON over which a value is a blob of its own."""

PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 1.6)
"""Seconds between attempts to get an object that must be there: a store may be late to show it."""


class Reader:
    """Reads the sources of one node. Afterwards `reads` says which attempt of each instance it
    read, the run's arguments being that of ''.

    `says` decides alternatives: it is asked for a source with `if`, and for its key.
    `patience` is the pauses before an object that is not there is given up.
    """

    def __init__(
        self,
        store: RunLogStore,
        run: str,
        arguments: Mapping[str, Any],
        says: Callable[[Mapping[str, Any], Key], bool],
        patience: Sequence[float] = PAUSES,
    ) -> None:
        self.store = store
        self.run = run
        self.arguments = arguments
        self.says = says
        self.patience = patience
        self.reads: dict[str, str] = {}
        self._states: dict[str, State] = {}

    def read(self, sources: Iterable[Any], key: Key) -> State:
        """The merged state of `sources`; `key` fills the `*` in their paths."""
        return merge([self._source(source, key) for source in sources] or [State({}, {})])

    def value(self, entry: Entry) -> Any:
        """The JSON value of a parameter's entry."""
        if "value" in entry:
            return entry["value"]
        if entry.get("pickle") or "objects" in entry:
            raise TaskError("an object that put_object kept is no JSON value; use get_object")
        return json.loads(self.blob(entry["blob"]))

    def blob(self, sha: str) -> bytes:
        return read_blob(self.store, sha, self.patience)

    def _source(self, source: Any, key: Key) -> State:
        if isinstance(source, str):
            return self._stored(fill(source, key)) if source else self._arguments()
        if isinstance(source, dict):
            for form, read in FORMS.items():
                if form in source:
                    return read(self, source, key)
        raise NodeError(f"a source is {brief(source)}, which this version of Argosy does not know")

    def _arguments(self) -> State:
        if "" not in self.reads:
            import hashlib

            text = dump(self.arguments).encode()
            self.reads[""] = hashlib.sha256(text).hexdigest()[:16]
        made: Entries = {name: written("", "", value) for name, value in self.arguments.items()}
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
            self._states[instance] = State(document["parameters"], document["catalog"])
        return self._states[instance]

    def _alternative(self, source: Mapping[str, Any], key: Key) -> State:
        return self.read(source["from"], key) if self.says(source, key) else State({}, {})

    def _item(self, source: Mapping[str, Any], key: Key) -> State:
        depth = source["depth"]
        entering = self.read(source["in"], key[:depth])
        items = self.items(source["on"], entering)
        index = int(key[depth])
        if index >= len(items):
            raise NodeError(
                f"KEY asks for item {index} of parameter '{source['on']}', which has {len(items)}"
            )
        by = entering.parameters[source["on"]]["by"]
        entry = {**written(by, above(entering), items[index]), "item": depth}
        return State({**entering.parameters, source["item"]: entry}, entering.catalog)

    def _round(self, source: Mapping[str, Any], key: Key) -> State:
        """What entered the loop, or what the round before this one left; and this one's index."""
        depth, name = source["depth"], source["round"]
        index = int(key[depth])
        if index:
            entering = self.read([source["last"]], (*key[:depth], str(index - 1)))
        else:
            entering = self.read(source["in"], key[:depth])
        if name is None:
            return entering
        # Without the index of the round before, whose rank would make this one's ever longer.
        entering = State(without(entering.parameters, name), entering.catalog)
        entry = {**written("", above(entering), index), "item": depth}
        return State({**entering.parameters, name: entry}, entering.catalog)

    def _looped(self, source: Mapping[str, Any], key: Key) -> State:
        """What the last round left, without its index: what has that name is what entered."""
        name = source["loop"]
        entered = named(self.read(source["in"], key).parameters, [name])
        left = self.read(source["out"], key)
        return State({**without(left.parameters, name), **entered}, left.catalog)

    def items(self, name: str, entering: State) -> list[Any]:
        """What a map over parameter `name` has an iteration for. Raises NodeError where that is no
        list."""
        if name not in entering.parameters:
            raise NodeError(
                f"a map iterates over parameter '{name}', which is not there; "
                f"{nearest(name, entering.parameters)}"
            )
        items = self.value(entering.parameters[name])
        if not isinstance(items, list):
            raise NodeError(
                f"a map iterates over parameter '{name}', which is {brief(items)}, not a list"
            )
        return items

    def choice(
        self, name: str, values: Mapping[str, Any], default: str | None, entering: State
    ) -> str | None:
        """The branch that a conditional takes. None is for a parameter that is not there."""
        entry = entering.parameters.get(name)
        return default if entry is None else choose(self.value(entry), values, default)

    def _only(self, source: Mapping[str, Any], key: Key) -> State:
        entering = self.read(source["in"], key)
        return State(named(entering.parameters, source["only"]), entering.catalog)

    def _dag(self, source: Mapping[str, Any], key: Key) -> State:
        entering = self.read(source["in"], key)
        leaving = self.read(source["out"], key)
        made = inside(leaving.parameters, fill(source["dag"], key))
        if source.get("outputs") is not None:
            made = named(made, source["outputs"])
        return State({**entering.parameters, **made}, newest([entering.catalog, leaving.catalog]))

    def iterations(self, source: Mapping[str, Any], key: Key) -> int:
        """How many iterations a map has."""
        return len(self.items(source["on"], self.read(source["in"], key)))

    def _map(self, source: Mapping[str, Any], key: Key) -> State:
        key = outside(source["map"], key)
        entering = self.read(source["in"], key)
        count = len(self.items(source["on"], entering))
        iterations = [self.read(source["out"], (*key, str(index))) for index in range(count)]
        return reduced(source, key, entering, iterations, self.value)


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


def write(store: RunLogStore, run: str, places: Iterable[str], attempt: str, state: State) -> State:
    """Writes a state under each instance of `places`, its large values first. Gives the state as
    it was written."""
    parameters = {name: settled(store, entry) for name, entry in state.parameters.items()}
    document = {"attempt": attempt, "parameters": parameters, "catalog": state.catalog}
    data = json.dumps(document, separators=(",", ":")).encode()
    for instance in places:
        store.put(state_key(run, instance), data)
    return State(parameters, state.catalog)


def settled(store: RunLogStore, entry: Entry) -> Entry:
    """The entry with its value in a blob, where that is large."""
    if "value" not in entry:
        return entry
    value = entry["value"]
    if isinstance(value, (int, type(None))):
        return entry
    data = dump(value).encode()
    if len(data) <= LARGE:
        return entry
    kept = {name: member for name, member in entry.items() if name != "value"}
    return {**kept, "blob": write_blob(store, data), "size": len(data)}


def write_blob(store: RunLogStore, data: bytes) -> str:
    """Keeps `data` by its hash, which it gives."""
    import hashlib

    sha = hashlib.sha256(data).hexdigest()
    store.put(blob_key(sha), data)
    return sha


def read_blob(store: RunLogStore, sha: str, patience: Sequence[float] = PAUSES) -> bytes:
    """The blob with that hash, which is checked: a pickle must be what was written."""
    import hashlib

    data = get(store, blob_key(sha), patience)
    if data is None:
        raise ServiceError(f"blob {sha} is not in the run log; was it removed?")
    if hashlib.sha256(data).hexdigest() != sha:
        raise ServiceError(f"blob {sha} is damaged: its content has another hash")
    return data


def get(store: RunLogStore, key: str, patience: Sequence[float]) -> bytes | None:
    """An object that should be there, asked for again after each pause."""
    data = store.get(key)
    for pause in patience:
        if data is not None:
            break
        time.sleep(pause)
        data = store.get(key)
    return data
