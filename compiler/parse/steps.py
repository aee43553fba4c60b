"""One function for each type of node: its fields into its spec.

`NODES` names them as the entry points of `argosy.nodes` do; a plugin's function has the same shape,
and makes its node of the specs that `graph` has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from argosy.runtime import registry
from argosy.runtime.errors import PluginError
from argosy.runtime.suggestions import nearest

from .. import aliases, source
from ..errors import Position
from ..graph import (
    Approval,
    Conditional,
    Dag,
    Edge,
    Fail,
    Graph,
    Loop,
    Map,
    Node,
    Parallel,
    Spec,
    Stub,
)
from ..trampoline import Steps
from .fields import Fields, Nested
from .tasks import parse_task

REDUCERS = "list", "sum", "max", "last"
_REDUCER = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


class Draft:
    """A step that has been read, before its edges are known. `type` is '' where it is unknown."""

    def __init__(self, fields: Fields, at: Position, type: str = "", spec: Spec | None = None):
        self.fields = fields
        self.at = at
        self.type = type
        self.spec = spec
        self.next = ""
        self.on_failure = ""
        self.depends_on: tuple[str, ...] = ()
        self.join = "all"
        self.overrides: dict[str, Any] = {}
        self.description = ""

    def node(self, name: str, incoming: tuple[Edge, ...], join: Any, handler: str | None) -> Node:
        """The node, now that its edges are known; a stub where its own fields make none, so that
        the edges of its graph can still be judged."""
        spec = Stub() if self.spec is None else self.spec
        return Node(
            name,
            spec,
            self.at,
            incoming,
            join,
            handler,
            self.overrides,
            self.description,
            self.fields.mapping,
        )


def parse_step(name: str, fields: Fields, mark: Any, nested: Nested) -> Steps[Draft]:
    """One step: what every step has, and what its type has."""
    aliases.rename(fields.mapping, aliases.STEP_FIELDS)
    draft = Draft(fields, fields.mapping.source.position(mark))
    draft.description = fields.text("description", literal=True)
    draft.next = fields.text("next")
    draft.on_failure = fields.text("on_failure")
    _depends(fields, draft)
    overrides = fields.submapping("overrides")
    if overrides is not None:
        draft.overrides = aliases.overrides(fields.placed(overrides, overrides.mark))
    if not fields.require("type", f"one of {', '.join(NODES)}"):
        return draft
    kind = fields.text("type")
    kind = aliases.STEP_TYPES.get(kind, kind)
    parser = NODES.get(kind) or _plugin(kind)
    if parser is None:
        message = f"step '{name}' has the unknown type '{kind}'"
        known = [*NODES, *(point.name for point in registry.entry_points("node"))]
        fields.problem(message, fields.mapping.at("type"), nearest(kind, known))
        return draft
    draft.type = kind
    before = len(fields.context.problems)
    spec = yield parser(fields, nested)
    if spec is not None or len(fields.context.problems) == before:
        draft.spec = spec
    if kind != "stub":
        fields.close()
    return draft


def _plugin(kind: str) -> Callable[[Fields, Nested], Steps[Spec | None]] | None:
    for point in registry.entry_points("node"):
        if point.name == kind:
            return partial(_parse_plugin, point)
    return None


def _parse_plugin(point: Any, fields: Fields, nested: Nested) -> Steps[Spec | None]:
    """The node of a plugin's function; whatever that raises is a problem of the step."""
    what = registry.describe(point)
    try:
        spec = yield from registry.member(point.value, what)(fields, nested)
    except PluginError as error:
        fields.problem(str(error), fields.mapping.at("type"))
        return None
    except Exception as error:
        message = f"{what} failed: {type(error).__name__}: {error}"
        fields.problem(message, fields.mapping.at("type"))
        return None
    if spec is not None and not isinstance(spec, Spec):
        message = f"{what} made no node of argosy.compiler.graph, but {type(spec).__name__}"
        fields.problem(message, fields.mapping.at("type"))
        return None
    return spec


