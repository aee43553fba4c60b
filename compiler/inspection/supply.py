"""Which parameters may be there when a step runs: those that the run is given, and those that the
steps before it, and the maps and loops around it, may have set.

Sets of names are integers with a bit for each name, so that a chain of thousands of steps, each of
which adds a name, takes a moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..graph import Argo, Conditional, Dag, Graph, Loop, Map, Node, Parallel, Stub, Task, join_path
from ..graph import segment as segment_of
from ..trampoline import Steps, run
from .code import Code
from .usage import Names


class Supply(NamedTuple):
    """The names that may be there; `open`: there may be any other as well."""

    bits: int = 0
    open: bool = False

    def __or__(self, other: Supply) -> Supply:
        return Supply(self.bits | other.bits, self.open or other.open)


class Supplies:
    """What enters each step, by its path."""

    def __init__(self, graph: Graph, given: Iterable[str], code: Code) -> None:
        self._places: dict[str, int] = {}
        self._code = code
        self.entering: dict[str, Supply] = {}
        run(self._graph("", graph, Supply(self._bits(given))))

    def has(self, path: str, name: str) -> bool:
        """Whether a parameter may be there when the step at `path` runs."""
        entering = self.entering[path]
        return entering.open or bool(entering.bits & self._bits([name]))

    def names(self, path: str) -> list[str]:
        """The names that may be there, as far as they are known."""
        bits = self.entering[path].bits
        return [name for name, place in self._places.items() if bits >> place & 1]

    def _bits(self, names: Iterable[str]) -> int:
        found = 0
        for name in names:
            found |= 1 << self._places.setdefault(name, len(self._places))
        return found

    def _graph(self, path: str, graph: Graph, given: Supply) -> Steps[Supply]:
        """Notes what enters each node of the graph; gives what leaves the graph."""
        leaving: dict[str, Supply] = {}
        total = given
        for name in graph.order():
            node, at = graph.nodes[name], join_path(path, segment_of(name))
            entering = given
            for edge in node.incoming:
                before = join_path(path, segment_of(edge.source))
                succeeded = edge.outcome == "success"
                entering |= leaving[edge.source] if succeeded else self.entering[before]
            self.entering[at] = entering
            leaving[name] = entering | (yield self._node(at, node, entering))
            total |= leaving[name]
        return total

    def _node(self, path: str, node: Node, entering: Supply) -> Steps[Supply]:
        """What a node adds."""
        spec = node.spec
        if isinstance(spec, Task):
            sets = self._code.usage(spec).sets
            return self._supply(sets) | Supply(self._bits(spec.returns))
        if isinstance(spec, Argo):
            return Supply(self._bits(spec.returns))
        if isinstance(spec, Stub):  # it stands for a step that is not there yet
            return Supply(open=True)
        if isinstance(spec, (Map, Loop)):
            item = self._bits([spec.iterate_as] if spec.iterate_as else ())
            inside = entering | Supply(item)
            left = yield self._graph(join_path(path, "*"), spec.branch, inside)
            reduced = self._bits(spec.reducers) if isinstance(spec, Map) else 0
            return Supply(left.bits & ~item | reduced, left.open)
        if isinstance(spec, Dag):
            inner: Supply = yield self._dag(path, spec, entering)
            return inner
        total = Supply()
        if isinstance(spec, (Parallel, Conditional)):
            for label, branch in spec.branches.items():
                at = join_path(path, segment_of(label))
                after: Supply = yield self._graph(at, branch, entering)
                total |= after
        return total

    def _dag(self, path: str, spec: Dag, entering: Supply) -> Steps[Supply]:
        left = yield self._graph(path, spec.branch, self._scoped(spec.inputs, entering))
        return self._scoped(spec.outputs, left)

    def _scoped(self, names: Iterable[str] | None, supply: Supply) -> Supply:
        """The part of a supply that is named; all of it where nothing is."""
        if names is None:
            return supply
        named = self._bits(names)
        return Supply(named if supply.open else named & supply.bits)

    def _supply(self, names: Names) -> Supply:
        return Supply(self._bits(names.names), names.open)
