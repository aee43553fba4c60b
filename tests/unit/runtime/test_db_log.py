"""The run log in a database: what SQLite shows of it, and what is refused."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from argosy.runtime import retry
from argosy.runtime.errors import ArgosyError, NodeError, ServiceError
from argosy.runtime.run_logs.databases import lose_patience
from argosy.runtime.run_logs.db import DatabaseRunLog

PASSWORD = "s3cr-t@" + "x" * 8


def log(folder: Path) -> DatabaseRunLog:
    return DatabaseRunLog({"url": f"sqlite:///{folder}/runs.db"})


def forked(count: int, act: Callable[[int], None]) -> set[int]:
    """The exit statuses of so many processes that run `act` with their number, at once."""
    started = []
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            try:
                act(number)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        started.append(pid)
    return {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in started}


def test_fifty_processes_that_begin_at_once_lose_nothing(tmp_path: Path) -> None:
    import sqlalchemy  # noqa: F401 (once, for all of them)

    def act(number: int) -> None:
        store = log(tmp_path)
        store.put(f"runs/a/{number:02}", b"x" * 1000)
        store.append("runs/a/all", b".")
        assert store.get(f"runs/a/{number:02}") == b"x" * 1000

    assert forked(50, act) == {0}
    store = log(tmp_path)
    assert len(store.list("runs/a/")) == 51
    assert store.get("runs/a/all") == b"." * 50
    with sqlite3.connect(tmp_path / "runs.db") as found:
        assert found.execute("SELECT version FROM argosy_schema").fetchall() == [(1,)]


def test_a_process_that_is_forked_has_a_connection_of_its_own(tmp_path: Path) -> None:
    store = log(tmp_path)
    store.put("a", b"1")

    def act(number: int) -> None:
        assert store.get("a") == b"1"
        store.put(f"b{number}", b"")

    assert forked(5, act) == {0}
    store.release()
    assert len(store.list("")) == 6


def test_a_relative_file_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = DatabaseRunLog({"url": "sqlite:///log/runs.db"})
    assert store.file == str(tmp_path / "log" / "runs.db")
    monkeypatch.chdir("/")
    store.put("a", b"")
    assert (tmp_path / "log" / "runs.db").exists()


def test_tables_of_another_version_are_left_alone(tmp_path: Path) -> None:
    log(tmp_path).put("a", b"")
    with sqlite3.connect(tmp_path / "runs.db") as found:
        found.execute("UPDATE argosy_schema SET version = 2")
    with pytest.raises(NodeError, match="of version 2, and this Argosy knows 1"):
        log(tmp_path).get("a")


def test_a_database_that_is_locked_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.runtime.run_logs.databases.PATIENCE", 0.01)
    store = log(tmp_path)
    store.put("a", b"1")
    holder = sqlite3.connect(tmp_path / "runs.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    with monkeypatch.context() as soon:
        soon.setattr(retry, "BUDGET", 0.1)
        with pytest.raises(
            ServiceError, match=r"cannot write a: database is locked; .* \(tried for"
        ):
            store.put("a", b"2")
    threading.Timer(0.2, holder.execute, ["COMMIT"]).start()
    store.put("a", b"2")
    assert store.get("a") == b"2"


def test_a_file_that_is_no_database_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_bytes(b"not of SQLite" * 100)
    with pytest.raises(ServiceError, match="cannot read a: file is not a database; "):
        log(tmp_path).get("a")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "takes either url .* or url_secret"),
        ({"url": "sqlite:///a", "url_secret": "A"}, "takes either url"),
        ({"url_secret": "A", "password_secret": "B"}, "leave out password_secret"),
        ({"url": "mysql://me@host/db"}, "knows no database 'mysql'; .* postgresql://"),
        ({"url": "runs.db"}, "what has no '://'"),
        ({"url": "sqlite://"}, "name a file: sqlite:///runs.db"),
        ({"url": "sqlite:///:memory:"}, "each step is a process of its own"),
    ],
)
def test_what_leads_to_no_database_says_what_does(config: dict[str, str], said: str) -> None:
    with pytest.raises(NodeError, match=said):
        DatabaseRunLog(config).get("a")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{PASSWORD}@127.0.0.1:1/db",
        f"postgresql://me:{PASSWORD}@127.0.0.1:none/db",
        f"postgresql://me:s/x?{PASSWORD}@127.0.0.1:1/db",
        f"postgresql://127.0.0.1:1/db?user=me&password={PASSWORD}",
        f"mysql://me:{PASSWORD}@host/db",
        f"me:{PASSWORD}@host",
    ],
)
def test_no_error_has_the_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BUDGET", 0.0)
    for config in ({"url": url}, {"url_secret": "DB_URL"}):
        store = DatabaseRunLog(config)
        store.secret = {"DB_URL": url}.__getitem__
        assert "xxxx" not in str(store.shown())
        with pytest.raises(ArgosyError) as raised:
            store.get("a")
        assert "xxxx" not in str(raised.value)


def shown(store: DatabaseRunLog) -> str:
    return store._located()[1].render_as_string(hide_password=False)


def test_what_no_integration_brought_the_secrets_are_asked_for() -> None:
    store = DatabaseRunLog({"url": "postgresql://me@host/db", "password_secret": "PASS"})
    store.secret = {"PASS": "p@ss"}.__getitem__
    assert "//me:p%40ss@host" in shown(store)
    store.credentials = {"PASSWORD": "given"}
    assert "//me:given@host" in shown(store)


def test_a_missing_library_names_the_command(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "from argosy.runtime.run_logs.db import DatabaseRunLog\n"
        "DatabaseRunLog({'url': 'sqlite:///a'}).get('a')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert "pip install 'argosy[db]'" in done.stderr


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """psycopg asks what it waits for, now and then, whether to wait on: it sends 0."""
    psycopg = pytest.importorskip("psycopg")
    monkeypatch.setattr("argosy.runtime.run_logs.databases.PATIENCE", 0.05)

    class Connection:
        closed = False

        def close(self) -> None:
            self.closed = True

        def wait(self, steps: Generator[str, int, int], answers: Iterator[int]) -> int:
            next(steps)
            try:
                for ready in answers:
                    steps.send(ready)
                    time.sleep(0.02)
            except StopIteration as done:
                return int(done.value)
            raise AssertionError("it has waited too long")

    def asked() -> Generator[str, int, int]:
        heard = 0
        while heard < 5:
            heard += yield "until it can be read"
        return heard

    connection = Connection()
    lose_patience(connection)
    assert connection.wait(asked(), iter([0, 1] * 5)) == 5
    with pytest.raises(psycopg.OperationalError, match="no answer for"):
        connection.wait(asked(), iter([0] * 20))
    assert connection.closed
