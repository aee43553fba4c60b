"""The databases that a run log can be in, and what differs between them."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

from argosy.runtime.errors import NodeError, ServiceError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.exc import DBAPIError

VERSION = 1
"""Of the tables. Another one is another Argosy's, which knows what to do with them."""
PATIENCE = 20.0
"""Seconds that one try waits for a lock or for a server's answer."""
EXAMPLES = "sqlite:///runs.db or postgresql://user@host/name"
HOPELESS = ("28", "3D", "42")
"""What SQLSTATEs begin with that another try cannot change: no access, no database, no table."""
TURNED_AWAY = ("authentication failed", "pg_hba.conf", "does not exist", "no password supplied")
MISSING = "the run log store 'db' needs libraries: pip install 'argosy[db]'"


class Dialect:
    """What differs between the databases. `tables` makes the tables, unless they are there."""

    driver: str
    appended: str
    tables: tuple[str, ...]

    @staticmethod
    def engine(url: URL) -> Engine:
        raise NotImplementedError

    @staticmethod
    def worth_another_try(error: DBAPIError) -> bool:
        raise NotImplementedError


class SQLite(Dialect):
    """A connection for each statement: none may live on in a process that is forked."""

    driver = "sqlite"
    appended = "CAST(argosy_objects.data || excluded.data AS BLOB)"
    tables = (
        "PRAGMA journal_mode = WAL",
        "BEGIN IMMEDIATE",
        "CREATE TABLE IF NOT EXISTS argosy_objects (key TEXT PRIMARY KEY, data BLOB NOT NULL)",
        "CREATE TABLE IF NOT EXISTS argosy_schema (version INTEGER NOT NULL)",
        "INSERT INTO argosy_schema SELECT {version} WHERE NOT EXISTS (SELECT 1 FROM argosy_schema)",
        "COMMIT",
    )

    @staticmethod
    def engine(url: URL) -> Engine:
        from sqlalchemy import NullPool, create_engine, event

        folder = os.path.dirname(str(url.database))
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise ServiceError(f"run log 'db': cannot make {folder}: {error.strerror}") from error
        made = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            poolclass=NullPool,
            connect_args={"timeout": PATIENCE},
        )
        # With a log of its own a crash of the machine may cost the last writes, never the rest.
        event.listen(made, "connect", lambda one, _: one.execute("PRAGMA synchronous = NORMAL"))
        return made

    @staticmethod
    def worth_another_try(error: DBAPIError) -> bool:
        return "locked" in str(error.orig)


class PostgreSQL(Dialect):
    driver = "postgresql+psycopg"
    appended = "argosy_objects.data || excluded.data"
    tables = (
        "BEGIN",
        "SELECT pg_advisory_xact_lock(27988542923635065)",  # a number of ours
        'CREATE TABLE IF NOT EXISTS argosy_objects (key TEXT COLLATE "C" PRIMARY KEY, '
        "data BYTEA NOT NULL)",
        *SQLite.tables[3:],
    )

    @staticmethod
    def engine(url: URL) -> Engine:
        from sqlalchemy import create_engine, event

        arguments: dict[str, Any] = {
            "connect_timeout": int(PATIENCE),
            "tcp_user_timeout": int(PATIENCE * 1000),
            "keepalives_idle": 20,
            "application_name": "argosy",
        }
        arguments = {name: value for name, value in arguments.items() if name not in url.query}
        # A pooler between may hand the next statement to another server.
        arguments["prepare_threshold"] = None
        try:
            made = create_engine(
                url,
                isolation_level="AUTOCOMMIT",
                hide_parameters=True,
                pool_size=1,
                connect_args=arguments,
            )
        except ImportError as error:
            raise NodeError(MISSING) from error
        # The first of all, as others send statements.
        event.listen(made, "connect", lambda one, _: lose_patience(one), insert=True)
        return made

    @staticmethod
    def worth_another_try(error: DBAPIError) -> bool:
        """Not where the server turns away who comes: it gives no SQLSTATE then."""
        from sqlalchemy import exc

        state, text = getattr(error.orig, "sqlstate", None) or "", str(error.orig)
        hopeless = state.startswith(HOPELESS) or any(phrase in text for phrase in TURNED_AWAY)
        lost = isinstance(error, (exc.OperationalError, exc.InterfaceError))
        return (lost or error.connection_invalidated) and not hopeless


DIALECTS: Mapping[str, type[Dialect]] = {
    "sqlite": SQLite,
    "postgresql": PostgreSQL,
    "postgres": PostgreSQL,
    "postgresql+psycopg": PostgreSQL,
}


def dialect_of(url: str) -> type[Dialect]:
    """Raises NodeError for a URL of no database that steps can share."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in DIALECTS:
        what = f"'{scheme}'" if separator else "what has no '://'"
        raise NodeError(f"run log 'db' knows no database {what}; its url is like {EXAMPLES}")
    if DIALECTS[scheme] is SQLite and rest.strip("/") in ("", ":memory:"):
        raise NodeError(
            f"run log 'db': {url} is gone with its process, and each step is a process of its own; "
            "name a file: sqlite:///runs.db"
        )
    return DIALECTS[scheme]


def prepare(connection: Connection, dialect: type[Dialect]) -> None:
    """Makes the tables where there are none. Raises NodeError where they are of another version."""
    from sqlalchemy import exc

    read = "SELECT version FROM argosy_schema"
    try:
        version = connection.exec_driver_sql(read).scalar()
    except exc.DBAPIError as missing:
        if missing.connection_invalidated:
            raise
        try:
            for statement in dialect.tables:
                connection.exec_driver_sql(statement.format(version=VERSION))
        except exc.DBAPIError:
            connection.invalidate()  # and with it what was begun
            raise
        version = connection.exec_driver_sql(read).scalar()
    if version != VERSION:
        raise NodeError(
            f"run log 'db': the tables are of version {version}, and this Argosy knows {VERSION}; "
            "use the version of Argosy that made them, or another database"
        )


def lose_patience(connection: Any) -> None:
    """Has a connection of psycopg's be closed where the server says nothing for too long: a proxy
    between keeps it open whatever has become of the server."""
    wait = connection.wait

    def watched(steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        from psycopg import OperationalError

        heard = time.monotonic()
        try:
            wanted = next(steps)
            while True:
                ready = yield wanted
                if ready:  # else it is only asked whether to wait on
                    heard = time.monotonic()
                elif time.monotonic() - heard > PATIENCE:
                    connection.close()
                    raise OperationalError(f"no answer for {PATIENCE:.0f} s")
                wanted = steps.send(ready)
        except StopIteration as done:
            return done.value

    connection.wait = lambda steps, *rest, **more: wait(watched(steps), *rest, **more)
