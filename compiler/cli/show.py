"""`argosy show`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from argosy.runtime.entries import described
from argosy.runtime.executors.local.report import duration
from argosy.runtime.service import RunLogStore

from . import cluster, history, options, tree
from .outcome import summary
from .view import lowest, status_of

if TYPE_CHECKING:
    from ..cluster import Way
    from ..cluster.engine import Execution
    from .session import Session

WIDTH = 60
"""Characters of a value that are shown."""


@click.command()
@click.argument("run")
@options.configuration
@options.layered
@options.variable
@options.output
@cluster.way
def show(
    run: str,
    configurations: tuple[str, ...],
    variables: tuple[str, ...],
    output: str,
    way: Way,
) -> None:
    """Show RUN: its steps with their attempts, its parameters and its data.

    RUN is a run's id, its workflow's name, or `latest`.

    \b
    argosy show latest
    argosy show churn-1a2b3c4d -o json
    argosy show latest -c argo.yaml --context production
    """
    from .session import open_session

    session = open_session(way, configurations, variables, needed=False)
    store = session.must_store()
    run = session.name_of(run)
    found = history.find(store, run) or _asked(session, store, run)
    written = {step.path: _written(store, found.id, step) for step in found.steps}
    steps = found.every_step(history.patterns(store, found.id))
    if session.engine and session.engine.shows_steps and not found.end.get("steps"):
        steps = _with(session.execution(found.id), steps)
    if output == "json":
        click.echo(json.dumps(_as_json(found, steps, written), indent=2))
        return
    took = "" if found.took is None else f", took {duration(found.took)}"
    status = summary(found.status, found.end)
    click.echo(f"{found.id}: {status}, started {history.local_time(found.started)}{took}")
    handled = {one["step"] for one in found.end.get("failures") or () if one.get("handled")}
    for line in _tree(steps, written, handled):
        click.echo(line)
    click.echo("".join(_ending(found)), nl=False)


def _asked(session: Session, store: RunLogStore, run: str) -> history.Run:
    """A run that the run log does not have under that name. Raises ClickException where it has
    nothing of it."""
    execution = session.execution(run)
    if execution is None:
        return history.read(store, run)
    found = history.find(store, execution.run)
    if found is None:
        raise click.ClickException(
            f"the run log that is read from here has nothing of {execution.run}, which is "
            f"{execution.status}; `argosy watch` and `argosy logs` ask the cluster"
        )
    return found


def _with(execution: Execution | None, steps: list[history.Step]) -> list[history.Step]:
    """The steps of the run log, and those that only the cluster tells of, in its order."""
    if execution is None:
        return steps
    known = {step.path for step in steps}
    places = {step.path: place for place, step in enumerate(execution.steps)}
    more = [
        history.Step(step.path, (), step.status, step.message, step.label)
        for step in execution.steps
        if step.path not in known
    ]
    return sorted([*steps, *more], key=lambda step: places.get(step.path, len(places)))


class Written(NamedTuple):
    """What one step wrote: parameters and catalog entries, as its state has them."""

    parameters: Mapping[str, Mapping[str, Any]]
    catalog: Mapping[str, Mapping[str, Any]]


NOTHING = Written({}, {})


def _written(store: RunLogStore, run: str, step: history.Step) -> Written:
    """A step's own share of the state that it left; the rest it passed on."""
    state = history.read_state(store, run, step.path)
    parameters, catalog = (
        {name: entry for name, entry in entries.items() if entry["by"] == step.path}
        for entries in (state.parameters, state.catalog)
    )
    return Written({n: history.shown(store, entry) for n, entry in parameters.items()}, catalog)


def _as_json(
    run: history.Run, steps: Iterable[history.Step], written: Mapping[str, Written]
) -> dict[str, Any]:
    return {
        "run": run.id,
        "status": run.status,
        "started": history.iso_time(run.started),
        "ended": history.iso_time(run.ended),
        "steps": [_step_json(step, written.get(step.path, NOTHING)) for step in steps],
        "failures": run.end.get("failures", []),
        "parameters": run.end.get("parameters", {}),
        "catalog": run.end.get("catalog", {}),
    }


