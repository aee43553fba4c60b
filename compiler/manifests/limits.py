"""What no program can be started with, though every field is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..schema.faults import Fault, Place

ARGUMENT_BYTES = 128 * 1024
"""Linux starts no program with a longer argument or environment variable (MAX_ARG_STRLEN)."""


def check_container(container: Mapping[str, Any], at: Place) -> Iterator[Fault]:
    """No environment variable twice, nothing too long to start a program with."""
    seen: set[str] = set()
    for index, variable in enumerate(container.get("env", ())):
        name = variable["name"]
        where = ((at, "env"), index)
        if name in seen:
            yield Fault(
                where,
                f"the environment variable '{name}' is there twice",
                "the engine takes each name once: remove one",
            )
        seen.add(name)
        text = f"{name}={variable.get('value', '')}"
        yield from check_length(f"the environment variable '{name}'", text, where)
    for field in ("command", "args"):
        for index, text in enumerate(container.get(field, ())):
            yield from check_length("an argument", text, ((at, field), index))


def check_length(what: str, text: str, place: Place) -> Iterator[Fault]:
    if len(text) * 4 <= ARGUMENT_BYTES:
        return
    size = len(text.encode(errors="replace"))
    if size > ARGUMENT_BYTES:
        yield Fault(
            place,
            f"{what} has {size:,} bytes; the limit of one argument is {ARGUMENT_BYTES:,}",
            "give a large value as a file: in the catalog, or in the image",
        )
