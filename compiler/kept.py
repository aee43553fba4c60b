"""Stubs in the place of steps that succeeded, when a run goes on from another.

Magnus does not run a step again that succeeded, whatever is in its place now, and what it left
stays. A stub of Argosy's leaves what it was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .compilation import Compilation
from .graph import ITERATION, Node, Stub, Task
from .phases import lower
from .rewrite import rewrite
from .settings import every_node


def keep_stubs(compilation: Compilation, succeeded: Iterable[str]) -> Compilation:
    """A compilation of a definition of Magnus's whose stubs count as the steps that `succeeded` in
    the run that it goes on from, paths with the indexes of iterations."""
    graph, done = compilation.pipeline.graph, "\n".join(succeeded)
    stubs = [(path, node) for path, node in every_node(graph) if isinstance(node.spec, Stub)]
    kept = {id(node) for path, node in stubs if re.search(_pattern(path), done, re.MULTILINE)}
    if not kept or not compilation.pipeline.magnus:
        return compilation

    def change(node: Node) -> Node:
        if id(node) not in kept:
            return node
        return node._replace(spec=Task(":", "shell", kept=True))

    pipeline = compilation.pipeline._replace(graph=rewrite(graph, change))
    return lower(compilation._replace(pipeline=pipeline))


def _pattern(path: str) -> str:
    """What the paths of a step's instances match."""
    parts = ("[^/]+" if part == ITERATION else re.escape(part) for part in path.split("/"))
    return f"^{'/'.join(parts)}$"
