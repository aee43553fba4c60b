"""What the engine cannot hold, though every field is right. The numbers were tried on Argo
Workflows 3.7.3; each fault names its limit and the way out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..manifests.limits import ARGUMENT_BYTES, check_container, check_length
from ..schema.faults import Fault, Place
from .size import KIB, OBJECT_BYTES, Size
from .text import NODE_PARAMETER

TEMPLATE_LEVELS = 99
"""Argo's recursion depth: with 100 templates one below the other the workflow is an Error."""
NODE_BYTES = 100 * KIB
ARGUMENTS_EXPRESSION = "toJson(workflow.parameters)"

ARGO_4 = {"templates": 200, "tasks": 200, "parameters": 500}
"""Lists that the full CRDs of Argo 4 bound. Those of 3.7 and all minimal CRDs do not."""


def check_limits(spec: Mapping[str, Any], at: Place, size: Size) -> Iterator[Fault]:
    yield from check_levels(size.levels, at)
    yield from check_arguments(spec, at)
    for index, template in enumerate(spec.get("templates", ())):
        place = ((at, "templates"), index)
        for container, inside in containers(template, place):
            yield from check_container(container, inside)
        for number, task in enumerate(template.get("dag", {}).get("tasks", ())):
            yield from check_task(task, (((place, "dag"), "tasks"), number))
    yield from check_size(size, at)


def check_levels(levels: int, at: Place) -> Iterator[Fault]:
    if levels > TEMPLATE_LEVELS:
        yield Fault(
            (at, "templates"),
            f"steps are nested {levels} templates deep; the limit of template levels is"
            f" {TEMPLATE_LEVELS}",
            "nest fewer branches, maps and dags in each other",
        )


def check_arguments(spec: Mapping[str, Any], at: Place) -> Iterator[Fault]:
    """The workflow's own arguments: each alone, and all of them as a pod gets them."""
    place = ((at, "arguments"), "parameters")
    values = {
        parameter["name"]: parameter.get("value", "")
        for parameter in spec.get("arguments", {}).get("parameters", ())
    }
    for index, (name, value) in enumerate(values.items()):
        yield from check_length(f"the parameter '{name}'", value, ((place, index), "value"))
    # A pod cannot get more than the limit in base64, so fewer bytes need no closer look.
    if sum(map(len, values.values())) * 4 // 3 > ARGUMENT_BYTES // 4:
        size = encoded_arguments(values)
        if size > ARGUMENT_BYTES and ARGUMENTS_EXPRESSION in json.dumps(spec):
            yield Fault(
                place,
                f"the run's parameters have {size:,} bytes as the first pods get them; the limit of"
                f" one argument is {ARGUMENT_BYTES:,}",
                "give large values as files of the catalog, and their names as parameters",
            )


def encoded_arguments(values: Mapping[str, str]) -> int:
    """The bytes of `{{=sprig.b64enc(toJson(workflow.parameters))}}`, whose member `json` holds
    every parameter once more."""
    again = json.dumps([{"name": name, "value": value} for name, value in values.items()])
    text = json.dumps({**values, "json": again}, ensure_ascii=False)
    return -(-len(text.encode(errors="replace")) // 3) * 4


def check_task(task: Mapping[str, Any], at: Place) -> Iterator[Fault]:
    for index, parameter in enumerate(task.get("arguments", {}).get("parameters", ())):
        value = parameter.get("value", "")
        if len(value) * 4 <= NODE_BYTES:
            continue
        place = ((((at, "arguments"), "parameters"), index), "value")
        size = len(value.encode(errors="replace"))
        if parameter["name"] == NODE_PARAMETER and size > NODE_BYTES:
            yield Fault(
                place,
                f"the node of task '{task['name']}' has {size:,} bytes; the limit of a node is"
                f" {NODE_BYTES:,}",
                "put a long command in a script or a module of the image",
            )
        else:
            yield from check_length(f"an argument of task '{task['name']}'", value, place)


def containers(template: Mapping[str, Any], at: Place) -> Iterator[tuple[Mapping[str, Any], Place]]:
    for field in ("container", "script"):
        if field in template:
            yield template[field], (at, field)
    for field in ("initContainers", "sidecars"):
        for index, container in enumerate(template.get(field, ())):
            yield container, ((at, field), index)
    for index, container in enumerate(template.get("containerSet", {}).get("containers", ())):
        yield container, (((at, "containerSet"), "containers"), index)


def check_size(size: Size, at: Place) -> Iterator[Fault]:
    if size.total > OBJECT_BYTES:
        yield Fault(
            at,
            f"the workflow would have {size.total // KIB} KiB: {size.copies} x"
            f" {size.spec // KIB} of its spec and {size.status // KIB} of its nodes; the limit of"
            f" an object's size is {OBJECT_BYTES // KIB} KiB",
            "make two pipelines of it, or one step of several; give loops fewer max_iterations",
        )


def check_argo_4(spec: Mapping[str, Any], at: Place) -> Iterator[Fault]:
    """The lists that are too long for the full CRDs of Argo 4."""
    templates = spec.get("templates", ())
    graphs = sum("dag" in template for template in templates)
    yield from check_count(
        f"{len(templates):,} templates, {graphs:,} of them of graphs",
        len(templates),
        ARGO_4["templates"],
        (at, "templates"),
        "give steps the same options, and maps and branches one step each, which need none",
    )
    for index, template in enumerate(templates):
        place, name = ((at, "templates"), index), template["name"]
        count = len(template.get("dag", {}).get("tasks", ()))
        yield from check_count(
            f"{count:,} tasks in '{name}'",
            count,
            ARGO_4["tasks"],
            ((place, "dag"), "tasks"),
            "its steps wait for each other in too many ways to part them: put some into a `dag`",
        )
        count = len(template.get("inputs", {}).get("parameters", ()))
        yield from check_count(
            f"{count:,} parameters of '{name}'",
            count,
            ARGO_4["parameters"],
            ((place, "inputs"), "parameters"),
            "pass them as one",
        )


def check_count(what: str, count: int, most: int, place: Place, hint: str) -> Iterator[Fault]:
    if count > most:
        message = f"{what}, where the full CRDs of Argo 4 take {most}"
        yield Fault(place, message, f"{hint}; Argo 3.7 and minimal CRDs take it")
