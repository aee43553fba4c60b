"""`argosy runs` and `argosy runs rm`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from argosy.runtime import layout
from argosy.runtime.blobs import Blobs, named
from argosy.runtime.executors.local.report import duration
from argosy.runtime.service import RunLogStore

from . import cluster, history, options

if TYPE_CHECKING:
    from ..cluster import Way
    from .session import Row


@click.group(invoke_without_command=True)
@options.configuration
@options.layered
@options.variable
@options.output
@cluster.way
@click.pass_context
def runs(
    ctx: click.Context,
    configurations: tuple[str, ...],
    variables: tuple[str, ...],
    output: str,
    way: Way,
) -> None:
    """List runs, newest first: those of the run log, and those that only the cluster knows.

    \b
    argosy runs
    argosy runs -o json
    argosy runs -c argo.yaml --context production
    argosy runs rm churn-1a2b3c4d churn-5e6f7a8b
    """
    from .session import open_session

    ctx.obj = configurations, variables, way
    if ctx.invoked_subcommand:
        return
    session = open_session(way, configurations, variables, needed=False)
    found = session.runs()
    if output == "json":
        noun = session.engine.noun if session.engine else ""
        click.echo(json.dumps([_json(row, noun) for row in found], indent=2))
        return
    if not found:
        click.echo(history.NONE, err=True)
        return
    width = max(len("RUN"), *(len(row.run) for row in found))
    click.echo(f"{'RUN':{width}}  {'STATUS':9}  {'STARTED':19}  TOOK")
    for row in found:
        took = "-" if row.took is None else duration(row.took)
        click.echo(
            f"{row.run:{width}}  {row.status:9}  {history.local_time(row.started):19}  {took}"
        )


def _json(row: Row, noun: str) -> dict[str, Any]:
    found = {
        "run": row.run,
        "status": row.status,
        "started": history.iso_time(row.started),
        "ended": history.iso_time(row.ended),
        "took": None if row.took is None else round(row.took, 3),
    }
    return {**found, noun: row.name or None} if noun else found


@runs.command()
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
@options.configuration
@options.layered
@options.variable
@cluster.way
@click.pass_obj
def rm(
    before: tuple[tuple[str, ...], tuple[str, ...], Way],
    names: tuple[str, ...],
    configurations: tuple[str, ...],
    variables: tuple[str, ...],
    way: Way,
) -> None:
    """Delete runs, and the data that no other run names.

    Nothing is deleted while any run goes on: it may name the same data.
    """
    from ..integrate import resolve_services
    from .session import session_of

    # Options may stand before `rm` too.
    configurations, variables = (*before[0], *configurations), (*before[1], *variables)
    way = before[2]._replace(**{name: given for name, given in way._asdict().items() if given})
    found = resolve_services(configurations, options.pairs(variables, "-v"))
    store, catalog = session_of(way, found, needed=False).must_store(), found.catalog
    doomed = {history.read(store, name).id for name in names}
    kept = []
    for run in history.read_all(store):
        if run.status == "running":
            # What it writes now may be what is about to go: a blob is named after it is there.
            raise click.ClickException(f"{run.id} is running; try again when it has ended")
        if run.id not in doomed:
            kept.append(run.id)
    own, others = _named(store, doomed), _named(store, kept)
    for sha in sorted(own.files - others.files):
        catalog.delete(sha)
    for sha in sorted(own.blobs - others.blobs):
        store.delete(layout.blob_key(sha))
    for run_id in sorted(doomed):
        for key in store.list(layout.run_prefix(run_id)):
            store.delete(key)
        click.echo(f"{run_id}: deleted", err=True)


class Named(NamedTuple):
    """Hashes of what runs name: blobs, in the run log; files, in the catalog."""

    blobs: set[str]
    files: set[str]


def _named(store: RunLogStore, runs: Iterable[str]) -> Named:
    found, blobs = Named(set(), set()), Blobs(store, patience=())
    for run in runs:
        for key in store.list(f"{layout.run_prefix(run)}state/"):
            states = [history.read_json(store, key)]
            for part in set(states[0].get("parts", ())) - found.blobs:
                found.blobs.add(part)
                states.append(history.read_json(store, layout.blob_key(part)))
            for state in states:
                found.blobs.update(named(state.get("parameters", {}).values(), blobs))
                found.files.update(entry["sha256"] for entry in state.get("catalog", {}).values())
    return found
