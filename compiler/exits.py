"""How a graph can end well: at which nodes, and which of them are sure to have succeeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import NamedTuple

from .graph import Edge, Fail, Graph, Node


class Ends(NamedTuple):
    """What leaves a graph that succeeded: the merge of what these nodes left, of those that
    succeeded, and where `entry` is set of what entered the graph. Any other node that succeeded has
    handed its state to one of them."""

    nodes: tuple[str, ...]
    entry: bool


def ends(graph: Graph) -> Ends:
    """The ends of a graph. Where each node has succeeded whenever the graph has, they are the nodes
    that no other comes after."""
    passing = _Passing(graph)
    nodes = (
        name
        for name, node in graph.nodes.items()
        if not isinstance(node.spec, Fail) and not passing.state_of(name)
    )
    roots = [name for name, node in graph.nodes.items() if not node.incoming]
    return Ends(tuple(nodes), not any(passing.entering(name) for name in roots))


class _Passing:
    """Which states reach the end of a graph by way of other nodes, whenever it succeeds."""

    def __init__(self, graph: Graph) -> None:
        order = graph.order()
        self._graph = graph
        self._followers: dict[str, list[str]] = {name: [] for name in graph.nodes}
        for name, node in graph.nodes.items():
            for edge in node.incoming:
                if edge.outcome == "success":
                    self._followers[edge.source].append(name)
        self._facts = _Facts(graph, order)
        self._entering: dict[str, bool] = {}
        for name in reversed(order):
            self._entering[name] = self._enters(name)

    def state_of(self, name: str) -> bool:
        """Whether what a node has left is read by one that runs for certain when it succeeded."""
        return any(
            self._entering[other] and self._facts.after_success(name, other)
            for other in self._followers[name]
        )

    def entering(self, name: str) -> bool:
        """Whether what entered a node that ran is part of what the graph leaves."""
        return self._entering[name]

    def _enters(self, name: str) -> bool:
        node = self._graph.nodes[name]
        if not recovers(self._graph, node):
            return True  # it has succeeded, or the graph has not
        handler = str(node.handler)
        return self._facts.after_failure(name, handler) and self._entering[handler]


class _Facts:
    """What it takes for a node to run, and what is so when it has run.

    A fact, a bit of a large number, is that a node with a handler has succeeded, or that one has
    run that waits for a failure or for any of several. All else follows from these. Where no node
    waits for all of several there is nothing to find out.
    """

    def __init__(self, graph: Graph, order: Sequence[str]) -> None:
        self._graph = graph
        self._succeeded: dict[str, int] = {}
        self._needed: dict[str, int] = {}
        self._known: dict[str, int] = {}
        bit = 1
        if not any(map(_waits_for_all, graph.nodes.values())):
            return
        for name in order:
            node = graph.nodes[name]
            if recovers(graph, node):
                self._succeeded[name], bit = bit, bit << 1
            after = {edge: self._after(edge, self._known) for edge in node.incoming}
            passed = [facts for edge, facts in after.items() if edge.outcome == "success"]
            failed = [facts for edge, facts in after.items() if edge.outcome == "failure"]
            if node.join == "any" and len(after) > 1:
                passed, failed = [], [*passed, *failed]
            if failed:
                self._needed[name], bit = bit, bit << 1
                passed += [self._needed[name], reduce(and_, failed)]
            else:
                self._needed[name] = self._all_succeeded(name)
            self._known[name] = reduce(or_, passed, 0)

    def after_success(self, name: str, other: str) -> bool:
        """Whether a node that waits for `name` to succeed runs for certain when it has."""
        node = self._graph.nodes[other]
        if not _waits_for_all(node):
            return True
        if any(edge.outcome == "failure" for edge in node.incoming):
            return False
        known = self._known[name] | self._succeeded.get(name, 0)
        return not self._all_succeeded(other) & ~known

    def after_failure(self, name: str, handler: str) -> bool:
        """Whether the handler of a node runs for certain when the node has failed."""
        if not _waits_for_all(self._graph.nodes[handler]):
            return True
        return not self._all_succeeded(handler) & ~self._known[name]

    def _after(self, edge: Edge, facts: Mapping[str, int]) -> int:
        """The facts of the source of an edge that has fired."""
        found = facts[edge.source]
        return found | self._succeeded.get(edge.source, 0) if edge.outcome == "success" else found

    def _all_succeeded(self, name: str) -> int:
        """What it takes for all success edges of a node to fire."""
        edges = (e for e in self._graph.nodes[name].incoming if e.outcome == "success")
        return reduce(or_, (self._after(edge, self._needed) for edge in edges), 0)


def _waits_for_all(node: Node) -> bool:
    return node.join != "any" and len(node.incoming) > 1


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
    if node.handler is None:
        return False
    handler = graph.nodes[node.handler]
    return not (isinstance(handler.spec, Fail) and at_once(handler))


def at_once(fail: Node) -> bool:
    """Whether the failure of any node that names this `fail` as its handler reaches it: as if it
    had no handler."""
    return fail.join == "any" or all(edge.outcome == "failure" for edge in fail.incoming)


def exclusive(graph: Graph, leaving: Ends) -> bool:
    """Whether exactly one of the ends has succeeded when the graph has."""
    if leaving.entry:
        return False
    return len(leaving.nodes) == 1 or graph.form == "chain" or _recovery(graph, leaving.nodes)


def _recovery(graph: Graph, ends: Sequence[str]) -> bool:
    """Whether the two ends are a node and the handler that runs only when it failed."""
    for node, handler in (ends, ends[::-1]) if len(ends) == 2 else ():
        if graph.nodes[handler].incoming == (Edge(node, "failure"),):
            incoming = graph.nodes[node].incoming
            sure = certain(graph)
            return all(e.outcome == "success" and e.source in sure for e in incoming)
    return False
