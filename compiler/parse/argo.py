"""`type: argo`: a template of the engine's own, held to the engine's schema where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from argosy.runtime.suggestions import nearest

from .. import source
from ..graph import RESULT, Argo
from ..schema.faults import Place
from .fields import Fields

SCHEMA = "argo.Template"
KINDS = (
    *("container", "script", "resource", "http", "data", "plugin", "suspend", "containerSet"),
    *("dag", "steps"),
)
"""What a template is, by the field that only it has."""
WITH_RESULT = "script", "container", "containerSet", "http", "data", "plugin"
SOURCES = "path", "jqFilter", "jsonPath", "parameter", "expression", "supplied"
"""Where an output parameter comes from, by the one member of its `valueFrom` (the engine's
validate.go); of some kinds of templates, from there alone:"""
SOURCES_OF = {
    **dict.fromkeys(("container", "script", "containerSet"), ("path",)),
    "resource": ("jsonPath", "jqFilter"),
    **dict.fromkeys(("dag", "steps"), ("parameter", "expression")),
}


def argo(fields: Fields) -> Argo | None:
    """The node of these fields; None where there is neither a template nor a reference."""
    arguments, handed = _arguments(fields)
    returns = _returns(fields)
    if fields.has("template") and not fields.has("template_ref"):
        mapping = fields.submapping("template")
        if mapping is None:
            return None
        template = fields.plain(mapping, mapping.mark, literal=True)
        if not _check(fields, mapping, template):
            return None
        _check_inputs(fields, mapping, template, {**arguments, **handed})
        _check_outputs(fields, template, returns)
        _check_sources(fields, mapping, template)
        return Argo(template, {}, arguments, handed, returns)
    if fields.has("template_ref") and not fields.has("template"):
        reference = _reference(fields)
        return Argo({}, reference, arguments, handed, returns) if reference else None
    fields.problem(f"{fields.what} needs either 'template' or 'template_ref': {{name, template}}")
    return None


def _reference(fields: Fields) -> dict[str, Any] | None:
    """`template_ref: {name, template, cluster_scope}` as Argo has it."""
    inner = fields.fields("template_ref")
    if inner is None:
        return None
    inner.require("name", "the WorkflowTemplate that has it")
    inner.require("template", "its name there")
    found: dict[str, Any] = {"name": inner.text("name"), "template": inner.text("template")}
    if inner.has("cluster_scope"):
        if isinstance(inner.mapping["cluster_scope"], bool):
            found["clusterScope"] = inner.mapping["cluster_scope"]
        else:
            inner.wrong("cluster_scope", "true or false")
    inner.close()
    return found


def _arguments(fields: Fields) -> tuple[dict[str, str], dict[str, str]]:
    """`arguments: {name: text}`, or {name: {parameter: name}}: those that are engine text, and
    those that are parameters."""
    mapping = fields.submapping("arguments")
    texts: dict[str, str] = {}
    handed: dict[str, str] = {}
    if mapping is None:
        return texts, handed
    inner = Fields(mapping, "arguments", fields.context)
    for name in mapping:
        if isinstance(mapping[name], source.Mapping):
            given = Fields(mapping[name], f"argument '{name}'", fields.context, fields.literal)
            if given.require("parameter", "the one whose value it gets"):
                handed[name] = given.text("parameter")
            given.close()
        else:
            texts[name] = inner.text(name, literal=True)
    return texts, handed


def _returns(fields: Fields) -> dict[str, str]:
    """`returns: {parameter: output}`, or a list of names that are both."""
    if isinstance(fields.mapping.get("returns"), source.Mapping):
        return fields.text_mapping("returns")
    return {name: name for name in fields.texts("returns")}


def _check(fields: Fields, mapping: source.Mapping, template: Mapping[str, Any]) -> bool:
    """Reports what the engine would not take, each fault at its place; whether there was none."""
    from ..schema.fields import check_fields

    before = len(fields.context.problems)
    faults = sorted((keys_of(fault.place), fault) for fault in check_fields(dict(template), SCHEMA))
    for keys, fault in faults:
        if keys == ["name"]:  # Argosy's to give
            continue
        where = ".".join(map(str, keys)) or "template"
        fields.problem(f"template: {where}: {fault.message}", place(mapping, keys), fault.hint)
    if "name" in mapping:
        hint = "leave it out: it is called as the step is"
        fields.problem("a template gets its name from its step", mapping.at_key("name"), hint)
    kinds = [kind for kind in KINDS if kind in template]
    if len(kinds) != 1:
        message = f"a template has one of {', '.join(KINDS)}"
        given = f", not {' and '.join(kinds)}" if kinds else ""
        fields.problem(message + given, fields.mapping.at_key("template"))
    return len(fields.context.problems) == before


def keys_of(place: Place) -> list[Any]:
    """The way to a place, from the outside in."""
    found = []
    while place:
        place, key = place
        found.append(key)
    return found[::-1]


def place(mapping: Any, keys: list[Any]) -> Any:
    """The mark of what is at the end of `keys`, as near to it as there is one."""
    mark = mapping.mark
    for key in keys:
        if isinstance(mapping, source.Mapping) and key in mapping.marks:
            last = key is keys[-1]
            mark = mapping.at_key(key) if last else mapping.at(key)
        elif isinstance(mapping, source.Sequence) and key in range(len(mapping)):
            mark = mapping.at(key)
        else:
            break
        mapping = mapping[key]
    return mark


def _check_inputs(
    fields: Fields, mapping: source.Mapping, template: Any, given: Mapping[str, Any]
) -> None:
    """Every argument is an input, and every input without a value an argument."""
    known = {one["name"]: one for one in _parameters(template, "inputs")}
    for name in given:
        if name not in known:
            where = fields.mapping["arguments"].at_key(name)
            hint = nearest(name, known) if known else "add it: inputs: {parameters: [{name: ...}]}"
            fields.problem(f"the template has no input parameter '{name}'", where, hint)
    for name, parameter in known.items():
        if name not in given and not parameter.keys() & {"value", "valueFrom", "default"}:
            message = f"the template's input parameter '{name}' is given no value"
            fields.problem(message, mapping.at_key("inputs"), f"arguments: {{{name}: ...}}")


def _check_outputs(fields: Fields, template: Any, returns: Mapping[str, str]) -> None:
    """Every output that becomes a parameter is there."""
    known = [one["name"] for one in _parameters(template, "outputs")]
    if any(kind in template for kind in WITH_RESULT):
        known.append(RESULT)
    for output in returns.values():
        if output not in known:
            where = fields.mapping.at("returns")
            hint = nearest(output, known) if known else "add it: outputs: {parameters: [...]}"
            fields.problem(f"the template has no output parameter '{output}'", where, hint)


def _check_sources(fields: Fields, mapping: source.Mapping, template: Any) -> None:
    """Every output comes from somewhere, where such a template has it."""
    kind = next((kind for kind in KINDS if kind in template), "")
    known = SOURCES_OF.get(kind, SOURCES)
    for index, parameter in enumerate(_parameters(template, "outputs")):
        value_from = parameter.get("valueFrom")
        given = [one for one in SOURCES if isinstance(value_from, dict) and one in value_from]
        if "value" in parameter or (len(given) == 1 and given[0] in known):
            continue
        found = " and ".join(given) or "nowhere"
        fields.problem(
            f"the output parameter '{parameter['name']}' comes from {found}",
            place(mapping, ["outputs", "parameters", index]),
            f"give its valueFrom one of {', '.join(known)}",
        )


def _parameters(template: Any, side: str) -> Iterator[Mapping[str, Any]]:
    """The parameters of a template's inputs or outputs, as far as they are well-formed."""
    holder = template.get(side)
    for parameter in (holder.get("parameters") or ()) if isinstance(holder, dict) else ():
        if isinstance(parameter, dict) and isinstance(parameter.get("name"), str):
            yield parameter
