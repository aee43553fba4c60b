"""Pipelines as manifests, without files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from argosy.compiler import phases
from argosy.compiler.argo.objects import Manifest
from argosy.compiler.compilation import Compilation, Request
from argosy.compiler.graph import Graph, Pipeline
from argosy.compiler.settings import Declared, Settings

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
