"""What a task of a DAG runs: a pod for a leaf of the graph, or the template of a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..flow import Reading
from ..graph import Approval, Conditional, Fail, Graph, Loop, Node, Retry, Task, join_path, segment
from ..nodes import control_json, exhausted_json, late_json, no_match_json, node_json
from .beside import beside
from .pods import Profile, backoff_of, inputs_of
from .shared import Shared
from .text import node_text

Json = dict[str, Any]
ONCE = Retry()


class Work(NamedTuple):
    """A template, or a reference to one of another object, the arguments that it is called with,
    and the hooks of the task that calls it."""

    template: str
    arguments: Mapping[str, str] = {}
    hooks: Mapping[str, Any] = {}
    reference: Mapping[str, Any] = {}


def leaf(
    shared: Shared, at: str, node: Node, down: Mapping[str, str], hands: Sequence[Json] = ()
) -> Work:
    """A task, a `fail` node, or the failure of a conditional that no value matches, of a loop that
    no round ends, or of an approval that nobody gave in time. `down`: the arguments that every pod
    there takes; `hands`: what it hands over."""
    reading = shared.flow.readings[at]
    if isinstance(node.spec, Conditional):
        return _pod(shared, at, no_match_json(at, node, shared.flow), reading, down)
    if isinstance(node.spec, Approval):
        return _pod(shared, at, late_json(at, node, shared.flow), Reading(()), down)
    if isinstance(node.spec, Loop):
        return _pod(shared, at, exhausted_json(at, node, shared.flow), Reading(()), down)
    content = node_json(at, node, shared.flow)
    if not isinstance(node.spec, Task):
        return _pod(shared, at, content, reading, down)
    options = shared.options(at)
    if options.timeout:
        content.setdefault("timeout", options.timeout)
    _hand(content, hands)
    retry = node.spec.retry or options.attempts
    work = _pod(shared, at, content, reading, down, retry, node.spec)
    return work._replace(hooks=shared.hooks.lifecycle(options.hooks)) if options.hooks else work


def control(
    shared: Shared, at: str, reading: Reading, down: Mapping[str, str], hands: Sequence[Json]
) -> Work:
    """A pod that writes the state at a path, with the outputs in `down` if there are any, hands
    over what is asked of it, and no more."""
    rank = shared.flow.rank.get(at.removesuffix(GIVER), "")
    content = control_json(at, rank, reading, shared.flow)
    _hand(content, hands)
    retry = shared.options(at.removesuffix(GIVER)).attempts
    return _pod(shared, at.removesuffix(GIVER), content, reading, down, retry)


def _hand(content: Json, hands: Sequence[Json]) -> None:
    """Has a node hand over what others need and, where it ends a round of a loop, whether there is
    to be another."""
    outcome = [{"until": content["ends"]["on"]}] if "ends" in content else []
    if hands or outcome:
        content["hands"] = [*hands, *outcome]


GIVER = "/!"
"""Ends the path of a control pod that hands a composite its items or its label: no step is called
so, for names are percent-encoded."""


def enter(shared: Shared, graph: Graph, path: str, down: Mapping[str, str]) -> Work:
    """A graph inside another: its one leaf, where that is all there is, else its own template."""
    if len(graph.nodes) == 1 and shared.flow.home(path) not in shared.flow.joins:
        (node,) = graph.nodes.values()
        if isinstance(node.spec, Task | Fail):
            return leaf(shared, join_path(path, segment(node.name)), node, down)
    return Work(shared.call(graph, path), down)


def dag_task(name: str, work: Work, depends: str = "", **more: str) -> Json:
    """A task of a DAG, with the members that say something."""
    found: Json = {"name": name}
    if work.reference:
        found["templateRef"] = dict(work.reference)
    else:
        found["template"] = work.template
    if depends:
        found["depends"] = depends
    found.update(more)
    if work.arguments:
        parameters = [{"name": name, "value": value} for name, value in work.arguments.items()]
        found["arguments"] = {"parameters": parameters}
    if work.hooks:
        found["hooks"] = work.hooks
    return found


def _pod(
    shared: Shared,
    at: str,
    content: Json,
    reading: Reading,
    down: Mapping[str, str],
    retry: Retry = ONCE,
    task: Task | None = None,
) -> Work:
    timeout = content.get("timeout")
    profile = Profile(
        arguments=reading.arguments,
        hands=len(content.get("hands", ())),
        backoff=backoff_of(retry),
        deadline=timeout is not None,
        outputs="outputs" in down,
        secrets=shared.pods.asked(task.secrets) if task else (),
        beside=beside(task) if task and task.image else None,
    )
    values = inputs_of(retry, timeout)
    template, own = shared.pods.template(shared.options(at), profile, values)
    return Work(template, {"node": node_text(content), **down, **own})
