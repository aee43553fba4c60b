"""The function that a Python task names exists."""

from __future__ import annotations

from collections.abc import Iterator

from argosy.runtime.suggestions import nearest

from ..errors import Problem
from ..graph import Node, Task
from ..inspection.functions import NoFunction
from ..inspection.modules import Broken, Missing
from .inspected import Inspected, code_place, severity


def missing_function(path: str, node: Node, task: Task, inspected: Inspected) -> Iterator[Problem]:
    """A problem where the project has no such module or function, or one that cannot be parsed. A
    module that is not found at all may be in the image: that is a warning."""
    if task.command_type != "python":
        return
    command, at = task.command, node.place("command")
    found = inspected.code.target(command)
    if isinstance(found, NoFunction):
        where = code_place(found.module.file, found.line)
        message = f"{where} has no function '{found.name}', which step '{node.name}' runs"
        if found.line:
            message = f"step '{node.name}' runs '{found.name}', which is not a function ({where})"
        known = [name for name in found.module.functions if name != found.name]
        hint = nearest(found.name, known) or f"define it: def {found.name}():"
        yield Problem(message, at, hint)
    elif isinstance(found, Missing) and found.name not in inspected.missing:
        inspected.missing.add(found.name)
        yield _no_module(found, node, inspected)
    elif isinstance(found, Broken):
        where = code_place(found.file, found.line)
        message = f"step '{node.name}' cannot be imported: {where}: {found.message}"
        hint = "another version of Python may read it" if not inspected.here else ""
        yield Problem(message, at, hint, severity(inspected.here))


def _no_module(found: Missing, node: Node, inspected: Inspected) -> Problem:
    at = node.place("command")
    if found.parent:
        message = f"step '{node.name}' needs module '{found.name}', which '{found.parent}' lacks"
        return Problem(message, at, "the command of a Python step is module.function")
    message = f"step '{node.name}' needs module '{found.name}', which is neither here nor installed"
    hint = "run from the folder that contains it, or install it"
    if not inspected.here:
        hint = "check from the folder that contains it; if only the image has it, ignore this"
    return Problem(message, at, hint, severity(inspected.here))
