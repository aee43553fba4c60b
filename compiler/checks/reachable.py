"""Every step of a chain can be reached from its start."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Problem
from ..graph import Graph


def reachable(graph: Graph) -> Iterator[Problem]:
    """A problem for each step of a chain that nothing leads to."""
    for name, node in graph.nodes.items() if graph.form == "chain" else ():
        if not node.incoming and name != graph.start:
            hint = "name it in a next or an on_failure, or remove it"
            yield Problem(f"no step leads to '{name}'", node.at, hint)
