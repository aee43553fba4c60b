"""How large a Workflow gets while it runs: the numbers were tried on Argo Workflows 3.7.3."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..manifests.objects import Manifest

KIB = 1024
OBJECT_BYTES = 900 * KIB
"""The controller gives up a Workflow over 1 MiB; what status adds while it runs needs the rest."""
NODE_STATUS = 460
"""Bytes of a task's node in the status, beside its arguments: 400 for a node, 60 for a pod."""
NODE_STATUS_COMPRESSED = 110
"""The same as it is stored where the Workflow would be over 1 MiB: compressed, in base64. Times
and hashes do not get shorter."""
SAMPLE = 64 * KIB
"""As much of the spec as tells how well the rest compresses."""
STORED_SPECS = 2
"""A Workflow that comes from a template keeps the template's spec in its status, twice."""


class Load(NamedTuple):
    """What a task that calls a template brings along: levels of templates, nodes (one iteration
    of a map, for the number is not known), the bytes of the arguments inside, and how many of the
    nodes hold the task's own arguments."""

    levels: int = 0
    nodes: int = 1
    arguments: int = 0
    holders: int = 1


class Size(NamedTuple):
    """What a workflow comes to. `spec`: bytes of its specification, which the engine's object holds
    `copies` times; `status`: bytes of its nodes, as they are stored; `levels`: how many templates
    are one below the other; `tasks`: of the longest DAG."""

    spec: int
    copies: int
    status: int
    levels: int
    templates: int
    tasks: int

    @property
    def total(self) -> int:
        """The bytes of the object."""
        return self.copies * self.spec + self.status


def size_of(spec: Mapping[str, Any], copies: int) -> Size:
    """The size of a workflow of this specification. Nodes are compressed where they would be too
    large otherwise, as the engine does."""
    templates = {template["name"]: template for template in spec.get("templates", ())}
    entry = measure(templates).get(spec.get("entrypoint", ""), Load(nodes=0))
    text = json.dumps(spec, separators=(",", ":"))
    stored = encoded(text)
    nodes = entry.nodes * NODE_STATUS + entry.arguments
    if copies * stored + nodes > OBJECT_BYTES:
        sample = text[:SAMPLE].encode()
        ratio = len(zlib.compress(sample)) / len(sample)
        nodes = entry.nodes * NODE_STATUS_COMPRESSED + int(entry.arguments * ratio * 4 / 3)
    longest = max((len(list(tasks_of(template))) for template in templates.values()), default=0)
    return Size(stored, copies, nodes, entry.levels, len(templates), longest)


def estimate(size: Size, manifests: Iterable[Manifest]) -> dict[str, Any]:
    """The size of the workflow among these, and the limit that it has to stay under, as data."""
    return {
        **size._asdict(),
        "object": size.total,
        "limit": OBJECT_BYTES,
        "config_maps": sum(manifest.template == "configmap" for manifest in manifests),
    }


def copies_of(kind: str) -> int:
    """How often the Workflow that is run holds the spec of an object of this kind."""
    return 1 if kind == "Workflow" else STORED_SPECS


def encoded(text: str) -> int:
    """The bytes of JSON as Go writes it: `&`, `<` and `>` take six each."""
    return len(text) + 5 * (text.count("&") + text.count("<") + text.count(">"))


def measure(templates: Mapping[str, Mapping[str, Any]]) -> dict[str, Load]:
    """Each template's load, callees first; a template that calls itself counts once."""
    loads: dict[str, Load] = {}
    entered: set[str] = set()
    pending = list(templates)
    while pending:
        name = pending[-1]
        if name in entered or name not in templates:
            pending.pop()
            if name in templates and name not in loads:
                loads[name] = load_of(templates[name], loads)
            continue
        entered.add(name)
        called = {task.get("template", "") for task in tasks_of(templates[name])}
        pending.extend(called - entered)
    return loads


def load_of(template: Mapping[str, Any], loads: Mapping[str, Load]) -> Load:
    # A task that is tried again has a node for itself and one for each try: most have one.
    holders = 2 if "retryStrategy" in template else 1
    given = template.get("inputs", {}).get("parameters", ())
    defaults = sum(len(parameter.get("value", "")) for parameter in given)
    levels, nodes, arguments = 0, holders, holders * defaults
    for task in tasks_of(template):
        inner = loads.get(task.get("template", ""), Load())
        levels = max(levels, inner.levels)
        nodes += inner.nodes
        arguments += inner.arguments + inner.holders * sum(
            len(parameter.get("value", ""))
            for parameter in task.get("arguments", {}).get("parameters", ())
        )
    return Load(levels + 1, nodes, arguments, holders)


def tasks_of(template: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    tasks: Iterable[Mapping[str, Any]] = template.get("dag", {}).get("tasks", ())
    return tasks
