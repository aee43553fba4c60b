"""Variables in engine text, `{{...}}`: those that look like one of Argo's and are none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from argosy.runtime.suggestions import closest

from ..options.readers import Fault, Path

VARIABLE = re.compile(r"\{\{\s*([A-Za-z][\w-]*)((?:\.[\w-]+)*)\s*\}\}")
ROOTS = frozenset(
    ("cronworkflow", "duration", "exitCode", "inputs", "item", "lastRetry", "node", "outputs")
) | {"pod", "resourcesDuration", "retries", "status", "steps", "tasks", "workflow"}
MEMBERS: Mapping[str, frozenset[str]] = {
    "inputs": frozenset(["artifacts", "parameters"]),
    "lastRetry": frozenset(["duration", "exitCode", "message", "status"]),
    "node": frozenset(["name"]),
    "outputs": frozenset(["artifacts", "exitCode", "parameters", "result"]),
    "pod": frozenset(["name"]),
    "workflow": frozenset(
        ("annotations", "creationTimestamp", "cronScheduleTime", "duration", "failures", "labels")
    )
    | {"mainEntrypoint", "name", "namespace", "outputs", "parameters", "priority", "scheduledTime"}
    | {"serviceAccountName", "status", "uid"},
}
"""What may follow a root; after any other root anything may."""


def unknown_variables(value: Any, path: Path = ()) -> Iterator[Fault]:
    """A fault for each variable in the texts of `value` that is nearly one of Argo's. Any other may
    be another program's."""
    stack: list[tuple[Path, Any]] = [(path, value)]
    while stack:
        at, found = stack.pop()
        if isinstance(found, Mapping):
            stack += [((*at, key), one) for key, one in found.items()]
        elif isinstance(found, (list, tuple)):
            stack += [((*at, index), one) for index, one in enumerate(found)]
        elif isinstance(found, str) and "{{" in found:
            for match in VARIABLE.finditer(found):
                if meant := _meant(match[1], match[2][1:].split(".")):
                    message = f"Argo has no variable '{match[1]}{match[2]}'"
                    yield Fault(at, message, f"did you mean '{{{{{meant}}}}}'?")


def _meant(root: str, rest: list[str]) -> str:
    """The variable that is nearly this one; '' where it is one, or nearly none."""
    if root not in ROOTS:
        close = closest(root, ROOTS)
        return ".".join([close, *filter(None, rest)]) if close else ""
    if root not in MEMBERS or rest[0] in MEMBERS[root]:
        return ""
    close = closest(rest[0], MEMBERS[root])
    return ".".join([root, close, *rest[1:]]) if close else ""
