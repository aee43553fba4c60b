"""What is killed at each of its writes, loses its folder, fills its disk or shares its store, is
gone on from: with the same result, and nothing lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import witness
from argosy.runtime.catalogs.file_system import FileSystemCatalog
from argosy.runtime.run_logs.file_system import FileSystemRunLog
from examples import ARGOSY, argosy
from faulty import DEFINITION, FILE, JOBS, TOTAL, Stores, lost
from faulty_stores import s3
from tally import counted, write

TESTS = Path(__file__).parent.parent
MODULES = {
    "file-system": ("file_system:FileSystemRunLog", "file_system:FileSystemCatalog"),
    "s3": ("s3:S3RunLog", "s3:S3Catalog"),
}
MANY = 40
"""More writes than a run has."""


class Place:
    """A pipeline in a folder, and its stores."""

    def __init__(self, folder: Path, stores: Stores) -> None:
        self.folder = folder
        self.stores = stores
        self.ledger = folder / "ledger"
        folder.mkdir(exist_ok=True)
        self.ledger.write_text("")
        (folder / "demo.yaml").write_text(DEFINITION)
        (folder / "jobs.py").write_text(JOBS)
        log, catalog = (
            {"type": one.service_provider, "config": {k: v for k, v in one.config.items() if v}}
            for one in stores
        )
        config = {"run_log_store": log, "catalog": catalog}
        (folder / "config.yaml").write_text(json.dumps(config))
        (folder / "sitecustomize.py").write_text("import witness")

    def command(self, *arguments: str) -> list[str]:
        return ["run", "demo.yaml", "-c", "config.yaml", "-o", "json", *arguments]

    def environment(self, *kill: Any) -> dict[str, str]:
        log, catalog = MODULES[self.stores.log.service_provider]
        classes = [f"argosy.runtime.run_logs.{log}", f"argosy.runtime.catalogs.{catalog}"]
        told = {"ledger": str(self.ledger), "classes": classes, "kill": kill}
        keys: dict[str, str] = getattr(self.stores.log, "keys", {})
        return {"WITNESS": json.dumps(told), "PYTHONPATH": f"{self.folder}:{TESTS}", **keys}

    def run(self, *arguments: str, kill: tuple[Any, ...] = ()) -> subprocess.CompletedProcess[str]:
        return argosy(*self.command(*arguments), cwd=self.folder, **self.environment(*kill))

    def lost(self) -> list[str]:
        return lost(self.stores, self.ledger)


def on_files(folder: Path) -> Stores:
    location = str(folder / "log")
    catalog = FileSystemCatalog({"location": str(folder / "catalog")})
    return Stores(FileSystemRunLog({"location": location}), catalog)


@pytest.fixture(scope="module", autouse=True)
def _table() -> Iterator[None]:
    yield
    write()


@pytest.fixture(params=["file-system", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "s3":
        with s3() as store:
            yield Place(tmp_path / "p", store.direct(tmp_path))
    else:
        yield Place(tmp_path / "p", on_files(tmp_path))


def is_right(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["parameters"]["total"] == TOTAL
    assert outcome["catalog"]["kept.csv"]["sha256"] == FILE


@pytest.mark.parametrize("how", ["half", "after"])
def test_whoever_is_killed_at_a_write_is_gone_on_from(place: Place, how: str) -> None:
    fault = f"killed {'in the middle of' if how == 'half' else 'after'} a write, each once"
    for number in range(1, MANY):
        place.ledger.write_text("")
        shutil.rmtree(place.folder / "work", ignore_errors=True)
        done = place.run(kill=(number, how))
        seen = witness.writes(place.ledger)
        if done.returncode == 0:
            break
        begun = [key for acknowledged, _, key, _ in seen if not acknowledged]
        assert len(begun) >= number, done.stderr
        run = begun[0].split("/")[1]
        with counted(fault, 1) as gone:
            gone += place.lost()
        known = place.stores.log.get(f"runs/{run}/run.json") is not None
        is_right(place.run(*(["--resume", run] if known else [])))
        with counted(fault, 0) as gone:
            gone += place.lost()
    assert 12 < number < MANY, "a write for each object that the pipeline has"


def test_two_runs_at_once_in_one_store(place: Place, tmp_path: Path) -> None:
    both = [Place(tmp_path / name, place.stores) for name in ("a", "b")]
    started = [
        subprocess.Popen(
            [*ARGOSY, *one.command()],
            cwd=one.folder,
            env={**os.environ, **one.environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for one in both
    ]
    for one, process in zip(both, started, strict=True):
        said = process.communicate(timeout=60)
        is_right(subprocess.CompletedProcess([], process.returncode, *said))
        with counted("two runs at once in one store", 1) as gone:
            gone += one.lost()


@pytest.mark.parametrize("what", ["the run's folder", "the whole log"])
def test_a_log_that_is_deleted_under_a_run(tmp_path: Path, what: str) -> None:
    place = Place(tmp_path / "p", on_files(tmp_path))
    folder = tmp_path / "log" / ("runs" if what == "the run's folder" else "")
    (place.folder / "jobs.py").write_text(
        JOBS.replace("def last(rows, large):", "def last(rows, large):\n    remove()")
        + f"""
def remove():
    import os, shutil
    if not os.path.exists({str(tmp_path / "removed")!r}):
        open({str(tmp_path / "removed")!r}, "w").close()
        shutil.rmtree({str(folder)!r})
"""
    )
    done = place.run()
    if what == "the run's folder":
        is_right(done)  # the step that deleted it had read all that it needs
    else:
        message = " ".join(done.stderr.split())
        assert done.returncode == 1, message
        assert "is not in the run log; was it removed?" in message
    is_right(place.run())
    with counted(f"{what} deleted under a run", 1) as gone:
        gone += [line for line in place.lost() if line.startswith("half")]


@contextmanager
def disk(folder: Path, kib: int) -> Iterator[Path]:
    """A small one, in memory."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system of a test's own: that takes root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("room", [0, 8, 24, 64])
def test_a_full_disk_is_said_and_a_rerun_completes(tmp_path: Path, room: int) -> None:
    with disk(tmp_path / "disk", 512) as small:
        place = Place(tmp_path / "p", on_files(small))
        free = os.statvfs(small).f_bfree * os.statvfs(small).f_frsize
        (small / "filler").write_bytes(b"x" * (free - room * 1024))
        done = place.run()
        assert done.returncode in (1, 3)
        message = " ".join(done.stderr.split())
        assert re.search(r"(run log|catalog): cannot .+No space left on device", message), message
        with counted("a full disk", 1) as gone:
            gone += place.lost()
        (small / "filler").unlink()
        is_right(place.run())
        with counted("a full disk", 0) as gone:
            gone += place.lost()
