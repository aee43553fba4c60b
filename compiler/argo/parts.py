"""A graph that is too long for one DAG, in parts.

Argo tells how a task ended, and what it hands over, to tasks of the same DAG only: nodes of which
one asks for that of the other are tied.
"""

from __future__ import annotations

from ..exits import at_once
from ..flow import Flow
from ..graph import Fail, Graph, Stub, Task, join_path, segment
from .layout import Layout
from .split import END, split


def in_parts(flow: Flow, graph: Graph, path: str, layout: Layout) -> Graph:
    """The graph at `path`; `layout` is that of all of it. A `fail` node that is only another word
    for the failure of others is no more."""
    kept = {
        name: node
        for name, node in graph.nodes.items()
        if name not in layout.outcome.silent
        or not at_once(node)
        or any(edge.outcome == "success" for edge in node.incoming)
    }
    counts = {name: len(realised.tasks) for name, realised in layout.realised.items()}
    tasks = {name: counts.get(name, 0) for name in kept}
    graph = graph._replace(nodes=kept)
    return split(graph, tasks, ties(flow, graph, path))


def ties(flow: Flow, graph: Graph, path: str) -> dict[str, set[str]]:
    """By node, those that it is tied to; both ways."""
    found: dict[str, set[str]] = {}

    def tie(name: str, other: str) -> None:
        found.setdefault(name, set()).add(other)
        found.setdefault(other, set()).add(name)

    paths = {join_path(path, segment(name)): name for name in graph.nodes}
    for at, name in paths.items():
        if at in flow.endings:  # it ends a round of a loop, which is the DAG's own output
            tie(name, END)
        for reading in filter(None, (flow.readings[at], flow.joins.get(at))):
            for ask in reading.asks:
                tie(name, ask.node)
        if not isinstance(graph.nodes[name].spec, Task | Stub | Fail):
            only = flow.readings[at].sources
            giver = paths.get(only[0]) if len(only) == 1 and isinstance(only[0], str) else None
            if giver:  # of the items, or of the label
                tie(name, giver)
    end = flow.joins.get(flow.home(path))
    for ask in end.asks if end else ():
        tie(ask.node, END)
    return found
