"""Approvals: tasks that are suspended until someone resumes them, and need no pod.

`argo resume` is a yes. `argo stop --node-field-selector displayName=NAME` is a no: the engine has
the node fail. When a suspended node's time is over the engine resumes it too, and it knows no other
timeout there: so where the node took its whole time, a task after it fails.
"""

from __future__ import annotations

import math
from typing import Any

from argosy.runtime.workflow import STEP

from ..errors import ManifestError, Problem
from ..graph import Approval, Node
from .expressions import tag
from .leaves import Work
from .shared import Shared

Json = dict[str, Any]


def approval(shared: Shared, at: str, node: Node) -> Work:
    """What the task at the path `at` calls, to wait. The engine's pages show the message among its
    inputs. Raises ManifestError for a message that the engine would change."""
    spec = _spec(node)
    if "{{" in spec.message:
        message = f"the message of '{node.name}' has '{{{{', which Argo would replace"
        raise ManifestError([Problem(message, node.at, "put a blank between the braces")])
    arguments = {"message": spec.message}
    if spec.timeout is not None:
        arguments["seconds"] = str(math.ceil(spec.timeout))
    timed = spec.timeout is not None
    if timed not in shared.waits:
        shared.waits[timed] = {
            "name": shared.names.count("approval-timeout" if timed else "approval"),
            "inputs": {"parameters": [{"name": name} for name in arguments]},
            "suspend": {"duration": "{{inputs.parameters.seconds}}"} if timed else {},
        }
    return Work(shared.waits[timed]["name"], {STEP: at, **arguments})


def late(task: str, node: Node) -> str:
    """The expression that nobody resumed the task in time: it took as long as it was given. The
    engine keeps times in whole seconds."""
    ended, began = (f"date(tasks['{task}'].{moment}At)" for moment in ("finished", "started"))
    return tag(f"{ended} - {began} >= duration('{math.ceil(_spec(node).timeout or 0)}s')")


def _spec(node: Node) -> Approval:
    if not isinstance(node.spec, Approval):
        raise TypeError(f"{node.name} is no approval")
    return node.spec