def _depends(fields: Fields, draft: Draft) -> None:
    value = fields.mapping.get("depends_on")
    if isinstance(value, source.Mapping):
        fields.has("depends_on")
        inner = Fields(value, "depends_on", fields.context, fields.literal)
        draft.depends_on, draft.join = inner.texts("any"), "any"
        inner.close()
        if not draft.depends_on:
            fields.problem("depends_on.any names no step", fields.mapping.at("depends_on"))
    else:
        draft.depends_on = fields.texts("depends_on")


def parse_parallel(fields: Fields, nested: Nested) -> Steps[Spec | None]:
    """`type: parallel`."""
    branches = yield _branches(fields, nested)
    mapping = fields.mapping.get("branches")
    if isinstance(mapping, source.Mapping):
        fields.refuse_alike(mapping)
        if "" in mapping:
            fields.problem("a branch needs a name", mapping.at_key(""))
    return Parallel(branches) if branches else None


def _branches(fields: Fields, nested: Nested) -> Steps[dict[str, Graph]]:
    found: dict[str, Graph] = {}
    if not fields.require("branches", "names of graphs"):
        return found
    mapping = fields.submapping("branches")
    if mapping is None:
        return found
    if not mapping:
        fields.problem("branches is empty", fields.mapping.at("branches"))
    for name in mapping:
        body = mapping[name]
        if not isinstance(body, source.Mapping):
            fields.problem(f"branch '{name}' takes a mapping with 'steps'", mapping.at(name))
            continue
        graph = yield nested(fields, f"branch '{name}'", body)
        if graph is not None:
            found[name] = graph
    return found


def _branch(fields: Fields, nested: Nested) -> Steps[Graph | None]:
    if not fields.require("branch", "a mapping with 'steps'"):
        return None
    mapping = fields.submapping("branch")
    if mapping is None:
        return None
    return (yield nested(fields, "branch", mapping))  # type: ignore[no-any-return]


def parse_map(fields: Fields, nested: Nested) -> Steps[Spec | None]:
    """`type: map`."""
    fields.require("iterate_on", "the parameter that holds the list")
    fields.require("iterate_as", "the parameter that holds one of its items")
    iterate_on, iterate_as = fields.text("iterate_on"), fields.text("iterate_as")
    reducers = fields.text_mapping("reducers")
    for name, reducer in reducers.items():
        if reducer not in REDUCERS and not _REDUCER.fullmatch(reducer):
            message = f"the reducer '{reducer}' of '{name}' is unknown"
            where = fields.mapping["reducers"].at(name)
            fields.problem(message, where, f"one of {', '.join(REDUCERS)}, or module:function")
    bound = fields.integer("max_parallel", None)
    branch = yield _branch(fields, nested)
    return None if branch is None else Map(iterate_on, iterate_as, branch, reducers, bound)


def parse_loop(fields: Fields, nested: Nested) -> Steps[Spec | None]:
    """`type: loop`."""
    fields.require("break_on", "the parameter that ends the loop when it is true")
    fields.require("max_iterations", "after how many rounds it has failed")
    break_on, iterate_as = fields.text("break_on"), fields.text("iterate_as")
    if iterate_as and iterate_as == break_on:
        hint = "the index of a round is a number, and only true ends a loop"
        where = fields.mapping.at("iterate_as")
        fields.problem(f"iterate_as and break_on are both '{break_on}'", where, hint)
    most = fields.integer("max_iterations", 1) or 1
    branch = yield _branch(fields, nested)
    return None if branch is None else Loop(branch, break_on, most, iterate_as or None)


