"""`argosy get`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argosy.runtime.errors import ArgosyError
from argosy.runtime.layout import readable, state_key
from argosy.runtime.patterns import matcher
from argosy.runtime.suggestions import nearest

from . import cluster, history, options
from .logs import below, names, unknown
from .outcome import counted

if TYPE_CHECKING:
    from argosy.runtime.service import RunLogStore

    from ..cluster import Way

Entries = dict[str, Mapping[str, Any]]


@click.command()
@click.argument("run")
@click.argument("patterns", metavar="[PATTERN]...", nargs=-1)
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(file_okay=False),
    default=".",
    metavar="DIR",
    help="Output directory; by default the current one.",
)
@click.option("--step", metavar="STEP", help="Fetch the files that this step stored.")
@click.option("--force", is_flag=True, help="Replace files that differ.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@options.configuration
@options.layered
@options.variable
@cluster.way
def get(
    run: str,
    patterns: tuple[str, ...],
    folder: str,
    step: str | None,
    force: bool,
    as_json: bool,
    configurations: tuple[str, ...],
    variables: tuple[str, ...],
    way: Way,
) -> None:
    """Fetch files of RUN: those that it left, or those that match a PATTERN.

    RUN may be `latest`. Patterns are those of a step's catalog. Nothing is written where a file
    would be replaced by a different one, unless --force is given.

    \b
    argosy get latest -o results
    argosy get churn-1a2b3c4d "work/*.csv" report.html -o results
    argosy get latest --step train -o results
    """
    from ..integrate import resolve_services
    from .fetch import Fetched, fetch
    from .session import session_of

    services = resolve_services(configurations, options.pairs(variables, "-v"))
    session = session_of(way, services, needed=False)
    store = session.must_store()
    execution = session.execution(run)
    found = history.read(store, execution.run if execution else session.name_of(run))
    entries = of_step(store, found, step) if step else left(found)
    entries = matching(entries, patterns)
    done: Fetched = fetch(services.catalog, entries, Path(folder), force)
    if as_json:
        click.echo(json.dumps({"run": found.id, "directory": folder, **done._asdict()}, indent=2))
    else:
        for name in done.written:
            click.echo(Path(folder) / name)
    for name, reason in done.skipped.items():
        options.caution(f"{name} is left out: {reason}")
    same = f", {len(done.unchanged)} there already" if done.unchanged else ""
    click.echo(
        f"{found.id}: {counted(len(done.written), 'file')} written to {folder}{same}", err=True
    )


def left(run: history.Run) -> Entries:
    """The files that a run left. Raises ClickException where it has none."""
    entries: Entries = dict(run.end.get("catalog") or {})
    if not entries:
        why = (
            "left no files" if run.status == "succeeded" else f"is {run.status}, and left no files"
        )
        raise click.ClickException(
            f"{run.id} {why}; --step STEP fetches those that one of its steps stored"
        )
    return entries


def of_step(store: RunLogStore, run: history.Run, step: str) -> Entries:
    """The files that the instances of a step stored, each below its path unless `step` names one
    alone."""
    chosen = below(run.steps, step)
    if not chosen:
        raise unknown(run.id, step, run.steps)
    alone = len(chosen) == 1 and step.strip("/") in names(chosen[0])
    found: Entries = {}
    for one in chosen:
        at = "" if alone else f"{readable(one.path)}/"
        entries = {**(one.last.record.get("catalog") or {}), **stored(store, run.id, one.path)}
        found.update((f"{at}{name}", entry) for name, entry in entries.items())
    if not found:
        raise click.ClickException(f"step '{step}' of {run.id} stored no files")
    return found


def stored(store: RunLogStore, run: str, path: str) -> Entries:
    """The files that an instance put, as the state that it left has them."""
    from argosy.runtime.state import Reader

    document = history.read_json(store, state_key(run, path))
    if not document:
        return {}
    try:
        state = Reader(store, run, {}, lambda *_: False, patience=()).state(document)
    except (ArgosyError, KeyError) as error:
        raise click.ClickException(
            f"the state of '{path}' in {run} cannot be read: {error}"
        ) from None
    return {name: entry for name, entry in state.catalog.items() if entry["by"] == path}


def matching(entries: Entries, patterns: Iterable[str]) -> Entries:
    """The entries that any of the patterns matches; all without one. Raises ClickException for a
    pattern that matches none."""
    found: Entries = {}
    for pattern in patterns:
        match = matcher(pattern).match
        matched = {name: entry for name, entry in entries.items() if match(name)}
        if not matched:
            raise click.ClickException(f"no file matches '{pattern}'; {nearest(pattern, entries)}")
        found |= matched
    return found if patterns else entries
