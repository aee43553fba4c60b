"""What a run log says of the runs in it: read whole, and joined to what a person asks about.

The keys alone tell most: an attempt's id begins with the time it started at, and a chunk of output
is named by the time that had passed when it was written.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import click

from argosy.runtime import layout
from argosy.runtime.blobs import Blobs
from argosy.runtime.documents import read_document
from argosy.runtime.entries import Entry, State
from argosy.runtime.errors import ServiceError, UnreadableError
from argosy.runtime.output import SILENCE
from argosy.runtime.parts import joined
from argosy.runtime.service import RunLogStore
from argosy.runtime.suggestions import nearest

LOST = 2.5 * SILENCE
"""Seconds without a chunk after which an attempt that never ended is lost: one that lives writes a
chunk every SILENCE seconds, with or without output."""
IDLE = 400.0
"""Seconds in which nothing ran after which a run that nothing has closed is unknown: longer than
the longest wait before a step is tried again."""
SIGNALLED = 128
"""Exit statuses from here on say that a signal ended a step."""
SHOWN = 32 * 1024
"""Bytes of JSON up to which a value is shown, and not only how large it is."""
LATEST = "latest"
RUN_KEY = re.compile(
    r"runs/(?P<run>[^/.][^/]*)/"
    r"(run\.json|graph\.json|state/[^/]+|end/\d+\.json"
    r"|steps/(?P<step>[^/]+)/(?P<attempt>\d{13}-[^/]*?)(\.json|\.log/(?P<chunk>\d{1,15})))"
)
"""A key of a run, as `argosy.runtime.layout` builds them."""
OTHER_KEY = re.compile(r"runs/[^/.][^/]*/(?!steps/|state/|end/)[^/]+/.+")
"""A key of another kind, which another version of Argosy may have written."""
ENTRY = {"size": int, "sha256": str}
DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "steps": {
        "step?": str,
        "status": str,
        "started?": str,
        "ended?": str,
        "message?": str,
        "catalog?": {"*": ENTRY},
        "resumed?": {"run": str},
        "item?": dict,
        "name?": str,
    },
    "end": {
        "status": str,
        "ended?": str,
        "failures?": [{"step?": str, "name?": str, "message?": str, "phase?": str}],
        "parameters?": dict,
        "catalog?": {"*": ENTRY},
        "steps?": {"*": {"status": str, "reason?": str}},
    },
    "state": {"parameters": {"*": {"by": str}}, "catalog": {"*": {"by": str, **ENTRY}}},
    "graph.json": {"steps": list},
    "run.json": {"arguments?": dict, "resumes?": (str, type(None)), "started?": str},
}
"""What a reader relies on in the objects of a run, by the part of the key that names their kind."""
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

    def cancelled(self) -> Attempt:
        """This attempt, if a signal ended it, as one that was ended with its run."""
        status, code = self.record.get("status"), self.record.get("exit_status")
        if status != "failed" or not isinstance(code, int) or code < SIGNALLED:
            return self
        return self._replace(record={**self.record, "status": "cancelled"})


class Step(NamedTuple):
    """All attempts at one instance, oldest first; the last one counts. (A control's is none, where
    it writes the state of what the engine ran.) A step that has none has the `status` that the end
    of the run gives it, and perhaps a `reason`."""

    path: str
    attempts: tuple[Attempt, ...]
    status_at_end: str = ""
    reason: str = ""
    known_label: str = ""

    @property
    def last(self) -> Attempt:
        return self.attempts[-1]

    @property
    def status(self) -> str:
        return self.last.status if self.attempts else self.status_at_end

    @property
    def started(self) -> float | None:
        return self.attempts[0].started if self.attempts else None

    @property
    def ended(self) -> float | None:
        return parse_time(self.last.record.get("ended")) if self.attempts else None

    @property
    def message(self) -> str:
        """Why it failed, or was left out."""
        return str(self.last.record.get("message", "")) if self.attempts else self.reason

    def cancelled(self) -> Step:
        """This step, if a signal ended it, as one that was ended with its run."""
        return self._replace(attempts=(*self.attempts[:-1], self.last.cancelled()))

    @property
    def label(self) -> str:
        """The path with the items of iterations, encoded as it is."""
        if not self.attempts:
            return self.known_label or self.path
        found = str(self.last.record.get("name", self.path))
        return found if found.count("/") == self.path.count("/") else self.path

    @property
    def name(self) -> str:
        """What a person calls it: `features/0 (eu)/build`."""
        return layout.readable(self.label)


class Run(NamedTuple):
    """`document` is its run.json; `end` what closed it, empty while nothing has; `steps` are those
    that have records, in the order they started in."""

    id: str
    document: Mapping[str, Any]
    end: Mapping[str, Any]
    steps: tuple[Step, ...]
    controls: tuple[Step, ...]

    def every_step(self, patterns: Iterable[str] = ()) -> list[Step]:
        """All steps, composites too, as far as the run log tells of them: in the order of the
        definition, where the `patterns` of its steps are given. While the run goes on, those that
        nothing tells of are waiting."""
        patterns = list(patterns)
        found = {step.path: step for step in self.steps}
        labels = _labels(self.steps)
        for path, told in (self.end.get("steps") or {}).items():
            if path not in found:
                label = _labelled(path, labels)
                found[path] = Step(path, (), told["status"], told.get("reason", ""), label)
        order = _Order(patterns)
        if not self.end:
            seen = {order.pattern(path) for path in found}
            waiting = (path for path in patterns if path not in seen)
            found |= {path: Step(path, (), "waiting") for path in waiting}
        return sorted(found.values(), key=lambda step: order.of(step.path))

    @property
    def started(self) -> float | None:
        """As the run says; else when its first step did. Of a run without steps on an engine, when
        it ended."""
        began = parse_time(self.document.get("started"))
        found = [step.attempts[0].started for step in (*self.steps, *self.controls)]
        return min(found, default=self.ended) if began is None else began

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
        heard = max(
            (parse_time(a.record.get("ended")) or a.alive for a in attempts),
            default=self.started or 0.0,
        )
        if "running" in found or time.time() - heard < IDLE:
            return "running"
        return "lost" if "lost" in found else "unknown"


def read_all(store: RunLogStore) -> list[Run]:
    """Every run, newest first. Of those that have ended, most records are left unread."""
    runs = _by_run(store, store.list_runs())
    found = [_read(store, run, keys, brief=True) for run, keys in runs.items()]
    return sorted(found, key=lambda run: (run.started or 0.0, run.id), reverse=True)


def read(store: RunLogStore, name: str) -> Run:
    """The run that is called `name`, or the newest for `latest`. Raises ClickException."""
    found = find(store, name)
    if found is None and name == LATEST:
        raise click.ClickException(NONE)
    if found is None:
        known = _by_run(store, store.list_runs())
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
    keys = _by_run(store, store.list(layout.run_prefix(name))).get(name)
    return _read(store, name, keys) if keys else None


def read_json(store: RunLogStore, key: str) -> dict[str, Any]:
    """The object at `key`; empty where there is none. One that cannot be read, or is not what it
    should be, counts as none, with a warning."""
    try:
        found = read_document(store, key)
    except UnreadableError as error:
        _warn(store, str(error))
        return {}
    if found is None:
        return {}
    shape = DOCUMENTS.get(key.split("/")[2])
    if shape and not _fits(found, shape):
        _warn(store, f"run log: {key} is not what Argosy writes there")
        return {}
    return found


def failure_text(failure: Mapping[str, Any]) -> str:
    """What failed, and why, of a failure that the end of a run has."""
    message = str(failure.get("message") or failure.get("phase", ""))
    message += " (handled)" if failure.get("handled") else ""
    name = failure.get("name") or layout.readable(failure.get("step", ""))
    return f"{name}: {message}" if name else message


def read_state(store: RunLogStore, run: str, step: str) -> State:
    """The state of a step; empty where it cannot be read."""
    document = read_json(store, layout.state_key(run, step))
    rest = State(document.get("parameters", {}), document.get("catalog", {}))
    return joined([*(_part(store, sha) for sha in document.get("parts", ())), rest])


def _part(store: RunLogStore, sha: str) -> State:
    """A part of states, which is read once."""
    known = _parts.setdefault(store, {})
    if sha not in known:
        try:
            found = read_document(store, layout.blob_key(sha)) or {}
        except UnreadableError as error:
            _warn(store, str(error))
            found = {}
        known[sha] = State(found.get("parameters", {}), found.get("catalog", {}))
    return known[sha]


def shown(store: RunLogStore, entry: Entry) -> Entry:
    """The entry with its value, where that is not large; as it is where that cannot be read."""
    if entry.get("pickle") or entry.get("size", SHOWN + 1) > SHOWN or "blob" not in entry:
        return entry
    try:
        return {**entry, "value": Blobs(store, patience=()).value(entry)}
    except ServiceError:
        return entry


def read_output(store: RunLogStore, key: str) -> bytes:
    """A chunk of output; empty, with a warning, where it cannot be read."""
    try:
        return store.get(key) or b""
    except UnreadableError as error:
        _warn(store, str(error))
        return b""


def _fits(found: Any, shape: Any) -> bool:
    """Whether a value has this shape: a type; the members of a mapping, those with a `?` perhaps,
    `*` being every one; or the items of a list."""
    if isinstance(shape, list):
        return isinstance(found, list) and all(_fits(one, shape[0]) for one in found)
    if not isinstance(shape, Mapping):
        return isinstance(found, shape)
    if not isinstance(found, dict):
        return False
    if "*" in shape:
        return all(_fits(one, shape["*"]) for one in found.values())
    return all(
        _fits(found[name.rstrip("?")], inner) if name.rstrip("?") in found else name[-1] == "?"
        for name, inner in shape.items()
    )


_parts: WeakKeyDictionary[RunLogStore, dict[str, State]] = WeakKeyDictionary()
_warned: WeakKeyDictionary[RunLogStore, set[str]] = WeakKeyDictionary()


def _warn(store: RunLogStore, text: str) -> None:
    """Say once what cannot be read."""
    said = _warned.setdefault(store, set())
    if text not in said:
        said.add(text)
        click.echo(f"warning: {text}; it is ignored", err=True)


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


def _by_run(store: RunLogStore, keys: Iterable[str]) -> dict[str, list[str]]:
    """The keys of each run."""
    found: dict[str, list[str]] = {}
    for key in keys:
        if match := RUN_KEY.fullmatch(key):
            found.setdefault(match["run"], []).append(key)
        elif not OTHER_KEY.fullmatch(key):
            _warn(store, f"run log: {key} is not part of a run")
    return found


def _read(store: RunLogStore, run: str, keys: list[str], brief: bool = False) -> Run:
    """One run. `brief`: of one that has ended its steps are left out where the run itself says when
    it began; else, where it went on from no other, what the keys say of them is enough."""
    end = _end(store, [key for key in keys if key.startswith(layout.end_prefix(run))])
    document = read_json(store, layout.run_key(run))
    if brief and end and parse_time(document.get("started")) is not None:
        return Run(run, document, end, (), ())
    if brief and not _attempts(keys):  # `list_runs` need not have them
        keys = store.list(layout.run_prefix(run))
    unread = bool(brief and end and not document.get("resumes"))
    steps: list[Step] = []
    controls: list[Step] = []
    for name, chunks in _attempts(keys).items():
        found = []
        for attempt in sorted(chunks):
            key = f"{layout.steps_prefix(run)}{name}/{attempt}.json"
            record = {} if unread else read_json(store, key)
            if not (record or unread):
                continue
            found.append(Attempt(attempt, record, tuple(chunks[attempt])))
        if not found:
            continue
        own = [attempt for attempt in found if not attempt.record.get("control")]
        step = Step(found[-1].record.get("step") or name, tuple(own or found))
        (steps if own else controls).append(step)
    if end.get("status") == "cancelled":
        failed = {failure.get("step") for failure in end.get("failures") or ()}
        steps = [step if step.path in failed else step.cancelled() for step in steps]
    steps.sort(key=lambda step: step.attempts[0].started)
    return Run(run, document, end, tuple(steps), tuple(controls))


def patterns(store: RunLogStore, run: str) -> list[str]:
    """The paths of a run's steps as its launcher has written them; none of another run."""
    found = read_json(store, layout.graph_key(run))
    return [path for path in found.get("steps", ()) if isinstance(path, str)]


