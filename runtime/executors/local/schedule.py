"""What may run next: a plan's graphs as a state machine, without a clock, a process or a file.

A *scope* is one run of a graph: the pipeline's own, a branch's, one iteration's. It counts for
each node the edges that have not ended and those that have fired; a *composite* counts the scopes
it waits for. Every event costs what it changes (the edges that leave a node, the scope that it
ends), whatever the size of the graph, and what follows from an event is worked off a queue, so
that neither long chains nor deep nesting meet the interpreter's recursion limit.

The iterations of a map are opened only as the caller asks for work, those begun first: a map of
10,000 holds a few scopes at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from argosy.runtime.layout import fill

from .scopes import (
    FAILED,
    OMITTED,
    SKIPPED,
    SUCCEEDED,
    Composite,
    Graph,
    Json,
    Scope,
    holds,
    status_of,
)
from .statuses import Statuses, is_handled

Kind = Literal["run", "count", "choose", "judge", "ask"]


class Work(NamedTuple):
    """Something for the caller to do, and to report by `Schedule.ended`.

    `run`: run `node`, a NODE, with `key` and `ended`. `count` (a map), `choose` (a conditional) and
    `judge` (a round of a loop): read `lnode["reads"]` and report by `opened`, `chosen` or `judged`.
    `ask`: have a person say yes to it. `control`: no step of the user's.
    """

    kind: Kind
    lnode: Json
    node: Json
    ended: str
    scope: Scope
    report: Callable[[str], None]
    control: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        return self.scope.key

    @property
    def path(self) -> str:
        """The path of the instance: the node's, its `*` replaced by the iterations' indexes."""
        return fill(self.node.get("step") or self.lnode["path"], self.key)

    @property
    def place(self) -> tuple[Scope, int]:
        """The node that it is of: its scope, and its position there. -1: the whole pipeline."""
        composite = self.scope.composite
        if composite is not None and self.lnode is composite.lnode:
            return composite.scope, composite.index
        return self.scope, self.scope.graph.names.get(self.lnode.get("name", ""), -1)

    @property
    def handled(self) -> bool:
        """Whether its failure, once all has ended, is one that the run went on after."""
        scope, index = self.place
        return index >= 0 and is_handled(scope, index)


class Schedule:
    """`next()` gives work until there is none; the caller reports how it ended, in any order.

    `status` is None until the pipeline has ended, then Succeeded or Failed. `statuses` is of the
    steps that leave no record.
    """

    def __init__(self, graphs: Mapping[str, Json]) -> None:
        self.status: str | None = None
        self.statuses = Statuses(graphs)
        self._sources = graphs
        self._scopes: dict[Scope, None] = {}
        self._begun: set[tuple[Scope, int]] = set()
        self._graphs: dict[str, Graph] = {}
        self._agenda: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._ready: deque[Work | Composite] = deque()
        self._fresh: list[Work] = []
        self._root = self._open("", (), "", None)
        self._settle()

    # What the caller sees

    def next(self) -> Work | None:
        """The next thing to do, or None while everything that is left waits for what runs."""
        while self._ready:
            head = self._ready.popleft()
            if isinstance(head, Work):
                return head
            self._begin(head)
        return None

    def started(self, work: Work) -> None:
        """`work` has begun, so that it has a record."""
        if not work.control:
            self._begun.add(work.place)

    def ended(self, work: Work, status: str, reason: str = "") -> None:
        """`work` has ended Succeeded or Failed; `reason`: why it failed, if no record says so."""
        self._begun.discard(work.place)
        if reason and not work.control:
            self.statuses.because(work.path, reason)
        work.report(status)
        self._settle()

    def stopped(self) -> None:
        """Nothing more will be done, though there may be more to do."""
        self.statuses.stopped(self._scopes, self._begun)

    def opened(self, work: Work, count: int) -> None:
        """The map of `work` has `count` iterations."""
        scope, index = work.scope, work.scope.graph.names[work.lnode["name"]]
        composite = Composite(scope, index, work.ended)
        composite.count = count
        composite.limit = work.lnode.get("max_parallel") or count
        if count:
            self._queue(composite)
        else:
            self._later(self._joined, composite)
        self._settle()

    def chosen(self, work: Work, label: str | None) -> None:
        """The conditional of `work` takes the branch `label`. None: it has none to take, and its
        `node`, which says so, runs and fails it."""
        scope, index = work.scope, work.scope.graph.names[work.lnode["name"]]
        composite = Composite(scope, index, work.ended)
        self.statuses.chosen(composite, label)
        if label is None:
            scope.choices[index] = (None, SKIPPED)

            def report(_: str) -> None:
                self._later(self._end, scope, index, FAILED)

            self._fresh.append(work._replace(kind="run", node=work.lnode["node"], report=report))
        else:
            composite.running = 1
            scope.choices[index] = (label, OMITTED)
            self._open(dict(work.lnode["graphs"])[label], scope.key, work.ended, composite)
        self._settle()

    def judged(self, work: Work, done: bool) -> None:
        """The loop of `work` is done with this round, or goes on: to the next one, or, after its
        last, to its `node`, which says so and fails it."""
        composite = work.scope.composite
        if done:
            work.report(SUCCEEDED)
        elif composite is not None and composite.begun < work.lnode["max_iterations"]:
            self._begin_round(composite)
        else:

            def report(_: str) -> None:
                work.report(FAILED)

            self._fresh.append(work._replace(kind="run", node=work.lnode["node"], report=report))
        self._settle()

    def tokens(self, sources: Any) -> str:
        """ENDED for what reads `sources` at the end of the pipeline's own graph."""
        graph = self._root.graph
        places = {node["path"]: (index, None) for index, node in enumerate(graph.nodes)}
        for index, node in enumerate(graph.nodes):
            if node["kind"] == "conditional":
                places.update((path, (index, label)) for label, path in node["graphs"])
        asked = [path for path in _tokens(sources) if path in places]
        return _blank_separated(
            [f"{path}={status_of(self._root, *places[path])}" for path in asked]
        )

    # What follows from what

    def _later(self, act: Callable[..., None], *arguments: Any) -> None:
        self._agenda.append((act, arguments))

    def _settle(self) -> None:
        """Works off all that follows; new work goes before older, so that what is begun ends."""
        while self._agenda:
            act, arguments = self._agenda.popleft()
            act(*arguments)
        self._ready.extendleft(reversed(self._fresh))
        self._fresh.clear()

    def _open(
        self, path: str, key: tuple[str, ...], ended: str, composite: Composite | None
    ) -> Scope:
        graph = self._graphs.get(path)
        if graph is None:
            graph = self._graphs[path] = Graph(self._sources[path])
        scope = Scope(graph, key, ended, composite)
        self._scopes[scope] = None
        for index in graph.roots:
            self._later(self._start, scope, index)
        if not graph.nodes:
            self._later(self._finish, scope)
        return scope

    def _start(self, scope: Scope, index: int) -> None:
        lnode = scope.graph.nodes[index]
        kind = lnode["kind"]
        if kind == "stub":
            self._later(self._passed, scope, index)
        elif kind in ("parallel", "dag"):
            composite = Composite(scope, index, self._ended(scope, lnode))
            composite.running = len(lnode["graphs"])
            for _, path in lnode["graphs"]:
                self._open(path, scope.key, composite.ended, composite)
            if not composite.running:
                self._later(self._joined, composite)
        elif kind == "loop":
            self._begin_round(Composite(scope, index, self._ended(scope, lnode)))
        else:
            self._offer(scope, index, lnode)

    def _offer(self, scope: Scope, index: int, lnode: Json) -> None:
        """Hands a task, a fail node, a map, a conditional or an approval to the caller."""
        ended = self._ended(scope, lnode)

        def report(status: str) -> None:
            passed = lnode["kind"] == "approval" and status == SUCCEEDED
            if passed:
                self._later(self._passed, scope, index)
            else:
                self._later(self._end, scope, index, status)

        kinds: dict[str, Kind] = {"map": "count", "conditional": "choose", "approval": "ask"}
        kind = kinds.get(lnode["kind"], "run")
        node = lnode["node"] if kind == "run" else {}
        self._fresh.append(Work(kind, lnode, node, ended, scope, report))

    def _end(self, scope: Scope, index: int, status: str) -> None:
        """A node has ended: what waited for it starts, or is omitted and ends in its turn."""
        graph = scope.graph
        scope.statuses[index] = status
        self.statuses.ended(scope, index, status)
        if status == FAILED and not graph.nodes[index].get("handled"):
            scope.failed = True
        for follower, outcome in graph.followers[index]:
            scope.waiting[follower] -= 1
            if outcome == "success" and status == SUCCEEDED:
                scope.successes[follower] += 1
            elif outcome == "failure" and status == FAILED:
                scope.failures[follower] += 1
            if scope.waiting[follower]:
                continue
            if holds(scope, follower):
                self._later(self._start, scope, follower)
            else:
                self._later(self._end, scope, follower, OMITTED)
        scope.remaining -= 1
        if not scope.remaining:
            self._later(self._finish, scope)

    def _finish(self, scope: Scope) -> None:
        """All nodes of a scope have ended."""
        graph = scope.graph
        if scope.failed or graph.join is None:
            self._close(scope, FAILED if scope.failed else SUCCEEDED)
            return

        def report(status: str) -> None:
            self._later(self._close, scope, status)

        self._control(graph.join, scope, scope.composite.lnode if scope.composite else {}, report)

    def _close(self, scope: Scope, status: str) -> None:
        """A graph has ended: the composite around it may have, too."""
        del self._scopes[scope]
        composite = scope.composite
        if composite is None:
            self.status = status
            return
        composite.running -= 1
        composite.failed = composite.failed or status == FAILED
        outer, index = composite.scope, composite.index
        if index in outer.choices:
            outer.choices[index] = (outer.choices[index][0], status)
        if composite.begun < composite.count:
            self._queue(composite)
        elif composite.lnode["kind"] == "loop" and not composite.failed:
            self._judge(composite, scope)
        elif not composite.running:
            self._later(self._joined, composite)

    def _joined(self, composite: Composite) -> None:
        """All graphs of a composite have ended."""
        if composite.failed:
            self._later(self._end, composite.scope, composite.index, FAILED)
        else:
            self._later(self._passed, composite.scope, composite.index)

    def _passed(self, scope: Scope, index: int) -> None:
        """A node without a process of its own has succeeded, but for its join."""
        lnode = scope.graph.nodes[index]

        def report(status: str) -> None:
            self._later(self._end, scope, index, status)

        if join := lnode.get("join"):
            self._control(join, scope, lnode, report)
        else:
            report(SUCCEEDED)

    def _control(
        self, join: Json, scope: Scope, lnode: Json, report: Callable[[str], None]
    ) -> None:
        ended = self._ended(scope, join)
        self._fresh.append(Work("run", lnode, join["node"], ended, scope, report, control=True))

    # Maps

    def _queue(self, composite: Composite) -> None:
        if not composite.queued and composite.running < composite.limit:
            composite.queued = True
            self._ready.append(composite)

    def _begin(self, composite: Composite) -> None:
        """Opens the next iteration of a map, and lets others have their turn before its next."""
        scope = composite.scope
        key = (*scope.key, str(composite.begun))
        composite.queued = False
        composite.begun += 1
        composite.running += 1
        self._open(composite.lnode["graphs"][0][1], key, composite.ended, composite)
        if composite.begun < composite.count:
            self._queue(composite)
        self._settle()

    # Loops

    def _begin_round(self, composite: Composite) -> None:
        key = (*composite.scope.key, str(composite.begun))
        composite.begun += 1
        composite.running = 1
        self._open(composite.lnode["graphs"][0][1], key, composite.ended, composite)

    def _judge(self, composite: Composite, scope: Scope) -> None:
        """A round has succeeded: was it the last?"""

        def report(status: str) -> None:
            composite.failed = status == FAILED
            self._later(self._joined, composite)

        self._fresh.append(Work("judge", composite.lnode, {}, "", scope, report))

    # How others ended

    @staticmethod
    def _ended(scope: Scope, asking: Json) -> str:
        """ENDED of a node or a join: the answers to what it asks, after those of its scope where
        it inherits."""
        answers = [scope.ended] if asking.get("inherits") else []
        for name, label in asking.get("asks", ()):
            index = scope.graph.names[name]
            node = scope.graph.nodes[index]
            path = node["path"] if label is None else dict(node["graphs"])[label]
            answers.append(f"{path}={status_of(scope, index, label)}")
        return _blank_separated(answers)


def _tokens(sources: Any) -> list[str]:
    """The paths whose outcome `sources` ask for, each once."""
    found: dict[str, None] = {}
    left = [sources]
    while left:
        source = left.pop()
        if isinstance(source, list):
            left.extend(source)
        elif isinstance(source, dict):
            if "if" in source:
                found[source["if"]] = None
            left.extend(source[name] for name in ("from", "in", "out") if name in source)
    return list(found)


def _blank_separated(tokens: list[str]) -> str:
    return " ".join(token for token in tokens if token)
