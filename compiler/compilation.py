"""What compiling is asked, and what it has found so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import Problem
from .graph import NOTHING

if TYPE_CHECKING:
    from argosy.runtime.executors.base import Executor
    from argosy.runtime.service import Catalog, RunLogStore, Secrets

    from .flow import Flow
    from .graph import Pipeline
    from .settings import Settings


class Request(NamedTuple):
    """What to compile. `configurations` merge in their order, and the layers of `environment` come
    over them; `templates` is a folder whose Jinja templates come before ours."""

    definition: str
    configurations: tuple[str, ...] = ()
    variables: Mapping[str, str] = NOTHING
    templates: str | None = None
    environment: str = ""


class Compilation(NamedTuple):
    """The state between two phases. Each phase fills in its own part and changes no other;
    `integrate` makes the live executor and services, which a compilation has to itself. `size`:
    what the engine's object comes to, where that is bounded."""

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
    size: Any = None
    files: Mapping[str, str] = NOTHING
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
