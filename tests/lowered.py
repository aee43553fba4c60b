"""Pipelines as manifests, without files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from argosy.compiler import phases
from argosy.compiler.argo import graphs, split
from argosy.compiler.compilation import Compilation, Request
from argosy.compiler.graph import Graph, Pipeline
from argosy.compiler.manifests.objects import Manifest
from argosy.compiler.settings import Declared, Settings
from engine import TASK

CONFIG = {"image": "registry.example.com/churn:1"}


def compiled(
    graph: Graph,
    config: Mapping[str, Any] | None = None,
    steps: Mapping[str, Mapping[str, Any]] | None = None,
    until: str = "lower",
    engine: str = "argo",
    **pipeline: Any,
) -> Compilation:
    """The compilation of a graph for an engine; `steps` are whole configurations, by path."""
    secrets = Declared("kubernetes", {"secret": "safe"})
    do_nothing = Declared("do-nothing", {})
    settings = Settings(
        executor=Declared(engine, {**CONFIG, **(config or {})}),
        run_log_store=Declared("file-system", {"location": "/runs"}),
        catalog=do_nothing,
        secrets=secrets,
        steps={path: {**CONFIG, **options} for path, options in (steps or {}).items()},
    )
    claims = {"claims": {"runs": "/runs"}}
    executor = Declared(engine, {**claims, **settings.executor.config})
    settings = Settings(executor, settings.run_log_store, do_nothing, secrets, steps=settings.steps)
    compilation = Compilation(
        Request("p.yaml"),
        pipeline=Pipeline(**{"name": "p", **pipeline, "graph": graph}),
        settings=settings,
    )
    names: Iterable[str] = ("integrate", "lower", "render", "verify")
    for name in names:
        compilation = getattr(phases, name)(compilation)
        if name == until:
            break
    return compilation


def manifest(compilation: Compilation, template: str) -> Any:
    """The data of the manifest that is made with this Jinja template."""
    found: list[Manifest] = [m for m in compilation.manifests if m.template == template]
    assert len(found) == 1, [m.template for m in compilation.manifests]
    return found[0].data


def spec(graph: Graph, **more: Any) -> Any:
    """The specification of the workflow of a graph."""
    return manifest(compiled(graph, **more), "workflowtemplate")["spec"]


@contextmanager
def most_tasks(count: int) -> Iterator[None]:
    """At most so many tasks in a DAG, where the graph lets it be split."""
    before = split.MAX_TASKS
    graphs.MAX_TASKS = split.MAX_TASKS = count  # type: ignore[attr-defined]
    try:
        yield
    finally:
        graphs.MAX_TASKS = split.MAX_TASKS = before  # type: ignore[attr-defined]


def order(found: Any) -> set[tuple[str, str]]:
    """The pairs of steps of which the second waits for the first, whatever happens; without `fail`
    nodes, which have a pod in some places only."""
    templates = {template["name"]: template for template in found["templates"]}
    return set(_pairs(templates, found["entrypoint"])[1])


def _pairs(templates: Any, name: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The steps in a template, and the pairs of them."""
    inside: dict[str, list[str]] = {}
    pairs: list[tuple[str, str]] = []
    before: dict[str, set[str]] = {}
    for task in templates[name]["dag"]["tasks"]:
        called = templates[task["template"]]
        if "dag" in called:
            inside[task["name"]], more = _pairs(templates, task["template"])
            pairs += more
        else:
            given = task.get("arguments", {}).get("parameters", [])
            nodes = [parameter["value"] for parameter in given if parameter["name"] == "node"]
            found = map(json.loads, nodes)
            inside[task["name"]] = [one["step"] for one in found if one.get("type") != "fail"]
        before[task["name"]] = {found for found, _ in TASK.findall(task.get("depends", ""))}
    for task, names in before.items():
        seen: set[str] = set()
        waiting = list(names)
        while waiting:
            other = waiting.pop()
            if other not in seen:
                seen.add(other)
                waiting += before[other]
        pairs += [(a, b) for other in seen for a in inside[other] for b in inside[task]]
    return [step for names in inside.values() for step in names], pairs
