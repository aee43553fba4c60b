"""The steps of a run in the status of its Workflow.

The templates say which steps there are, and each of the engine's nodes which step it is: both carry
the step's NODE as an argument, and the iteration as KEY.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from argosy.runtime.layout import ITERATION, fill, indexes

from ..cluster.engine import Execution, Instance, seconds
from ..manifests.names import PIPELINE

Json = Mapping[str, Any]

PHASES = {
    "": "pending",
    "Pending": "pending",
    "Running": "running",
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Error": "failed",
    "Skipped": "skipped",
    "Omitted": "omitted",
}
LONGEST = 242
"""Characters of a pod's name before the hash (the engine's util.GeneratePodName)."""
OFFLOADED = (
    "Argo keeps the nodes of this workflow in its database; an Argo server shows them: --server URL"
)


class Pattern(NamedTuple):
    """A step of the definition: its path, with a `*` for each map that it is in; the task that it
    is, and of which template; whether it is a `fail`, which nobody waits for."""

    path: str
    template: str
    task: str
    fail: bool


def execution(workflow: Json) -> Execution:
    """What a Workflow says of its run, its steps among it."""
    status = workflow.get("status") or {}
    found = brief(workflow)
    nodes, note = nodes_of(status)
    steps = instances(workflow, nodes)
    if found.finished:  # what has not run by now was left out with the graph that it is in
        steps = (s._replace(status="omitted") if s.status == "waiting" else s for s in steps)
    return found._replace(steps=tuple(steps), note=note)


def brief(workflow: Json) -> Execution:
    """The same without the steps; of metadata alone, as far as that tells."""
    metadata = workflow["metadata"]
    status = workflow.get("status") or {}
    phase = status.get("phase") or metadata.get("labels", {}).get("workflows.argoproj.io/phase", "")
    return Execution(
        metadata["name"],
        run_of(metadata),
        PHASES.get(phase, phase.lower()),
        status.get("message", ""),
        seconds(status.get("startedAt") or metadata.get("creationTimestamp")),
        seconds(status.get("finishedAt")),
    )


def run_of(metadata: Json) -> str:
    """The run's id: the pipeline's name and the beginning of the workflow's uid."""
    pipeline = (metadata.get("annotations") or {}).get(PIPELINE) or (
        metadata.get("labels") or {}
    ).get(PIPELINE, metadata["name"])
    return f"{pipeline}-{metadata['uid'][:8]}"


def nodes_of(status: Json) -> tuple[Mapping[str, Json], str]:
    """The engine's nodes by id, and why there are none to see."""
    if status.get("nodes"):
        return status["nodes"], ""
    packed = status.get("compressedNodes")
    if packed:
        found: Mapping[str, Json] = json.loads(gzip.decompress(base64.b64decode(packed)))
        return found, ""
    return {}, OFFLOADED if status.get("offloadNodeStatusVersion") else ""


def instances(workflow: Json, nodes: Mapping[str, Json]) -> Iterator[Instance]:
    """The steps in the order of the definition, iterations by their index."""
    templates = templates_of(workflow)
    patterns = list(_patterns(templates, _spec(workflow).get("entrypoint", "")))
    place = {pattern.path: number for number, pattern in enumerate(patterns)}
    called = {(p.template, p.task): p.path for p in patterns if not p.fail}
    quiet = {pattern.path for pattern in patterns if pattern.fail}
    found = list(_started(nodes, called))
    seen = {path for path, _, _ in found}
    rows = [(place.get(path, len(place)), key, one) for path, key, one in found]
    for path, number in place.items():
        if path not in seen and path not in quiet:
            rows.append((number, (), Instance(path, "waiting", attempts=0)))
    rows.sort(key=lambda row: (row[0], [int(index) for index in row[1]]))
    return (one for _, _, one in rows)


def templates_of(workflow: Json) -> dict[str, Json]:
    """The templates of a workflow by name, wherever they came from."""
    return {template["name"]: template for template in _spec(workflow).get("templates", ())}


