"""Every step of a chain can be reached from its start."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Problem
from ..graph import Fail, Graph


def reachable(graph: Graph) -> Iterator[Problem]:
    """A problem for each step that nothing leads to (in the edge form: a terminal)."""
    for name, node in graph.nodes.items():
        if node.incoming:
            continue
        if graph.form == "chain" and name != graph.start:
            hint = "name it in a next or an on_failure, or remove it"
            yield Problem(f"no step leads to '{name}'", node.at, hint)
        elif graph.form == "edge" and isinstance(node.spec, Fail):
            hint = "give it depends_on, or name it in an on_failure"
            yield Problem(f"'{name}' would fail every run: nothing comes before it", node.at, hint)
