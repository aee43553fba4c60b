"""Which parameters may be there when a step runs: those that the run is given, and those that the
steps before it, and the maps and loops around it, may have set.

Sets of names are integers with a bit for each name, so that a chain of thousands of steps, each of
which adds a name, takes a moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..graph import (
    ITERATION,
    Argo,
    Conditional,
    Dag,
    Graph,
    Loop,
    Map,
    Node,
    Parallel,
    Stub,
    Task,
    join_path,
    segment,
)
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
    """The parameters that enter each step, by its path."""

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
        return self._named(self.entering[path])

    def _named(self, supply: Supply) -> list[str]:
        return [name for name, place in self._places.items() if supply.bits >> place & 1]

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
            node, at = graph.nodes[name], join_path(path, segment(name))
            entering = given
            for edge in node.incoming:
                before = join_path(path, segment(edge.source))
                succeeded = edge.outcome == "success"
                entering |= leaving[edge.source] if succeeded else self.entering[before]
            self.entering[at] = entering
            leaving[name] = entering | (yield self._node(at, node, entering))
            total |= leaving[name]
        return total

    def _node(self, path: str, node: Node, entering: Supply) -> Steps[Supply]:
        """What a node adds."""
        spec = node.spec
        if isinstance(spec, Stub):  # it stands for a step that is not there yet
            return Supply(open=True)
        if isinstance(spec, (Task, Argo)):
            return self._supply(self._added(spec))
        if isinstance(spec, (Map, Loop)):
            inside = join_path(path, ITERATION)
            left: Supply = yield self._graph(inside, spec.branch, self._inside(spec, entering))
            return self._after(spec, entering, left)
        if isinstance(spec, Dag):
            within = self._scoped(spec.inputs, entering)
            left = yield self._graph(path, spec.branch, within)
            return self._scoped(spec.outputs, left)
        total = Supply()
        if isinstance(spec, (Parallel, Conditional)):
            for label, branch in spec.branches.items():
                at = join_path(path, segment(label))
                after: Supply = yield self._graph(at, branch, entering)
                total |= after
        return total

    def _added(self, spec: Task | Argo) -> Names:
        """What a step of its own adds."""
        declared = Names(frozenset(spec.returns))
        return declared | self._code.usage(spec).sets if isinstance(spec, Task) else declared

    def _inside(self, spec: Map | Loop, entering: Supply) -> Supply:
        """What enters the iterations of a map, or the rounds of a loop."""
        return entering | Supply(self._bits(filter(None, [spec.iterate_as])))

    def _after(self, spec: Map | Loop, entering: Supply, left: Supply) -> Supply:
        """What a map or a loop adds, where its iterations have `left` this."""
        item = self._bits(filter(None, [spec.iterate_as]))
        reduced = self._bits(spec.reducers) if isinstance(spec, Map) else 0
        return Supply(left.bits & ~item | reduced, left.open)

    def _scoped(self, names: Iterable[str] | None, supply: Supply) -> Supply:
        """The part of a supply that passes a dag's inputs or outputs."""
        if names is None:
            return supply
        named = self._bits(names)
        return Supply(named if supply.open else named & supply.bits)

    def _supply(self, names: Names) -> Supply:
        return Supply(self._bits(names.names), names.open)


class Files(Supplies):
    """The patterns of the files that may be in the catalog."""

    def _added(self, spec: Task | Argo) -> Names:
        if isinstance(spec, Argo):
            return Names()
        executed = [output_of(spec)] if spec.command_type == "notebook" else []
        return Names(frozenset([*spec.put, *executed])) | self._code.usage(spec).keeps

    def _inside(self, spec: Map | Loop, entering: Supply) -> Supply:
        return entering

    def _after(self, spec: Map | Loop, entering: Supply, left: Supply) -> Supply:
        """A file of an iteration is in a folder of that iteration as well."""
        made = Supply(left.bits & ~entering.bits)
        nested = (name if name.startswith("**/") else f"**/{name}" for name in self._named(made))
        return left | Supply(self._bits(list(nested)))

    def _scoped(self, names: Iterable[str] | None, supply: Supply) -> Supply:
        return supply


def output_of(task: Task) -> str:
    """The file that an executed notebook is kept in."""
    return task.notebook_output_path or f"{task.command.removesuffix('.ipynb')}_out.ipynb"
