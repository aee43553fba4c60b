"""`argosy logs`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import quote

import click

from argosy.runtime.layout import readable
from argosy.runtime.service import RunLogStore
from argosy.runtime.suggestions import nearest

from . import cluster, history, options

if TYPE_CHECKING:
    from ..cluster import Way
    from ..cluster.engine import Engine, Execution

PAUSE = 1.0
"""Seconds between two looks at a run that goes on."""


class Placed(Protocol):
    @property
    def path(self) -> str: ...

    @property
    def name(self) -> str: ...


P = TypeVar("P", bound=Placed)


@click.command()
@click.argument("run")
@click.argument("step", required=False)
@click.option("-f", "--follow", is_flag=True, help="Wait for more, until the run has ended.")
@options.configuration
@options.layered
@options.variable
@cluster.way
def logs(
    run: str,
    step: str | None,
    follow: bool,
    configurations: tuple[str, ...],
    variables: tuple[str, ...],
    way: Way,
) -> None:
    """Show the output of RUN, in the order it came, or of one STEP of it.

    STEP is a step's name or path, with all that is below it; RUN may be `latest`. What pods of a
    cluster write is shown at once with -f; the run log has it a little later, and keeps it.

    \b
    argosy logs latest
    argosy logs churn-1a2b3c4d features/0
    argosy logs latest train -f
    argosy logs latest -f -c argo.yaml --context production
    """
    from .session import open_session

    session = open_session(way, configurations, variables, needed=False)
    run = session.name_of(run)
    execution = session.execution(run)
    live = session.engine and session.engine.shows_steps and execution and not execution.note
    goes_on = live and follow and execution and not execution.finished
    logged = None if goes_on else session.log(execution.run if execution else run)
    if logged:
        show_log(session.must_store(), logged, step, follow)
    elif session.engine and execution and live:
        show_live(session.engine, execution, step, follow)
    elif execution:
        raise click.ClickException(f"{execution.run} is {execution.status}, and has no log yet")
    elif session.engine:
        session.engine.must_find(run)
    else:
        history.read(session.must_store(), run)


def show_log(store: RunLogStore, found: history.Run, step: str | None, follow: bool) -> None:
    """What the run log has."""
    output = Output(store)
    while True:
        chosen = below(found.steps, step)
        if step and not chosen and not (follow and found.status == "running"):
            raise unknown(found.id, step, found.steps)
        names = [(s.name, readable(s.path)) for s in chosen]
        output.show(chosen, prefix=len(chosen) != 1 or step not in names[0])
        if not follow or found.status != "running":
            break
        time.sleep(PAUSE)
        found = history.read(store, found.id)
    output.close()


def show_live(engine: Engine, execution: Execution, step: str | None, follow: bool) -> None:
    """What the pods write."""
    from .live import show_pods

    chosen = below(execution.steps, step)
    if step and not chosen:
        raise unknown(execution.run, step, execution.steps)
    prefix = len(chosen) != 1 or step not in (chosen[0].name, readable(chosen[0].path))
    show_pods(engine, execution, lambda now: below(now.steps, step), follow, prefix)


def unknown(run: str, step: str, steps: Iterable[Placed]) -> click.ClickException:
    names = [readable(one.path) for one in steps]
    return click.ClickException(f"{run} has no step '{step}'; {nearest(step, names)}")


def names(step: P) -> tuple[str, ...]:
    """What a person may call a step."""
    return readable(step.path), step.path, step.name


def below(steps: Iterable[P], step: str | None) -> list[P]:
    """The steps that `step` names: all of them, those at or below a path, or those of a name."""
    every = list(steps)
    if step is None:
        return every
    wanted = step.strip("/")
    found = [s for s in every if any(f"{x}/".startswith(f"{wanted}/") for x in names(s))]
    return found or [s for s in every if s.path.rpartition("/")[2] == quote(wanted, safe="")]


class Output:
    """Shows each chunk once, whole lines at a time."""

    def __init__(self, store: RunLogStore) -> None:
        self._store = store
        self._shown: set[str] = set()
        self._parts: dict[str, list[bytes]] = {}
        """What a line has so far, as it came: joined each time, it costs its length squared."""
        self._prefixes: dict[str, bytes] = {}

    def show(self, steps: Iterable[history.Step], prefix: bool) -> None:
        """What is new of `steps`, in the order it was written."""
        fresh: list[tuple[float, str, str]] = []
        for step in steps:
            for attempt in step.attempts:
                source = f"{step.path} {attempt.id}"
                self._prefixes[source] = f"{step.name} | ".encode() if prefix else b""
                for chunk in attempt.chunks:
                    if chunk not in self._shown:
                        written = attempt.started + int(chunk.rpartition("/")[2]) / 1000
                        fresh.append((written, source, chunk))
        for _, source, chunk in sorted(fresh):
            self._shown.add(chunk)
            text = history.read_output(self._store, chunk)
            parts = self._parts.setdefault(source, [])
            if b"\n" in text:
                *lines, text = text.split(b"\n")
                lines[0] = b"".join([*parts, lines[0]])
                parts.clear()
                self._print(source, lines)
            if text:
                parts.append(text)

    def close(self) -> None:
        """Shows what ended without a line's end."""
        for source, parts in self._parts.items():
            if parts:
                self._print(source, [b"".join(parts)])

    def _print(self, source: str, lines: Iterable[bytes]) -> None:
        prefix = self._prefixes[source]
        click.echo(b"".join(prefix + line + b"\n" for line in lines), nl=False)
