"""`argosy runs` and `argosy runs rm`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import click

from argosy.runtime import layout
from argosy.runtime.entries import blobs
from argosy.runtime.executors.local.report import duration
from argosy.runtime.service import RunLogStore

from . import history, options


@click.group(invoke_without_command=True)
@options.configuration
@options.variable
@options.output
@click.pass_context
def runs(
    ctx: click.Context, configurations: tuple[str, ...], variables: tuple[str, ...], output: str
) -> None:
    """List runs, newest first.

    \b
    argosy runs
    argosy runs -o json
    argosy runs rm churn-1a2b3c4d churn-5e6f7a8b
    """
    from ..integrate import resolve_services

    ctx.obj = configurations, variables
    if ctx.invoked_subcommand:
        return
    store, _ = resolve_services(configurations, options.pairs(variables, "-v"))
    found = history.read_all(store)
    if output == "json":
        click.echo(json.dumps([_row(run) for run in found], indent=2))
        return
    if not found:
        click.echo("there are no runs yet; `argosy run FILE` makes one", err=True)
        return
    width = max(len("RUN"), *(len(run.id) for run in found))
    click.echo(f"{'RUN':{width}}  {'STATUS':9}  {'STARTED':19}  TOOK")
    for run in found:
        took = "-" if run.took is None else duration(run.took)
        started = history.local_time(run.started)
        click.echo(f"{run.id:{width}}  {run.status:9}  {started:19}  {took}")


def _row(run: history.Run) -> dict[str, Any]:
    took = None if run.took is None else round(run.took, 3)
    started, ended = history.iso_time(run.started), history.iso_time(run.ended)
    return {"run": run.id, "status": run.status, "started": started, "ended": ended, "took": took}


@runs.command()
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
@options.configuration
@options.variable
@click.pass_obj
def rm(
    before: tuple[tuple[str, ...], tuple[str, ...]],
    names: tuple[str, ...],
    configurations: tuple[str, ...],
    variables: tuple[str, ...],
) -> None:
    """Delete runs, and the data that no other run names.

    Nothing is deleted while any run goes on: it may name the same data.
    """
    from ..integrate import resolve_services

    # Options may stand before `rm` too.
    given = options.pairs((*before[1], *variables), "-v")
    store, catalog = resolve_services((*before[0], *configurations), given)
    doomed = {history.read(store, name).id for name in names}
    kept = []
    for run in history.read_all(store):
        if run.status == "running":
            # What it writes now may be what is about to go: a blob is named after it is there.
            raise click.ClickException(f"{run.id} is running; try again when it has ended")
        if run.id not in doomed:
            kept.append(run.id)
    own, others = _blobs(store, doomed), _blobs(store, kept)
    for sha in sorted(own.files - others.files):
        catalog.delete(sha)
    for sha in sorted(own.parameters - others.parameters):
        store.delete(layout.blob_key(sha))
    for run_id in sorted(doomed):
        for key in store.list(layout.run_prefix(run_id)):
            store.delete(key)
        click.echo(f"{run_id}: deleted", err=True)


class Blobs(NamedTuple):
    """Hashes of what runs name: large parameters, in the run log; files, in the catalog."""

    parameters: set[str]
    files: set[str]


def _blobs(store: RunLogStore, runs: Iterable[str]) -> Blobs:
    found = Blobs(set(), set())
    for run in runs:
        for key in store.list(f"{layout.run_prefix(run)}state/"):
            state = history.read_json(store, key)
            found.parameters.update(blobs(state.get("parameters", {})))
            found.files.update(entry["sha256"] for entry in state.get("catalog", {}).values())
    return found
