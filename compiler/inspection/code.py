"""The code of a pipeline's steps: what each task's may set, read and keep, found once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..graph import Task
from . import functions, usage
from .functions import Function
from .modules import Modules
from .usage import ANYTHING, Names, Usage


class Code:
    """`roots` are the folders that stand for a step's working folder."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self.modules = Modules(roots)
        self._targets: dict[str, functions.Target] = {}
        self._usages: dict[tuple[str, str], Usage] = {}

    def target(self, command: str) -> functions.Target:
        """What the command of a Python task names."""
        if command not in self._targets:
            self._targets[command] = functions.target(command, self.modules)
        return self._targets[command]

    def usage(self, task: Task) -> Usage:
        """What a task's code may set, read and keep beyond what its step declares."""
        module = task.command.rpartition(".")[0] if task.command_type == "python" else task.command
        key = task.command_type, module
        if key not in self._usages:
            self._usages[key] = self._used(task, module)
        found = self._usages[key]
        return found | Usage(*self._of_function(task)) if task.command_type == "python" else found

    def _used(self, task: Task, module: str) -> Usage:
        if task.command_type == "python":
            return usage.of_module(module, self.modules)
        if task.command_type == "shell":
            return usage.of_script(task.command)
        if task.command_type == "notebook":
            path = self.path(task.command)
            return ANYTHING if path is None else usage.of_notebook(path)
        return Usage(reads=Names(open=True))

    def _of_function(self, task: Task) -> tuple[Names, Names]:
        """What the function of a task returns without `returns`, and its arguments."""
        target = self.target(task.command)
        if isinstance(target, Function):
            more = target.node.args.kwarg is not None
            taken = Names(frozenset(functions.names(target)), more)
            return Names() if task.returns else _returned(target), taken
        unknown = Names(open=True)
        return Names() if task.returns else unknown, unknown

    def path(self, name: str) -> Path | None:
        """The file of the project with this relative path."""
        paths = (root / name for root in self.modules.roots)
        return next(filter(Path.exists, paths), None)


def _returned(function: Function) -> Names:
    """The names that a function returns where its step has no `returns`."""
    found = functions.returns(function)
    known = [one.keys for one in found.values if one.keys is not None]
    unknown = any(not one.known for one in found.values)
    return Names(frozenset().union(*known), unknown)
