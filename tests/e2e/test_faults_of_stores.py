"""Stores that are slow, refuse, fail, cut, are full or come back late: what is lost, and what the
user is told. The servers are real, behind a proxy that has the faults."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

import proxy
from argosy.runtime import retry
from argosy.runtime.run_logs.db import DatabaseRunLog
from cluster import Cluster
from faulty import FIRST, LAST, TOTAL, Nodes, Stores
from faulty_stores import Account, Store, files, in_plain, kubernetes, postgresql, s3
from postgres import server, there
from proxy import Fault, always, now_and_then, since
from tally import counted, write

POINTS = 3
LITTLE, PLENTY = 0.2, 20.0
"""Seconds of a budget that is to be spent, and of one that is not."""


Maker = Callable[[], AbstractContextManager[Store]]


@pytest.fixture(scope="module", autouse=True)
def _table() -> Iterator[None]:
    yield
    write()


@pytest.fixture(scope="module", params=["s3", "postgresql", "kubernetes"])
def store(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Store]:
    makers: dict[str, Maker] = {
        "s3": s3,
        "postgresql": postgresql,
        "kubernetes": lambda: kubernetes(cluster),
    }
    with makers[request.param]() as found:
        yield found


@pytest.fixture(scope="module", params=["s3", "kubernetes"])
def speaking_http(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Store]:
    makers: dict[str, Maker] = {"s3": s3, "kubernetes": lambda: in_plain(cluster)}
    with makers[request.param]() as found:
        yield found


CUTS = {
    "slow: each message 50 ms late": Fault("wait", 0.05),
    "connection reset": Fault("reset"),
    "answer cut": Fault("cut", 40),
    "request cut": Fault("half"),
    "refused": Fault("refuse"),
    "no answer": Fault("silence"),
}
PASSING = {
    "slow: each message 50 ms late": always(CUTS["slow: each message 50 ms late"]),
    "connection reset": now_and_then(0.07, CUTS["connection reset"]),
    "answer cut": now_and_then(0.07, CUTS["answer cut"]),
    "request cut": now_and_then(0.07, CUTS["request cut"]),
    "refused": now_and_then(0.07, Fault("refuse", 0.2)),
}
ANSWERS = (500, 503, 429)


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_not_noticed(store: Store, name: str, tmp_path: Path) -> None:
    passes(store, PASSING[name], name, tmp_path)


@pytest.mark.parametrize("status", ANSWERS)
def test_an_answer_that_passes_is_not_noticed(
    speaking_http: Store, status: int, tmp_path: Path
) -> None:
    passes(speaking_http, now_and_then(0.3, Fault("answer", status)), f"status {status}", tmp_path)


def passes(store: Store, fault: Callable[[int], Fault | None], name: str, folder: Path) -> None:
    run, nodes = folder.name, Nodes(folder, lambda: store.opened(folder))
    try:
        store.proxy.begin(fault)
        for node in (FIRST, LAST):
            ended = nodes.run(node, run, PLENTY)
            assert ended.status == 0, ended.said
    finally:
        faults = store.proxy.faults
        store.proxy.begin(proxy.no_fault)
        store.proxy.up()
    assert nodes.total(run) == TOTAL
    with counted(name, faults) as gone:
        gone += nodes.lost(run)


@pytest.mark.parametrize("name", [name for name in CUTS if "slow" not in name])
def test_what_stays_is_said_and_a_rerun_completes(
    store: Store, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience in ("aws.READ", "cluster.TIMEOUT", "run_logs.databases.PATIENCE"):
        monkeypatch.setattr(f"argosy.runtime.{patience}", 1.0)
    stays(store, CUTS[name], name, tmp_path)


@pytest.mark.parametrize("status", [*ANSWERS, 507])
def test_an_answer_that_stays_is_said_and_a_rerun_completes(
    speaking_http: Store, status: int, tmp_path: Path
) -> None:
    name = f"status {status}" + (", full" if status == 507 else "")
    stays(speaking_http, Fault("answer", status), name, tmp_path)


def stays(store: Store, fault: Fault, name: str, folder: Path) -> None:
    """The fault begins at several points of a step, and stays until the step has given up."""
    nodes = Nodes(folder, lambda: store.opened(folder))
    first, clean = f"{folder.name}-0", Nodes(folder, lambda: store.direct(folder))
    assert clean.run(FIRST, first, PLENTY).status == 0
    store.proxy.begin(proxy.no_fault)
    ended = nodes.run(LAST, first, PLENTY)
    assert ended.status == 0, ended.said
    points = sorted({1 + store.proxy.messages * n // POINTS for n in range(POINTS)})
    for point in points:
        run = f"{folder.name}-{point}"
        assert clean.run(FIRST, run, PLENTY).status == 0
        store.proxy.begin(since(point, fault))
        ended = nodes.run(LAST, run, LITTLE)
        store.proxy.begin(proxy.no_fault)
        store.proxy.up()
        assert ended.status == 3, (point, ended.said)
        assert re.search(MESSAGES[store.name], ended.said), (point, ended.said)
        again = nodes.run(LAST, run, PLENTY)
        assert again.status == 0, (point, again.said)
        assert nodes.total(run) == TOTAL
    with counted(name, len(points)) as gone:
        gone += nodes.lost(folder.name)


MESSAGES = {
    "s3": r"(run log store|catalog) 's3' at http://127.0.0.1:\d+, s3://\S+: cannot \w+ .+",
    "postgresql": r"run log 'db': cannot \w+ (runs|blobs)/\S+: .+\(tried for \d+ s\)",
    "kubernetes": r"run log 'kubernetes': cannot \w+ (runs|blobs)/\S+: .+\(tried for \d+ s\)",
}


def test_a_store_that_comes_back_after_half_a_minute(store: Store, tmp_path: Path) -> None:
    """It goes away while a step runs, and the budget is the one that users have."""
    run, nodes = tmp_path.name, Nodes(tmp_path, lambda: store.opened(tmp_path))
    assert nodes.run(FIRST, run, PLENTY).status == 0
    store.proxy.begin(since(2, Fault("refuse")))

    def comes_back() -> None:
        store.proxy.begin(proxy.no_fault)
        store.proxy.up()

    threading.Timer(30, comes_back).start()
    began = time.monotonic()
    ended = nodes.run(LAST, run, retry.BUDGET)
    assert ended.status == 0, ended.said
    assert time.monotonic() - began > 29
    assert nodes.total(run) == TOTAL
    with counted("away for 30 s", 1) as gone:
        gone += nodes.lost(run)


NO_ROOM = """
CREATE FUNCTION no_room() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION USING
  ERRCODE = 'disk_full', MESSAGE = 'could not extend file: No space left on device';
