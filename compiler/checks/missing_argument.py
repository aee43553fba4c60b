"""Every argument of a step's function has a value."""

from __future__ import annotations

from collections.abc import Iterator

from argosy.runtime.suggestions import nearest

from ..errors import Problem
from ..graph import Node, Task
from ..inspection import functions
from ..inspection.functions import Function
from .inspected import Inspected, code_place, severity


def missing_argument(path: str, node: Node, task: Task, inspected: Inspected) -> Iterator[Problem]:
    """A problem for each argument without a default that no parameter, no map or loop around the
    step and no step before it supplies."""
    target = inspected.code.target(task.command) if task.command_type == "python" else None
    if not isinstance(target, Function):
        return
    for argument in functions.required(target):
        name = argument.arg
        if inspected.supplies.has(path, name):
            continue
        where = code_place(target.module.file, argument.lineno)
        message = (
            f"{task.command}() takes '{name}' ({where}), which is not a parameter of the pipeline "
            "and is returned by no earlier step"
        )
        close = nearest(name, inspected.supplies.names(path))
        hint = close if close.startswith("did you mean") else _hint(name, inspected)
        yield Problem(message, node.place("command"), hint, severity(inspected.complete))


def _hint(name: str, inspected: Inspected) -> str:
    ways = [f"give '{name}' a default in the function", "declare it under parameters"]
    ways.append("return it from an earlier step")
    if not inspected.complete:
        ways.append(f"start the run with -p {name}=...")
    return ", or ".join([", ".join(ways[:-1]), ways[-1]])
