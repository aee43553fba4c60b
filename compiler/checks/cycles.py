"""A graph has no cycle."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Problem
from ..graph import Graph


def cycles(graph: Graph) -> Iterator[Problem]:
    """A problem for each set of steps that wait for each other, with the way round."""
    order = graph.order()
    if len(order) == len(graph.nodes):
        return
    places = {name: place for place, name in enumerate(graph.nodes)}
    left = graph.nodes.keys() - set(order)
    told: set[str] = set()
    for name in graph.nodes:
        seen: dict[str, int] = {}
        while name in left and name not in seen and name not in told:
            seen[name] = len(seen)
            # Every node that is left has a source that is left.
            name = next(edge.source for edge in graph.nodes[name].incoming if edge.source in left)
        told.update(seen)
        if name in seen:
            circle = list(seen)[seen[name] :][::-1]
            start = circle.index(min(circle, key=places.__getitem__))
            yield _problem(graph, [*circle[start:], *circle[:start], circle[start]])


def _problem(graph: Graph, way: list[str]) -> Problem:
    shown = way if len(way) <= 12 else [*way[:6], "...", *way[-5:]]
    return Problem(
        f"these steps wait for each other: {' -> '.join(shown)}",
        graph.nodes[way[0]].at,
        "remove one of these edges; a step runs once",
    )
