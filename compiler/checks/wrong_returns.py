"""A step's `returns` can match what its function returns."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Problem
from ..graph import Node, Task
from ..inspection import functions
from ..inspection.functions import Function, Returned
from .inspected import Inspected, code_place, severity


def wrong_returns(path: str, node: Node, task: Task, inspected: Inspected) -> Iterator[Problem]:
    """A problem where no `return` of the function can give what `returns` names; a warning for one
    of several that cannot."""
    target = inspected.code.target(task.command) if task.command_type == "python" else None
    if not isinstance(target, Function):
        return
    found = functions.returns(target)
    at = node.place("returns") if task.returns else node.place("command")
    where = code_place(target.module.file, target.node.lineno)
    if found.generator:
        message = f"{task.command}() is a generator ({where}), which a step does not run"
        yield Problem(message, at, "use return, not yield")
        return
    set_ = inspected.code.usage(task).sets
    names = [name for name in task.returns if name not in set_.names]
    if not names or set_.open:
        return
    if not found.values:
        if len(names) > 1 and not found.leaves:
            message = f"{task.command}() returns nothing ({where}); `returns` names {_list(names)}"
            hint = f'return {{"{names[0]}": ..., ...}}, or remove returns'
            yield Problem(message, at, hint)
        return
    wrong = [(one, said) for one in found.values if (said := _mismatch(one, names, task.returns))]
    certain = len(wrong) == len(found.values) and not found.leaves
    for returned, (given, hint) in wrong:
        place = code_place(target.module.file, returned.line)
        message = (
            f"{task.command}() returns {given} ({place}); `returns` names {_list(task.returns)}"
        )
        yield Problem(message, at, hint, severity(certain))


def _mismatch(
    returned: Returned, names: list[str], declared: tuple[str, ...]
) -> tuple[str, str] | None:
    """What a `return` gives that cannot be what is declared, and what to do; None where it can."""
    if returned.keys is not None:
        lacking = [name for name in names if name not in returned.keys]
        if not lacking:
            return None
        keys = _list(sorted(returned.keys))
        said = f"a dict with the keys {keys}" if returned.keys else "an empty dict"
        return said, f'add "{lacking[0]}" to the dict, or correct returns'
    if len(declared) < 2:
        return None
    if returned.length is not None and returned.length != len(declared):
        values = "value" if returned.length == 1 else "values"
        said = f"a tuple of {returned.length} {values}"
        return said, "a tuple is read in the order of returns, so their lengths must be equal"
    if returned.plain:
        return "a single value", "return a dict of these names, or a tuple in this order"
    return None


def _list(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)
