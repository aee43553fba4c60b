"""Every file that a step gets from the catalog may have been put there by an earlier step."""

from __future__ import annotations

from collections.abc import Iterator

from argosy.runtime.suggestions import closest

from ..errors import Problem
from ..graph import Node, Task
from ..inspection.patterns import may_match
from .inspected import Inspected


def unmatched_get(path: str, node: Node, task: Task, inspected: Inspected) -> Iterator[Problem]:
    """A problem for each pattern of `get` that nothing before the step can match."""
    if not task.get or inspected.files.entering[path].open:
        return
    puts = inspected.files.names(path)
    for index, pattern in enumerate(task.get):
        if any(may_match(pattern, put) for put in puts):
            continue
        close = closest(pattern, puts)
        hint = f"did you mean '{close}'?" if close else _hint(pattern)
        message = f"step '{node.name}' gets '{pattern}', which no earlier step puts"
        yield Problem(message, node.place("catalog", "get", index), hint)


def _hint(pattern: str) -> str:
    return f"add it to an earlier step that writes it: catalog: {{put: ['{pattern}']}}"
