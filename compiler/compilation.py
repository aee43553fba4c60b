"""What compiling is asked, and what it has found so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import Problem

if TYPE_CHECKING:
    from argosy.runtime.executors.base import Executor
    from argosy.runtime.service import Catalog, RunLogStore, Secrets

    from .flow import Flow
    from .graph import Pipeline
    from .settings import Settings


@dataclass(frozen=True, slots=True)
class Request:
    """What to compile. `configurations` merge in their order; `templates` is a folder whose Jinja
    templates come before ours."""

    definition: str
    configurations: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    templates: str | None = None


@dataclass(frozen=True, slots=True)
class Compilation:
    """The state between two phases. Each phase fills in its own part and changes no other;
    `integrate` makes the live executor and services, which a compilation has to itself."""

    request: Request
    document: Any = None
    pipeline: Pipeline = None  # type: ignore[assignment]
    settings: Settings = None  # type: ignore[assignment]
    executor: Executor = None  # type: ignore[assignment]
    run_log_store: RunLogStore = None  # type: ignore[assignment]
    catalog: Catalog = None  # type: ignore[assignment]
    secrets: Secrets = None  # type: ignore[assignment]
    plugins: tuple[str, ...] = ()
    flow: Flow = None  # type: ignore[assignment]
    manifests: Any = None
    files: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
