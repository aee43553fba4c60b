"""`argosy get`: the files of a run, written where they are wanted and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from argosy.compiler.cli import argosy
from argosy.runtime.catalogs.file_system import FileSystemCatalog
from argosy.runtime.data import describe
from argosy.runtime.run_logs.file_system import FileSystemRunLog


class Log:
    """A run whose entries are written here; `file` gives the entry of a file in the catalog."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store, self.catalog = FileSystemRunLog(), FileSystemCatalog()

    def file(self, text: str, mode: int = 0o644) -> dict[str, Any]:
        path = self.folder / "made"
        path.write_text(text)
        path.chmod(mode)
        entry = describe(str(path), 0o644)
        self.catalog.put(entry["sha256"], str(path))
        return entry

    def end(self, catalog: dict[str, Any], status: str = "succeeded") -> None:
        end = {"status": status, "ended": "2026-01-01T00:00:00.000Z", "catalog": catalog}
        self._put("runs/r-1/end/1.json", end)

    def step(self, path: str, put: dict[str, Any], **record: Any) -> None:
        key = path.replace("/", ".")
        made = {"step": path, "attempt": "0001700000000-00", "status": "succeeded", **record}
        self._put(f"runs/r-1/steps/{key}/0001700000000-00.json", made)
        entries = {name: {"by": path, "rank": "0", **entry} for name, entry in put.items()}
        state = {"attempt": "x", "parameters": {}, "catalog": entries}
        self._put(f"runs/r-1/state/{key}.json", state)

    def _put(self, key: str, value: Any) -> None:
        self.store.put(key, json.dumps(value).encode())


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return Log(tmp_path)


def get(*arguments: str) -> Result:
    return CliRunner().invoke(argosy, ("get", "r-1", *arguments))


def files(folder: str = "out") -> dict[str, str]:
    found = (path for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(found)}


def test_what_a_run_left_is_written_and_listed(log: Log) -> None:
    log.end({"a.csv": log.file("1"), "m/0/x": log.file("2", 0o750)})
    done = get("-o", "out")
    assert done.exit_code == 0, done.output
    assert done.stdout == "out/a.csv\nout/m/0/x\n"
    assert files() == {"a.csv": "1", "m/0/x": "2"}
    assert Path("out/m/0/x").stat().st_mode & 0o777 == 0o750


def test_patterns_choose(log: Log) -> None:
    log.end({"a.csv": log.file("1"), "d/b.csv": log.file("2"), "d/.c": log.file("3")})
    assert get("*.csv", "-o", "one").exit_code == get("d", "-o", "two").exit_code == 0
    assert (files("one"), files("two")) == ({"a.csv": "1"}, {"d/b.csv": "2", "d/.c": "3"})
    wrong = get("b.csv", "-o", "three")
    assert (wrong.exit_code, Path("three").exists()) == (1, False)
    assert "no file matches 'b.csv'; did you mean" in wrong.output


def test_a_different_file_is_not_replaced_unless_that_is_asked_for(log: Log) -> None:
    log.end({"a.csv": log.file("1"), "b.csv": log.file("2"), "c.csv": log.file("3")})
    Path("out").mkdir()
    Path("out/a.csv").write_text("1")
    Path("out/a.csv").chmod(0o644)
    Path("out/b.csv").write_text("mine")
    done = get("-o", "out")
    assert done.exit_code == 1
    assert "out has other files of these names: b.csv; --force replaces them" in done.output
    assert files() == {"a.csv": "1", "b.csv": "mine"}
    done = get("-o", "out", "--force", "--json")
    told = json.loads(done.stdout)
    assert (told["written"], told["unchanged"]) == (["b.csv", "c.csv"], ["a.csv"])
    assert files() == {"a.csv": "1", "b.csv": "2", "c.csv": "3"}


def test_links_are_links_and_stay_in_the_directory(log: Log) -> None:
    links = {
        "d/inside": "../a",
        "d/dangling": "no",
        "up": "../../x",
        "root": "/etc",
        "d/up": "../..",
    }
    entries = {name: {"sha256": "0" * 64, "size": 1, "link": to} for name, to in links.items()}
    log.end({"a": log.file("1"), **entries})
    done = get("-o", "out")
    assert done.exit_code == 0, done.output
    found = {path.name: str(path.readlink()) for path in Path("out/d").iterdir()}
    assert found == {"inside": "../a", "dangling": "no"}
    assert sorted(path.name for path in Path("out").iterdir()) == ["a", "d"]
    assert "root is left out: it is a link to /etc, outside of the directory" in done.output


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a//x", "."])
def test_a_name_that_leads_out_is_left_out(log: Log, name: str) -> None:
    log.end({name: log.file("1"), "good": log.file("2")})
    done = get("-o", "out")
    assert done.exit_code == 0, done.output
    assert "is left out: its name leads out of the directory" in done.output
    assert files() == {"good": "2"}
    assert not Path("x").exists()


@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_written_through_a_link(log: Log, tmp_path: Path, there: bool) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = {"sha256": "0" * 64, "size": 1, "link": "inner"}
    log.end({"d/x": log.file("1"), **({} if there else {"d": link})})
    if there:
        Path("out").mkdir()
        Path("out/d").symlink_to(outside)
    done = get("-o", "out", "--force")
    assert done.exit_code == 1, done.output
    assert [*outside.iterdir()] == []
    assert not [*Path("out").glob(".argosy*")]


def test_files_of_one_step(log: Log) -> None:
    log.step("a", {"a.csv": log.file("1"), "old": {**log.file("0"), "by": "before"}})
    log.step("m/0/s", {"x": log.file("2")})
    log.step("m/1/s", {"x": log.file("3")})
    log.step("m/2/s", {"x": log.file("4")}, name="m/2%20%28eu%29/s")  # called by its item
    log.step("n", {}, status="failed", catalog={"n_out.ipynb": log.file("{}")})
    log.end({}, "failed")
    for step, expected in (
        ("a", {"a.csv": "1"}),
        ("m", {"m/0/s/x": "2", "m/1/s/x": "3", "m/2/s/x": "4"}),
        ("m/0/s", {"x": "2"}),
        ("m/2 (eu)/s", {"x": "4"}),
        ("m/0", {"m/0/s/x": "2"}),
        ("n", {"n_out.ipynb": "{}"}),
    ):
        folder = step.replace("/", ".")
        assert get("--step", step, "-o", folder).exit_code == 0
        assert files(folder) == expected
    done = get()
    assert "r-1 is failed, and left no files; --step STEP fetches those" in done.output
    assert "r-1 has no step 'b'" in get("--step", "b").output
