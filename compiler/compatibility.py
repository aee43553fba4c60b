"""What Magnus takes for granted, of a definition that was written for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from .compilation import Compilation
from .errors import Problem
from .graph import Graph, Node, Task
from .rewrite import rewrite
from .settings import every_node

DO_NOTHING = "do-nothing"
GROUPS = {
    *("executor", "run_log_store", "catalog", "secrets", "experiment_tracker", "integration"),
    *("nodes", "tasks", "pickler"),
    *("magnus.executor.BaseExecutor", "magnus.datastore.BaseRunLogStore"),
    *("magnus.catalog.BaseCatalog", "magnus.secrets.BaseSecrets"),
    *("magnus.integration.BaseIntegration", "magnus.nodes.BaseNode", "magnus.tasks.BaseTaskType"),
}
"""The groups of entry points by which Magnus and its earlier versions are extended."""
_MAGNUS = re.compile(r"magnus(?![-.\w])")


def adapt(compilation: Compilation) -> Compilation:
    """A compilation of a definition of Magnus's whose settings are known, with what Magnus takes
    for granted: a catalog `do-nothing` keeps nothing, steps share the project's directory, and
    every one may read every secret. Each is warned of."""
    if not compilation.pipeline.magnus:
        return compilation
    settings, warnings = compilation.settings, [*compilation.warnings, *_unused_extensions()]
    graph = compilation.pipeline.graph
    if settings.catalog.type == DO_NOTHING and settings.catalog.section is not None:
        users = [node.name for node in _tasks(graph) if node.spec.get or node.spec.put]
        if users:
            said = f"the catalog keeps nothing; these steps get or put files: {', '.join(users)}"
            warnings.append(
                settings.catalog.problem(said, hint="catalog: {type: file-system} keeps them")
            )
            graph = rewrite(graph, _without_files)
    executor = settings.executor
    if executor.type == "local" and "workdir" not in executor.config:
        said = "steps share the project's directory, as in Magnus, and see what others wrote there"
        hint = "executor: {type: local, config: {workdir: isolated}} gives each step its own"
        warnings.append(executor.problem(said, hint=hint))
        executor = executor._replace(config={**executor.config, "workdir": "shared"})
        settings = settings._replace(executor=executor)
    secrets = settings.secrets
    unnamed = [node.name for node in _tasks(graph) if not node.spec.secrets]
    if secrets.section is not None and secrets.type != DO_NOTHING and unnamed:
        said = f"every step may read every secret of '{secrets.type}', as in Magnus"
        hint = "name a step's secrets in the step, as in secrets: [TOKEN], and name the pipeline"
        warnings.append(secrets.problem(said, hint=hint))
        objects = secrets.config.get("objects")
        if isinstance(objects, dict):  # pods get those that their steps name
            graph = rewrite(graph, partial(_with_secrets, objects))
    pipeline = compilation.pipeline._replace(graph=graph)
    return compilation._replace(pipeline=pipeline, settings=settings, warnings=tuple(warnings))


def _unused_extensions() -> Iterator[Problem]:
    """A warning for each installed distribution that extends Magnus."""
    from importlib.metadata import distributions

    for distribution in distributions():
        groups = sorted({point.group for point in distribution.entry_points} & GROUPS)
        if groups and any(_MAGNUS.match(required) for required in distribution.requires or ()):
            name = distribution.metadata["Name"]
            said = f"the distribution {name} extends Magnus ({', '.join(groups)}) and is not used"
            yield Problem(said, hint="docs/integrations.md shows how Argosy is extended")


def _tasks(graph: Graph) -> Iterator[Any]:
    return (node for _, node in every_node(graph) if isinstance(node.spec, Task))


def _without_files(node: Node) -> Node:
    spec = node.spec
    return node._replace(spec=spec._replace(get=(), put=())) if isinstance(spec, Task) else node


def _with_secrets(objects: Mapping[str, Any], node: Node) -> Node:
    spec = node.spec
    if not isinstance(spec, Task) or spec.secrets:
        return node
    return node._replace(spec=spec._replace(secrets=dict.fromkeys(objects)))
