"""Branches that run side by side should not return the same parameter."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Problem
from ..graph import Argo, Graph, Map, Parallel, Task


def returns(graph: Graph) -> Iterator[Problem]:
    """A warning for each parameter that two branches of one parallel declare."""
    for name, node in graph.nodes.items():
        if not isinstance(node.spec, Parallel):
            continue
        first: dict[str, str] = {}
        for branch, inner in node.spec.branches.items():
            for parameter in declared(inner):
                other = first.setdefault(parameter, branch)
                if other != branch:
                    yield Problem(
                        f"branches '{other}' and '{branch}' of '{name}' both return '{parameter}'",
                        node.at,
                        f"the value of '{branch}', which comes later, is the one that stays",
                    )


def declared(graph: Graph) -> list[str]:
    """The parameters that the steps of a graph, and of graphs inside it, say they return."""
    names: dict[str, None] = {}
    stack = [graph]
    while stack:
        for node in stack.pop().nodes.values():
            if isinstance(node.spec, (Task, Argo)):
                names.update(dict.fromkeys(node.spec.returns))
            elif isinstance(node.spec, Map):
                names.update(dict.fromkeys(node.spec.reducers))
            stack.extend(inner for _, inner in node.graphs())
    return list(names)
