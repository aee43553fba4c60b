"""The parameters that a pipeline knows: those that it declares, and those that anything in it
reads or sets."""

from __future__ import annotations

from ..graph import Argo, Conditional, Dag, Loop, Map, Node, Pipeline, Stub, Task
from ..settings import every_node
from .code import Code
from .usage import Names

PLAIN_FIELDS = frozenset(["depends_on", "description", "next", "on_failure", "overrides", "type"])
"""The fields of a stub that say nothing of the step that it stands for."""


def known(pipeline: Pipeline, code: Code) -> Names:
    """The names of all parameters that have a meaning. They are `open` where a step may read names
    that its code does not show."""
    found = Names(frozenset(pipeline.parameters))
    for _, node in every_node(pipeline.graph):
        found |= _of_node(node, code)
    return found


def _of_node(node: Node, code: Code) -> Names:
    match node.spec:
        case Task() as task:
            usage = code.usage(task)
            return usage.sets._replace(open=False) | usage.reads | Names(frozenset(task.returns))
        case Map() as spec:
            return Names(frozenset([spec.iterate_on, spec.iterate_as, *spec.reducers]))
        case Loop() as spec:
            return Names(frozenset([spec.break_on, *filter(None, [spec.iterate_as])]))
        case Conditional() as spec:
            return Names(frozenset([spec.parameter]))
        case Dag() as spec:
            return Names(frozenset([*(spec.inputs or ()), *(spec.outputs or ())]))
        case Argo() as spec:
            return Names(frozenset([*spec.handed.values(), *spec.returns]))
        case Stub():
            return Names(open=not PLAIN_FIELDS.issuperset(node.fields or ()))
    return Names()
