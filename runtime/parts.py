"""The parts of a large state: entries that it has in common with other states are written once.

A state's entries are put in the order in which they were written, and cut where their own content
says so. So a state that adds an entry to another one's has the same parts but for the last, and one
that changes an entry has the same parts but for that which the entry is in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from .entries import State, order

WHOLE = 16 * 1024
"""Bytes up to which a state is one object."""

PART = 4 * 1024
"""Bytes that a part has on average, beside the least."""

LEAST = 1024

Place = tuple[tuple[int, ...], int, str]
"""Where an entry is in the order: its rank, the kind of it, and its name."""

encoded = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def cut(state: State, known: Iterable[tuple[str, State]]) -> tuple[list[str | bytes], State]:
    """The parts of a state, and what is too new to be in one. A part that is `known`, because a
    state that this one follows has it, is given by its hash."""
    from zlib import crc32

    parts: list[str | bytes] = []
    entries = sorted(_entries(state))
    places = {id(entry): one for one in known for kind in one[1] for entry in kind.values()}
    texts, size, number, done = _texts(), 0, 0, 0
    while number < len(entries):
        _, kind, name = entries[number]
        entry = state[kind][name]
        if number == done and (count := _common(state, entries, done, places.get(id(entry)))):
            parts.append(places[id(entry)][0])
            number = done = done + count
            continue
        text = f"{encoded(name)}:{encoded(entry)}"
        texts[kind].append(text)
        size += len(text)
        number += 1
        # The longer the text, the likelier it is the last one: so parts are of about one size.
        if size > LEAST and crc32(text.encode()) % PART < len(text):
            parts.append(_part(texts))
            texts, size, done = _texts(), 0, number
    left: State = State({}, {}, {})
    for _, kind, name in entries[done:]:
        left[kind][name] = state[kind][name]
    return parts, left


def _common(
    state: State, entries: Sequence[Place], start: int, part: tuple[str, State] | None
) -> int:
    """The number of entries of a part, where a state has just those from `start` on; else 0."""
    if part is None:
        return 0
    count = sum(map(len, part[1]))
    found = entries[start : start + count]
    same = all(part[1][kind].get(name) is state[kind][name] for _, kind, name in found)
    return count if same and len(found) == count else 0


def joined(parts: Iterable[State]) -> State:
    """The state that was cut."""
    state = State({}, {}, {})
    for one in parts:
        for entries, more in zip(state, one, strict=True):
            entries.update(more)
    return state


def _entries(state: State) -> Iterator[Place]:
    for kind, entries in enumerate(state):
        for name, entry in entries.items():
            yield order(entry["rank"]), kind, name


def _texts() -> tuple[list[str], ...]:
    return tuple([] for _ in State._fields)


def _part(texts: Sequence[Sequence[str]]) -> bytes:
    members = (
        f"{encoded(kind)}:{{{','.join(entries)}}}"
        for kind, entries in zip(State._fields, texts, strict=True)
    )
    return f"{{{','.join(members)}}}".encode()
