"""`argosy submit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import cluster, options, parameters
from .inspected import check_cluster_secrets, inspected

if TYPE_CHECKING:
    from ..cluster import Way
    from ..cluster.engine import Resume
    from ..compilation import Request
    from ..graph import Pipeline
    from .session import Session


@click.command()
@options.request
@parameters.option
@options.resuming
@cluster.wait
@options.output
@cluster.way
def submit(
    request: Request,
    given: tuple[str, ...],
    resume: str | None,
    by_name: bool,
    ignore_code: bool,
    wait: bool,
    output: str,
    way: Way,
) -> None:
    """Start a run of the pipeline FILE on the cluster, as it is applied there.

    Parameters are checked against the definition. With --resume they are those of the earlier run,
    and -p changes some. With --wait the command goes on until the run has ended, and exits 1 where
    it failed.

    \b
    argosy submit pipeline.yaml -c argo.yaml
    argosy submit pipeline.yaml -c argo.yaml -p rate=0.2 --wait
    argosy submit pipeline.yaml -c argo.yaml --resume churn-1a2b3c4d
    argosy submit pipeline.yaml -c argo.yaml --server https://argo.example.com -n team
    """
    from .. import phases
    from ..cluster.engine import Resume
    from ..commit import Commit
    from ..environments import layered
    from .session import session
    from .started import tell

    compilation = phases.compile(request)
    commit = Commit()
    own = parameters.read(compilation.pipeline, given)
    found = session(way, compilation.executor, compilation.run_log_store)
    engine = found.must_engine("submit to")
    old = Resume(_run_id(found, resume), by_name, ignore_code) if resume else None
    inherited = _arguments_of(found, old, compilation.pipeline) if old else {}
    options.report(inspected(compilation, own, inherited, starts=True))
    check_cluster_secrets(compilation, engine.client)
    arguments = {**inherited, **own}
    for warning in engine.warnings(compilation):
        click.echo(f"warning: {warning}", err=True)
    started = engine.submit(compilation, arguments, old, commit.result())
    again = cluster.again(layered(request), options.written(request.variables), way)
    tell(found, started, wait, output, again)


def _run_id(session: Session, run: str) -> str:
    """The id of a run, in the cluster or, where its workflow has gone, in the run log."""
    engine = session.must_engine("submit to")
    run = session.name_of(run)
    found = engine.find(run)
    if found:
        return found.run
    logged = session.log(run)
    return logged.id if logged else engine.must_find(run).run


def _arguments_of(session: Session, old: Resume, pipeline: Pipeline) -> dict[str, Any]:
    """What the earlier run was given."""
    from argosy.runtime import layout

    from . import history

    engine = session.must_engine("submit to")
    execution = engine.find(old.run)
    if execution:
        return parameters.checked(pipeline, engine.arguments(execution.name, pipeline))
    if session.store is None:
        return {}
    logged = history.read_json(session.store, layout.run_key(old.run)).get("arguments", {})
    return parameters.checked(pipeline, logged)
