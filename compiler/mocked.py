"""The executor `mocked`: every task is a stub, but those that `patches` gives another command.

For testing a pipeline's shape: it then runs on this machine. `patches: {step: {command,
command_type}}`; a step is named as in the definition, wherever in the graph it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from argosy.runtime.suggestions import nearest

from .errors import SettingsError
from .graph import Approval, Argo, Dag, Graph, Loop, Node, Stub, Task
from .parse.fields import name_of
from .rewrite import rewrite
from .settings import Declared, every_node

PATCH = "command", "command_type"
PATCH_FORM = "{command: ..., command_type: python or shell}"


def mock(graph: Graph, executor: Declared) -> Graph:
    """`graph` with its tasks mocked. Raises SettingsError for a patch of no task."""
    patches = executor.config.get("patches") or {}
    if not isinstance(patches, dict):
        message = f"patches takes a mapping of steps to commands, not {name_of(patches)}"
        raise SettingsError([executor.problem(message, ["patches"], PATCH_FORM)])
    tasks = {node.name for _, node in every_node(graph) if isinstance(node.spec, Task)}
    problems = [
        executor.problem(f"mocked has no option '{name}'", [name], "its option is patches")
        for name in executor.config
        if name not in ("patches", "overrides")
    ]
    for name, patch in patches.items():
        at = ["patches", name]
        if name not in tasks:
            problems.append(executor.problem(f"no task '{name}'", at, nearest(name, tasks)))
        elif not _is_patch(patch):
            message = f"the patch of '{name}' is not a command"
            problems.append(executor.problem(message, at, PATCH_FORM))
    if problems:
        raise SettingsError(problems)
    return rewrite(graph, lambda node: _mocked(node, patches))


def _is_patch(patch: Any) -> bool:
    if not isinstance(patch, dict) or set(patch) - {*PATCH}:
        return False
    command = patch.get("command")
    known = patch.get("command_type", "python") in ("python", "shell", "notebook")
    return isinstance(command, str) and bool(command.strip()) and known


def _mocked(node: Node, patches: Mapping[str, Any]) -> Node:
    spec = node.spec
    if isinstance(spec, Task) and node.name in patches:
        patch = patches[node.name]
        # A container has an image and words, which a patch does not give.
        kind = patch.get("command_type", "python" if spec.image else spec.command_type)
        return node._replace(spec=Task(patch["command"], kind, spec.returns))
    if isinstance(spec, (Approval, Argo, Task)):
        return node._replace(spec=Stub())
    if isinstance(spec, Loop) and not any(
        isinstance(inner.spec, Task) for _, inner in every_node(spec.branch)
    ):
        return node._replace(spec=Dag(spec.branch))  # once round: nothing in it could end it
    return node
