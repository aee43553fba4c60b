"""`argosy retry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import cluster, options

if TYPE_CHECKING:
    from ..cluster import Way


@click.command()
@click.argument("run")
@click.option("--by-name", is_flag=True, help="Skip whatever succeeded, changed or not.")
@click.option("--ignore-code", is_flag=True, help="Skip a step even if its code has changed.")
@cluster.wait
@options.configuration
@options.layered
@options.variable
@options.output
@cluster.way
def retry(
    run: str,
    by_name: bool,
    ignore_code: bool,
    wait: bool,
    configurations: tuple[str, ...],
    variables: tuple[str, ...],
    output: str,
    way: Way,
) -> None:
    """Run RUN again: a new run with its parameters, which skips what succeeded in the old one.

    It runs what is applied now, so that a step that has been mended runs as it is mended. RUN is a
    run's id, its workflow's name, or `latest`.

    \b
    argosy retry latest -c argo.yaml --wait
    argosy retry churn-1a2b3c4d -c argo.yaml --by-name
    """
    from ..cluster.engine import Resume
    from .session import open_session
    from .started import tell

    session = open_session(way, configurations, variables)
    engine = session.must_engine("retry runs in")
    old = engine.must_find(session.name_of(run))
    if not old.finished:
        raise click.ClickException(f"{old.run} is {old.status}; `argosy stop` ends it")
    new = engine.retry(old.name, Resume(old.run, by_name, ignore_code))
    tell(session, new, wait, output, cluster.again(configurations, variables, way))
