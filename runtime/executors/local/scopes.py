"""The graphs of a plan while they run: what the schedule counts of each, and what that means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SUCCEEDED, FAILED, OMITTED, SKIPPED = "Succeeded", "Failed", "Omitted", "Skipped"
"""How a node ended; a conditional's branch that was not chosen is *Skipped*."""

Json = Mapping[str, Any]


class Scope:
    """One run of a graph. Lists go by a node's position: how it ended, how many of its edges have
    not ended yet, and how many have fired as success and as failure."""

    def __init__(
        self, graph: Graph, key: tuple[str, ...], ended: str, composite: Composite | None
    ) -> None:
        self.graph = graph
        self.key = key
        self.ended = ended
        self.composite = composite
        self.statuses: list[str | None] = [None] * len(graph.nodes)
        self.waiting = list(graph.edges)
        self.successes = [0] * len(graph.nodes)
        self.failures = [0] * len(graph.nodes)
        self.remaining = len(graph.nodes)
        self.failed = False
        self.choices: dict[int, tuple[str | None, str]] = {}


class Composite:
    """A node with graphs inside while they run: `running` of them, and `begun` of the `count` a
    map has, with at most `limit` at once, or of the rounds of a loop."""

    def __init__(self, scope: Scope, index: int, ended: str) -> None:
        self.scope = scope
        self.index = index
        self.ended = ended
        self.running = 0
        self.begun = self.count = self.limit = 0
        self.queued = False
        self.failed = False

    @property
    def lnode(self) -> Json:
        return self.scope.graph.nodes[self.index]


class Graph:
    """A plan's GRAPH, indexed once: by position, `followers` lists (node, outcome) of the edges
    that leave a node, `edges` counts those that enter, as `needs` does by outcome."""

    def __init__(self, graph: Json) -> None:
        self.nodes: list[Json] = graph["nodes"]
        self.join: Json | None = graph.get("join")
        self.names = {node["name"]: position for position, node in enumerate(self.nodes)}
        self.edges = [len(node.get("incoming", ())) for node in self.nodes]
        self.needs: list[tuple[int, int]] = []
        self.followers: list[list[tuple[int, str]]] = [[] for _ in self.nodes]
        for position, node in enumerate(self.nodes):
            outcomes = [outcome for _, outcome in node.get("incoming", ())]
            successes = outcomes.count("success")
            self.needs.append((successes, len(outcomes) - successes))
            for source, outcome in node.get("incoming", ()):
                self.followers[self.names[source]].append((position, outcome))
        self.roots = [position for position, count in enumerate(self.edges) if not count]


def holds(scope: Scope, index: int) -> bool:
    """Whether the edges that fired let the node run. `all`: each success edge, and one of the
    failure edges where it has any; `any`: one edge of any kind."""
    if scope.graph.nodes[index].get("on", "all") == "any":
        return scope.successes[index] + scope.failures[index] > 0
    successes, failures = scope.graph.needs[index]
    return scope.successes[index] == successes and (not failures or scope.failures[index] > 0)


def status_of(scope: Scope, index: int, label: str | None) -> str:
    """How a node, or the branch `label` of a conditional, ended."""
    if label is None:
        return scope.statuses[index] or OMITTED
    chosen, status = scope.choices.get(index, (label, OMITTED))
    return status if chosen == label else SKIPPED
