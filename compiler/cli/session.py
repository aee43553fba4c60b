"""What the day-two commands work with: the engine of a configuration, and its run log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


class Row(NamedTuple):
    """A run as the list shows it; `name` is that of its object in a cluster that has one."""

    run: str
    status: str
    started: float | None
    ended: float | None
    took: float | None
    name: str = ""


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

    def runs(self) -> list[Row]:
        """All runs, newest first: those of the run log, and those that only the cluster knows."""
        return joined(self._logged(), self._ask(lambda engine: engine.list()) or [])

    def _logged(self) -> list[history.Run]:
        """The runs of the run log; a warning where it cannot be read and the cluster can."""
        try:
            return history.read_all(self.store) if self.store else []
        except ArgosyError as error:
            if self.engine is None:
                raise
            click.echo(f"warning: {error}", err=True)
            return []

    def name_of(self, run: str) -> str:
        """The id of the newest run for `latest`, where there is one; any other name as it is."""
        if run != history.LATEST:
            return run
        return next((row.run for row in self.runs()), run)

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


def joined(logged: Iterable[history.Run], executions: Iterable[Execution]) -> list[Row]:
    """Newest first. What closed a run says how it ended; of one that nothing has closed the cluster
    knows more."""
    known = {one.run: one for one in executions}
    found = []
    for run in logged:
        there = known.pop(run.id, None)
        status, name = run.status, ""
        if there:
            name = there.name
            status = status if run.end and there.status != "cancelled" else there.status
        found.append(Row(run.id, status, run.started, run.ended, run.took, name))
    for one in known.values():
        took = one.ended - one.started if one.ended and one.started else None
        found.append(Row(one.run, one.status, one.started, one.ended, took, one.name))
    return sorted(found, key=lambda row: (row.started or 0.0, row.run), reverse=True)


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
