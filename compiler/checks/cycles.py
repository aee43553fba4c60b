"""A graph has no cycle."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Problem
from ..graph import Graph


def cycles(graph: Graph) -> Iterator[Problem]:
    """One problem for the steps that wait for each other, with the way round."""
    order = graph.order()
    if len(order) == len(graph.nodes):
        return
    left = graph.nodes.keys() - set(order)
    name = next(name for name in graph.nodes if name in left)
    seen: dict[str, int] = {}
    while name not in seen:  # every node that is left has a source that is left
        seen[name] = len(seen)
        name = next(edge.source for edge in graph.nodes[name].incoming if edge.source in left)
    circle = list(seen)[seen[name] :][::-1]
    first = min(circle, key=list(graph.nodes).index)
    start = circle.index(first)
    way = [*circle[start:], *circle[:start], first]
    shown = way if len(way) <= 12 else [*way[:6], "...", *way[-5:]]
    yield Problem(
        f"these steps wait for each other: {' -> '.join(shown)}",
        graph.nodes[first].at,
        "remove one of these edges; a step runs once",
    )
