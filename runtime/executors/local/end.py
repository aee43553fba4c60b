"""How a run ended, as the run log keeps it and the caller is told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from argosy.runtime.alternatives import by_statuses, statuses
from argosy.runtime.attempt import now
from argosy.runtime.context import Context
from argosy.runtime.layout import end_key
from argosy.runtime.state import Reader

from .launch import Failure
from .schedule import Schedule


def write_end(
    context: Context,
    succeeded: bool,
    failures: Iterable[Failure],
    final: Mapping[str, Any],
    schedule: Schedule,
) -> dict[str, Any]:
    """Closes the run in the run log: its status, why, and, where it succeeded, what it left."""
    end: dict[str, Any] = {
        "status": "succeeded" if succeeded else "failed",
        "ended": now(),
        "failures": [
            {"step": failure.step, "message": failure.message, "phase": failure.phase, "pod": ""}
            for failure in failures
        ],
        "parameters": {},
        "catalog": {},
    }
    if succeeded:
        says = by_statuses(statuses(schedule.tokens(final["from"])))
        reader = Reader(context.run_log_store, context.run, context.arguments, says)
        left = reader.read(final["from"], ())
        end["parameters"] = {name: reader.value(entry) for name, entry in left.parameters.items()}
        end["catalog"] = {
            name: {"sha256": entry["sha256"], "size": entry["size"]}
            for name, entry in left.catalog.items()
        }
    context.run_log_store.put(end_key(context.run, 1), json.dumps(end).encode())
    return end
