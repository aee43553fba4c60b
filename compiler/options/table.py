"""Options by name, and what holds a configuration to such a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from argosy.runtime.suggestions import nearest

from ..errors import MOST
from ..schema.faults import place_of, show
from ..schema.versions import ARGO
from .readers import Fault, Path, Reader, Shaped, WrongValue


class Option(NamedTuple):
    """An option: what reads its value, what that is, the field of the manifest that it becomes,
    what it does, whether a step may change it, and its default as people would write it;
    `in_step`: what reads it in a step's overrides, where that is another thing; `own`: what a step
    gives is the step's, and what the configuration gives the workflow's."""

    read: Reader
    takes: str
    becomes: str
    doc: str
    per_step: bool = False
    default: str = ""
    in_step: Reader | None = None
    own: bool = False


Table = Mapping[str, Option]


def read_values(table: Table, config: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a configuration gives, read; one that `check_values` had nothing against."""
    return {
        # What is Kubernetes' own is taken as it is; it was looked at as a version has it.
        name: value if isinstance(read := table[name].read, Shaped) else read(value)
        for name, value in _given(config)
    }


def check_values(
    table: Table,
    executor: str,
    config: Mapping[str, Any],
    path: Path = (),
    *,
    step: bool = False,
    version: str = ARGO,
) -> list[Fault]:
    """Everything wrong with the values of the configuration of an executor, or with the overrides
    of one step. `path` leads to `config`; the faults have theirs below it. `version`: Argo's."""
    found: list[Fault] = []
    for name, value in _given(config):
        if name not in table:
            message = f"executor {executor} has no option '{name}'"
            hint = nearest(name, table) if len(found) < MOST else ""
            found.append(Fault((*path, name), message, hint))
            continue
        option = table[name]
        if step and not option.per_step:
            message = f"'{name}' is of the whole workflow; a step cannot override it"
            found.append(Fault((*path, name), message, "set it in the executor's configuration"))
            continue
        read = option.in_step if step and option.in_step else option.read
        try:
            if isinstance(read, Shaped):
                read.check(value, version)
            else:
                read(value)
        except WrongValue as wrong:
            for at, said, hint in wrong.faults:
                message = f"{show(place_of(name, *at))}: {said}"
                found.append(Fault((*path, name, *at), message, hint))
    return found


def _given(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The options that are there and not null."""
    for name, value in config.items():
        if value is not None and name != "overrides":
            yield name, value
