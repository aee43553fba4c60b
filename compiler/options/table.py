"""Options by name, and what holds a configuration to such a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..errors import nearest
from ..schema.faults import place_of, show
from .readers import Fault, Path, Reader, WrongValue


class Option(NamedTuple):
    """An option: what reads its value, what that is, the field of the manifest that it becomes,
    what it does, whether a step may change it, and its default as people would write it."""

    read: Reader
    takes: str
    becomes: str
    doc: str
    per_step: bool = False
    default: str = ""


Table = Mapping[str, Option]


def read_values(table: Table, config: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a configuration gives, read; one that `check_values` had nothing against."""
    return {name: table[name].read(value) for name, value in _given(config)}


def check_values(
    table: Table, executor: str, config: Mapping[str, Any], path: Path = (), *, step: bool = False
) -> list[Fault]:
    """Everything wrong with the values of the configuration of an executor, or with the overrides
    of one step. `path` leads to `config`; the faults have theirs below it."""
    found = []
    for name, value in _given(config):
        if name not in table:
            message = f"executor {executor} has no option '{name}'"
            found.append(Fault((*path, name), message, nearest(name, table)))
            continue
        option = table[name]
        if step and not option.per_step:
            message = f"'{name}' is of the whole workflow; a step cannot override it"
            found.append(Fault((*path, name), message, "set it in the executor's configuration"))
            continue
        try:
            option.read(value)
        except WrongValue as wrong:
            for at, said, hint in wrong.faults:
                message = f"{show(place_of(name, *at))} {said}"
                found.append(Fault((*path, name, *at), message, hint))
    return found


def _given(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The options that are there and not null."""
    for name, value in config.items():
        if value is not None and name != "overrides":
            yield name, value
