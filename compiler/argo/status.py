"""The steps of a run in the status of its Workflow.

The templates say which steps there are, and each of the engine's nodes which step it is: both carry
the step's NODE as an argument, and the iteration as KEY. Of a step without a pod of ours only the
task says which one it is.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from argosy.runtime.end import NO_LIST
from argosy.runtime.layout import ITERATION, fill, with_items
from argosy.runtime.workflow import (
    items_of,
    key_of,
    nodes_of,
    pod_name,
    spec_of,
    step_of,
    stopped,
    templates_of,
)

from ..cluster.engine import Execution, Instance, seconds
from ..manifests.names import CANCELLED, PIPELINE

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
OFFLOADED = (
    "Argo keeps the steps of this workflow in its database, where an Argo server sees them "
    "(--server URL); from here only the run log tells of them"
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
    nodes = nodes_of(status)
    if nodes is None:
        return found._replace(note=OFFLOADED)
    steps = instances(workflow, nodes)
    if found.finished:
        steps = (_in_the_end(step, found.status == "cancelled") for step in steps)
    return found._replace(steps=tuple(steps), message=found.message or _no_list(nodes))


def _no_list(nodes: Mapping[str, Json]) -> str:
    """Why a map could not read its list: it has no pod that could say so."""
    for node in nodes.values():
        if match := NO_LIST.search(node.get("message") or ""):
            return f"{node.get('displayName', '')}: {match[1]}"
    return ""


def brief(workflow: Json) -> Execution:
    """The same without the steps; of metadata alone, as far as that tells."""
    metadata = workflow["metadata"]
    status = workflow.get("status") or {}
    labels = metadata.get("labels") or {}
    phase = status.get("phase") or labels.get("workflows.argoproj.io/phase", "")
    found = PHASES.get(phase, phase.lower())
    stopped = (workflow.get("spec") or {}).get("shutdown") or CANCELLED in labels
    return Execution(
        metadata["name"],
        run_of(metadata),
        "cancelled" if found == "failed" and stopped else found,
        status.get("message", ""),
        seconds(status.get("startedAt") or metadata.get("creationTimestamp")),
        seconds(status.get("finishedAt")),
    )


def _in_the_end(step: Instance, cancelled: bool) -> Instance:
    """A step of a run that has ended: what has not run by now was left out with the graph that it
    is in, or had not started when the run was stopped."""
    if step.status == "waiting":
        return step._replace(status="not_started" if cancelled else "omitted")
    if cancelled and step.status == "failed" and stopped(step.message):
        return step._replace(status="cancelled", message="")
    return step


def run_of(metadata: Json) -> str:
    """The run's id: the pipeline's name and the beginning of the workflow's uid."""
    pipeline = (metadata.get("annotations") or {}).get(PIPELINE) or (
        metadata.get("labels") or {}
    ).get(PIPELINE, metadata["name"])
    return f"{pipeline}-{metadata['uid'][:8]}"


def instances(workflow: Json, nodes: Mapping[str, Json]) -> Iterator[Instance]:
    """The steps in the order of the definition, iterations by their index."""
    templates = templates_of(workflow)
    patterns = list(_patterns(templates, spec_of(workflow).get("entrypoint", "")))
    place = {pattern.path: number for number, pattern in enumerate(patterns)}
    called = {(p.template, p.task): p.path for p in patterns if not p.fail}
    quiet = place.keys() - called.values()
    found = list(_started(workflow["metadata"], nodes, called))
    seen = {path for path, _, _ in found}
    rows = [(place.get(path, len(place)), key, one) for path, key, one in found]
    for path, number in place.items():
        if path not in seen and path not in quiet:
            rows.append((number, (), Instance(path, "waiting", attempts=0)))
    rows.sort(key=lambda row: (row[0], [int(index) for index in row[1]]))
    return (one for _, _, one in rows)


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
        arguments, called = task.get("arguments") or {}, task.get("template", "")
        node = _node(arguments)
        if path := step_of(arguments):
            yield Pattern(path, name, task["name"], False)
        elif _shown(node):
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
    metadata: Json, nodes: Mapping[str, Json], called: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, tuple[str, ...], Instance]]:
    """The pattern, the indexes and the instance of each step that the engine has a node of."""
    groups: dict[tuple[str, tuple[str, ...]], list[Json]] = {}
    items: dict[tuple[str, tuple[str, ...]], dict[int, str]] = {}
    for node in nodes.values():
        step = _node(node.get("inputs") or {}) if node.get("type") in ("Pod", "Retry") else {}
        group = [node]
        if _shown(step):
            path, place = step["step"], node
        else:
            place = nodes.get(node.get("boundaryID", ""), {})
            path = called.get((place.get("templateName", ""), node.get("displayName", "")), "")
            if node.get("type") == "Retry":  # its tries are called otherwise
                group += [nodes[child] for child in node.get("children") or () if child in nodes]
        if path:
            key = key_of(place)[: path.split("/").count(ITERATION)]
            groups.setdefault((path, key), []).extend(group)
            items[path, key] = dict(enumerate(items_of(place)[: len(key)]))
    for (path, key), group in groups.items():
        if path.split("/").count(ITERATION) == len(key):
            label = with_items(path, key, items[path, key])
            yield path, key, _instance(metadata, fill(path, key), group)._replace(label=label)


def _instance(metadata: Json, path: str, group: Iterable[Json]) -> Instance:
    """A step of its pods and, where it is tried more than once, of what tries it."""
    tried = sorted(
        (node for node in group if node["type"] != "Retry"),
        key=lambda node: (node.get("startedAt") or "", node["id"]),
    )
    over = next((node for node in group if node["type"] == "Retry"), None)
    last = tried[-1] if tried else over or {}
    whole = over or last
    started = tried[0] if tried else whole
    if last.get("type") == "Suspend" and last.get("phase") == "Running":
        return _asked(metadata, path, last)
    return Instance(
        path,
        PHASES.get(whole.get("phase", ""), "pending"),
        seconds(started.get("startedAt")),
        seconds(whole.get("finishedAt")),
        sum(node["type"] == "Pod" for node in tried) or int(last["type"] != "Skipped"),
        "" if last["type"] == "Skipped" else last.get("message") or whole.get("message") or "",
        pod_name(last) if last["type"] == "Pod" else "",
    )


def _asked(metadata: Json, path: str, node: Json) -> Instance:
    """A step that waits until a person resumes it."""
    given = (node.get("inputs") or {}).get("parameters") or ()
    message = next((one["value"] for one in given if one["name"] == "message"), "")
    words = ["argo", "resume", metadata["name"], "-n", metadata["namespace"]]
    answer = shlex.join([*words, "--node-field-selector", f"name={node['name']}"])
    began = seconds(node.get("startedAt"))
    return Instance(path, "waiting", began, message=message, answer=answer)