def _spec(workflow: Json) -> Json:
    """The specification that runs: of a template, once Argo has taken it over, in the status."""
    stored: Json = (workflow.get("status") or {}).get("storedWorkflowTemplateSpec") or {}
    return stored if stored.get("templates") else workflow.get("spec") or {}


def _patterns(templates: Mapping[str, Json], entrypoint: str) -> Iterator[Pattern]:
    """The steps that the templates call, from the entry point on, in their order."""
    stack = [(entrypoint, iter(_tasks(templates, entrypoint)))]
    known = {entrypoint}
    while stack:
        name, tasks = stack[-1]
        task = next(tasks, None)
        if task is None:
            stack.pop()
            continue
        node, called = _node(task.get("arguments") or {}), task.get("template", "")
        if _shown(node):
            yield Pattern(node["step"], name, task["name"], node.get("type") == "fail")
        elif called not in known:  # a loop is a template that calls itself
            known.add(called)
            stack.append((called, iter(_tasks(templates, called))))


def _tasks(templates: Mapping[str, Json], name: str) -> Sequence[Json]:
    return (templates.get(name) or {}).get("dag", {}).get("tasks") or ()


def _node(parameters: Json) -> Json:
    """The NODE among parameters; empty where there is none."""
    for parameter in parameters.get("parameters") or ():
        if parameter["name"] == "node":
            try:
                found = json.loads(parameter.get("value") or "{}")
            except ValueError:
                return {}
            return found if isinstance(found, dict) else {}
    return {}


def _shown(node: Json) -> bool:
    """Whether it is a step of the user's."""
    return "step" in node and node.get("type") != "control"


def _started(
    nodes: Mapping[str, Json], called: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, tuple[str, ...], Instance]]:
    """The pattern, the indexes and the instance of each step that the engine has a node of."""
    groups: dict[tuple[str, tuple[str, ...]], list[Json]] = {}
    for node in nodes.values():
        if node.get("type") in ("Pod", "Retry"):
            step = _node(node.get("inputs") or {})
            path = step["step"] if _shown(step) else ""
            key = _key(node)
        elif node.get("type") == "Skipped":
            boundary = nodes.get(node.get("boundaryID", ""), {})
            path = called.get((boundary.get("templateName", ""), node.get("displayName", "")), "")
            key = _key(boundary)
        else:
            continue
        if path:
            depth = path.split("/").count(ITERATION)
            groups.setdefault((path, key[:depth]), []).append(node)
    for (path, key), group in groups.items():
        if path.split("/").count(ITERATION) == len(key):
            yield path, key, _instance(fill(path, key), group)


def _key(node: Json) -> tuple[str, ...]:
    """The indexes of the iterations that a node is in."""
    for parameter in (node.get("inputs") or {}).get("parameters") or ():
        if parameter["name"] == "key":
            return indexes(parameter.get("value") or "")
    return ()


def _instance(path: str, group: Iterable[Json]) -> Instance:
    """A step of its pods and, where it is tried more than once, of what tries it."""
    tried = sorted(
        (node for node in group if node["type"] != "Retry"),
        key=lambda node: (node.get("startedAt") or "", node["id"]),
    )
    over = next((node for node in group if node["type"] == "Retry"), None)
    last = tried[-1] if tried else over or {}
    whole = over or last
    started = tried[0] if tried else whole
    return Instance(
        path,
        PHASES.get(whole.get("phase", ""), "pending"),
        seconds(started.get("startedAt")),
        seconds(whole.get("finishedAt")),
        sum(node["type"] == "Pod" for node in tried),
        last.get("message") or whole.get("message") or "",
        pod_name(last),
    )


def pod_name(node: Json) -> str:
    """What the pod of a node is called: the workflow's name, the template's, and the hash in the
    node's id."""
    if node.get("type") != "Pod":
        return ""
    name, _, digits = node["id"].rpartition("-")
    return "-".join([f"{name}-{node['templateName']}"[:LONGEST], digits])
