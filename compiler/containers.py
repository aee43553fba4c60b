"""What the local launcher needs of Docker: the plan's member `containers` (docs/container.md)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from argosy.runtime.errors import NodeError
from argosy.runtime.executors.container import LocalContainerExecutor
from argosy.runtime.service import Option, configure

from .compilation import Compilation
from .errors import Problem
from .extras import needed, requirements
from .graph import Task
from .settings import every_node, override_of

BASE = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
"""What an image made here begins with: the Python that the project is known to work with."""
BUILD = {
    "context": Option("string", ".", "the project's folder; a relative one is in the working one"),
    "dockerfile": Option("string", None, "relative to context; none: Dockerfile, or one is made"),
    "base": Option("string", None, "the image that a Dockerfile made here begins with"),
}


def container_plan(compilation: Compilation, build: bool) -> dict[str, Any]:
    """`default`: what a container has, None where no step has just that; `steps`: by a step's path,
    where it overrides any of that or has an image of its own;
    `own`: the image that --build makes where none is configured; `secret_files`: by file, the
    variable with the secret that is handed over; `build`: what is built first."""
    executor, own = _executor(compilation), own_image(compilation.pipeline.name)
    nodes = every_node(compilation.pipeline.graph)
    tasks = [(path, node) for path, node in nodes if isinstance(node.spec, Task)]
    own_way = {
        path: node for path, node in tasks if node.spec.image or path in compilation.settings.steps
    }
    found: dict[str, Any] = {
        "default": container_of(compilation) if len(own_way) < len(tasks) else None,
        "steps": {path: container_of(compilation, node) for path, node in own_way.items()},
        "own": own,
        "secret_files": dict(executor.secret_files),
    }
    if build:
        given = configure("build", BUILD, executor.config["build"])
        found["build"] = {
            "image": container_of(compilation)["image"],
            "context": str(Path(given["context"]).expanduser().resolve()),
            "dockerfile": given["dockerfile"],
            "base": given["base"] or BASE,
            "requires": requires(compilation),
        }
    return found


def container_of(compilation: Compilation, node: Any = None) -> dict[str, Any]:
    """The container of a node, or, without one, that of those that override nothing. Raises
    NodeError."""
    override = override_of(compilation.settings.executor, node) if node else {}
    found = _executor(compilation).container(override)
    image = (node and node.spec.image) or found["image"]
    return {**found, "image": image or own_image(compilation.pipeline.name)}


def check_containers(compilation: Compilation) -> Iterator[Problem]:
    """What is wrong with the options of a container, and with those that steps override."""
    declared = compilation.settings.executor
    executor = LocalContainerExecutor(declared.config)
    try:
        configure("build", BUILD, executor.config["build"])
    except NodeError as error:
        yield declared.problem(str(error), ["build"])
    for _, node in every_node(compilation.pipeline.graph):
        if override := override_of(declared, node):
            try:
                executor.container(override)
            except NodeError as error:
                yield Problem(f"overrides of step '{node.name}': {error}", node.at)


def own_image(pipeline: str) -> str:
    """The image that --build makes where none is configured. No registry has it.

    >>> own_image("Churn model")
    'localhost/argosy-churn-model:latest'
    """
    slug = re.sub("[^a-z0-9]+", "-", pipeline.lower()).strip("-") or "pipeline"
    return f"localhost/argosy-{slug}:latest"


def requires(compilation: Compilation) -> list[str]:
    """What an image needs beside Argosy and the project for the pipeline."""
    return requirements(needed(compilation))


def _executor(compilation: Compilation) -> LocalContainerExecutor:
    if not isinstance(compilation.executor, LocalContainerExecutor):
        raise TypeError("not compiled for containers")
    return compilation.executor
