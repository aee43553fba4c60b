"""The environment of the user's process: what is in it, and what comes back from it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from argosy.runtime.context import user_environment
from argosy.runtime.entries import State, map_variable
from argosy.runtime.errors import TaskError
from argosy.runtime.step import FOLDER, NAME, Written, holds_objects, track

if TYPE_CHECKING:
    from argosy.runtime.context import Context
    from argosy.runtime.node import Node
    from argosy.runtime.state import Reader

PREFIXES = ("ARGOSY_PRM_", "MAGNUS_PRM_")
TRACKS = ("ARGOSY_TRACK_", "MAGNUS_TRACK_")
MAP_VARIABLES = ("ARGOSY_MAP_VARIABLE", "MAGNUS_MAP_VARIABLE")


def environment(
    context: Context, node: Node, instance: str, folder: str, secrets: Mapping[str, str]
) -> dict[str, str]:
    """All but the parameters: what this process has, what the executor and the step add."""
    found = user_environment()
    if context.config.get("secrets") or node.secrets:
        context.secrets.withdraw(found)
    found.update(context.executor.environment)
    found.update(node.env)
    for name, variable in node.secrets.items():
        shown = variable or (name if node.command_type in ("shell", "notebook") else None)
        if shown:
            found[shown] = secrets[name]
    found.update(context.environment())
    found[FOLDER], found[NAME] = folder, instance
    return found


def parameters(state: State, reader: Reader, folder: str | None) -> dict[str, str]:
    """The parameters as variables. A string is itself under our prefix and JSON under Magnus's;
    anything else is JSON. A large value is in a file in `folder`, which a variable names; without
    a folder it is left out."""
    found: dict[str, str] = {}
    for name, entry in state.parameters.items():
        if "=" in name or "\0" in name or holds_objects(entry):
            continue
        if "blob" in entry and folder is None:
            continue
        value = reader.value(entry)
        text = value if isinstance(value, str) else json.dumps(value)
        if folder is not None and ("blob" in entry or "\0" in text):
            path = os.path.join(folder, f"parameter-{len(found)}")
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            found[f"{PREFIXES[0]}{name}_FILE"] = path
        elif "\0" not in text:
            found[PREFIXES[0] + name] = text
            found[PREFIXES[1] + name] = json.dumps(value)
    items = map_variable(state)
    if items:
        found.update(dict.fromkeys(MAP_VARIABLES, json.dumps(items)))
    return found


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Written:
    """What was exported or changed under the prefixes. Raises TaskError where both prefixes give
    one parameter."""
    found = Written({}, {}, {}, {}, None)
    for prefix in PREFIXES:
        for name, text in changed(before, after, prefix):
            if name in found.parameters:
                raise TaskError(
                    f"parameter '{name}' was exported both as {PREFIXES[0]}{name} and as "
                    f"{PREFIXES[1]}{name}; export one of them"
                )
            found.parameters[name] = parse(text)
    for prefix in TRACKS:
        for name, text in changed(before, after, prefix):
            track(found.tracked, name, parse(text), None)
    return found


def changed(
    before: Mapping[str, str], after: Mapping[str, str], prefix: str
) -> list[tuple[str, str]]:
    return [
        (name[len(prefix) :], text)
        for name, text in sorted(after.items())
        if name.startswith(prefix) and name != prefix and before.get(name) != text
    ]


def parse(text: str) -> Any:
    """A JSON value where writing it again gives the same text, blanks aside; else the text.

    >>> parse("12"), parse("1.10"), parse("007"), parse("[1, 2]"), parse("yes"), parse("null")
    (12, '1.10', '007', [1, 2], 'yes', None)
    """
    try:
        return json.loads(
            text, parse_float=exact(float), parse_int=exact(int), parse_constant=refused
        )
    except ValueError:
        return text


def exact(kind: type[int] | type[float]) -> Any:
    def parse_number(text: str) -> float:
        number = kind(text)
        if json.dumps(number) != text:
            raise ValueError(text)
        return number

    return parse_number


def refused(text: str) -> Any:
    raise ValueError(text)
