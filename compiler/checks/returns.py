"""Branches that run side by side should not return the same parameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..errors import Problem
from ..graph import Argo, Dag, Graph, Loop, Map, Node, Parallel, Task


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


def returned(graph: Graph) -> set[str]:
    """The parameters that the steps of a graph, and of graphs inside it, say they return."""
    names: set[str] = set()
    stack = [graph]
    while stack:
        for node in stack.pop().nodes.values():
            if isinstance(node.spec, (Task, Argo)):
                names.update(node.spec.returns)
            elif isinstance(node.spec, Map):
                names.update(node.spec.reducers)
            stack.extend(inner for _, inner in node.graphs())
    return names


def declared(graph: Graph) -> list[str]:
    """The parameters that the steps of a graph, and of graphs inside it, say they return, as far as
    these leave it: not the item of a map, nor what a dag's `outputs` leave out."""
    graphs = [graph]
    for current in graphs:
        graphs.extend(inner for node in current.nodes.values() for _, inner in node.graphs())
    names: dict[int, list[str]] = {}
    for current in reversed(graphs):
        found = (name for node in current.nodes.values() for name in _declared_by(node, names))
        names[id(current)] = list(dict.fromkeys(found))
    return names[id(graph)]


def _declared_by(node: Node, names: Mapping[int, Sequence[str]]) -> Iterator[str]:
    """What leaves a node; `names` by the ids of the graphs inside it."""
    spec = node.spec
    if isinstance(spec, (Task, Argo)):
        yield from spec.returns
        return
    inside = (name for _, graph in node.graphs() for name in names[id(graph)])
    if isinstance(spec, Map):
        yield from (name for name in (*inside, *spec.reducers) if name != spec.iterate_as)
    elif isinstance(spec, Loop):
        yield from (name for name in inside if name != spec.iterate_as)
    elif isinstance(spec, Dag) and spec.outputs is not None:
        yield from (name for name in inside if name in spec.outputs)
    else:
        yield from inside
