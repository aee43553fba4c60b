"""The rounds of a loop: tasks in a chain, each when the one before it has handed over `again`.

A loop of up to WIDE rounds is one DAG template. A longer one is a chain of templates that have a
tenth of the rounds each, and so on: the levels of templates grow with the logarithm of
`max_iterations`, of which Argo's own way, a template that calls itself, takes one a round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph import Loop, Node, join_path
from .expressions import ENDED, KEY, tag
from .leaves import Work, dag_task, enter, leaf
from .shared import Shared

Json = dict[str, Any]
WIDE = 10
"""Rounds, or templates of rounds, in one template."""
ROUND = "{{inputs.parameters.round}}"
OUTCOME = "hand0"
"""What a task of a loop hands over: it is the one thing, and a pod numbers what it hands over."""


def rounds(shared: Shared, at: str, node: Node, keyed: bool) -> tuple[str, list[Json]]:
    """The name of the template of a loop, and all templates that it takes. `keyed`: the loop is
    inside a map, or another loop."""
    found = _Rounds(shared, at, node, keyed)
    return found.loop(), found.templates


def handed_on(task: str, **more: str) -> Json:
    """The member of a template that hands over what one of its tasks does."""
    value = {"parameter": f"{{{{tasks.{task}.outputs.parameters.{OUTCOME}}}}}", **more}
    return {"parameters": [{"name": OUTCOME, "valueFrom": value}]}


class _Rounds:
    """The templates of one loop, made as they are called."""

    def __init__(self, shared: Shared, at: str, node: Node, keyed: bool) -> None:
        if not isinstance(node.spec, Loop):
            raise TypeError(f"{at} is no loop")
        ((part, graph),) = node.graphs()
        path = join_path(at, part)
        inherits = shared.inherits(graph, path)
        self.templates: list[Json] = []
        self._shared = shared
        self._at = at
        self._node = node
        self._most = node.spec.max_iterations
        self._outer = f"{KEY}/" if keyed else ""
        self._passed = {"key": KEY} if keyed else {}
        self._inputs: list[Json] = [{"name": "key"}] if keyed else []
        if inherits:
            self._passed["ended"] = ENDED
            self._inputs.append({"name": "ended", "value": ""})
        self._body = enter(shared, graph, path, {**self._passed, "key": ""})
        self._names: dict[int, str] = {}

    def loop(self) -> str:
        """The template of the whole loop: after its last round, what fails it."""
        name = self._shared.name(self._at)
        tasks = self._chain(self._most, str)
        last = tasks[-1]["name"]
        down = {**self._passed, "key": f"{self._outer}{self._most - 1}"}
        work = leaf(self._shared, self._at, self._node, down)
        tasks.append(dag_task("exhausted", work, f"{last}.Succeeded", when=_again(last)))
        inputs = {"inputs": {"parameters": self._inputs}} if self._inputs else {}
        self.templates.append({"name": name, **inputs, "dag": {"failFast": False, "tasks": tasks}})
        return name

    def _block(self, count: int) -> str:
        """The template of `count` rounds, from the one that it is given on."""
        if count not in self._names:
            name = self._names[count] = self._shared.name(f"{self._at}-{count}")
            tasks = self._chain(count, _from_given)
            inputs = {"parameters": [*self._inputs, {"name": "round"}]}
            # Where a round before the last one was the end of it, the last one hands over nothing.
            outputs = handed_on(tasks[-1]["name"], default="stop")
            dag = {"failFast": False, "tasks": tasks}
            self.templates.append({"name": name, "inputs": inputs, "outputs": outputs, "dag": dag})
        return self._names[count]

    def _chain(self, count: int, number: Callable[[int], str]) -> list[Json]:
        """The tasks of `count` rounds; `number` gives that of a round, by its place among them."""
        size = 1
        while size * WIDE < count:
            size *= WIDE
        tasks: list[Json] = []
        for offset in range(0, count, size):
            inside = min(size, count - offset)
            if size == 1:
                key = {"key": f"{self._outer}{number(offset)}"}
                work = Work(self._body.template, {**self._body.arguments, **key})
            else:
                work = Work(self._block(inside), {**self._passed, "round": number(offset)})
            name = f"round-{offset}" if size == 1 else f"rounds-{offset}"
            before = tasks[-1]["name"] if tasks else ""
            more = {"when": _again(before)} if before else {}
            depends = f"{before}.Succeeded" if before else ""
            tasks.append(dag_task(name, work, depends, **more))
        return tasks


def _again(task: str) -> str:
    """The expression that a round is to follow on the task."""
    return tag(f"tasks['{task}'].outputs.parameters.{OUTCOME} == 'again'")


def _from_given(offset: int) -> str:
    """The number of a round after the one that a template is given."""
    return tag(f"asInt(inputs.parameters.round)+{offset}") if offset else ROUND
