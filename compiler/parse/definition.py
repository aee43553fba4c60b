"""A definition, and the graphs in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import aliases, source
from ..errors import DefinitionError, Problem
from ..graph import Graph, Node, Pipeline
from ..magnus import extension_keys, is_magnus
from ..trampoline import Steps, run
from .edges import connect, form_of
from .fields import Context, Fields, name_of
from .steps import Draft, parse_step

MAX_DAG_FILES = 1_000


def parse(document: Any, name: str, context: Context) -> Pipeline | None:
    """The pipeline of `document`; None where problems (in `context`) leave none.

    `name` is the definition's own where it gives none: a file's stem.
    """
    if not isinstance(document, source.Mapping):
        message = f"a definition is a mapping with 'dag', not {name_of(document)}"
        context.problems.append(Problem(message, hint="`argosy init` writes a first pipeline"))
        return None
    magnus = is_magnus(document)
    fields = Fields(document, "a definition", context, literal=magnus)
    name = fields.text("name", name)
    if not name.strip():
        fields.problem("name is empty", document.at("name"), "leave it out: it is the file's stem")
    description = fields.text("description", literal=True)
    parameters = fields.data("parameters") or {}
    if not isinstance(parameters, dict):
        fields.wrong("parameters", "a mapping of names to defaults")
        parameters = {}
    fields.accept(*aliases.SECTIONS)  # Magnus' services beside the dag: `settings` reads them
    fields.accept(*extension_keys(document))
    graph = None
    if fields.require("dag", "a mapping with 'steps'"):
        dag = fields.submapping("dag")
        if dag is not None:
            graph = run(parse_graph(dag, "dag", context, fields.literal))
    fields.close()
    return None if graph is None else Pipeline(name, graph, parameters, description, magnus)


def parse_graph(
    mapping: source.Mapping, what: str, context: Context, literal: bool
) -> Steps[Graph | None]:
    """The graph of one `steps:` mapping."""
    fields = Fields(mapping, what, context, literal)
    fields.text("description", literal=True)
    fields.accept("name", "max_time")
    start = fields.text("start_at")
    steps = fields.submapping("steps") if fields.require("steps", "names of steps") else None
    fields.close()
    if steps is None:
        return None
    if not steps:
        fields.problem("steps is empty", mapping.at("steps"), "give at least one step")
    drafts: dict[str, Draft] = {}
    for name in steps:
        body = steps[name]
        if not isinstance(body, source.Mapping):
            fields.problem(f"step '{name}' takes a mapping, not {name_of(body)}", steps.at(name))
            continue
        if not name.strip() or not name.isprintable():
            fields.problem("a step's name must be readable text", steps.at_key(name))
            continue
        step = Fields(body, f"step '{name}'", context, literal)
        drafts[name] = yield parse_step(name, step, steps.at_key(name), nested)
    form = form_of(fields, start, drafts)
    incoming = connect(fields, form, start, drafts)
    nodes: dict[str, Node] = {}
    for name, draft in drafts.items():
        if name in incoming:
            nodes[name] = draft.node(name, *incoming[name])
    return Graph(nodes, form, mapping.source.position(mapping.mark), start)


def nested(fields: Fields, key: str, mapping: source.Mapping) -> Steps[Graph | None]:
    """A graph inside a step, under its field `key`."""
    return parse_graph(mapping, key, fields.context, fields.literal)


def dag_file(fields: Fields, path: str, mark: Any) -> Steps[Graph | None]:
    """The graph of another definition, beside this one (as Magnus: or from the working folder)."""
    context = fields.context
    try:
        beside = Path(fields.mapping.source.name).parent / path
        target = beside if beside.exists() or not Path(path).exists() else Path(path)
        resolved = str(target.resolve())
    except (OSError, RuntimeError, ValueError) as error:  # too long; a loop of links; a NUL in it
        reason = getattr(error, "strerror", None) or str(error)
        fields.problem(f"cannot read {path}: {reason.lower()}", mark)
        return None
    if resolved in context.files:
        fields.problem(f"{path} includes itself", mark, "a dag file must not lead back to itself")
        return None
    context.included += 1
    if context.included > MAX_DAG_FILES:
        if context.included == MAX_DAG_FILES + 1:
            message = f"over {MAX_DAG_FILES:,} dag files, one that is included twice counted twice"
            fields.problem(message, mark, "files that include files multiply: nest fewer of them")
        return None
    try:
        document = source.load(resolved if str(target) == "-" else str(target))
    except DefinitionError as error:
        if error.problems[0].at is None:
            fields.problem(error.problems[0].message, mark, "the path is relative to this file")
        else:
            context.problems.extend(error.problems)
        return None
    if not isinstance(document, source.Mapping) or not isinstance(
        document.get("dag"), source.Mapping
    ):
        fields.problem(f"{path} has no 'dag'", mark, "a dag file is a definition of its own")
        return None
    before = context.files
    context.files = (*before, resolved)
    graph = yield parse_graph(document["dag"], "dag", context, is_magnus(document))
    context.files = before
    return graph  # type: ignore[no-any-return]
