"""Node JSON apart from the workflow, in ConfigMaps: for a pipeline that is over the size budget.

A Workflow holds its spec three times, and each task's arguments again in its status; a ConfigMap
holds a node once. What a task hands its pod is then the step and the key of its node, and where it
is not the usual one the name of the ConfigMap; the pod mounts that one key as a file. Nothing in it
is the engine's to replace.

ConfigMaps are immutable and called after their content, so that a run goes on with the nodes that
it began with. A node's place is decided by its step's hash: what changes in one step changes one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .size import tasks_of
from .text import NODE_PARAMETER, safe_json

Json = dict[str, Any]
MAP_BYTES = 240 * 1024
"""The most in one ConfigMap: `kubectl apply` writes all of it into an annotation once more, and
takes 256 KiB there."""
FOLDER = "/argosy/nodes"
VOLUME = "argosy-nodes"
MAP_PARAMETER = "nodes"
"""The argument that names the ConfigMap."""
FILE = "{{=jsonpath(inputs.parameters.node,'$.in')}}"
RUNS_NODE = f"{{{{inputs.parameters.{NODE_PARAMETER}}}}}"


class Entry(NamedTuple):
    """A node as it stands in a ConfigMap. `size`: the bytes that it takes in its JSON; `type`: what
    it is where that is no task, which its task still says for those who watch the workflow."""

    key: str
    text: str
    step: str
    size: int
    type: str


class Apart(NamedTuple):
    """A workflow's spec without its nodes, and the data of the ConfigMaps, by name."""

    spec: Json
    maps: Mapping[str, Mapping[str, str]]


def apart(spec: Mapping[str, Any], prefix: str) -> Apart:
    """Takes all nodes out of a spec; the ConfigMaps' names begin with `prefix`."""
    entries = {text: _entry(text) for text in _nodes(spec)}
    maps: dict[str, dict[str, str]] = {}
    homes: dict[str, str] = {}
    for group in _packed(entries.values()):
        data = {entry.key: entry.text for entry in sorted(group, key=lambda one: one.step)}
        name = f"{prefix}-nodes-{_hash(json.dumps(data))}"
        maps[name] = data
        homes.update(dict.fromkeys(data, name))
    usual = max(maps, key=lambda name: len(maps[name]))
    templates = [
        _without_nodes(template, entries, homes, usual)
        if "dag" in template
        else _with_file(template, usual)
        for template in spec["templates"]
    ]
    return Apart({**spec, "templates": templates}, maps)


def _nodes(spec: Mapping[str, Any]) -> Iterator[str]:
    """The text of every node."""
    for template in spec["templates"]:
        for task in tasks_of(template):
            for parameter in task.get("arguments", {}).get("parameters", ()):
                if parameter["name"] == NODE_PARAMETER:
                    yield parameter["value"]


def _entry(text: str) -> Entry:
    key = _hash(text)
    node = json.loads(text)
    return Entry(key, text, node["step"], len(json.dumps({key: text})), node.get("type", ""))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _packed(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries in groups that fit: those whose digests begin alike, as many bits of them as it
    takes."""
    digests = {entry: hashlib.sha256(entry.step.encode()).digest() for entry in entries}
    waiting = [(list(digests), 0)]
    while waiting:
        group, bit = waiting.pop()
        if len(group) == 1 or sum(entry.size for entry in group) <= MAP_BYTES:
            yield group
            continue
        halves: tuple[list[Entry], list[Entry]] = [], []
        for entry in group:
            halves[digests[entry][bit // 8] >> (7 - bit % 8) & 1].append(entry)
        waiting += [(half, bit + 1) for half in reversed(halves) if half]


def _without_nodes(
    template: Json, entries: Mapping[str, Entry], homes: Mapping[str, str], usual: str
) -> Json:
    """A DAG whose tasks say where their nodes are."""
    tasks = []
    for task in tasks_of(template):
        parameters: list[Json] = []
        for parameter in task.get("arguments", {}).get("parameters", ()):
            if parameter["name"] != NODE_PARAMETER:
                parameters.append(parameter)
                continue
            entry = entries[parameter["value"]]
            kind = {"type": entry.type} if entry.type else {}
            reference = safe_json({"step": entry.step, **kind, "in": entry.key})
            parameters.append(_given(NODE_PARAMETER, reference))
            if homes[entry.key] != usual:
                parameters.append(_given(MAP_PARAMETER, homes[entry.key]))
        tasks.append({**task, "arguments": {"parameters": parameters}} if parameters else task)
    return {**template, "dag": {**template["dag"], "tasks": tasks}}


def _with_file(template: Json, usual: str) -> Json:
    """A template of pods, with its node mounted in the containers that read it."""
    parameters = template.get("inputs", {}).get("parameters", [])
    if NODE_PARAMETER not in (parameter["name"] for parameter in parameters):
        return template
    inputs = {**template["inputs"], "parameters": [*parameters, _given(MAP_PARAMETER, usual)]}
    source = {
        "name": f"{{{{inputs.parameters.{MAP_PARAMETER}}}}}",
        "items": [{"key": FILE, "path": FILE}],
    }
    volumes = [*template.get("volumes", ()), {"name": VOLUME, "configMap": source}]
    found = {**template, "inputs": inputs, "volumes": volumes}
    if "container" in template:
        found["container"] = _mounted(template["container"])
    for field in ("initContainers", "sidecars"):
        if field in template:
            found[field] = [_mounted(container) for container in template[field]]
    if "containerSet" in template:
        containers = [_mounted(one) for one in template["containerSet"]["containers"]]
        found["containerSet"] = {**template["containerSet"], "containers": containers}
    return found


def _mounted(container: Json) -> Json:
    """A container with the file, where it is given the node."""
    if RUNS_NODE not in container.get("args", ()):
        return container
    mount = {"name": VOLUME, "mountPath": FOLDER, "readOnly": True}
    return {
        **container,
        "env": [*container.get("env", ()), _given("ARGOSY_NODES", FOLDER)],
        "volumeMounts": [*container.get("volumeMounts", ()), mount],
    }


def _given(name: str, value: str) -> Json:
    return {"name": name, "value": value}
