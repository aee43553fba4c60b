"""Generated pipelines on the executors, each held to the reference."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from unittest import mock

import yaml

from argosy.compiler import phases, render
from argosy.compiler.compilation import Compilation, Request
from argosy.compiler.settings import Declared, Settings
from definitions import pipeline
from support.code import Code
from support.executors import EXECUTORS
from support.reference import Json, Run, evaluate

REDUCERS: dict[str, Callable[[list[Any]], Any]] = {"json:dumps": json.dumps}


SETTINGS = Settings(
    executor=Declared("argo", {"image": "i", "claims": {"runs": "/runs"}}),
    run_log_store=Declared("file-system", {"location": "/runs"}),
    catalog=Declared("file-system", {"location": "/runs/catalog"}),
    secrets=Declared("do-nothing", {}),
)

ENVIRONMENT = cache(render._environment)
"""Compiles each Jinja template once, and not for each definition."""


def compilation_of(definition: Json) -> Compilation:
    """The compilation of a definition's text for Argo, up to `verify`."""
    compilation = Compilation(
        Request("p.yaml"), pipeline=pipeline(text_of(definition)), settings=SETTINGS
    )
    with mock.patch.object(render, "_environment", ENVIRONMENT):
        for phase in (phases.integrate, phases.lower, phases.render, phases.verify):
            compilation = phase(compilation)
    return compilation


def may_be_refused(error: Exception) -> bool:
    """Whether it is one of the mistakes that generated definitions have."""
    return any(text in str(error) for text in ("can never run", "which no earlier step puts"))


def expected(definition: Json, code: Code) -> Run:
    return evaluate(definition, code, approve=code.approves, reducers=REDUCERS)


def disagreements(definition: Json, code: Code) -> str:
    """Where an executor and the reference differ, as a report; empty where they agree."""
    compilation = compilation_of(definition)
    right = expected(definition, code)
    found = {name: run(compilation, code) for name, run in EXECUTORS.items()}
    return report(definition, code, right, found)


def report(definition: Json, code: Code, right: Run, runs: Mapping[str, Run]) -> str:
    """How the runs of a definition, by executor, differ from what the reference gives."""
    lines = []
    for executor, found in runs.items():
        for what, wanted, actual in differences(right, found, executor != "argo"):
            lines += [f"{executor}: {what}", f"  expected {wanted}", f"  got      {actual}"]
    if not lines:
        return ""
    shown = yaml.safe_dump(definition, sort_keys=False, default_flow_style=None, width=120)
    return "\n".join([*lines, f"{code}", shown])


def differences(right: Run, found: Run, complete: bool) -> list[tuple[str, Any, Any]]:
    """What differs: its name, the expected and the actual value. `complete`: the executor tells of
    all steps, and not only of those that pods ran."""
    wrong: list[tuple[str, Any, Any]] = []

    def compare(what: str, one: Any, other: Any) -> None:
        if json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True):
            wrong.append((what, one, other))

    compare("status of the run", right.status, found.status)
    for step in sorted(right.steps.keys() | found.steps.keys()):
        status = found.steps.get(step)
        if step not in right.marks and (complete or status or step in right.inputs):
            compare(f"status of {step}", right.steps.get(step), status)
    for step in sorted(right.inputs.keys() & found.inputs.keys()):
        one, other = right.inputs[step], found.inputs[step]
        for field in one._fields[1:]:
            compare(f"{field} of {step}", getattr(one, field), getattr(other, field))
    if complete:
        compare("failures", right.failures, found.failures)
    compare("parameters", right.parameters, found.parameters)
    compare("files", right.files, found.files)
    return wrong


def text_of(value: Any) -> str:
    """As JSON, but that a key can be any scalar."""
    if isinstance(value, dict):
        inner = (f"? {json.dumps(name)}\n: {text_of(part)}" for name, part in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(text_of, value)) + "]"
    return json.dumps(value)
