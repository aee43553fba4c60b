"""A parameter that a node asks for by name should be one that the pipeline has.

A step may set parameters that no definition names, so a name that nobody declared is no error; one
that is nearly another is likely to be meant for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import Problem
from ..graph import Argo, Conditional, Dag, Graph, Loop, Map, Node, Pipeline
from .returns import declared

NEARLY = 0.8
"""How much of two names is the same (difflib): of `regoins` and `regions`, not `row` and `rate`."""


def misspelt(pipeline: Pipeline, graphs: Iterable[Graph]) -> Iterator[Problem]:
    """A warning for each name that is asked for, is nobody's, and is nearly somebody's."""
    nodes = [node for graph in graphs for node in graph.nodes.values()]
    entering = (node.spec.iterate_as for node in nodes if isinstance(node.spec, (Map, Loop)))
    known = {*pipeline.parameters, *declared(pipeline.graph), *filter(None, entering)}
    for node in nodes:
        for name in asked(node):
            if name not in known and (close := _nearly(name, known)):
                message = f"step '{node.name}' asks for parameter '{name}', which nobody declares"
                yield Problem(message, node.at, f"did you mean '{close}'?")


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


def _nearly(name: str, known: Iterable[str]) -> str:
    import difflib  # where a name is unknown only

    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=NEARLY)), "")
