"""A parameter that a node asks for by name should be one that the pipeline has.

A step may set parameters that no definition names, so a name that nobody declared is no error; one
that is nearly another is likely to be meant for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from argosy.runtime.suggestions import closest

from ..errors import Problem
from ..graph import Argo, Conditional, Dag, Graph, Loop, Map, Node, Pipeline
from .returns import returned

NEARLY = 0.8
"""How much of two names is the same (difflib): of `regoins` and `regions`, not `row` and `rate`."""


def misspelt(pipeline: Pipeline) -> Iterator[Problem]:
    """Warn of each name that a step reads, that is not declared, and that is similar to a declared
    one. The item of a map and the index of a loop are known only inside it."""
    known = dict.fromkeys(sorted({*pipeline.parameters, *returned(pipeline.graph)}))
    stack: list[tuple[Graph, tuple[str, ...]]] = [(pipeline.graph, ())]
    while stack:
        graph, entering = stack.pop()
        for node in graph.nodes.values():
            for name in asked(node):
                close = ""
                if name not in known and name not in entering:
                    close = closest(name, [*entering, *known], NEARLY)
                if close:
                    said = f"step '{node.name}' uses parameter '{name}', which is not declared"
                    yield Problem(said, node.at, f"did you mean '{close}'?")
            inside = entering
            if isinstance(node.spec, (Map, Loop)) and node.spec.iterate_as:
                inside = (*entering, node.spec.iterate_as)
            stack.extend((inner, inside) for _, inner in node.graphs())


def asked(node: Node) -> Iterable[str]:
    """The parameters that a node names and does not set."""
    match node.spec:
        case Map():
            return [node.spec.iterate_on]
        case Conditional():
            return [node.spec.parameter]
        case Loop():
            return [node.spec.break_on]
        case Dag():
            return [*(node.spec.inputs or ()), *(node.spec.outputs or ())]
        case Argo():
            return node.spec.handed.values()
    return ()
