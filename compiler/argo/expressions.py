"""Builders of what Argo evaluates: `depends`, and expressions in arguments and in `when`.

A node of the graph is one task or several (`Realised`); these say of the whole node how it ended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..graph import RESULT, Argo, Edge

ARGUMENTS = "{{=sprig.b64enc(toJson(workflow.parameters))}}"
KEY = "{{inputs.parameters.key}}"
ENDED = "{{inputs.parameters.ended}}"
STEP = "{{=jsonpath(inputs.parameters.node,'$.step')}}"
STEP_LABEL = (
    "{{=sprig.trimAll('-_.', sprig.trunc(63, sprig.regexReplaceAll("
    "'(%..|[^A-Za-z0-9_.-])+', jsonpath(inputs.parameters.node,'$.step'), '-')))}}"
)
"""The step's path as a label's value; in the engine, so that it costs a step no bytes."""


class Realised(NamedTuple):
    """The Argo tasks that a node is; those of which one succeeds when the node does; and the
    expression that the node succeeded."""

    tasks: tuple[str, ...]
    ends: tuple[str, ...]
    succeeded: str

    @property
    def failed(self) -> str:
        """The expression that it failed."""
        return " || ".join(f"{task}.Failed || {task}.Errored" for task in self.tasks)

    @property
    def unfailed(self) -> str:
        """The expression that it did not fail; it may have been omitted."""
        return " && ".join(f"!{task}.Failed && !{task}.Errored" for task in self.tasks)

    @property
    def omitted(self) -> str:
        """The expression that it did not run."""
        return f"{self.tasks[0]}.Omitted"

    @property
    def status(self) -> str:
        """How it ended, as text in an argument of a task that comes after it."""
        if len(self.tasks) == 1:
            return f"{{{{tasks.{self.tasks[0]}.status}}}}"
        failed = _any_of(self.tasks, "in ['Failed','Error']")
        succeeded = _any_of(self.ends, "== 'Succeeded'")
        return tag(f"{failed} ? 'Failed' : {succeeded} ? 'Succeeded' : 'Omitted'")


def _any_of(tasks: Iterable[str], test: str) -> str:
    names = ",".join(f"'{task}'" for task in tasks)
    return f"any([{names}], {{tasks[#].status {test}}})"


def single(task: str) -> Realised:
    """A node that is one task."""
    return Realised((task,), (task,), f"{task}.Succeeded")


def condition(edges: Iterable[Edge], join: str, realised: Mapping[str, Realised]) -> str:
    """The expression that `edges` fired as `join` asks; '' where there are none.

    all: every success edge and, where there are failure edges, one of them; any: one edge.
    """
    successes, failures = [], []
    for edge in dict.fromkeys(edges):
        node = realised[edge.source]
        if edge.outcome == "success":
            successes.append(node.succeeded)
        else:
            failures.append(node.failed)
    if join == "any":
        return either([*successes, *failures])
    return both([*successes, *([either(failures)] if failures else [])])


def both(terms: Sequence[str]) -> str:
    """The expression that all `terms` hold."""
    if len(terms) == 1:
        return terms[0]
    return " && ".join(_bracket(term, "||") for term in terms)


def either(terms: Sequence[str]) -> str:
    """The expression that one of `terms` holds."""
    if len(terms) == 1:
        return terms[0]
    return " || ".join(_bracket(term, "&&") for term in terms)


def _bracket(term: str, operator: str) -> str:
    """`term` in parentheses where an operator of the other kind stands outside all of its own."""
    depth = 0
    for before in term.split(operator)[:-1]:
        depth += before.count("(") - before.count(")")
        if not depth:
            return f"({term})"
    return term


def items_of_argument(parameter: str) -> str:
    """The keys of the items of a run's argument that is a list."""
    count = f"len(jsonpath(workflow.parameters['{parameter}'],'$'))"
    return tag(f"toJson(map(0..({count}-1), {{string(#)}}))")


def choices_of_argument(
    parameter: str, kind: str, values: Mapping[str, Any]
) -> dict[str, str] | None:
    """For each branch the expression that a run's argument (text or json) chooses it, and under ''
    that none does; None where Argo could not compare them as the runtime does."""
    given = list(values.values())
    if kind == "json" and all(isinstance(value, bool) for value in given):
        left = f"jsonpath(workflow.parameters['{parameter}'],'$')"
        texts = {label: str(value).lower() for label, value in values.items()}
    elif kind == "text" and all(
        isinstance(value, str) and re.fullmatch(r"[\w.-]+", value, re.ASCII) for value in given
    ):
        left = f"workflow.parameters['{parameter}']"
        texts = {label: f"'{value}'" for label, value in values.items()}
    else:
        return None
    found = {label: f"{left} == {text}" for label, text in texts.items()}
    found[""] = f"!({left} in [{','.join(texts.values())}])"
    return found


def choices_of_output(task: str, number: int, labels: Iterable[str]) -> dict[str, str]:
    """The same where `task` handed over the label, which knows the default too."""
    left = f"tasks['{task}'].outputs.parameters.hand{number}"
    return {label: f"{left} == '{label}'" for label in (*labels, "")}


def outputs_of(task: str, spec: Argo) -> str:
    """The outputs of a task by the parameters that they become: base64 of a JSON object, in which
    Argo replaces nothing."""
    own = [one["name"] for one in spec.template.get("outputs", {}).get("parameters", ())]
    members = []
    for name, output in spec.returns.items():
        is_result = output == RESULT and output not in own
        place = RESULT if is_result else f"parameters['{output}']"
        members.append(f"{json.dumps(name)}: tasks['{task}'].outputs.{place}")
    return tag(f"sprig.b64enc(toJson({{{', '.join(members)}}}))")


def tag(expression: str) -> str:
    """An expression as text that Argo replaces by its value."""
    return f"{{{{={expression}}}}}"
