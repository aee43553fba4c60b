"""Steps that are omitted although the failure before them is handled."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Problem
from ..graph import Fail, Graph, Node


def omitted(graph: Graph) -> Iterator[Problem]:
    """A warning for each step that depends on one with a handler and does not run after the handler
    has. In the chain form that is what a handler that leads elsewhere is for."""
    if graph.form != "edge":
        return
    failing = {
        edge.source
        for node in graph.nodes.values()
        if isinstance(node.spec, Fail)
        for edge in node.incoming
    }
    for node in graph.nodes.values():
        sources = [edge.source for edge in node.incoming if edge.outcome == "success"]
        for source in sources if node.join == "all" else ():
            handler = graph.nodes[source].handler
            if handler is None or handler == node.name or handler in failing:
                continue
            if not isinstance(graph.nodes[handler].spec, Fail):
                yield _warning(node, source, handler, alone=len(sources) == 1)


def _warning(node: Node, source: str, handler: str, alone: bool) -> Problem:
    either = f"depends_on: {{any: [{source}, {handler}]}}"
    hint = f"{either} runs it after either of them"
    if not alone:
        hint = f"depend on a stub with {either} instead of '{source}' to run it after either"
    message = (
        f"step '{node.name}' is omitted if '{source}' fails, although '{handler}' handles that"
    )
    return Problem(message, node.place("depends_on"), hint, "warning")
