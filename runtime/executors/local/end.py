"""How a run ended, as the run log keeps it and the caller is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from argosy.runtime.alternatives import by_statuses, statuses
from argosy.runtime.context import Context
from argosy.runtime.end import NOTHING, leaving_of
from argosy.runtime.end import write_end as write
from argosy.runtime.layout import readable
from argosy.runtime.state import Reader

from .launch import Failure
from .schedule import Schedule


def write_end(
    context: Context,
    status: str,
    failures: list[Failure],
    final: Mapping[str, Any],
    schedule: Schedule,
) -> dict[str, Any]:
    """Closes the run in the run log: its status, why, and, where it succeeded, what it left."""
    leaving = NOTHING
    if status == "succeeded":
        says = by_statuses(statuses(schedule.tokens(final["from"])))
        reader = Reader(
            context.run_log_store, context.run, context.arguments, says, blobs=context.blobs
        )
        leaving = leaving_of(reader.read(final["from"], ()), reader)
    steps = schedule.statuses.steps
    return write(context, status, map(as_json, failures), leaving, steps)


def as_json(failure: Failure) -> dict[str, Any]:
    """A failure as the end of the run has it."""
    found = {"step": failure.step, "message": failure.message, "phase": failure.phase, "pod": ""}
    if failure.name != readable(failure.step):
        found["name"] = failure.name
    return {**found, "handled": True} if failure.handled else found
