"""What a catalog pattern has in braces is the item of a map, or the index of a loop, around it."""

from __future__ import annotations

from collections.abc import Iterator

from argosy.runtime.patterns import items_named
from argosy.runtime.suggestions import nearest

from ..errors import Problem
from ..graph import Graph, Loop, Map, Node, Pipeline, Task


def unknown_item(pipeline: Pipeline) -> Iterator[Problem]:
    """A problem for each name in braces that no map or loop around the step gives."""
    stack: list[tuple[Graph, tuple[str, ...]]] = [(pipeline.graph, ())]
    while stack:
        graph, known = stack.pop()
        for node in graph.nodes.values():
            spec = node.spec
            if isinstance(spec, Task):
                yield from _unknown(node, spec, known)
            inner = (spec.iterate_as,) if isinstance(spec, (Map, Loop)) and spec.iterate_as else ()
            stack.extend((branch, (*known, *inner)) for _, branch in node.graphs())


def _unknown(node: Node, task: Task, known: tuple[str, ...]) -> Iterator[Problem]:
    for field, patterns in (("get", task.get), ("put", task.put)):
        for index, pattern in enumerate(patterns):
            for name in items_named(pattern):
                if name not in known:
                    message = f"'{{{name}}}' in catalog pattern '{pattern}' is not an item of a map"
                    hint = f"write {{{{{name}}}}} if the braces are part of the name"
                    hint = f"{nearest(name, known)} Or {hint}" if known else hint
                    yield Problem(message, node.place("catalog", field, index), hint)
