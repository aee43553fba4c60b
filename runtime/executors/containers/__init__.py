"""Steps in Docker containers: what the local launcher starts in place of processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import engine
from .steps import ContainerSteps

if TYPE_CHECKING:
    from argosy.runtime.context import Context


def prepare(
    context: Context, plan: Mapping[str, Any], say: Callable[[str], None]
) -> ContainerSteps:
    """Steps that can start: the engine answers, the image is built where that is asked for, all
    images and mounted folders are there. Raises ArgosyError with the way out."""
    found = engine.Engine(engine.connect(), say)
    if plan.get("build"):
        from .build import build

        build(found, plan["build"])
    steps = ContainerSteps(context, plan, found)
    steps.prepare()
    return steps
