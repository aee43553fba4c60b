"""Names and what they refer to: objects, Argo's templates, tasks and parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from argosy.runtime.suggestions import nearest

from ..manifests.names import RESERVED
from ..schema.faults import Fault, Place

LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
"""RFC 1123, and no leading digit: an expression would read one as a number."""
PARAMETER = re.compile(r"[-a-zA-Z0-9_]+")
TASK_IN_DEPENDS = re.compile(r"([-\w]+)(?:\.\w+)?")

FIELD_NAME = 128
"""The longest name of a template or task (Argo's validation)."""


def check_references(spec: Mapping[str, Any], at: Place) -> Iterator[Fault]:
    """Every name in a workflow's spec is valid, unique, and there where it is referred to."""
    templates = spec.get("templates", ())
    place = (at, "templates")
    yield from check_names(templates, place, "template")
    known = {template.get("name", "") for template in templates}
    if "workflowTemplateRef" not in spec:
        yield from check_template(spec.get("entrypoint", ""), known, (at, "entrypoint"))
    if "onExit" in spec:
        yield from check_template(spec["onExit"], known, (at, "onExit"))
    yield from check_hooks(spec, known, at)
    yield from check_parameters(spec.get("arguments", {}), (at, "arguments"))
    for index, template in enumerate(templates):
        inside = (place, index)
        yield from check_parameters(template.get("inputs", {}), (inside, "inputs"))
        yield from check_parameters(template.get("outputs", {}), (inside, "outputs"))
        if "dag" in template:
            yield from check_dag(template["dag"], known, (inside, "dag"))


def check_dag(dag: Mapping[str, Any], templates: set[str], at: Place) -> Iterator[Fault]:
    tasks = dag.get("tasks", ())
    place = (at, "tasks")
    yield from check_names(tasks, place, "task")
    known = {task["name"] for task in tasks}
    for index, task in enumerate(tasks):
        if "template" in task and task["template"] not in templates:
            yield from check_template(task["template"], templates, ((place, index), "template"))
        if "hooks" in task:
            yield from check_hooks(task, templates, (place, index))
        if "depends" in task:
            yield from check_tasks(task["depends"], known, ((place, index), "depends"))
    yield from check_tasks(dag.get("target", ""), known, (at, "target"))


def check_hooks(holder: Mapping[str, Any], known: set[str], at: Place) -> Iterator[Fault]:
    for name, hook in holder.get("hooks", {}).items():
        if "template" in hook:
            place = (((at, "hooks"), name), "template")
            yield from check_template(hook["template"], known, place)


def check_template(name: str, known: set[str], place: Place) -> Iterator[Fault]:
    if name not in known:
        yield Fault(place, f"there is no template '{name}'", nearest(name, sorted(known)))


def check_tasks(expression: str, known: set[str], place: Place) -> Iterator[Fault]:
    """`expression` is a `depends`, or names with blanks between them."""
    for name in TASK_IN_DEPENDS.findall(expression):
        if name not in known:
            yield Fault(place, f"there is no task '{name}' in this DAG", nearest(name, known))


def check_names(items: Iterable[Mapping[str, Any]], place: Place, what: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        name = item.get("name", "")
        at = ((place, index), "name")
        if not LABEL.fullmatch(name) or name in RESERVED:
            yield Fault(
                at, f"'{name}' is no name of a {what}", "use a-z, 0-9 and '-', and a letter first"
            )
        elif len(name) > FIELD_NAME:
            yield Fault(
                at, f"'{name}' has {len(name)} characters; the limit of a name is {FIELD_NAME}"
            )
        elif name in seen:
            yield Fault(at, f"there are two {what}s '{name}'", f"a {what}'s name is unique")
        seen.add(name)


def check_parameters(holder: Mapping[str, Any], place: Place) -> Iterator[Fault]:
    for index, parameter in enumerate(holder.get("parameters", ())):
        if not PARAMETER.fullmatch(parameter["name"]):
            yield Fault(
                (((place, "parameters"), index), "name"),
                f"'{parameter['name']}' is no name of a parameter",
                "use letters, digits, '_' and '-'",
            )
