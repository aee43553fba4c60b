"""The options that a run has on every engine: when it starts, how long it may take, and how often
its steps are tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from argosy.runtime.suggestions import closest

from ..graph import Retry
from ..parse import fields
from .cron import cron
from .readers import (
    Fault,
    Path,
    Reader,
    WrongValue,
    choice,
    dns_label,
    integer,
    record,
    seconds,
    text,
    wait,
)
from .table import Option, Table


class Schedule(NamedTuple):
    """When runs start: a cron expression, and its time zone where it has one of its own."""

    schedule: str
    timezone: str = ""

    def __str__(self) -> str:
        return f"CRON_TZ={self.timezone} {self.schedule}" if self.timezone else self.schedule


def factor(value: Any) -> float:
    """What a wait grows by."""
    found = fields.number(value, *fields.FACTORS)
    if found is None:
        raise WrongValue("takes a number from 1 to 1000")
    return found


ATTEMPTS: Mapping[str, Reader] = {
    "max_attempts": integer,
    "backoff": wait,
    "factor": factor,
    "max_backoff": wait,
}


def attempts(value: Any) -> Retry:
    """Attempts, or a mapping of them and the waits between."""
    if not isinstance(value, Mapping):
        return Retry(max_attempts=integer(value))
    return Retry(**record(ATTEMPTS)(value))


def schedule(value: Any) -> Schedule:
    """A cron expression, or {schedule, timezone}."""
    if not isinstance(value, Mapping):
        return Schedule(cron(value))
    found = record({"schedule": cron, "timezone": text})(value)
    if "schedule" not in found:
        raise WrongValue("needs 'schedule'", "such as '0 6 * * 1-5'")
    return Schedule(**found)


def warn_zones(timezone: str, schedules: tuple[Schedule, ...]) -> Iterator[Fault]:
    """Time zones that this machine does not know. The controller's own tables count, and may be
    newer: it is no error."""
    given: list[tuple[Path, str]] = [(("timezone",), timezone)]
    given += [(("schedules", n, "timezone"), one.timezone) for n, one in enumerate(schedules)]
    for path, zone in given:
        if not zone:
            continue
        from zoneinfo import available_timezones

        known = available_timezones()
        if known and zone not in known:
            message = f"no time zone is called {zone!r}, as far as is known here"
            close = closest(zone, known)
            yield Fault(path, message, f"did you mean '{close}'?" if close else "")


def history_limits(value: Any) -> dict[str, int]:
    """How many runs a CronWorkflow keeps."""
    fields = {"successful": "successfulJobsHistoryLimit", "failed": "failedJobsHistoryLimit"}
    found = record(dict.fromkeys(fields, count))(value)
    return {fields[name]: given for name, given in found.items()}


def count(value: Any) -> int:
    """A whole number, 0 too."""
    return integer(value, 0)


RUN: Table = {
    "timeout": Option(seconds, "a duration", "", "Of each step without one of its own.", True),
    "workflow_timeout": Option(seconds, "a duration", "", "Of the whole run."),
    "namespace": Option(
        dns_label, "text", "", "Where everything is; else kubectl or kustomize says."
    ),
    "timezone": Option(
        text,
        "text",
        "",
        "Of the schedules without one of their own, such as Europe/Madrid.",
        default="the controller's",
    ),
    "concurrency_policy": Option(
        choice("Allow", "Forbid", "Replace"),
        "a word",
        "",
        "Allow, Forbid or Replace: what a scheduled run is to one that still runs.",
        default="Allow",
    ),
    "starting_deadline": Option(
        seconds, "a duration", "", "How late a run that was missed still starts."
    ),
    "history_limits": Option(
        history_limits,
        "a mapping",
        "",
        "{successful, failed}: how many runs are kept.",
        default="{successful: 3, failed: 1}",
    ),
}
"""Without the fields that they become, which are each engine's own."""


def becoming(**fields: str) -> Table:
    """These options of a run, each with the field that it becomes."""
    return {name: RUN[name]._replace(becomes=field) for name, field in fields.items()}
