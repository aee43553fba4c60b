"""The executor `mocked`: every task is a stub, but those that `patches` gives another command.

For testing a pipeline's shape: it then runs on this machine. `patches: {step: {command,
command_type}}`; a step is named as in the definition, wherever in the graph it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import SettingsError, nearest
from .graph import (
    Approval,
    Argo,
    Conditional,
    Dag,
    Graph,
    Loop,
    Map,
    Node,
    Parallel,
    Spec,
    Stub,
    Task,
)
from .settings import Declared, every_node
from .trampoline import Steps, run

PATCH = "command", "command_type"


def mock(graph: Graph, executor: Declared) -> Graph:
    """`graph` with its tasks mocked. Raises SettingsError for a patch of no task."""
    patches: Mapping[str, Any] = executor.config.get("patches") or {}
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
        elif not isinstance(patch, dict) or not patch.get("command") or set(patch) - {*PATCH}:
            hint = "{command: ..., command_type: python or shell}"
            problems.append(executor.problem(f"the patch of '{name}' is no command", at, hint))
    if problems:
        raise SettingsError(problems)
    return run(_graph(graph, patches))


def _graph(graph: Graph, patches: Mapping[str, Any]) -> Steps[Graph]:
    nodes: dict[str, Node] = {}
    for name, node in graph.nodes.items():
        spec = yield _spec(node, patches)
        nodes[name] = node._replace(spec=spec)
    return graph._replace(nodes=nodes)


def _spec(node: Node, patches: Mapping[str, Any]) -> Steps[Spec]:
    spec = node.spec
    if isinstance(spec, Approval):
        return Stub()
    if isinstance(spec, Task):
        patch = patches.get(node.name)
        if patch is None:
            return Stub()
        # A container has an image and words, which a patch does not give.
        kind = "python" if spec.image else spec.command_type
        return Task(patch["command"], patch.get("command_type", kind), spec.returns)
    if isinstance(spec, Argo):
        return Stub()
    if isinstance(spec, (Parallel, Conditional)):
        branches = {}
        for label, branch in spec.branches.items():
            branches[label] = yield _graph(branch, patches)
        return spec._replace(branches=branches)
    if isinstance(spec, Loop):
        branch = yield _graph(spec.branch, patches)
        if any(isinstance(node.spec, Task) for _, node in every_node(branch)):
            return spec._replace(branch=branch)
        return Dag(branch)  # once round: nothing is left in it that could end it
    if isinstance(spec, (Map, Dag)):
        branch = yield _graph(spec.branch, patches)
        return spec._replace(branch=branch)
    return spec
