"""What is wrong with an object, and where in it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

Place = tuple[Any, ...]
"""A place in an object, linked from the inside out: `(outer path, key or index)`; `()` is the
object itself. It is made for every value that is looked at, and read only where one is wrong."""


class Fault(NamedTuple):
    """What is wrong at a place of an object, and the way out."""

    place: Place
    message: str
    hint: str = ""


def place_of(*keys: str | int) -> Place:
    place: Place = ()
    for key in keys:
        place = (place, key)
    return place


def path_of(place: Place) -> tuple[str | int, ...]:
    """A place from the outside in.

    >>> path_of(place_of("containers", 0, "image"))
    ('containers', 0, 'image')
    """
    path: list[Any] = []
    while place:
        place, key = place
        path.append(key)
    return tuple(reversed(path))


def show(place: Place) -> str:
    """A place as people write it.

    >>> show(place_of("spec", "templates", 3, "container", "image"))
    'spec.templates[3].container.image'
    >>> show(place_of("metadata", "labels", "argosy.dev/step"))
    'metadata.labels["argosy.dev/step"]'
    """
    parts: list[str] = []
    for key in path_of(place):
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif isinstance(key, str) and key.replace("-", "_").isidentifier():
            parts.append(f".{key}" if parts else key)
        else:
            parts.append(f"[{json.dumps(key)}]")
    return "".join(parts)
