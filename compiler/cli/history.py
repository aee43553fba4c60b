"""What a run log says of the runs in it: read whole, and joined to what a person asks about.

The keys alone tell most: an attempt's id begins with the time it started at, and a chunk of output
is named by the time that had passed when it was written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

import click

from argosy.runtime import layout
from argosy.runtime.output import SILENCE
from argosy.runtime.service import RunLogStore
from argosy.runtime.suggestions import nearest

LOST = 2.5 * SILENCE
"""Seconds without a chunk after which an attempt that never ended is lost: one that lives writes a
chunk every SILENCE seconds, with or without output."""
IDLE = 400.0
"""Seconds in which nothing ran after which a run that nothing has closed is unknown: longer than
the longest wait before a step is tried again."""
LATEST = "latest"
NONE = "there are no runs yet; `argosy run FILE` makes one, `argosy submit FILE` one on a cluster"


class Attempt(NamedTuple):
    """One try at a step. `record` is what the run log has of it, `chunks` its output's keys."""

    id: str
    record: Mapping[str, Any]
    chunks: tuple[str, ...]

    @property
    def started(self) -> float:
        """Seconds since 1970. (A skipped step has the id of the attempt in the earlier run.)"""
        return parse_time(self.record.get("started")) or _seconds(self.id)

    @property
    def alive(self) -> float:
        """When it was last heard of."""
        if not self.chunks:
            return self.started
        return self.started + int(self.chunks[-1].rpartition("/")[2]) / 1000

    @property
    def took(self) -> float | None:
        ended = parse_time(self.record.get("ended"))
        return None if ended is None else max(0.0, ended - self.started)

    @property
    def status(self) -> str:
        status = str(self.record.get("status", "unknown"))
        if status == "running" and time.time() - self.alive > LOST:
            return "lost"
        return status


class Step(NamedTuple):
    """All attempts at one instance, oldest first; the last one counts. (A control's is none, where
    it writes the state of what the engine ran.)"""

    path: str
    attempts: tuple[Attempt, ...]

    @property
    def last(self) -> Attempt:
        return self.attempts[-1]

    @property
    def name(self) -> str:
        return layout.readable(self.path)


class Run(NamedTuple):
    """`end` is what closed it, empty while nothing has; `steps` in the order they started in."""

    id: str
    end: Mapping[str, Any]
    steps: tuple[Step, ...]
    controls: tuple[Step, ...]

    @property
    def started(self) -> float | None:
        found = [step.attempts[0].started for step in (*self.steps, *self.controls)]
        return min(found, default=None)

    @property
    def ended(self) -> float | None:
        return parse_time(self.end.get("ended"))

    @property
    def took(self) -> float | None:
        return None if self.started is None or self.ended is None else self.ended - self.started

    @property
    def status(self) -> str:
        """succeeded, failed, running; lost: a step was running when it fell silent; unknown:
        nothing runs, and nothing says how it ended."""
        if self.end:
            return str(self.end["status"])
        attempts = [step.last for step in (*self.steps, *self.controls)]
        found = {attempt.status for attempt in attempts}
        heard = max((parse_time(a.record.get("ended")) or a.alive for a in attempts), default=0.0)
        if "running" in found or time.time() - heard < IDLE:
            return "running"
        return "lost" if "lost" in found else "unknown"


def read_all(store: RunLogStore) -> list[Run]:
    """Every run, newest first. Of those that have ended, most records are left unread."""
    runs = _by_run(store.list("runs/"))
    found = [_read(store, run, keys, brief=True) for run, keys in runs.items()]
    return sorted(found, key=lambda run: (run.started or 0.0, run.id), reverse=True)


def read(store: RunLogStore, name: str) -> Run:
    """The run that is called `name`, or the newest for `latest`. Raises ClickException."""
    found = find(store, name)
    if found is None and name == LATEST:
        raise click.ClickException(NONE)
    if found is None:
        known = _by_run(store.list("runs/"))
        hint = nearest(name, known) if known else "there are no runs there"
        raise click.ClickException(f"no run '{name}'; {hint}")
    return found


def find(store: RunLogStore, name: str) -> Run | None:
    """The same; None where there is none."""
    if name == LATEST:
        runs = read_all(store)
        if not runs:
            return None
        name = runs[0].id
    keys = store.list(layout.run_prefix(name))
    return _read(store, name, keys) if keys else None


def read_json(store: RunLogStore, key: str) -> dict[str, Any]:
    """The object at `key`; empty where there is none, or none that can be read."""
    try:
        found = json.loads(store.get(key) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def parse_time(text: Any) -> float | None:
    """Seconds since 1970 of an ISO-8601 time."""
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def local_time(seconds: float | None) -> str:
    """`2026-01-31 14:05:09`, where the reader is."""
    if seconds is None:
        return "-"
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def iso_time(seconds: float | None) -> str | None:
    """As the records have it."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _by_run(keys: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(key.split("/", 2)[1], []).append(key)
    return found


def _read(store: RunLogStore, run: str, keys: list[str], brief: bool = False) -> Run:
    """One run. `brief`: where it has an end and went on from no other, what the keys say of its
    steps is enough."""
    end = _end(store, [key for key in keys if key.startswith(layout.end_prefix(run))])
    unread = bool(brief and end and not read_json(store, layout.run_key(run)).get("resumes"))
    steps: list[Step] = []
    controls: list[Step] = []
    for name, chunks in _attempts(keys).items():
        found = []
        for attempt in sorted(chunks):
            key = f"{layout.steps_prefix(run)}{name}/{attempt}.json"
            record = {} if unread else read_json(store, key)
            found.append(Attempt(attempt, record, tuple(chunks[attempt])))
        own = [attempt for attempt in found if not attempt.record.get("control")]
        step = Step(found[-1].record.get("step") or name, tuple(own or found))
        (steps if own else controls).append(step)
    steps.sort(key=lambda step: step.attempts[0].started)
    return Run(run, end, tuple(steps), tuple(controls))


def _end(store: RunLogStore, keys: Iterable[str]) -> Mapping[str, Any]:
    """The newest end that no pod has taken back."""
    for key in sorted(keys, key=lambda key: (len(key), key), reverse=True):
        end = read_json(store, key)
        if end.get("status") != "running":
            return end
    return {}


def _attempts(keys: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """The chunks of each attempt of each step, by their names in the keys."""
    found: dict[str, dict[str, list[str]]] = {}
    for key in sorted(keys):
        _, _, kind, *rest = key.split("/")
        if kind == "steps" and len(rest) > 1:
            step, attempt, *chunk = rest
            attempt = attempt.removesuffix(".json").removesuffix(".log")
            chunks = found.setdefault(step, {}).setdefault(attempt, [])
            if chunk:
                chunks.append(key)
    return found


def _seconds(attempt: str) -> float:
    """The time in an attempt's id, `<milliseconds>-<uid>`."""
    digits = attempt.partition("-")[0]
    return int(digits) / 1000 if digits.isdigit() else 0.0
