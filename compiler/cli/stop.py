"""`argosy stop`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import cluster, options

if TYPE_CHECKING:
    from ..cluster import Way


@click.command()
@click.argument("run")
@click.option(
    "--terminate", is_flag=True, help="Stop at once, without the pod that closes the run."
)
@options.configuration
@options.layered
@options.variable
@cluster.way
def stop(
    run: str,
    terminate: bool,
    configurations: tuple[str, ...],
    variables: tuple[str, ...],
    way: Way,
) -> None:
    """Stop RUN: its pods get the time to end, and its last one closes the run log.

    RUN is a run's id, its workflow's name, or `latest`.

    \b
    argosy stop churn-1a2b3c4d -c argo.yaml
    argosy stop latest -c argo.yaml --terminate
    """
    from .session import open_session

    session = open_session(way, configurations, variables)
    engine = session.must_engine("stop runs in")
    found = engine.must_find(session.name_of(run))
    if found.finished:
        click.echo(f"{found.run} has ended already: {found.status}", err=True)
        return
    engine.stop(found.name, terminate)
    click.echo(f"{found.run}: {'terminated' if terminate else 'stopping'}")
