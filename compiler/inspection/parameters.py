"""The parameters that a pipeline knows: those that it declares, and those that anything in it
reads or sets."""

from __future__ import annotations

from ..graph import Argo, Conditional, Dag, Graph, Loop, Map, Node, Pipeline, Stub, Task
from .code import Code
from .usage import Names

PLAIN_FIELDS = frozenset(["depends_on", "description", "next", "on_failure", "overrides", "type"])
"""The fields of a stub that say nothing of the step that it stands for."""


def known(pipeline: Pipeline, code: Code) -> Names:
    """The names of all parameters that a run can be given to some effect. They are `open` where a
    step may read names that its code does not show. A map's item and a loop's index hide a
    parameter of the same name from the steps inside."""
    found = Names(frozenset(pipeline.parameters))
    stack: list[tuple[Graph, frozenset[str]]] = [(pipeline.graph, frozenset())]
    while stack:
        graph, hidden = stack.pop()
        for node in graph.nodes.values():
            names = _of_node(node, code)
            found |= names._replace(names=names.names - hidden)
            item = node.spec.iterate_as if isinstance(node.spec, (Map, Loop)) else None
            inside = hidden | {item} if item else hidden
            stack.extend((branch, inside) for _, branch in node.graphs())
    return found


def _of_node(node: Node, code: Code) -> Names:
    match node.spec:
        case Task() as task:
            usage = code.usage(task)
            return usage.sets._replace(open=False) | usage.reads | Names(frozenset(task.returns))
        case Map() as spec:
            return Names(frozenset([spec.iterate_on, *spec.reducers]))
        case Loop() as spec:
            return Names(frozenset([spec.break_on]))
        case Conditional() as spec:
            return Names(frozenset([spec.parameter]))
        case Dag() as spec:
            return Names(frozenset([*(spec.inputs or ()), *(spec.outputs or ())]))
        case Argo() as spec:
            return Names(frozenset([*spec.handed.values(), *spec.returns]))
        case Stub():
            return Names(open=not PLAIN_FIELDS.issuperset(node.fields or ()))
    return Names()