END $$ LANGUAGE plpgsql;
CREATE TRIGGER no_room BEFORE INSERT ON argosy_objects EXECUTE FUNCTION no_room();
"""


def test_a_database_without_room_is_said_and_a_rerun_completes(tmp_path: Path) -> None:
    if not there():
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    with server("a-password") as found:
        log = DatabaseRunLog({"url": found.url})
        nodes = Nodes(tmp_path, lambda: Stores(DatabaseRunLog(log.config), files(tmp_path)))
        log.put("runs/made", b"the tables")
        without_room(
            nodes,
            lambda: found.query(NO_ROOM),
            lambda: found.query("DROP TRIGGER no_room ON argosy_objects"),
        )


def test_a_quota_that_is_used_up_is_said_and_a_rerun_completes(
    new_cluster: Callable[[], Cluster], tmp_path: Path
) -> None:
    cluster = new_cluster()
    opened = Account(cluster).opener()

    def use_up() -> None:
        there = len(cluster.get("configmaps")["items"])
        cluster.kubectl("create", "quota", "small", f"--hard=count/configmaps={there}")
        until = time.monotonic() + 30
        while not cluster.get("quota", "small").get("status", {}).get("used"):
            assert time.monotonic() < until
            time.sleep(0.2)

    without_room(
        Nodes(tmp_path, lambda: opened(tmp_path)),
        use_up,
        lambda: cluster.kubectl("delete", "quota", "small"),
    )


def without_room(nodes: Nodes, fill: Callable[[], object], make_room: Callable[[], object]) -> None:
    """The store is full after the first of two steps."""
    run = nodes.folder.name
    assert nodes.run(FIRST, run, PLENTY).status == 0
    fill()
    ended = nodes.run(LAST, run, LITTLE)
    assert ended.status == 3, ended.said
    assert re.search(r"cannot write runs/.*; make room there", ended.said), ended.said
    make_room()
    again = nodes.run(LAST, run, PLENTY)
    assert again.status == 0, again.said
    assert nodes.total(run) == TOTAL
    with counted("no room, says the server", 1) as gone:
        gone += nodes.lost(run)
