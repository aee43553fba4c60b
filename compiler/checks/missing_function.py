"""The functions that a Python task and the reducers of a map name exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from argosy.runtime.suggestions import nearest

from ..errors import Position, Problem
from ..graph import Map, Node, Task
from ..inspection.functions import NoFunction
from ..inspection.modules import Broken, Missing
from .inspected import Inspected, code_place, severity


class Named(NamedTuple):
    """A function as `module.function`, what names it, and how a command that does is written."""

    command: str
    at: Position
    step: str
    purpose: str = ""
    form: str = "the command of a Python step is module.function"


def missing_function(path: str, node: Node, task: Task, inspected: Inspected) -> Iterator[Problem]:
    """A problem where the project has no such module or function, or one that cannot be parsed. A
    module that is not found at all may be in the image: that is a warning."""
    if task.command_type == "python":
        named = Named(task.command, node.place("command"), node.name)
        yield from _missing(named, inspected)


def missing_reducer(node: Node, spec: Map, inspected: Inspected) -> Iterator[Problem]:
    """The same of the functions among a map's reducers."""
    for name, reducer in spec.reducers.items():
        if ":" in reducer:
            at, purpose = node.place("reducers", name), f" as the reducer of '{name}'"
            form = "a reducer is module:function"
            named = Named(reducer.replace(":", "."), at, node.name, purpose, form)
            yield from _missing(named, inspected)


def _missing(named: Named, inspected: Inspected) -> Iterator[Problem]:
    found, step = inspected.code.target(named.command), f"step '{named.step}'"
    if isinstance(found, NoFunction):
        where = code_place(found.module.file, found.line)
        message = f"{where} has no function '{found.name}', which {step} runs{named.purpose}"
        if found.line:
            message = (
                f"{step} runs '{found.name}'{named.purpose}, which is not a function ({where})"
            )
        known = [name for name in found.module.functions if name != found.name]
        hint = nearest(found.name, known) or f"define it: def {found.name}():"
        yield Problem(message, named.at, hint)
    elif isinstance(found, Missing) and found.name not in inspected.missing:
        inspected.missing.add(found.name)
        yield _no_module(found, named, inspected)
    elif isinstance(found, Broken):
        where = code_place(found.file, found.line)
        message = f"{step} cannot be imported: {where}: {found.message}"
        if named.purpose:
            message = (
                f"what {step} runs{named.purpose} cannot be imported: {where}: {found.message}"
            )
        hint = "another version of Python may read it" if not inspected.here else ""
        yield Problem(message, named.at, hint, severity(inspected.here))


def _no_module(found: Missing, named: Named, inspected: Inspected) -> Problem:
    step = f"step '{named.step}'"
    if found.parent:
        message = f"{step} needs module '{found.name}', which '{found.parent}' lacks"
        return Problem(message, named.at, named.form)
    message = f"{step} needs module '{found.name}', which is neither here nor installed"
    hint = "run from the folder that contains it, or install it"
    if not inspected.here:
        hint = "check from the folder that contains it; if only the image has it, ignore this"
    return Problem(message, named.at, hint, severity(inspected.here))
