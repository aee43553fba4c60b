"""Which Argo tasks the nodes of one graph are, what they are called, and who hands what to whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..flow import Ask, Flow, Reading
from ..graph import Approval, Argo, Conditional, Graph, Map, Node, Stub, Task, join_path, segment
from ..manifests.names import Names, slug
from .expressions import (
    Realised,
    both,
    choices_of_argument,
    choices_of_output,
    either,
    items_of_argument,
    single,
)
from .outcome import outcome
from .split import Part


class Parts(NamedTuple):
    """The tasks of one node.

    `task` is the node itself (a conditional has `branches` instead, by label, and `no_match`);
    `before` the control pod that hands it its items or its label, `after` the one that joins its
    state; `inside` all but the last. `items`: the text that becomes a map's list of keys.
    `choices`: the expression that chooses each branch of a conditional. `boxed`: a map in a
    template of its own. `arguments`: those that a template of the engine's own is handed.
    `late`: what fails an approval that nobody gave in time.
    """

    task: str
    inside: Realised
    before: str = ""
    after: str = ""
    branches: Mapping[str, str] = {}
    no_match: str = ""
    items: str = ""
    choices: Mapping[str, str] = {}
    boxed: bool = False
    arguments: Mapping[str, str] = {}
    late: str = ""


class Layout:
    """The layout of one graph. `hands`: what each task hands over, in order; `names`: for tasks
    that are no node's."""

    def __init__(self, flow: Flow, kinds: Mapping[str, str], graph: Graph, path: str) -> None:
        self._flow = flow
        self._kinds = kinds
        self.paths = {name: join_path(path, segment(name)) for name in graph.nodes}
        self.outcome = outcome(graph)
        nodes = [node for name, node in graph.nodes.items() if name not in self.outcome.silent]
        self.names = Names()
        self._tasks = self.names.take_all(node.name for node in nodes)
        self._after = {
            node.name: self.names.take(f"{self._tasks[node.name]}-join")
            for node in nodes
            if self.paths[node.name] in flow.joins and not isinstance(node.spec, Stub)
        }
        self._writers = dict(self._written(nodes))
        self._asked = {
            ask.node
            for reading in readings(flow, graph, path)
            for ask in reading.asks
            if ask.label is None
        }
        self.hands: dict[str, list[dict[str, Any]]] = {}
        self.parts = {node.name: self._parts(node) for node in nodes}
        self.realised = {
            name: parts.inside
            if not parts.after
            else Realised(
                (*parts.inside.tasks, parts.after), (parts.after,), f"{parts.after}.Succeeded"
            )
            for name, parts in self.parts.items()
        }

    @property
    def tasks(self) -> int:
        """How many tasks the graph is, with one that says that all went well."""
        return sum(len(realised.tasks) for realised in self.realised.values()) + 1

    def status(self, ask: Ask) -> str:
        """How the node, or the branch, that is asked about ended."""
        if ask.label is None:
            return self.realised[ask.node].status
        return single(self.parts[ask.node].branches[ask.label]).status

    def _written(self, nodes: Iterable[Node]) -> Iterable[tuple[str, str]]:
        """The paths whose state a task of this graph writes, and that task."""
        for node in nodes:
            at = self.paths[node.name]
            if node.name in self._after:
                yield at, self._after[node.name]
            elif isinstance(node.spec, Task) or at in self._flow.joins:
                yield at, self._tasks[node.name]

    def _parts(self, node: Node) -> Parts:
        task, after = self._tasks[node.name], self._after.get(node.name, "")
        if isinstance(node.spec, Map):
            return self._map(node, node.spec, task, after)
        if isinstance(node.spec, Conditional):
            return self._conditional(node, node.spec, task, after)
        if isinstance(node.spec, Argo):
            return self._argo(node, node.spec, task, after)
        if isinstance(node.spec, Approval) and node.spec.timeout is not None:
            late = self.names.take(f"{task}-late")
            passed = f"{task}.Succeeded && {late}.Skipped"
            return Parts(task, Realised((task, late), (task,), passed), after=after, late=late)
        return Parts(task, single(task), after=after)

    def _map(self, node: Node, spec: Map, task: str, after: str) -> Parts:
        before = ""
        reading = self._flow.readings[self.paths[node.name]]
        if reading.sources == ("",) and self._kinds.get(spec.iterate_on) == "json":
            items = items_of_argument(spec.iterate_on)
        else:
            writer = self._writer(reading)
            before = "" if writer else self.names.take(f"{task}-items")
            giver = writer or before
            number = self._hand(giver, {"items": spec.iterate_on})
            items = f"{{{{tasks.{giver}.outputs.parameters.hand{number}}}}}"
        boxed = spec.max_parallel is not None or node.name in self._asked
        succeeded = f"{task}.Succeeded" if boxed else f"({task}.Succeeded || {task}.Skipped)"
        inside = Realised((before, task) if before else (task,), (task,), succeeded)
        return Parts(task, inside, before, after, items=items, boxed=boxed)

    def _conditional(self, node: Node, spec: Conditional, task: str, after: str) -> Parts:
        before = ""
        reading = self._flow.readings[self.paths[node.name]]
        branches = {
            label: self.names.take(f"{task}-{slug(label)}".strip("-")) for label in spec.branches
        }
        no_match = "" if spec.default is not None else self.names.take(f"{task}-no-match")
        choices = None
        if reading.sources == ("",):
            kind = self._kinds.get(spec.parameter, "")
            choices = choices_of_argument(spec.parameter, kind, spec.values)
        if choices is None:
            writer = self._writer(reading)
            before = "" if writer else self.names.take(f"{task}-choice")
            giver = writer or before
            number = self._hand(giver, _label(spec, branches))
            by_task = choices_of_output(giver, number, branches.values())
            choices = {label: by_task[name] for label, name in branches.items()}
            choices[""] = by_task[""]
        elif spec.default is not None:
            own = [choices[spec.default]] if spec.default in choices else []
            choices[spec.default] = either([*own, choices[""]])
        passed = [f"({name}.Succeeded || {name}.Skipped)" for name in branches.values()]
        passed += [f"{no_match}.Skipped"] if no_match else []
        tasks = (before, *branches.values(), no_match)
        inside = Realised(
            tuple(name for name in tasks if name), tuple(branches.values()), both(passed)
        )
        return Parts(task, inside, before, after, branches, no_match, choices=choices)

    def _argo(self, node: Node, spec: Argo, task: str, after: str) -> Parts:
        """Its parameters are arguments of the run's, or handed over by who writes the state."""
        before = ""
        reading = self._flow.readings[self.paths[node.name]]
        arguments = {}
        for name, parameter in spec.handed.items():
            if reading.sources == ("",) and parameter in self._kinds:
                arguments[name] = f"{{{{workflow.parameters.{parameter}}}}}"
                continue
            writer = self._writer(reading)
            if not writer:
                before = before or self.names.take(f"{task}-arguments")
            giver = writer or before
            number = self._hand(giver, {"value": parameter})
            arguments[name] = f"{{{{tasks.{giver}.outputs.parameters.hand{number}}}}}"
        inside = Realised((before, task) if before else (task,), (task,), f"{task}.Succeeded")
        return Parts(task, inside, before, after, arguments=arguments)

    def _writer(self, reading: Reading) -> str:
        """The task of this graph whose new state is all that is read; '' where there is none."""
        only = reading.sources[0] if len(reading.sources) == 1 and not reading.asks else None
        return self._writers.get(only, "") if isinstance(only, str) else ""

    def _hand(self, task: str, hand: dict[str, Any]) -> int:
        """Has `task` hand something over; its place among what that task hands over."""
        hands = self.hands.setdefault(task, [])
        if hand not in hands:
            hands.append(hand)
        return hands.index(hand)


def readings(flow: Flow, graph: Graph, path: str) -> Iterator[Reading]:
    """What is read by the nodes of a graph, and by the control pods there."""
    paths = [
        join_path(path, segment(name))
        for name, node in graph.nodes.items()
        if not isinstance(node.spec, Part)
    ]
    yield from (flow.readings[at] for at in paths)
    yield from (flow.joins[at] for at in (*paths, flow.home(path)) if at in flow.joins)


def _label(spec: Conditional, branches: Mapping[str, str]) -> dict[str, Any]:
    """The hand that gives the name of the branch that is chosen."""
    values = {branches[label]: value for label, value in spec.values.items()}
    hand = {"label": spec.parameter, "values": values}
    return hand if spec.default is None else {**hand, "default": branches[spec.default]}
