"""A run log in a database, SQLite or PostgreSQL: one row an object.

Every operation is one statement, committed by itself, so that it can be tried again. The tables are
made by whoever comes first; a lock of the database lets the others wait.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from argosy.runtime import credentials
from argosy.runtime.errors import NodeError, ServiceError
from argosy.runtime.retry import TryAgainError, retry
from argosy.runtime.service import Option, RunLogStore, project

from .databases import EXAMPLES, MISSING, SQLite, dialect_of, prepare

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

    from .databases import Dialect

PUT = (
    "INSERT INTO argosy_objects (key, data) VALUES (:key, :data) "
    "ON CONFLICT (key) DO UPDATE SET data = excluded.data"
)
APPEND = PUT.replace("data = excluded.data", "data = {appended}")
GET = "SELECT data FROM argosy_objects WHERE key = :key"
LIST = "SELECT key FROM argosy_objects WHERE key >= :key AND key < :end ORDER BY key"
DELETE = "DELETE FROM argosy_objects WHERE key = :key"
LAST = "\U0010ffff"
"""Follows every key that begins with what is before it."""

WAY_OUT = "is the URL right, and may this user create tables there, or use those that there are?"
NOT_NOW = "is it up, can it be reached from here, and does nothing else keep it busy?"
NO_ROOM = ("is full", "No space left on device")
FULL = "make room there"


class DatabaseRunLog(RunLogStore):
    """`credentials` is what an integration has brought here: URL or PASSWORD. What is not there is
    asked of the secrets provider."""

    service_provider = "db"
    extra = "db"
    options: ClassVar[Mapping[str, Option]] = {
        "url": Option("string", None, f"the database: {EXAMPLES}"),
        "url_secret": Option("string", None, "the secret that has the whole URL, in place of url"),
        "password_secret": Option("string", None, "the secret that has the password for url"),
    }

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self.credentials: Mapping[str, str] = {}
        self._here = project()
        self._engine: Engine | None = None
        self._prepared = False
        self._process = os.getpid()
        self._hidden: list[str] = []

    def shown(self) -> Mapping[str, Any]:
        url = self.config["url"] or ""
        if not self.has_password(url):
            return self.config
        scheme, separator, _ = url.partition("://")
        return {**self.config, "url": f"{scheme}://***" if separator else "***"}

    def check(self) -> None:
        """Raises NodeError where the options do not lead to a database."""
        url, whole, password = (self.config[name] for name in self.options)
        if bool(url) == bool(whole):
            raise NodeError(f"run log 'db' takes either url ({EXAMPLES}) or url_secret")
        if whole and password:
            raise NodeError("url_secret has the password too; leave out password_secret")
        if url:
            dialect_of(url)

    def asked(self) -> Mapping[str, str]:
        names = {"URL": self.config["url_secret"], "PASSWORD": self.config["password_secret"]}
        return {variable: name for variable, name in names.items() if name}

    @property
    def file(self) -> str | None:
        """The path of the SQLite database; `None` where it is another, or not known yet."""
        url = self.config["url"] or ""
        if not url.startswith("sqlite:"):
            return None
        return self.path(url)

    @staticmethod
    def has_password(url: str) -> bool:
        """Whether a URL tells a password."""
        return any(True for _ in passwords(url))

    def is_here(self) -> bool:
        """Whether a URL that is configured names a server of this machine: what a container of its
        own network would not find. What a secret says is looked at too, where it can be had."""
        from urllib.parse import urlsplit

        url = self.config["url"]
        if not url:
            try:
                url = self.secret(self.config["url_secret"])
            except NodeError:
                return False
        try:
            host = urlsplit(url).hostname
        except ValueError:
            return False
        return host in ("localhost", "127.0.0.1", "::1")

    def path(self, url: str) -> str:
        """That of the file; a relative one is in the working folder."""
        name = unquote(url.partition("://")[2].partition("?")[0])
        return os.path.join(self._here, os.path.expanduser(name.removeprefix("/")))

    def put(self, key: str, data: bytes) -> None:
        self._run("write", PUT, key, data=data)

    def get(self, key: str) -> bytes | None:
        rows = self._run("read", GET, key)
        return bytes(rows[0][0]) if rows else None

    def list(self, prefix: str) -> list[str]:
        return [str(row[0]) for row in self._run("list", LIST, prefix, end=prefix + LAST)]

    def append(self, key: str, data: bytes) -> None:
        self._run("append to", APPEND, key, data=data)

    def delete(self, key: str) -> None:
        self._run("delete", DELETE, key)

    def release(self) -> None:
        """Closes the connection: a server takes so many, and a step may go on for hours."""
        if self._engine is not None and self._process == os.getpid():
            self._engine.dispose()

    def _run(self, verb: str, statement: str, key: str, **values: Any) -> Sequence[Any]:
        """The rows of one statement."""
        what = f"run log 'db': cannot {verb} {key}"
        return retry(partial(self._try, what, statement, {"key": key, **values}), what)

    def _try(self, what: str, statement: str, values: Mapping[str, Any]) -> Sequence[Any]:
        dialect, engine = self._opened()
        from sqlalchemy import exc, text

        try:
            with engine.connect() as connection:
                if not self._prepared:
                    prepare(connection, dialect)
                    self._prepared = True
                done = connection.execute(
                    text(statement.replace("{appended}", dialect.appended)), values
                )
                return done.fetchall() if done.returns_rows else ()
        except exc.DBAPIError as error:
            reason = self._masked(" ".join(str(error.orig).split()).rstrip("."))
            full = any(phrase in reason for phrase in NO_ROOM)
            if dialect.worth_another_try(error):
                raise TryAgainError(f"{reason}; {FULL if full else NOT_NOW}") from error
            raise ServiceError(f"{what}: {reason}; {FULL if full else WAY_OUT}") from error

    def _opened(self) -> tuple[type[Dialect], Engine]:
        if self._engine is None:
            self._dialect, url = self._located()
            self._engine = self._dialect.engine(url)
        elif self._process != os.getpid():
            self._engine.dispose(close=False)  # what is open is the parent's
        self._process = os.getpid()
        return self._dialect, self._engine

    def _located(self) -> tuple[type[Dialect], URL]:
        """Where the database is. No error shows the URL: it may hold the password."""
        self.check()
        try:
            from sqlalchemy import exc, make_url
        except ImportError as error:
            raise NodeError(MISSING) from error
        secrets = {variable: self._value(variable, name) for variable, name in self.asked().items()}
        given, password = secrets.get("URL") or self.config["url"], secrets.get("PASSWORD")
        dialect = dialect_of(given)
        try:
            url = make_url(given)
        except (exc.ArgumentError, ValueError):
            raise NodeError(
                f"run log 'db': its URL cannot be read; it is like {EXAMPLES}"
            ) from None
        if password:
            url = url.set(password=password)
        self._hidden = [password or "", *passwords(given), *passwords(unquote(given))]
        credentials.hide(filter(None, self._hidden))
        if dialect is SQLite:
            url = url.set(database=self.path(given))
        return dialect, url.set(drivername=dialect.driver)

    def _value(self, variable: str, name: str) -> str:
        given = self.credentials.get(variable)
        return self.secret(name) if given is None else given

    def _masked(self, text: str) -> str:
        for secret in sorted(filter(None, self._hidden), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


def passwords(url: str) -> Iterator[str]:
    """The passwords in a URL, and their parts: one that is not written as a URL wants it is taken
    for a host, or a name, and then shows in errors."""
    rest = url.partition("://")[2] or url
    found = [rest.rpartition("@")[0].partition(":")[2]]
    found += [part.partition("&")[0] for part in url.split("password=")[1:]]
    for password in filter(None, found):
        yield password
        yield from (part for part in re.split("[@/?:&=]", password) if len(part) > 3)
