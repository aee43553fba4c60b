"""A node as it travels: the JSON that the compiler writes and `exec` reads."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from .errors import NodeError

LIMIT = 100 * 1024
"""Bytes of a node's JSON; Linux takes 128 KiB as one argument."""


NOTHING: Mapping[str, Any] = MappingProxyType({})


class Node(NamedTuple):
    """One node; a field that its JSON leaves out has the default here.

    `secrets` maps a secret's name to the variable that shows it to the user's process, or to
    `None`; `kept`: what the step left in the run that this one goes on from counts, whatever has
    changed; `timeout` is in seconds; `argv` is what a container of `image` is started with; `raw`
    is the JSON that it was read from.
    """

    step: str
    rank: str = ""
    type: str = "task"
    sources: Sequence[Any] = ()
    command: str = ""
    command_type: str = "python"
    image: str = ""
    argv: Sequence[str] = ()
    returns: Sequence[str] = ()
    get: Sequence[str] = ()
    put: Sequence[str] = ()
    secrets: Mapping[str, str | None] = NOTHING
    env: Mapping[str, str] = NOTHING
    timeout: float | None = None
    also: Sequence[str] = ()
    ends: Mapping[str, str] = NOTHING
    notebook_output_path: str = ""
    output_cell_tag: str = ""
    kept: bool = False
    message: str = ""
    parameter: str | None = None
    values: Sequence[Any] = ()
    rounds: int | None = None
    hands: Sequence[Mapping[str, Any]] = ()
    raw: Mapping[str, Any] = NOTHING

    def digest(self) -> str:
        """What a resumed run compares: all of the node but its place and what it hands over."""
        kept = {name: value for name, value in self.raw.items() if name not in ("rank", "hands")}
        kept["from"] = json.loads(json.dumps(self.sources), object_hook=unranked)
        text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def unranked(source: dict[str, Any]) -> dict[str, Any]:
    """A source without its rank, which moves when a step is added anywhere before it."""
    return {name: value for name, value in source.items() if name != "rank"}


TYPES = ("task", "control", "fail")
SHAPES: dict[str, type | tuple[type, ...]] = {
    "step": str,
    "rank": str,
    "type": str,
    "from": list,
    "command": str,
    "command_type": str,
    "image": str,
    "argv": list,
    "returns": list,
    "get": list,
    "put": list,
    "secrets": dict,
    "env": dict,
    "timeout": (int, float, type(None)),
    "also": list,
    "ends": dict,
    "notebook_output_path": str,
    "output_cell_tag": str,
    "kept": bool,
    "message": str,
    "parameter": (str, type(None)),
    "values": list,
    "rounds": (int, type(None)),
    "hands": list,
}


def decode(text: str, folder: str = "") -> Node:
    """The node in `text`, or in the file of `folder` that it names.

    >>> decode('{"step": "a", "command": "jobs.a"}').command_type
    'python'
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise NodeError(f"NODE is not JSON ({error}); `argosy render` writes it") from error
    if not isinstance(raw, dict):
        raise NodeError(
            f"NODE is {type(raw).__name__}, not a JSON object; `argosy render` writes it"
        )
    return from_json(expand(fetch(raw, folder) if "in" in raw else raw))


def from_json(raw: Mapping[str, Any]) -> Node:
    """The node that is written as `raw`. Raises NodeError at the first field that is wrong."""
    for name, value in raw.items():
        if name not in SHAPES:
            raise NodeError(f"NODE has a field '{name}' that this version of Argosy does not know")
        if not isinstance(value, SHAPES[name]):
            raise NodeError(f"NODE's '{name}' is {json.dumps(value)}, which has the wrong type")
    if not raw.get("step"):
        raise NodeError("NODE has no 'step'")
    if raw.get("type", "task") not in TYPES:
        raise NodeError(f"NODE's 'type' is '{raw['type']}'; known: {', '.join(TYPES)}")
    fields = {"sources" if name == "from" else name: value for name, value in raw.items()}
    return Node(**fields, raw=raw)


def encode(raw: Mapping[str, Any], limit: int = LIMIT) -> str:
    """The node's JSON, packed where it would be over `limit` bytes. It may still be over it then.

    >>> encode({"step": "a", "command": "jobs.a"})
    '{"step":"a","command":"jobs.a"}'
    """
    text = json.dumps(raw, separators=(",", ":"))
    if len(text) <= limit:
        return text
    import base64  # few nodes are so large
    import zlib

    rest = {name: value for name, value in raw.items() if name != "step"}
    packed = zlib.compress(json.dumps(rest, separators=(",", ":")).encode(), 9)
    return json.dumps(
        {"step": raw["step"], "z": base64.b64encode(packed).decode()}, separators=(",", ":")
    )


def fetch(raw: dict[str, Any], folder: str) -> dict[str, Any]:
    """The node's JSON in the file that is named in its place."""
    if not folder:
        raise NodeError("NODE is in a file, and ARGOSY_NODES names no folder for it")
    path = os.path.join(folder, str(raw["in"]))
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError) as error:
        raise NodeError(f"NODE's file cannot be read ({error})") from error
    if not isinstance(found, dict) or found.get("step") != raw.get("step"):
        raise NodeError(f"{path} is not the node of '{raw.get('step')}'")
    return found


def expand(raw: dict[str, Any]) -> dict[str, Any]:
    """The node's JSON as it was before it was packed."""
    if "z" not in raw:
        return raw
    import base64
    import zlib

    try:
        rest = json.loads(zlib.decompress(base64.b64decode(raw["z"], validate=True)))
        return {"step": raw["step"], **rest}
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        raise NodeError(f"NODE's 'z' cannot be unpacked ({error})") from error
