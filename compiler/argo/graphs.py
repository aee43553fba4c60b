"""One graph as one DAG template, and its nodes as tasks.

A task, a stub or a `fail` node is one task. A parallel or a dag is one that calls the template of
its graph. A map is one with `withParam`; a conditional is one for each branch, with `when`. A
control pod comes before where nobody can hand over the items or the label, and after where a state
is to be joined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from argosy.runtime.workflow import STEP

from ..flow import Reading
from ..graph import (
    ITERATION,
    Approval,
    Argo,
    Conditional,
    Dag,
    Graph,
    Loop,
    Map,
    Node,
    Parallel,
    Stub,
    join_path,
    segment,
)
from ..manifests.names import Names
from .approvals import approval, late
from .expressions import ENDED, KEY, both, condition, either, outputs_of, tag
from .layout import Layout, Parts
from .leaves import GIVER, Work, control, dag_task, enter, leaf
from .loops import handed_on, rounds
from .outcome import ALWAYS, Unreached
from .parts import in_parts
from .shared import NOOP, Inner, Shared
from .split import MAX_TASKS, Part

Json = dict[str, Any]
ITEM = "{{item}}"
ITEMS = "{{inputs.parameters.items}}"


def lower_graph(shared: Shared, inner: Inner) -> list[Json]:
    """The template of a graph, and those that its nodes need beside it."""
    return _Lowering(shared, inner).templates()


class _Lowering:
    """One graph on its way: its layout, and the templates that its nodes need."""

    def __init__(self, shared: Shared, inner: Inner) -> None:
        self.shared = shared
        self.template, self.graph, self.path, self.part, self.inherits = inner
        if not self.part:
            self.inherits = shared.inherits(self.graph, self.path)
        self.keyed = ITERATION in self.path.split("/")
        self.layout = Layout(shared.flow, shared.kinds, self.graph, self.path)
        if self.layout.tasks > MAX_TASKS and not self.part:
            self.graph = in_parts(shared.flow, self.graph, self.path, self.layout)
            self.layout = Layout(shared.flow, shared.kinds, self.graph, self.path)
        self.beside: list[Json] = []

    def templates(self) -> list[Json]:
        tasks = [task for name in self.layout.parts for task in self._node(self.graph.nodes[name])]
        finish = self._finish()
        if finish is None:
            dag = self._dag(self.template, tasks, self.inherits)
        else:
            dag = self._dag(self.template, [*tasks, finish], self.inherits, target=finish["name"])
        if last := self._last(finish):
            dag["outputs"] = handed_on(last)
        return [dag, *self.beside]

    def _last(self, finish: Json | None) -> str:
        """The task that ends a round, where the graph is a loop's body."""
        if self.part:
            return ""
        if self.path in self.shared.flow.endings and finish is not None:
            return str(finish["name"])
        for name, path in self.layout.paths.items() if self.path.endswith(ITERATION) else ():
            if path in self.shared.flow.endings:
                return self.layout.parts[name].task
        return ""

    def _dag(self, name: str, tasks: list[Json], inherits: bool, target: str = "") -> Json:
        """A DAG template with the inputs that this graph's have."""
        inputs = [{"name": "key"}] if self.keyed else []
        inputs += [{"name": "ended", "value": ""}] if inherits else []
        found: Json = {"name": name}
        if inputs:
            found["inputs"] = {"parameters": inputs}
        found["dag"] = {"failFast": False}
        if target:
            found["dag"]["target"] = target
        found["dag"]["tasks"] = tasks
        return found

    def _node(self, node: Node) -> Iterator[Json]:
        """The tasks of one node, in the order in which they run."""
        parts = self.layout.parts[node.name]
        if isinstance(node.spec, Part):
            yield self._part(parts.task, node, node.spec.graph)
            return
        at = self.layout.paths[node.name]
        reading = self.shared.flow.readings[at]
        depends = condition(node.incoming, node.join, self.layout.realised)
        if parts.before:
            yield self._control(parts.before, f"{at}{GIVER}", reading, depends)
            depends = f"{parts.before}.Succeeded"
        match node.spec:
            case Stub() if at in self.shared.flow.joins:
                yield self._control(parts.task, at, self.shared.flow.joins[at], depends)
            case Stub():
                yield dag_task(parts.task, Work(NOOP), depends)
            case Parallel() | Dag():
                yield dag_task(parts.task, self._call(at, node, reading), depends)
            case Approval():
                yield dag_task(parts.task, approval(self.shared, at, node), depends)
                if parts.late:
                    work = leaf(self.shared, at, node, self._down(reading))
                    yield dag_task(
                        parts.late, work, f"{parts.task}.Succeeded", when=late(parts.task, node)
                    )
            case Loop():
                yield dag_task(parts.task, self._loop(at, node, reading), depends)
            case Argo():
                yield self._argo(parts, at, node.spec, depends)
            case Map():
                yield self._map(parts, at, node, reading, depends)
            case Conditional():
                yield from self._conditional(parts, at, node, reading, depends)
            case _:
                hands = self.layout.hands.get(parts.task, ())
                work = leaf(self.shared, at, node, self._down(reading), hands)
                yield dag_task(parts.task, work, depends)
        if parts.after:
            joined = self.shared.flow.joins[at]
            given = outputs_of(parts.task, node.spec) if isinstance(node.spec, Argo) else ""
            yield self._control(parts.after, at, joined, parts.inside.succeeded, given)

    def _finish(self) -> Json | None:
        """The task that succeeds when the graph does; none where Argo's own rule says the same."""
        outcome, home = self.layout.outcome, self.shared.flow.home(self.path)
        join = self.shared.flow.joins.get(home) if not self.part else None
        if outcome.plain and join is None:
            return None
        terms = [self._succeeded(head, names) for head, names in outcome.last.items()]
        terms += [self._unreached(unreached) for unreached in outcome.unreached]
        if join is None:
            return dag_task(self.layout.names.take("success"), Work(NOOP), both(terms))
        return self._control(self.layout.names.take("join"), home, join, both(terms))

    def _succeeded(self, head: str, names: Sequence[str]) -> str:
        """The term for the nodes of one head."""
        realised = self.layout.realised
        if [*names] == [head]:
            return realised[head].unfailed
        succeeded = both([realised[name].succeeded for name in names])
        return succeeded if head == ALWAYS else either([realised[head].omitted, succeeded])

    def _unreached(self, unreached: Unreached) -> str:
        join = self.graph.nodes[unreached.name].join
        reached = condition(unreached.edges, join, self.layout.realised)
        failed = either([self.layout.realised[name].failed for name in unreached.blamed])
        return f"!({both([reached, failed])})"

    def _control(
        self,
        name: str,
        at: str,
        reading: Reading,
        depends: str,
        outputs: str = "",
    ) -> Json:
        """A control pod; `outputs` are of a template of the engine's that it comes after."""
        hands = self.layout.hands.get(name, ())
        down = self._down(reading)
        if outputs:
            down["outputs"] = outputs
        return dag_task(name, control(self.shared, at, reading, down, hands), depends)

    def _down(self, reading: Reading, inherits: bool = True, key: str = "") -> dict[str, str]:
        """The arguments that go to what is below: the key, and how others ended where asked."""
        found = {}
        if self.keyed or key:
            found["key"] = "/".join(part for part in (KEY if self.keyed else "", key) if part)
        ended = [ENDED] if reading.inherits else []
        ended += [f"{ask.path}={self.layout.status(ask)}" for ask in reading.asks]
        if ended and inherits:
            found["ended"] = " ".join(ended)
        return found

    def _passed(self, inherits: bool, key: str = "") -> dict[str, str]:
        """The same inside a template beside the graph's own, which was given them."""
        found = {}
        if self.keyed or key:
            found["key"] = "/".join(part for part in (KEY if self.keyed else "", key) if part)
        if inherits:
            found["ended"] = ENDED
        return found

    def _call(self, at: str, node: Node, reading: Reading) -> Work:
        """What runs the graph, or all graphs, of a node."""
        inner = [(label, graph, join_path(at, label)) for label, graph in node.graphs()]
        inherits = [self.shared.inherits(graph, path) for _, graph, path in inner]
        down = self._down(reading, any(inherits))
        if isinstance(node.spec, Dag):
            ((_, graph, path),) = inner
            return enter(self.shared, graph, path, down)
        template = self.shared.name(at)
        names = Names().take_all(label for label, _, _ in inner)
        tasks = [
            dag_task(names[label], enter(self.shared, graph, path, self._passed(asks)))
            for (label, graph, path), asks in zip(inner, inherits, strict=True)
        ]
        self.beside.append(self._dag(template, tasks, any(inherits)))
        return Work(template, down)

    def _part(self, task: str, node: Node, graph: Graph) -> Json:
        """A task for the nodes of a part, which are in a template of their own."""
        template = self.shared.name(join_path(self.path, segment(node.name)))
        self.shared.pending.append(Inner(template, graph, self.path, True, self.inherits))
        depends = condition(node.incoming, node.join, self.layout.realised)
        return dag_task(task, Work(template, self._passed(self.inherits)), depends)

    def _loop(self, at: str, node: Node, reading: Reading) -> Work:
        template, beside = rounds(self.shared, at, node, self.keyed)
        self.beside += beside
        ((label, graph),) = node.graphs()
        inherits = self.shared.inherits(graph, join_path(at, label))
        return Work(template, self._down(reading, inherits))

    def _map(self, parts: Parts, at: str, node: Node, reading: Reading, depends: str) -> Json:
        """A task for all iterations; in a template of its own where it is bounded, or asked about
        (Argo knows how a task ended, and not how a group of tasks did)."""
        ((label, graph),) = node.graphs()
        path = join_path(at, label)
        inherits = self.shared.inherits(graph, path)
        if not parts.boxed:
            work = enter(self.shared, graph, path, self._down(reading, inherits, ITEM))
            return dag_task(parts.task, work, depends, withParam=parts.items)
        template = self.shared.name(at)
        work = enter(self.shared, graph, path, self._passed(inherits, ITEM))
        box = self._dag(template, [dag_task("each", work, withParam=ITEMS)], inherits)
        inputs = box.pop("inputs", {"parameters": []})
        inputs["parameters"].append({"name": "items"})
        bound = node.spec.max_parallel if isinstance(node.spec, Map) else None
        limit = {"parallelism": bound} if bound else {}
        self.beside.append({"name": template, **limit, "inputs": inputs, "dag": box["dag"]})
        arguments = {"items": parts.items, **self._down(reading, inherits)}
        return dag_task(parts.task, Work(template, arguments), depends)

    def _argo(self, parts: Parts, at: str, spec: Argo, depends: str) -> Json:
        """A template of the engine's own, as it is written."""
        template = ""
        if spec.template:
            template = self.shared.name(at)
            self.beside.append({"name": template, **spec.template})
        arguments = {STEP: at, **spec.arguments, **parts.arguments}
        return dag_task(parts.task, Work(template, arguments, reference=spec.reference), depends)

    def _conditional(
        self, parts: Parts, at: str, node: Node, reading: Reading, depends: str
    ) -> Iterator[Json]:
        """A task for each branch, and one that fails where there is none for the value."""
        graphs: list[tuple[str, Graph]] = list(node.graphs())
        for (label, task), (part, graph) in zip(parts.branches.items(), graphs, strict=True):
            path = join_path(at, part)
            down = self._down(reading, self.shared.inherits(graph, path))
            work = enter(self.shared, graph, path, down)
            yield dag_task(task, work, depends, when=tag(parts.choices[label]))
        if parts.no_match:
            work = leaf(self.shared, at, node, self._down(reading))
            yield dag_task(parts.no_match, work, depends, when=tag(parts.choices[""]))
