"""How a graph can end well: at which nodes, and which of them are sure to have succeeded."""

from __future__ import annotations

from .graph import Edge, Fail, Graph, Node


def exits(graph: Graph) -> list[str]:
    """The nodes at which a graph can end well: no success edge leaves them."""
    inner = {
        edge.source
        for node in graph.nodes.values()
        for edge in node.incoming
        if edge.outcome == "success"
    }
    return [
        name
        for name, node in graph.nodes.items()
        if name not in inner and not isinstance(node.spec, Fail)
    ]


def certain(graph: Graph) -> set[str]:
    """The nodes that have succeeded whenever the graph has."""
    found: set[str] = set()
    for name in graph.order():
        node = graph.nodes[name]
        if not recovers(graph, node) and all(
            edge.outcome == "success" and edge.source in found for edge in node.incoming
        ):
            found.add(name)
    return found


def recovers(graph: Graph, node: Node) -> bool:
    """Whether the graph can go on after the node has failed."""
    return node.handler is not None and not isinstance(graph.nodes[node.handler].spec, Fail)


def goes_on(graph: Graph) -> bool:
    """Whether each success leads to the next node, and so to an exit. Not where a node waits for
    others too: one of them may be omitted, and then it is."""
    return graph.form == "chain" or all(
        node.join == "any" or len(node.incoming) < 2 for node in graph.nodes.values()
    )


def exclusive(graph: Graph, ends: list[str]) -> bool:
    """Whether exactly one of the ends has succeeded when the graph has."""
    if len(ends) == 1:
        return goes_on(graph) or ends[0] in certain(graph)
    return graph.form == "chain" or _recovery(graph, ends)


def _recovery(graph: Graph, ends: list[str]) -> bool:
    """Whether the two ends are a node and the handler that runs only when it failed."""
    for node, handler in (ends, ends[::-1]) if len(ends) == 2 else ():
        if graph.nodes[handler].incoming == (Edge(node, "failure"),):
            incoming = graph.nodes[node].incoming
            sure = certain(graph)
            return all(e.outcome == "success" and e.source in sure for e in incoming)
    return False
