"""A run in a folder that has ended and is one file: what is in it is found as before."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from argosy.runtime.errors import UnreadableError
from argosy.runtime.packs import LEAST
from argosy.runtime.run_logs.file_system import FileSystemRunLog

STEPS = [f"runs/a/steps/m.{n}.x/1.json" for n in range(LEAST)]


@pytest.fixture
def store(tmp_path: Path) -> FileSystemRunLog:
    """A run log with one run that is packed, and a part of another."""
    store = FileSystemRunLog({"location": str(tmp_path)})
    for key in STEPS:
        store.put(key, key.encode())
    store.put("runs/a/state/m.1.x.json", b"state")
    store.put("runs/a/steps/m.1.x/1.log/0000000001", b"\x00\xff")
    store.put("runs/a/run.json", b"run")
    store.put("runs/ab/steps/x/1.json", b"other")
    store.pack("a")
    return store


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_packed_run_is_few_files(store: FileSystemRunLog, tmp_path: Path) -> None:
    assert names(tmp_path / "runs/a") == ["packed.zip", "run.json"]
    assert zipfile.ZipFile(tmp_path / "runs/a/packed.zip").testzip() is None


def test_every_object_of_a_packed_run_is_there(store: FileSystemRunLog) -> None:
    assert [store.get(key) for key in STEPS] == [key.encode() for key in STEPS]
    assert store.get("runs/a/steps/m.1.x/1.log/0000000001") == b"\x00\xff"
    assert store.get("runs/a/run.json") == b"run"
    assert store.get("runs/a/steps/m.1.x/2.json") is None


def test_a_packed_run_is_listed_as_before(store: FileSystemRunLog) -> None:
    one = ["runs/a/steps/m.1.x/1.json", "runs/a/steps/m.1.x/1.log/0000000001"]
    assert store.list("runs/a/steps/m.1.x/") == one
    assert store.list("runs/a/st") == sorted([*STEPS, one[1], "runs/a/state/m.1.x.json"])
    assert len(store.list("runs/a/")) == LEAST + 3
    assert len(store.list("runs/")) == LEAST + 4
    assert store.list("runs/ab/") == ["runs/ab/steps/x/1.json"]


def test_what_is_written_after_packing_counts(store: FileSystemRunLog) -> None:
    store.put(STEPS[0], b"new")
    assert store.get(STEPS[0]) == b"new"
    assert len(store.list("runs/a/steps/")) == LEAST + 1


def test_a_run_that_goes_on_is_packed_again(store: FileSystemRunLog, tmp_path: Path) -> None:
    more = [f"runs/a/steps/y{n}/1.json" for n in range(LEAST)]
    for key in (*more, STEPS[0]):
        store.put(key, b"more")
    store.pack("a")
    assert names(tmp_path / "runs/a") == ["packed.zip", "run.json"]
    assert (store.get(STEPS[0]), store.get(STEPS[1])) == (b"more", STEPS[1].encode())
    assert len(store.list("runs/a/")) == 2 * LEAST + 3


def test_a_member_is_deleted_and_the_rest_stays(store: FileSystemRunLog) -> None:
    store.delete(STEPS[0])
    assert store.get(STEPS[0]) is None
    assert store.get(STEPS[1]) == STEPS[1].encode()
    assert len(store.list("runs/a/")) == LEAST + 2


def test_a_packed_object_is_appended_to(store: FileSystemRunLog) -> None:
    store.append(STEPS[0], b"!")
    assert store.get(STEPS[0]) == STEPS[0].encode() + b"!"


def test_all_of_a_packed_run_is_deleted(store: FileSystemRunLog, tmp_path: Path) -> None:
    for key in store.list("runs/a/"):
        store.delete(key)
    assert names(tmp_path / "runs") == ["ab"]


def test_a_run_of_few_files_stays_as_it_is(tmp_path: Path) -> None:
    store = FileSystemRunLog({"location": str(tmp_path)})
    store.put("runs/a/steps/x/1.json", b"x")
    store.pack("a")
    assert (tmp_path / "runs/a/steps/x/1.json").is_file()


def test_forks_read_a_pack_at_the_same_time(store: FileSystemRunLog) -> None:
    assert store.get(STEPS[0])
    children = []
    for child in range(4):
        if not (pid := os.fork()):
            good = all(store.get(key) == key.encode() for key in STEPS[child::4])
            os._exit(0 if good else 1)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4


def test_a_damaged_pack_is_said(store: FileSystemRunLog, tmp_path: Path) -> None:
    (tmp_path / "runs/a/packed.zip").write_bytes(b"nonsense")
    with pytest.raises(UnreadableError, match=r"packed\.zip"):
        store.get(STEPS[0])
