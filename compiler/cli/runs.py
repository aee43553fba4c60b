"""`argosy runs` and `argosy runs rm`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from argosy.runtime.executors.local.report import duration

from . import cluster, history, options, removal

if TYPE_CHECKING:
    from ..cluster import Way
    from .session import Row


def age(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
    """Seconds of an age, which is written as durations in definitions are."""
    from ..parse.fields import duration as seconds

    found = None if text is None else seconds(text)
    if text is not None and found is None:
        raise click.BadParameter(f"'{text}' is not a duration such as 30d, 12h or 1d12h")
    return found


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
@click.argument("names", metavar="[RUN]...", nargs=-1)
@click.option(
    "--older-than", metavar="AGE", callback=age, help="Delete runs older than AGE: 30d, 12h."
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    metavar="N",
    help="Keep the newest N runs, and delete the others (with --older-than, the older ones).",
)
@options.configuration
@options.layered
@options.variable
@cluster.way
@click.pass_obj
def rm(
    before: tuple[tuple[str, ...], tuple[str, ...], Way],
    names: tuple[str, ...],
    older_than: float | None,
    keep: int | None,
    configurations: tuple[str, ...],
    variables: tuple[str, ...],
    way: Way,
) -> None:
    """Delete runs, and the files and large values that no other run names.

    While a run is in progress, files and large values stay: the next `runs rm` deletes them.

    \b
    argosy runs rm churn-1a2b3c4d churn-5e6f7a8b
    argosy runs rm --older-than 30d --keep 20
    """
    by_age = older_than is not None or keep is not None
    if bool(names) == by_age:
        raise click.UsageError("give either runs or --older-than and --keep")
    from ..integrate import resolve_services
    from .session import session_of

    # Options may stand before `rm` too.
    configurations, variables = (*before[0], *configurations), (*before[1], *variables)
    way = before[2]._replace(**{name: given for name, given in way._asdict().items() if given})
    found = resolve_services(configurations, options.pairs(variables, "-v"))
    store, catalog = session_of(way, found, needed=False).must_store(), found.catalog
    doomed = {history.read(store, name).id for name in names}
    runs = history.read_all(store)
    if by_age:
        doomed = {run.id for run in removal.choose(runs, older_than, keep)}
    removal.check(doomed, runs)
    removal.remove(store, catalog, doomed, runs)
    if not doomed:
        click.echo("there is no such run", err=True)
