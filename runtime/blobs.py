"""Large values and parts of states: objects of the run log that are named by their hash.

An entry names a large value in place of holding it, so the value is written once, however many
states have it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .entries import Entries, Entry, written
from .errors import ServiceError
from .layout import blob_key
from .values import dump

if TYPE_CHECKING:
    from .service import RunLogStore

LARGE = 1024
"""Bytes of JSON over which a value is a blob of its own."""

PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 1.6)
"""Seconds between attempts to get an object that must be there: a store may be late to show it."""

LISTS = 16
"""How many lists that maps iterate over are kept in memory."""


class Blobs:
    """The blobs of a run log, as the readers of one process share them: a value that was read or
    made once need not be read, hashed or written again. `patience` is the pauses before an object
    that is not there is given up."""

    def __init__(self, store: RunLogStore, patience: Sequence[float] = PAUSES) -> None:
        self.store = store
        self.patience = patience
        self.there: set[str] = set()
        """Hashes of blobs that are certain to be in the run log."""
        self._made: dict[str, bytes] = {}
        self._lists: dict[str, Any] = {}
        self._arguments: tuple[str, Entries] | None = None

    def arguments(self, given: Mapping[str, Any]) -> tuple[str, Entries]:
        """The hash of a run's arguments, and their entries."""
        if self._arguments is None:
            entries: Entries = {
                name: self.refer(written("", "", value)) for name, value in given.items()
            }
            self._arguments = sha256(dump(given).encode())[:16], entries
        return self._arguments

    def refer(self, entry: Entry) -> Entry:
        """The entry, with the hash of its value in the place of a large value. `keep` writes it."""
        member = "objects" if "objects" in entry else "value"
        if member not in entry or is_small(entry[member]):
            return entry
        if member == "objects" and isinstance(entry["objects"], Mapping):
            return entry
        data = dump(entry[member]).encode()
        if len(data) <= LARGE:
            return entry
        if member == "objects":
            return {**entry, "objects": self._make(data)}
        kept = {name: value for name, value in entry.items() if name != "value"}
        return {**kept, **self._make(data)}

    def _make(self, data: bytes) -> dict[str, Any]:
        sha = sha256(data)
        if sha not in self.there:
            self._made[sha] = data
        return {"blob": sha, "size": len(data)}

    def keep(self, entry: Entry) -> None:
        """Writes what the entry names and this process made, unless it is written already."""
        for part in (entry, entry.get("objects")):
            if isinstance(part, Mapping) and (data := self._made.pop(part.get("blob", ""), None)):
                self.put(part["blob"], data)

    def put(self, sha: str, data: bytes) -> None:
        if sha not in self.there:
            self.store.put(blob_key(sha), data)
            self.there.add(sha)

    def write(self, data: bytes) -> str:
        """Keeps `data` by its hash, which it gives."""
        sha = sha256(data)
        self.put(sha, data)
        return sha

    def read(self, sha: str) -> bytes:
        """The blob with that hash, which is checked: a pickle must be what was written."""
        if sha in self._made:
            return self._made[sha]
        data = get(self.store, blob_key(sha), self.patience)
        if data is None:
            raise ServiceError(f"blob {sha} is not in the run log; was it removed?")
        if sha256(data) != sha:
            raise ServiceError(f"blob {sha} is damaged: its content has another hash")
        self.there.add(sha)
        return data

    def value(self, entry: Entry) -> Any:
        """The JSON value of an entry that holds or names one."""
        if "value" in entry:
            return entry["value"]
        sha = entry["blob"]
        return self._lists[sha] if sha in self._lists else json.loads(self.read(sha))

    def objects(self, entry: Entry) -> list[Entry | None]:
        """The entries of the objects that the iterations of a map left."""
        objects = entry["objects"]
        found: list[Entry | None] = (
            objects if isinstance(objects, list) else json.loads(self.read(objects["blob"]))
        )
        return found

    def items(self, entry: Entry) -> Any:
        """The value of what a map iterates over, which its iterations read again."""
        found = self.value(entry)
        if "blob" in entry and entry["blob"] not in self._lists:
            while len(self._lists) >= LISTS:
                del self._lists[next(iter(self._lists))]
            self._lists[entry["blob"]] = found
        return found


def named(entries: Iterable[Entry], blobs: Blobs) -> Iterator[str]:
    """The hashes of all that the entries name."""
    for entry in entries:
        objects: Iterable[Entry | None] = ()
        if "objects" in entry:
            objects = blobs.objects(entry)
            if isinstance(entry["objects"], Mapping):
                yield entry["objects"]["blob"]
        for part in (entry, *objects):
            if part is not None and "blob" in part:
                yield part["blob"]


def is_small(value: Any) -> bool:
    """Whether JSON writes a value in few bytes, as far as that can be told without writing it."""
    if isinstance(value, str):
        return len(value) < LARGE // 12  # JSON may write twelve bytes for a character
    return isinstance(value, (int, type(None)))


def sha256(data: bytes) -> str:
    import hashlib  # costs 2 ms, and most steps name nothing by its hash

    return hashlib.sha256(data).hexdigest()


def get(store: RunLogStore, key: str, patience: Sequence[float]) -> bytes | None:
    """An object that should be there, asked for again after each pause."""
    data = store.get(key)
    for pause in patience:
        if data is not None:
            break
        time.sleep(pause)
        data = store.get(key)
    return data
