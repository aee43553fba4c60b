"""The local plan: the graphs of a pipeline, flat, as the local executor runs them.

Flat by path, so that no depth of nesting is one of JSON. docs/runtime.md describes its members.
"""

from __future__ import annotations

from typing import Any

from .flow import Flow, Reading, round_end
from .graph import (
    Approval,
    Conditional,
    Fail,
    Graph,
    Loop,
    Map,
    Node,
    Parallel,
    Task,
    join_path,
    segment,
)
from .nodes import control_json, exhausted_json, no_match_json, node_json


def local_plan(graph: Graph, flow: Flow) -> dict[str, Any]:
    """`graphs` by path, and the sources of the pipeline's `final` state."""
    graphs: dict[str, Any] = {}
    stack = [("", graph)]
    while stack:
        path, current = stack.pop()
        nodes = []
        for name in current.order():
            node = current.nodes[name]
            at = join_path(path, segment(name))
            nodes.append(_node(at, node, flow))
            stack.extend((join_path(at, part), inner) for part, inner in node.graphs())
        graphs[path] = {"nodes": nodes}
        home = flow.home(path)
        if home in flow.joins:
            graphs[path]["join"] = _control(home, "", flow.joins[home], flow)
    return {"graphs": graphs, "final": {"from": list(flow.final)}}


def _node(path: str, node: Node, flow: Flow) -> dict[str, Any]:
    """One node of a graph: its edges, and what its kind needs."""
    spec = node.spec
    reading = flow.readings[path]
    found: dict[str, Any] = {
        "name": node.name,
        "path": path,
        "kind": node.kind,
        "incoming": [list(edge) for edge in node.incoming],
        "on": node.join,
        "handled": node.handler is not None,
        "asks": [[ask.node, ask.label] for ask in reading.asks],
        "inherits": reading.inherits,
    }
    graphs = [[label, join_path(path, label)] for label, _ in node.graphs()]
    if isinstance(spec, (Task, Fail)):
        found["node"] = node_json(path, node, flow)
    if isinstance(spec, Task):
        found["retry"] = spec.retry and spec.retry._asdict()
    if isinstance(spec, (Parallel, Conditional)):
        graphs = [[label, at] for label, (_, at) in zip(spec.branches, graphs, strict=True)]
    if isinstance(spec, Map):
        found |= {"items": spec.iterate_on, "item": spec.iterate_as}
        found["max_parallel"] = spec.max_parallel
    if isinstance(spec, Conditional):
        found |= {"parameter": spec.parameter, "values": dict(spec.values)}
        found |= {"default": spec.default, "node": no_match_json(path, node, flow)}
    if isinstance(spec, Approval):
        found |= {"message": spec.message, "timeout": spec.timeout}
    if isinstance(spec, Loop):
        last = round_end(spec.branch, graphs[0][1])
        found |= {"until": spec.break_on, "max_iterations": spec.max_iterations}
        found |= {"reads": {"from": [last]}, "node": exhausted_json(path, node, flow)}
    if isinstance(spec, (Map, Conditional)):
        found["reads"] = {"from": list(reading.sources)}
    if graphs:
        found["graphs"] = graphs
    if path in flow.joins and not isinstance(spec, Task):
        found["join"] = _control(path, flow.rank[path], flow.joins[path], flow)
    return found


def _control(path: str, rank: str, reading: Reading, flow: Flow) -> dict[str, Any]:
    """A control node, with the statuses it asks for."""
    return {
        "node": control_json(path, rank, reading, flow),
        "asks": [[ask.node, ask.label] for ask in reading.asks],
        "inherits": reading.inherits,
    }
