"""What the day-two commands work with: the engine of a configuration, and its run log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from argosy.runtime.errors import ArgosyError
from argosy.runtime.service import RunLogStore

from ..cluster.errors import ClusterError
from . import history, options

if TYPE_CHECKING:
    from ..cluster import Way
    from ..cluster.engine import Engine, Execution
    from ..integrate import Services

T = TypeVar("T")


class Session(NamedTuple):
    """`engine` is None where the configuration's executor runs on this machine; `store` is None
    where the way to the engine does not lead to the run log."""

    engine: Engine | None
    store: RunLogStore | None

    def must_engine(self, doing: str) -> Engine:
        """Raises UsageError where there is no engine to do that."""
        if self.engine is None:
            raise click.UsageError(
                f"there is no cluster to {doing}: the configuration's executor runs here; "
                "name the one for the cluster with -c"
            )
        return self.engine

    def must_store(self) -> RunLogStore:
        """Raises UsageError where the run log is out of reach."""
        if self.store is None:
            raise click.UsageError("an Argo server does not lead to the run log in the cluster")
        return self.store

    def executions(self) -> list[Execution]:
        """All runs that the cluster has."""
        return self._ask(lambda engine: engine.list()) or []

    def execution(self, run: str) -> Execution | None:
        """What the cluster has of a run."""
        return self._ask(lambda engine: engine.find(run))

    def _ask(self, question: Callable[[Engine], T]) -> T | None:
        """The engine's answer; a warning where it cannot be asked and the run log can."""
        if self.engine is None:
            return None
        try:
            return question(self.engine)
        except ClusterError as error:
            if self.store is None:
                raise
            click.echo(f"warning: {error}", err=True)
            return None

    def log(self, run: str) -> history.Run | None:
        """What the run log has of a run; None where it has none of it, or cannot be read."""
        if self.store is None:
            return None
        try:
            return history.find(self.store, run)
        except ArgosyError as error:
            click.echo(f"warning: {error}", err=True)
            return None


def open_session(
    way: Way, configurations: tuple[str, ...], variables: tuple[str, ...], needed: bool = True
) -> Session:
    """The session of a configuration; asks nothing yet. Where the cluster is not `needed`, and no
    way was given, one that leads nowhere is as good as none.

    Raises ArgosyError where the configuration or the way is wrong.
    """
    from ..integrate import resolve_services

    found = resolve_services(configurations, options.pairs(variables, "-v"))
    return session_of(way, found, needed)


def session_of(way: Way, found: Services, needed: bool) -> Session:
    """The same, of services that are open already."""
    try:
        return session(way, found.executor, found.run_log_store)
    except ArgosyError:
        if needed or way.context or way.server:
            raise
        return Session(None, found.run_log_store)


def session(way: Way, executor: Any, store: RunLogStore) -> Session:
    """The session of an executor and a run log that are open already."""
    from ..cluster import connect
    from ..cluster.engine import ENGINES, engine

    if executor.executor_type not in ENGINES:
        return Session(None, store)
    client = connect(way, executor.config.get("namespace"))
    if "context" not in store.options:
        return Session(engine(executor.executor_type, client), store)
    # It is in the cluster too, where an Argo server does not let anybody look.
    store.config["namespace"] = client.namespace
    store.config["context"] = way.context or store.config["context"]
    return Session(engine(executor.executor_type, client), None if way.server else store)