def _step_json(step: history.Step, written: Written) -> dict[str, Any]:
    return {
        "step": step.path,
        **({"item": item} if step.attempts and (item := step.last.record.get("item")) else {}),
        "status": step.status,
        **({"reason": step.reason} if step.reason else {}),
        "attempts": [
            {**attempt.record, "attempt": attempt.id, "status": attempt.status}
            for attempt in step.attempts
        ],
        "parameters": {
            name: entry.get("value", {key: entry[key] for key in ("blob", "size") if key in entry})
            for name, entry in written.parameters.items()
        },
        "catalog": described(written.catalog),
    }


def _tree(
    steps: Iterable[history.Step], written: Mapping[str, Written], handled: Set[str]
) -> Iterator[str]:
    """A line for each step, and for each name on the way to one, such as an iteration: its status
    is that of the steps below, the failures of `handled` aside that it had a handler for inside."""
    steps = list(steps)
    root = tree.grow(steps)
    failed = {root.at(path) for path in _failed_by(handled, steps)}
    rows = [(f"{twig}{name}", at) for twig, name, at in tree.rows(root, lambda at: at.below)]
    width = max((len(label) for label, _ in rows), default=0)
    statuses = max((len(step.status) for _, at in rows for step in at.steps), default=0)
    for label, branch in rows:
        told = [
            _told(step, written.get(step.path, NOTHING), max(statuses, 9)) for step in branch.steps
        ]
        if not told:
            below = ("succeeded" if s.path in handled else s.status for s in lowest(branch))
            told = ["failed" if branch in failed else status_of(below).replace("_", " ")]
        yield f"{label:{width}}  {' '.join(told)}".rstrip()


def _failed_by(handled: Iterable[str], steps: Iterable[history.Step]) -> Iterator[str]:
    """The places without a status of their own, such as iterations, that a handled failure has
    failed: those from its step up to the outermost of the composites that failed with it."""
    statuses = {step.path: step.status for step in steps}
    for path in handled:
        between = []
        above = path.rpartition("/")[0]
        while above and statuses.get(above, "failed") == "failed":
            between.append(above)
            if above in statuses:
                yield from between[:-1]
                between = []
            above = above.rpartition("/")[0]


def _told(step: history.Step, written: Written, width: int) -> str:
    """How a step went, in a line."""
    if not step.attempts:
        parts = [f"{step.status.replace('_', ' '):{width}}"]
        return "  ".join([*parts, f"{'':8}", _short(step.reason)] if step.reason else parts)
    last = step.last
    took = "" if last.took is None else duration(last.took)
    parts = [f"{last.status:{width}}", f"{took:>8}"]
    if len(step.attempts) > 1:
        parts.append(f"{len(step.attempts)} attempts")
    if resumed := last.record.get("resumed"):
        parts.append(f"as in {resumed['run']}")
    if last.status == "failed" and last.record.get("message"):
        parts.append(_short(str(last.record["message"])))
    parts += [f"{name}={_value(entry)}" for name, entry in written.parameters.items()]
    kept = {**last.record.get("catalog", {}), **written.catalog}
    parts += [f"{name} ({_size(entry['size'])})" for name, entry in kept.items()]
    return "  ".join(parts)


def _ending(run: history.Run) -> Iterator[str]:
    """What the run left: why it failed, its parameters and its data."""
    if failures := run.end.get("failures"):
        yield "\nfailures\n"
        for failure in failures:
            text = history.failure_text(failure).replace("\n", "\n    ")
            yield f"  {text}\n"
    if parameters := run.end.get("parameters"):
        yield "\nparameters\n"
        for name, value in parameters.items():
            yield f"  {name}: {_short(json.dumps(value, ensure_ascii=False))}\n"
    if catalog := run.end.get("catalog"):
        yield "\ncatalog\n"
        for name, entry in catalog.items():
            yield f"  {name}  {_size(entry['size'])}  {entry['sha256'][:12]}\n"


def _value(entry: Mapping[str, Any]) -> str:
    if "objects" in entry:
        return "(objects)"
    if "value" not in entry:
        kind = "object" if entry.get("pickle") else "value"
        return f"({kind} of {_size(entry.get('size', 0))})"
    return _short(json.dumps(entry.get("value"), ensure_ascii=False))


def _short(text: str) -> str:
    """The beginning of `text` on one line."""
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def _size(count: int) -> str:
    """`17 B`, `1.5 KiB`, `2.0 MiB`."""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{int(size)} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
