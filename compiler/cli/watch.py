"""`argosy watch`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from . import cluster, options

if TYPE_CHECKING:
    from ..cluster import Way


@click.command()
@click.argument("run")
@options.configuration
@options.layered
@options.variable
@cluster.way
def watch(run: str, configurations: tuple[str, ...], variables: tuple[str, ...], way: Way) -> None:
    """Watch RUN until it ends: its graph, what runs now, and what failed and why.

    RUN is a run's id, its workflow's name, or `latest`. Maps are folded into counts, composites
    into one line once they are done. Ctrl-C leaves the run alone. Exits 1 where the run failed.

    \b
    argosy watch latest -c argo.yaml
    argosy watch churn-1a2b3c4d -c argo.yaml --context production
    argosy watch churn-x7k2p -c argo.yaml --server https://argo.example.com -n team
    """
    from .following import attended, follow, from_log
    from .screen import screen
    from .session import open_session

    session = open_session(way, configurations, variables)
    shown = screen(sys.stdout)
    run = session.name_of(run)
    if session.engine:
        name = session.engine.must_find(run).name
        found = attended(session, name, shown, cluster.again(configurations, variables, way))
    else:
        from . import history

        store = session.must_store()
        found = follow(from_log(store, history.read(store, run).id), shown)
    sys.exit(0 if found.status == "succeeded" else 1)
