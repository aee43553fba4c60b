"""`check`: what is wrong with a graph that reads well, all of it at once.

One check a module, each a function of one graph; `CHECKS` is their order.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Problem
from ..graph import Graph, Pipeline
from .cycles import cycles
from .misspelt import misspelt
from .never import never
from .omitted import omitted
from .reachable import reachable
from .returns import returns
from .unconditional_fail import unconditional_fail
from .unknown_item import unknown_item

CHECKS = (cycles, reachable, never)
WARNINGS = (returns, unconditional_fail)


def check(pipeline: Pipeline, alone: bool = True) -> tuple[list[Problem], list[Problem]]:
    """The problems of a pipeline, and the warnings. Where parsing found problems (not `alone`), an
    edge may be missing, and only what a missing edge cannot cause is looked for."""
    graphs = list(every_graph(pipeline.graph))
    finders = CHECKS if alone else (cycles,)
    problems = [problem for graph in graphs for find in finders for problem in find(graph)]
    problems += unknown_item(pipeline)
    warnings = [problem for graph in graphs for find in WARNINGS for problem in find(graph)]
    return problems, [*warnings, *misspelt(pipeline)]


def cautions(pipeline: Pipeline) -> list[Problem]:
    """What may surprise, and only `argosy check` reports: the definition may mean it."""
    return [problem for graph in every_graph(pipeline.graph) for problem in omitted(graph)]


def every_graph(graph: Graph) -> Iterator[Graph]:
    """`graph` and all graphs inside it."""
    stack = [graph]
    while stack:
        current = stack.pop()
        yield current
        for node in current.nodes.values():
            stack.extend(inner for _, inner in node.graphs())
