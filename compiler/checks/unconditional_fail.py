"""A `fail` beside other steps should be reached by one of them."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Problem
from ..graph import Fail, Graph


def unconditional_fail(graph: Graph) -> Iterator[Problem]:
    """A warning for each `fail` step that other steps stand beside and none leads to. One that is
    alone, as in a branch of a conditional, is meant to fail its graph."""
    for name, node in graph.nodes.items() if len(graph.nodes) > 1 else ():
        if isinstance(node.spec, Fail) and not node.incoming:
            hint = "give it depends_on, or name it in an on_failure"
            message = f"step '{name}' always fails its graph: no step leads to it"
            yield Problem(message, node.at, hint)
