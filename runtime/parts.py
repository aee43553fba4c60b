"""The parts of a large state: entries that it has in common with other states are written once.

A state's entries are put in the order in which they were written, and cut where their own content
says so. So a state that adds an entry to another one's has the same parts but for the last, and one
that changes an entry has the same parts but for that which the entry is in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from .entries import State, order

WHOLE = 16 * 1024
"""Bytes up to which a state is one object."""

PART = 4 * 1024
"""Bytes that a part has on average, beside the least."""

LEAST = 1024

encoded = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def cut(state: State) -> tuple[list[bytes], State]:
    """The parts of a state, and what is too new to be in one."""
    from zlib import crc32

    parts: list[bytes] = []
    texts, size, done = _texts(), 0, 0
    entries = sorted(_entries(state))
    for number, (_, kind, name) in enumerate(entries, 1):
        text = f"{encoded(name)}:{encoded(state[kind][name])}"
        texts[kind].append(text)
        size += len(text)
        # The longer the text, the likelier it is the last one: so parts are of about one size.
        if size > LEAST and crc32(text.encode()) % PART < len(text):
            parts.append(_part(texts))
            texts, size, done = _texts(), 0, number
    left: State = State({}, {})
    for _, kind, name in entries[done:]:
        left[kind][name] = state[kind][name]
    return parts, left


def joined(parts: Sequence[bytes], rest: State) -> State:
    """The state that was cut."""
    state = State({}, {})
    for one in (*(State(**json.loads(part)) for part in parts), rest):
        for entries, more in zip(state, one, strict=True):
            entries.update(more)
    return state


def _entries(state: State) -> Iterator[tuple[tuple[int, ...], int, str]]:
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