class _Order:
    """The places of steps in the definition, for sorting: iterations by their index."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._places: dict[str, int] = {}
        for path in patterns:
            above = ""
            for part in path.split("/"):
                above = f"{above}/{part}" if above else part
                self._places.setdefault(above, len(self._places))

    def of(self, path: str) -> tuple[int, ...]:
        """What a step is sorted by; those that no pattern is of keep their order at the end."""
        above, found = "", []
        for part in path.split("/"):
            above, index = self._below(above, part)
            found.append(self._places.get(above, len(self._places)) if index is None else index)
        return tuple(found)

    def pattern(self, path: str) -> str:
        """The path with a `*` for each index."""
        above = ""
        for part in path.split("/"):
            above, _ = self._below(above, part)
        return above

    def _below(self, above: str, part: str) -> tuple[str, int | None]:
        """The pattern of a place below another; its index, where it is an iteration."""
        prefix = f"{above}/" if above else ""
        iteration = f"{prefix}{layout.ITERATION}"
        if iteration in self._places and part.isdigit():
            return iteration, int(part)
        return f"{prefix}{part}", None


def _labels(steps: Iterable[Step]) -> dict[str, str]:
    """What the iterations are called, by their paths."""
    found = {}
    for step in steps:
        if step.label != step.path:
            above = ""
            for name, label in zip(step.path.split("/"), step.label.split("/"), strict=True):
                above = f"{above}/{name}" if above else name
                if label != name:
                    found[above] = label
    return found


def _labelled(path: str, labels: Mapping[str, str]) -> str:
    """The path with the items of iterations that other steps tell of."""
    above, found = "", []
    for part in path.split("/") if labels else ():
        above = f"{above}/{part}" if above else part
        found.append(labels.get(above, part))
    return "/".join(found) or path


def _end(store: RunLogStore, keys: Iterable[str]) -> Mapping[str, Any]:
    """The newest end that no pod has taken back."""
    for key in sorted(keys, key=lambda key: (len(key), key), reverse=True):
        end = read_json(store, key)
        if end and end["status"] != "running":
            return end
    return {}


def _attempts(keys: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """The chunks of each attempt of each step, by their names in the keys."""
    found: dict[str, dict[str, list[str]]] = {}
    for key in sorted(keys):
        match = RUN_KEY.fullmatch(key)
        if match and match["step"]:
            chunks = found.setdefault(match["step"], {}).setdefault(match["attempt"], [])
            if match["chunk"]:
                chunks.append(key)
    return found


def _seconds(attempt: str) -> float:
    """The time in an attempt's id, `<milliseconds>-<uid>`."""
    return int(attempt.partition("-")[0]) / 1000