def parse_dag(fields: Fields, nested: Nested) -> Steps[Spec | None]:
    """`type: dag`."""
    from .definition import dag_file

    inputs = fields.texts("inputs") if fields.has("inputs") else None
    outputs = fields.texts("outputs") if fields.has("outputs") else None
    if fields.has("dag_definition") and not fields.has("branch"):
        path = fields.text("dag_definition")
        branch = yield dag_file(fields, path, fields.mapping.at("dag_definition"))
    elif fields.has("branch") and not fields.has("dag_definition"):
        branch = yield _branch(fields, nested)
    else:
        fields.problem(f"{fields.what} needs either 'dag_definition' (a file) or 'branch'")
        return None
    return None if branch is None else Dag(branch, inputs, outputs)


def parse_conditional(fields: Fields, nested: Nested) -> Steps[Spec | None]:
    """`type: conditional`. `default` is a graph, or the name of a branch."""
    fields.require("parameter", "the parameter that decides")
    parameter = fields.text("parameter")
    branches = yield _branches(fields, nested)
    branches, values = _labelled(fields, branches)
    default: str | None = None
    if isinstance(fields.mapping.get("default"), source.Mapping):
        body = fields.submapping("default")
        graph = None if body is None else (yield nested(fields, "default", body))
        if graph is not None:
            default = "default"
            while default in branches:
                default += "-"
            branches[default] = graph
    elif fields.has("default"):
        default = fields.text("default", literal=True)
        if "default" not in fields.mapping.texts and f"'{default}'" in branches:
            default = f"'{default}'"
        if default not in branches:
            message = f"default names no branch: '{default}'"
            fields.problem(message, fields.mapping.at("default"), nearest(default, branches))
    return Conditional(parameter, branches, values, default) if branches else None


def _labelled(
    fields: Fields, branches: dict[str, Graph]
) -> tuple[dict[str, Graph], dict[str, Any]]:
    """The branches of a conditional by their labels, and the value of each label. A label is how
    its value is written; with quotes where that is empty text, or reads as another label."""
    found: dict[str, Graph] = {}
    values: dict[str, Any] = {}
    mapping = fields.mapping.get("branches")
    if not isinstance(mapping, source.Mapping):
        return found, values
    seen: dict[tuple[bool, Any], str] = {}
    for name, graph in branches.items():
        value = mapping.alike.get(name, mapping.typed.get(name, name))
        label = name or ("''" if value == "" else "null")
        other = seen.setdefault((isinstance(value, bool), value), label)
        if isinstance(value, float) and not math.isfinite(value):
            fields.problem("JSON has no such number", mapping.at_key(name))
        elif other != label or label in found:
            message = f"the branches '{other}' and '{label}' are for the same value"
            fields.problem(message, mapping.at_key(name), "remove one of them")
        found[label], values[label] = graph, value
    return found, values


def parse_argo(fields: Fields, nested: Nested) -> Steps[Spec | None]:
    """`type: argo`."""
    from .argo import argo

    yield from ()
    return argo(fields)


def parse_approval(fields: Fields, nested: Nested) -> Steps[Spec | None]:
    """`type: approval`."""
    yield from ()
    return Approval(fields.text("message", literal=True), fields.seconds("timeout"))


def parse_stub(fields: Fields, nested: Nested) -> Steps[Spec | None]:
    """`type: stub`: any field is good."""
    yield from ()
    return Stub()


def parse_success(fields: Fields, nested: Nested) -> Steps[Spec | None]:
    """`type: success`."""
    yield from ()
    return Stub()


def parse_fail(fields: Fields, nested: Nested) -> Steps[Spec | None]:
    """`type: fail`."""
    yield from ()
    return Fail(fields.text("message", literal=True))


NODES: dict[str, Callable[[Fields, Nested], Steps[Spec | None]]] = {
    "task": parse_task,
    "parallel": parse_parallel,
    "map": parse_map,
    "loop": parse_loop,
    "dag": parse_dag,
    "conditional": parse_conditional,
    "argo": parse_argo,
    "approval": parse_approval,
    "stub": parse_stub,
    "success": parse_success,
    "fail": parse_fail,
}
