"""Run log stores and catalogs, on real files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.runtime import files
from argosy.runtime.catalogs.do_nothing import DoNothingCatalog
from argosy.runtime.catalogs.file_system import FileSystemCatalog
from argosy.runtime.errors import NodeError, ServiceError, TaskError
from argosy.runtime.run_logs.buffered import BufferedRunLog
from argosy.runtime.run_logs.db import DatabaseRunLog
from argosy.runtime.run_logs.file_system import FileSystemRunLog
from argosy.runtime.service import RunLogStore


@pytest.fixture(params=["file-system", "synced", "buffered", "db"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunLogStore]:
    if request.param == "buffered":
        buffered = BufferedRunLog()
        yield buffered
        buffered.close()
    elif request.param == "db":
        yield DatabaseRunLog({"url": f"sqlite:///{tmp_path}/runs.db"})
    else:
        yield FileSystemRunLog({"location": str(tmp_path), "sync": request.param == "synced"})


def test_a_store_gives_back_what_was_put(store: RunLogStore) -> None:
    assert store.get("runs/a/run.json") is None
    store.put("runs/a/run.json", b"one")
    store.put("runs/a/run.json", b"two")
    assert store.get("runs/a/run.json") == b"two"


def test_a_store_lists_by_prefix(store: RunLogStore) -> None:
    for key in ("runs/a/steps/x/2.json", "runs/a/steps/x/10.json", "runs/a/steps/xy/1.json"):
        store.put(key, b"")
    store.put("runs/ab/run.json", b"")
    assert store.list("runs/a/steps/x/") == ["runs/a/steps/x/10.json", "runs/a/steps/x/2.json"]
    assert len(store.list("runs/a/steps/x")) == 3
    assert len(store.list("runs/a")) == 4
    assert len(store.list("")) == 4
    assert store.list("nothing/here") == []


def test_runs_are_listed_without_the_steps_of_those_that_have_an_end(store: RunLogStore) -> None:
    ended = ["runs/a/end/1.json", "runs/a/run.json"]
    open_ = ["runs/b/run.json", "runs/b/steps/x/1.json"]
    for key in (*ended, "runs/a/steps/x/1.json", *open_, "blobs/1"):
        store.put(key, b"{}")
    assert {*ended, *open_} <= {*store.list_runs()} <= {*store.list("runs/")}


def test_a_store_appends(store: RunLogStore) -> None:
    store.append("a/log", b"one")
    store.append("a/log", b"two")
    assert store.get("a/log") == b"onetwo"


def test_a_store_keeps_every_byte(store: RunLogStore) -> None:
    data = bytes(range(256))
    store.put("a", data)
    store.append("a", data)
    assert store.get("a") == data + data
    store.put("empty", b"")
    assert store.get("empty") == b""


def test_a_store_deletes(store: RunLogStore) -> None:
    for key in ("runs/a/run.json", "runs/a/steps/x", "runs/b/run.json"):
        store.put(key, b"x")
    for key in store.list("runs/a/"):
        store.delete(key)
    store.delete("runs/a/run.json")
    assert store.list("") == ["runs/b/run.json"]


def test_a_write_that_fails_leaves_the_old_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileSystemRunLog({"location": str(tmp_path)})
    store.put("a/b", b"old")

    def full(_: int, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_all", full)
    with pytest.raises(ServiceError, match="No space left"):
        store.put("a/b", b"new")
    assert store.get("a/b") == b"old"
    assert names(tmp_path / "a") == ["b"], "nothing is left beside it"


def test_a_relative_location_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = FileSystemRunLog()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.put("a", b"")
    assert (tmp_path / ".argosy" / "a").exists()


def test_buffered_objects_go_when_it_is_closed_by_its_owner() -> None:
    store = BufferedRunLog()
    store.put("a", b"x")
    handed = BufferedRunLog(store.config)
    assert handed.get("a") == b"x"
    handed.close()
    assert store.get("a") == b"x"
    folder = store.folder
    store.close()
    assert not Path(folder).exists()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def sha_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_catalog_keeps_a_file_by_its_content(tmp_path: Path) -> None:
    catalog = FileSystemCatalog({"location": str(tmp_path / "kept")})
    path = tmp_path / "a.csv"
    path.write_bytes(b"1,2")
    catalog.put(sha_of(b"1,2"), str(path))
    path.write_bytes(b"changed")
    catalog.get(sha_of(b"1,2"), str(tmp_path / "new" / "b.csv"))
    assert (tmp_path / "new" / "b.csv").read_bytes() == b"1,2"


def test_a_catalog_refuses_what_changes_while_it_is_kept(tmp_path: Path) -> None:
    catalog = FileSystemCatalog({"location": str(tmp_path / "kept")})
    path = tmp_path / "a.csv"
    path.write_bytes(b"new")
    with pytest.raises(TaskError, match="changed while it was kept"):
        catalog.put(sha_of(b"old"), str(path))
    assert not (tmp_path / "kept" / "blobs" / sha_of(b"old")).exists()


def test_a_damaged_or_missing_file_is_never_given(tmp_path: Path) -> None:
    catalog = FileSystemCatalog({"location": str(tmp_path)})
    sha = sha_of(b"good")
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / sha).write_bytes(b"bad")
    with pytest.raises(ServiceError, match="damaged"):
        catalog.get(sha, str(tmp_path / "out"))
    with pytest.raises(ServiceError, match="not there"):
        catalog.get(sha_of(b"other"), str(tmp_path / "out"))
    assert names(tmp_path) == ["blobs"]


def test_no_catalog_says_what_to_configure(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match=r"catalog: \{type: file-system"):
        DoNothingCatalog().put("ab", str(tmp_path))
