"""Graphs anew, node by node, without Python's stack."""

from __future__ import annotations

from collections.abc import Callable

from .graph import Conditional, Graph, Node, Parallel
from .trampoline import Steps, run


def rewrite(graph: Graph, change: Callable[[Node], Node]) -> Graph:
    """`graph` with what `change` makes of each node, the nodes inside it first."""
    return run(_graph(graph, change))


def _graph(graph: Graph, change: Callable[[Node], Node]) -> Steps[Graph]:
    nodes: dict[str, Node] = {}
    for name, node in graph.nodes.items():
        inner = []
        for _, one in node.graphs():
            inner.append((yield _graph(one, change)))
        nodes[name] = change(_with(node, inner))
    return graph._replace(nodes=nodes)


def _with(node: Node, graphs: list[Graph]) -> Node:
    """The node with these graphs in the place of its own."""
    if not graphs:
        return node
    if isinstance(node.spec, (Parallel, Conditional)):
        branches = dict(zip(node.spec.branches, graphs, strict=True))
        return node._replace(spec=node.spec._replace(branches=branches))
    return node._replace(spec=node.spec._replace(branch=graphs[0]))  # type: ignore[call-arg]
