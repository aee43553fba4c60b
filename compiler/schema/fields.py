"""Holds objects to schema.json: every field known, every value of its type, none missing.

The objects of Argo are those of a version; versions.py says how the others differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from argosy.runtime.suggestions import nearest

from .faults import Fault, Place
from .versions import ARGO, ARGO_VERSIONS, fields_of

PATH = Path(__file__).with_name("schema.json")
"""Made by make.py, which says what is in it."""


Pending = tuple[Any, Any, Place]
"""A value that is still to be checked, its shape and its place."""


class Struct(NamedTuple):
    """A type with fields. `fields` maps each to the Python type of a scalar or to a shape."""

    name: str
    fields: dict[str, Any]
    required: tuple[str, ...]


class List(NamedTuple):
    item: Any


class Map(NamedTuple):
    value: Any


class Either(NamedTuple):
    """Any scalar of these Python types."""

    types: tuple[type, ...]


ANY = Either((object,))
SCALARS: Mapping[str, Any] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": Either((int, float)),
    "int|str": Either((int, str)),
    "any": ANY,
}
NAMES = {
    dict: "a mapping",
    list: "a list",
    tuple: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


@cache
def load() -> Any:
    """The content of schema.json."""
    return json.loads(PATH.read_bytes())


@cache
def shape_of(type_: str) -> Any:
    """The type of field as a shape; structs hold their fields' types as text until `struct`
    resolves them, for types contain themselves."""
    if type_ in SCALARS:
        return SCALARS[type_]
    if type_.startswith("["):
        return List(shape_of(type_[1:-1]))
    if type_.startswith("{"):
        return Map(shape_of(type_[1:-1]))
    return type_


@cache
def struct(name: str, version: str) -> Struct:
    fields = fields_of(name, load()["types"], version)
    return Struct(
        name,
        {field: shape_of(type_.rstrip("!")) for field, type_ in fields.items()},
        tuple(field for field, type_ in fields.items() if type_.endswith("!")),
    )


def check_fields(
    value: Any, type_: str, version: str = ARGO, *, partial: bool = False
) -> Iterator[Fault]:
    """Every fault of a value of this type of the schema, in no order. `partial`: it is to be merged
    with another, and may lack what is required."""
    pending: list[Pending] = [(value, shape_of(type_), ())]
    while pending:
        value, shape, place = pending.pop()
        match shape:
            case str() if isinstance(value, dict):
                found = struct(shape, version)
                yield from check_struct(value, found, place, pending, version)
                if not partial:
                    yield from check_required(value, found, place)
            case List(item) if isinstance(value, list | tuple):
                pending.extend(unsettled(enumerate(value), item, place))
            case Map(inner) if isinstance(value, dict):
                pending.extend(unsettled(value.items(), inner, place))
            case _ if not (fits(value, shape) or (partial and value is None)):
                yield wrong_type(value, shape, place)


def unsettled(items: Iterable[tuple[Any, Any]], shape: Any, place: Place) -> Iterator[Pending]:
    """The members of a list or mapping that are more than a scalar of the right type."""
    return ((item, shape, (place, key)) for key, item in items if type(item) is not shape)


def check_struct(
    value: dict[str, Any], shape: Struct, place: Place, pending: list[Pending], version: str
) -> Iterator[Fault]:
    """The faults of these fields themselves; what they hold is added to `pending`."""
    fields = shape.fields
    for key, item in value.items():
        want = fields.get(key)
        if type(item) is want:
            continue
        if want is None:
            yield unknown(shape, key, (place, key), version)
        else:
            pending.append((item, want, (place, key)))


def check_required(value: dict[str, Any], shape: Struct, place: Place) -> Iterator[Fault]:
    for key in shape.required:
        if key not in value:
            yield Fault((place, key), "missing", "the engine requires this field")


def unknown(shape: Struct, key: str, place: Place, version: str) -> Fault:
    """A field that is not there, or that other versions of the engine have."""
    others = [name for name in ARGO_VERSIONS if key in struct(shape.name, name).fields]
    if not others:
        return Fault(place, "unknown field", nearest(key, shape.fields))
    have = f"Argo {' and '.join(others)} {'has' if len(others) == 1 else 'have'} it"
    return Fault(place, f"Argo {version} has no such field", f'{have}: argo_version: "{others[0]}"')


def fits(value: Any, shape: Any) -> bool:
    if shape is ANY:
        return True
    if isinstance(shape, Either):
        return isinstance(value, shape.types) and not isinstance(value, bool)
    return type(value) is shape


def wrong_type(value: Any, shape: Any, place: Place) -> Fault:
    match shape:
        case str() | Map():
            wanted = NAMES[dict]
        case List():
            wanted = NAMES[list]
        case Either(types=types):
            wanted = " or ".join(dict.fromkeys(NAMES[one] for one in types))
        case _:
            wanted = NAMES[shape]
    given = NAMES.get(type(value), type(value).__name__)
    hint = "write it in quotes" if shape is str and isinstance(value, int | float) else ""
    return Fault(place, f"must be {wanted}, and is {given}", hint)
