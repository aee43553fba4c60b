"""When a graph has succeeded, in terms that Argo's `depends` can say.

A graph succeeds if no node without a handler failed and no `fail` node was reached; what was
omitted is neutral. Argo judges a DAG by its targets, and an omitted target takes the worst phase of
what it depends on, directly or through other omitted tasks. So the terms here are such that where
one does not hold, a node that failed is among those that it names.

Nodes are grouped by what decides whether they run at all. A node's *head* is the node that it runs
with: unless something fails, it runs if and only if its head does. A node that always runs has
none; one after alternatives, or after a failure, is its own. The failure of a node keeps every node
after it with the same head from running: terms about the last ones of a group speak for all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..exits import at_once
from ..graph import Edge, Fail, Graph, Node

ALWAYS = ""
"""The head of nodes that always run."""


class Unreached(NamedTuple):
    """A `fail` node without a pod must not be reached: `edges` must not have fired as its join asks
    while one of `blamed` failed. (One of them always did then; to name it is to depend on it.)"""

    name: str
    edges: tuple[Edge, ...]
    blamed: tuple[str, ...]


class Outcome(NamedTuple):
    """The terms of a graph's success, all of which must hold.

    `last`: by head, the last nodes of its group: they must have succeeded, unless the head was
    omitted. A head that stands alone must not have failed. `silent`: `fail` nodes that only
    failures reach, which need no pod. `plain`: Argo's own rule, by the nodes that nothing depends
    on, says the same.
    """

    last: Mapping[str, Sequence[str]]
    unreached: tuple[Unreached, ...]
    silent: frozenset[str]
    plain: bool


def outcome(graph: Graph) -> Outcome:
    """The outcome of one graph; graphs inside it have their own."""
    order = graph.order()
    silent = _silent(graph, order)
    handled = {
        edge.source
        for name, node in graph.nodes.items()
        for edge in node.incoming
        if edge.outcome == "failure" and not (name in silent and at_once(node))
    }
    lost = handled | silent
    heads = _heads(graph, order, lost)
    covered = {
        edge.source
        for name, node in graph.nodes.items()
        for edge in node.incoming
        if name not in lost
        and heads[name] == heads[edge.source]
        and edge.outcome == "success"
        and not _any(node)
    }
    spoken_for = lost | covered
    judged = [name for name in graph.nodes if name not in spoken_for]
    last: dict[str, list[str]] = {}
    for name in judged:
        last.setdefault(heads[name], []).append(name)
    unreached = tuple(_unreached(graph, silent))
    inner = {
        edge.source
        for name, node in graph.nodes.items()
        if name not in silent
        for edge in node.incoming
    }
    return Outcome(
        last=last,
        unreached=unreached,
        silent=frozenset(silent),
        plain=last.keys() == {ALWAYS} and not unreached and inner.isdisjoint(judged),
    )


def _any(node: Node) -> bool:
    """Whether one of several edges is enough."""
    return node.join == "any" and len(node.incoming) > 1


def _silent(graph: Graph, order: list[str]) -> set[str]:
    """The `fail` nodes to which every way leads over a failure: the run fails without them."""
    reached: set[str] = set()
    for name in order:
        incoming = graph.nodes[name].incoming
        if not incoming or any(e.outcome == "success" and e.source in reached for e in incoming):
            reached.add(name)
    return {n for n in order if n not in reached and isinstance(graph.nodes[n].spec, Fail)}


def _heads(graph: Graph, order: list[str], lost: set[str]) -> dict[str, str]:
    """The head of each node. A `lost` one may fail while the graph succeeds: what comes after it
    is decided by it anew."""
    heads: dict[str, str] = {}
    for name in order:
        node = graph.nodes[name]
        before = [
            heads[edge.source] if edge.outcome == "success" and edge.source not in lost else name
            for edge in node.incoming
        ]
        if _any(node):
            heads[name] = ALWAYS if ALWAYS in before else name
        else:
            deciding = set(before) - {ALWAYS}
            heads[name] = name if len(deciding) > 1 else deciding.pop() if deciding else ALWAYS
    return heads


def _unreached(graph: Graph, silent: set[str]) -> list[Unreached]:
    found = []
    for name in (name for name in graph.nodes if name in silent):
        node = graph.nodes[name]
        edges = node.incoming
        if at_once(node):  # the failures are terms of their own
            edges = tuple(edge for edge in edges if edge.outcome == "success")
        if edges:
            found.append(Unreached(name, edges, tuple(_blamed(graph, edges))))
    return found


def _blamed(graph: Graph, edges: tuple[Edge, ...]) -> list[str]:
    """The nodes whose failures lead over `edges`: the nearest failure on every way back."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    stack = list(reversed(edges))
    while stack:
        edge = stack.pop()
        if edge.outcome == "failure":
            found.setdefault(edge.source)
        elif edge.source not in seen:
            seen.add(edge.source)
            stack.extend(reversed(graph.nodes[edge.source].incoming))
    return list(found)
