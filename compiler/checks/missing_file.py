"""The notebook that a step runs, and the scripts that its command names, exist."""

from __future__ import annotations

from collections.abc import Iterator

from argosy.runtime.patterns import matcher, with_any_item

from ..errors import Problem
from ..graph import Node, Task
from ..inspection.scripts import scripts
from .inspected import Inspected, severity


def missing_file(path: str, node: Node, task: Task, inspected: Inspected) -> Iterator[Problem]:
    """A problem for each file of the project that is not there and that the step does not get from
    the catalog; a warning where only the image need have it."""
    if task.command_type == "notebook":
        names = [task.command]
    elif task.command_type == "shell":
        names = scripts(task.command)
    else:
        return
    for name in names:
        if name.startswith("/") or inspected.code.path(name) or _brought(name, task):
            continue
        message = f"step '{node.name}' runs {name}, which does not exist"
        hint = "the path is relative to the folder that the run starts in"
        if not inspected.here:
            hint += "; if only the image has it, ignore this"
        yield Problem(message, node.place("command"), hint, severity(inspected.here))


def _brought(name: str, task: Task) -> bool:
    plain = name.removeprefix("./")
    return any(matcher(with_any_item(pattern)).match(plain) for pattern in task.get)
