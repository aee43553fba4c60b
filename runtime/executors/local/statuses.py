"""The statuses of steps that leave no record: those that did not run, stubs and composites."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from argosy.runtime.layout import fill

from .scopes import FAILED, OMITTED, SUCCEEDED, Composite, Graph, Scope, holds

COMPOSITES = frozenset(("parallel", "map", "loop", "dag", "conditional"))
WITHOUT_RECORD = COMPOSITES | {"stub"}
"""The kinds of nodes that no process runs."""
STOPPED = "the run was stopped"
MOST_REASONS = 3


class Statuses:
    """`steps`: {"status", "reason"} by instance. A step that has a record is not in it."""

    def __init__(self, graphs: Mapping[str, Any]) -> None:
        self.steps: dict[str, dict[str, str]] = {}
        self.tell: Callable[[str, str, str], None] = lambda path, status, reason: None
        """Is called with each of them."""
        self._graphs = graphs
        self._reasons: dict[str, str] = {}

    def ended(self, scope: Scope, index: int, status: str) -> None:
        """A node has ended so; where it was omitted, its edges say why."""
        lnode = scope.graph.nodes[index]
        path = instance(lnode, scope)
        reason = self._reasons.pop(path, "")
        if status == OMITTED:
            self._left_out(lnode, scope.key, "omitted", reason_omitted(scope, index))
        elif lnode["kind"] in WITHOUT_RECORD or reason:
            self.put(path, status.lower(), reason)

    def because(self, path: str, reason: str) -> None:
        """A step is about to fail before there is a record that could say why."""
        self._reasons[path] = reason

    def put(self, path: str, status: str, reason: str = "") -> None:
        self.steps[path] = {"status": status, **({"reason": reason} if reason else {})}
        self.tell(path, status, reason)

    def chosen(self, composite: Composite, label: str | None) -> None:
        """A conditional has taken the branch `label`; None: it has none to take."""
        lnode, key = composite.lnode, composite.scope.key
        took = "took no branch" if label is None else f"took the branch '{label}'"
        for other, path in lnode["graphs"]:
            if other != label:
                self._inside(path, key, "skipped", f"'{lnode['name']}' {took}")

    def stopped(self, scopes: Iterable[Scope], begun: set[tuple[Scope, int]]) -> None:
        """The run was stopped while these `scopes` were open. What had `begun` has a record."""
        for scope in scopes:
            for index, status in enumerate(scope.statuses):
                if status is not None or (scope, index) in begun:
                    continue
                lnode = scope.graph.nodes[index]
                if lnode["kind"] in COMPOSITES and entered(scope, index):
                    self.put(instance(lnode, scope), "cancelled", STOPPED)
                else:
                    self._left_out(lnode, scope.key, "not_started", STOPPED)

    def _left_out(
        self, lnode: Mapping[str, Any], key: tuple[str, ...], status: str, reason: str
    ) -> None:
        """A node that did not run, and with it the steps inside; nobody knows how many iterations
        a map or a loop would have had."""
        self.put(fill(lnode["path"], key), status, reason)
        if lnode["kind"] not in ("map", "loop"):
            inner = f"'{lnode['name']}' was omitted" if status == "omitted" else reason
            for _, path in lnode.get("graphs", ()):
                self._inside(path, key, status, inner)

    def _inside(self, path: str, key: tuple[str, ...], status: str, reason: str) -> None:
        """All steps of a graph that was not entered, and of the graphs inside it."""
        stack = [path]
        while stack:
            for lnode in self._graphs[stack.pop()]["nodes"]:
                self.put(fill(lnode["path"], key), status, reason)
                if lnode["kind"] not in ("map", "loop"):
                    stack.extend(inner for _, inner in lnode.get("graphs", ()))


def instance(lnode: Mapping[str, Any], scope: Scope) -> str:
    """The path of a node in its scope, with the indexes of the iterations."""
    return fill(lnode["path"], scope.key)


def entered(scope: Scope, index: int) -> bool:
    """Whether the edges of a node have let it run."""
    return not scope.waiting[index] and holds(scope, index)


def reason_omitted(scope: Scope, index: int) -> str:
    """Why the edges of a node did not let it run."""
    missing = list(_missing(scope, index))
    shown = missing[:MOST_REASONS]
    more = [f"{len(missing) - len(shown)} more"] if len(missing) > len(shown) else []
    return ", ".join([*shown, *more])


def _missing(scope: Scope, index: int) -> Iterator[str]:
    """What did not happen and should have, edge by edge."""
    lnode, graph = scope.graph.nodes[index], scope.graph
    any_failed = lnode.get("on", "all") != "any" and scope.failures[index] > 0
    for name, outcome in lnode.get("incoming", ()):
        status = scope.statuses[graph.names[name]]
        if status == OMITTED and not (outcome == "failure" and any_failed):
            yield f"'{name}' was omitted"
        elif outcome == "success" and status == FAILED:
            yield f"'{name}' failed"
        elif outcome == "failure" and status == SUCCEEDED and not any_failed:
            yield f"'{name}' did not fail"


def is_handled(scope: Scope, index: int) -> bool:
    """Whether the failure of a node is one that the run goes on after: its own handler, or that of
    a composite around it, has taken it on."""
    at: Scope | None = scope
    while at is not None:
        if at.graph.nodes[index].get("handled") and not _failed_by_handler(at, index):
            return True
        composite = at.composite
        at, index = (None, 0) if composite is None else (composite.scope, composite.index)
    return False


def _failed_by_handler(scope: Scope, index: int) -> bool:
    """Whether the handler of a node is a `fail` that was reached."""
    graph: Graph = scope.graph
    return any(
        outcome == "failure"
        and graph.nodes[follower]["kind"] == "fail"
        and scope.statuses[follower] == FAILED
        for follower, outcome in graph.followers[index]
    )
