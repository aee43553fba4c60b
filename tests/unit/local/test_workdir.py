"""Each step has a working directory of its own: what is in it, and what of it is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ARGOSY = [str(Path(sys.executable).with_name("argosy"))]
KINDS = ("isolated", "copy")


class Done(NamedTuple):
    status: int
    told: dict[str, Any]
    err: str

    @property
    def files(self) -> list[str]:
        return sorted(self.told["catalog"])


class Project:
    """A project's directory, and runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if path.name != ".argosy")

    def run(self, steps: dict[str, Any], workdir: str, *options: str, **more: Any) -> Done:
        """Runs a pipeline of shell steps, each given by its script or its fields."""
        definition = {"name": "p", **more, "dag": {"steps": chain(steps)}}
        file = self.folder.with_name("p.json")
        file.write_text(json.dumps(definition))
        configuration = {"executor": {"type": "local", "config": {"workdir": workdir}}}
        settings = self.folder.with_name("c.json")
        settings.write_text(json.dumps(configuration))
        done = subprocess.run(
            [*ARGOSY, "run", str(file), "-c", str(settings), "-o", "json", *options],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        told = json.loads(done.stdout) if done.stdout.strip() else {}
        return Done(done.returncode, told, done.stderr)

    def record(self, run: str, step: str) -> dict[str, Any]:
        folder = self.folder / ".argosy" / "runs" / run / "steps" / step
        found: dict[str, Any] = json.loads(max(folder.glob("*.json")).read_text())
        return found


def chain(steps: dict[str, Any]) -> dict[str, Any]:
    """Steps one after another."""
    found: dict[str, Any] = {}
    for name, step in steps.items():
        fields = {"command": step} if isinstance(step, str) else step
        before = {"depends_on": [list(found)[-1]]} if found else {}
        kind = {} if "type" in fields else {"type": "task", "command_type": "shell"}
        found[name] = {**kind, **before, **fields}
    return found


def shell(command: str, *, get: list[str] | None = None, put: list[str] | None = None) -> Any:
    catalog = {name: value for name, value in (("get", get), ("put", put)) if value}
    return {"command": command, "catalog": catalog}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


@pytest.mark.parametrize("workdir", KINDS)
def test_files_of_an_earlier_run_are_not_there(project: Project, workdir: str) -> None:
    split = shell(
        "for i in $(seq $ARGOSY_PRM_n); do echo $i > part_$i.csv; done", put=["part_*.csv"]
    )
    count = shell("export ARGOSY_PRM_found=$(ls part_*.csv | wc -l)", get=["part_*.csv"])
    steps = {"split": split, "count": count}
    assert project.run(steps, workdir, parameters={"n": 3}).told["parameters"]["found"] == 3
    assert project.run(steps, workdir, parameters={"n": 1}).told["parameters"]["found"] == 1
    assert project.names() == []


@pytest.mark.parametrize("workdir", KINDS)
def test_a_step_sees_the_project_and_leaves_it_as_it_was(project: Project, workdir: str) -> None:
    project.write("data/in.csv", "1\n")
    project.write("gone.txt", "x")
    project.write("run.sh", "#!/bin/sh\necho ran > ran.txt\n").chmod(0o755)
    change = (
        "echo 2 >> data/in.csv; rm gone.txt; ./run.sh; mkdir new; echo > new/f; test -s ran.txt"
    )
    look = "test ! -e new && test -e gone.txt && test ! -e ran.txt && test $(cat data/in.csv) = 1"
    done = project.run({"change": change, "look": look}, workdir)
    assert done.status == 0, done.err
    assert project.names() == ["data", "gone.txt", "run.sh"]
    assert (project.folder / "data/in.csv").read_text() == "1\n"


@pytest.mark.parametrize("workdir", KINDS)
def test_a_file_that_a_step_does_not_get_is_not_there(project: Project, workdir: str) -> None:
    done = project.run({"a": shell("echo 1 > x.csv", put=["x.csv"]), "b": "cat x.csv"}, workdir)
    assert done.status == 1
    assert "x.csv: No such file" in done.err


@pytest.mark.parametrize("workdir", KINDS)
def test_only_what_the_step_wrote_is_put(project: Project, workdir: str) -> None:
    project.write("old.csv", "1")
    project.write("changed.csv", "1")
    command = "echo 2 > new.csv; printf 2 > changed.csv; cat got.csv > /dev/null"
    steps = {
        "a": shell("echo 1 > got.csv; echo 1 > same.csv", put=["got.csv", "same.csv"]),
        "b": shell(f"{command}; echo 1 > same.csv", get=["*.csv"], put=["*.csv"]),
    }
    done = project.run(steps, workdir)
    assert done.status == 0, done.err
    assert done.files == ["changed.csv", "got.csv", "new.csv", "same.csv"]
    state = json.loads(
        (project.folder / f".argosy/runs/{done.told['run']}/state/b.json").read_text()
    )
    by = {name: entry["by"] for name, entry in state["catalog"].items()}
    assert by == {"got.csv": "a", "new.csv": "b", "changed.csv": "b", "same.csv": "b"}


def test_a_change_that_keeps_size_and_time_is_one(project: Project) -> None:
    project.write("x.csv", "1\n")
    command = "touch -r x.csv stamp; echo 2 > x.csv; touch -r stamp x.csv"
    done = project.run({"a": shell(command, put=["*.csv"])}, "copy")
    assert done.files == ["x.csv"], done.err


@pytest.mark.parametrize("workdir", KINDS)
def test_a_directory_is_put_with_hidden_files_modes_and_links(
    project: Project, workdir: str
) -> None:
    make = """
    mkdir -p store.zarr/0 store.zarr/.meta
    echo a > store.zarr/.zgroup; echo b > store.zarr/.meta/x; echo c > store.zarr/0/0
    echo 'echo ran' > store.zarr/run.sh; chmod 755 store.zarr/run.sh
    echo s > store.zarr/secret; chmod 600 store.zarr/secret
    ln -s 0/0 store.zarr/first; ln -s nowhere store.zarr/dangling
    ln -s loop store.zarr/loop; ln -s /etc store.zarr/outside
    """
    look = """
    cd store.zarr && find . ! -type d -printf '%p %l %m\\n' | sed 's/ 777$//' | sort
    test "$(./run.sh)" = ran && test $(cat first) = c
    """
    steps = {"a": shell(make, put=["store.zarr"]), "b": shell(look, get=["store.zarr"])}
    done = project.run(steps, workdir)
    assert done.status == 0, done.err
    usual = f"{0o666 & ~umask():o}"
    expected = [
        f"./.meta/x  {usual}",
        f"./.zgroup  {usual}",
        f"./0/0  {usual}",
        "./dangling nowhere",
        "./first 0/0",
        "./loop loop",
        "./outside /etc",
        "./run.sh  755",
        "./secret  600",
    ]
    lines = [line[len("b | ") :] for line in done.err.splitlines() if line.startswith("b | ")]
    assert lines == expected


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", ["a.csv", "d/.hidden", "d/b.csv"]),
        (".*", [".env"]),
        ("**/*.csv", ["a.csv", "d/b.csv"]),
        (".", [".env", "a.csv", "d/.hidden", "d/b.csv"]),
    ],
)
def test_a_wildcard_matches_names_as_in_a_shell(
    project: Project, pattern: str, expected: list[str]
) -> None:
    make = "mkdir d; touch .env a.csv d/.hidden d/b.csv"
    everything = {
        "a": shell(make, put=["."]),
        "b": shell("find . -type f | grep -v argosy", get=[pattern]),
    }
    assert project.run({"a": shell(make, put=[pattern])}, "isolated").files == expected
    done = project.run(everything, "isolated")
    found = [line[len("b | ./") :] for line in done.err.splitlines() if line.startswith("b | ./")]
    assert sorted(found) == expected


READ = "add to step 'read': catalog: {get: [\"orders.csv\"]}"


@pytest.mark.parametrize("workdir", KINDS)
@pytest.mark.parametrize(
    "read",
    [
        {"command": "set -e; cat orders.csv"},
        {"command": "set -e; cat < $PWD/orders.csv"},
        {"command": "jobs.read", "command_type": "python"},
    ],
)
def test_a_step_that_lacks_a_file_is_told_which_line_to_add(
    project: Project, workdir: str, read: dict[str, str]
) -> None:
    project.write("jobs.py", "def read(): open('orders.csv')")
    put = {"write": shell("echo 1 > orders.csv", put=["orders.csv"]), "read": read}
    done = project.run(put, workdir)
    assert f"'orders.csv' is in the catalog, put by write; {READ}" in done.err
    done = project.run({"write": "echo 1 > orders.csv", "next": "true", "read": read}, workdir)
    line = "add to step 'write': catalog: {put: [\"orders.csv\"]}, and to step 'read'"
    assert f"step 'write' wrote 'orders.csv' and did not put it: {line}" in done.err
    with_both = {**put, "read": {**read, "catalog": {"get": ["orders.csv"]}}}
    assert project.run(with_both, workdir).status == 0


def test_a_step_that_lacks_a_pattern_is_told_too(project: Project) -> None:
    write = shell("mkdir d; touch d/a.csv d/b.csv", put=["d"])
    done = project.run({"write": write, "read": "ls d/*.csv"}, "isolated")
    assert "add to step 'read': catalog: {get: [\"d/*.csv\"]}" in done.err


def test_a_step_that_lacks_an_ignored_file_is_told_why(project: Project) -> None:
    project.write(".gitignore", "data\n")
    project.write("data/x.csv", "1")
    done = project.run({"read": "cat data/x.csv"}, "copy")
    assert "'data/x.csv' is in the project, but not in the step's copy of it" in done.err


def test_the_record_names_files_that_are_not_kept(project: Project) -> None:
    done = project.run({"a": shell("touch x.csv y.csv", put=["x.csv"])}, "isolated")
    assert project.record(done.told["run"], "a")["discarded"] == ["y.csv"]


def test_what_is_no_file_is_left_out(project: Project) -> None:
    done = project.run({"a": shell("mkdir d; mkfifo d/f; echo > d/x", put=["d"])}, "isolated")
    assert done.files == ["d/x"], done.err


def test_python_finds_the_project_and_leaves_no_compiled_modules(project: Project) -> None:
    project.write("jobs.py", "import os, more\ndef f(): return {'cwd': os.getcwd()}\n")
    project.write("more.py", "")
    step = {"command_type": "python", "command": "jobs.f", "returns": ["cwd"]}
    done = project.run({"a": step}, "isolated")
    assert done.told["parameters"] == {"cwd": str(project.folder)}
    assert project.names() == ["jobs.py", "more.py"]
    copied = project.run({"a": step}, "copy")
    assert copied.told["parameters"]["cwd"] != str(project.folder)
    assert project.names() == ["jobs.py", "more.py"]


@pytest.mark.parametrize("workdir", KINDS)
def test_files_are_put_and_brought_by_code(project: Project, workdir: str) -> None:
    code = """
from argosy.runtime import get_from_catalog, put_in_catalog
import os, subprocess, sys
def a():
    os.makedirs("deep"); open("deep/x.csv", "w").write("1")
    put_in_catalog("deep/x.csv"); put_in_catalog("jobs.py", "code.py")
def b():
    assert not os.path.exists("deep")
    assert get_from_catalog("deep/x.csv").read_text() == "1"
    program = "from argosy.runtime import get_from_catalog as g; print(g('code.py').read_text())"
    subprocess.run([sys.executable, "-c", program], check=True)
    assert open("code.py").read() == open("jobs.py").read()
"""
    project.write("jobs.py", code)
    steps = {name: {"command_type": "python", "command": f"jobs.{name}"} for name in "ab"}
    done = project.run(steps, workdir)
    assert done.status == 0, done.err
    assert done.files == ["code.py", "deep/x.csv"]
    assert project.names() == ["jobs.py"]


def test_the_record_says_what_the_working_directory_was(project: Project) -> None:
    done = project.run({"a": "true"}, "copy")
    assert project.record(done.told["run"], "a")["workdir"] == "copy"
    done = project.run({"a": "true"}, "shared")
    assert project.record(done.told["run"], "a")["workdir"] == "shared"


def test_a_copy_has_not_what_is_ignored(project: Project) -> None:
    project.write(".gitignore", "*.log\n/build/\n!keep.log\ndata/**/raw\n")
    project.write(".argosyignore", "big\n!wanted.log\n")
    for name in (
        "a.log",
        "keep.log",
        "wanted.log",
        "build/x",
        "src/build/y",
        "data/a/raw",
        "big/z",
    ):
        project.write(name, "")
    done = project.run({"a": "find . -type f | sort"}, "copy")
    found = [line[len("a | ./") :] for line in done.err.splitlines() if line.startswith("a | ./")]
    assert found == [".argosyignore", ".gitignore", "keep.log", "src/build/y", "wanted.log"]


def test_shared_is_the_project_itself(project: Project) -> None:
    steps = {"a": "echo 1 > x.csv", "b": shell("cat x.csv", put=["x.csv"])}
    done = project.run(steps, "shared")
    assert done.status == 0, done.err
    assert (project.names(), done.files) == (["x.csv"], ["x.csv"])


@pytest.mark.parametrize("workdir", KINDS)
def test_iterations_that_write_one_name_run_side_by_side(project: Project, workdir: str) -> None:
    branch = {"steps": chain({"s": shell(RENDEZVOUS, put=["x.csv"])})}
    step = {"type": "map", "iterate_on": "xs", "iterate_as": "x", "branch": branch}
    marks = project.folder.with_name("marks")
    marks.mkdir()
    done = project.run({"m": step}, workdir, parameters={"xs": ["a", "b"], "marks": str(marks)})
    assert done.status == 0, done.err


@pytest.mark.parametrize("workdir", [*KINDS, "shared"])
def test_patterns_name_the_item_and_the_index(project: Project, workdir: str) -> None:
    write = "mkdir -p work; echo $ARGOSY_PRM_region > work/$ARGOSY_PRM_region.$ARGOSY_PRM_n.csv"
    read = "test $(cat work/*.csv) = $ARGOSY_PRM_region && test $(ls work | wc -l) = 1"
    pattern = "work/{region}.{n}.csv"
    if workdir == "shared":
        read = "test $(cat work/$ARGOSY_PRM_region.$ARGOSY_PRM_n.csv) = $ARGOSY_PRM_region"
    steps = {"w": shell(write, put=[pattern]), "r": shell(read, get=[pattern])}
    rounds = {"type": "loop", "iterate_as": "n", "break_on": "no", "max_iterations": 1}
    rounds["branch"] = {"steps": chain({**steps, "e": "export ARGOSY_PRM_no=true"})}
    branch = {"steps": {"l": rounds}}
    step = {"type": "map", "iterate_on": "xs", "iterate_as": "region", "branch": branch}
    done = project.run({"m": step}, workdir, parameters={"xs": ["eu", "a*[b]"]})
    assert done.status == 0, done.err
    names = {"work/eu.0.csv", "work/a*[b].0.csv"}
    assert names <= set(done.files)


def test_an_item_that_cannot_be_in_a_name_fails_the_step(project: Project) -> None:
    branch = {"steps": chain({"s": shell("true", put=["{x}.csv"])})}
    step = {"type": "map", "iterate_on": "xs", "iterate_as": "x", "branch": branch}
    done = project.run({"m": step}, "isolated", parameters={"xs": [{"a": 1}]})
    assert done.status == 1
    assert "the item 'x' is {\"a\": 1}, which cannot be in a file's name" in done.err


def test_an_unknown_item_is_an_error_at_its_place(project: Project) -> None:
    branch = {"steps": chain({"s": shell("true", put=["{regoin}.csv", "{{x}}", "{region}"])})}
    step = {"type": "map", "iterate_on": "xs", "iterate_as": "region", "branch": branch}
    done = project.run({"m": step, "b": shell("true", put=["{region}"])}, "isolated")
    assert done.status == 1
    problems = [line for line in done.err.splitlines() if ": error: " in line]
    assert len(problems) == 2
    assert "'{regoin}' in catalog pattern '{regoin}.csv' is not an item of a map" in problems[0]
    assert "did you mean 'region'? Or write {{regoin}} if" in done.err


def test_braces_that_are_doubled_are_braces(project: Project) -> None:
    done = project.run({"a": shell("touch '{x}.csv'", put=["{{x}}.csv"])}, "isolated")
    assert done.files == ["{x}.csv"], done.err


def test_a_shared_directory_says_that_steps_wait(project: Project) -> None:
    branch = {"steps": chain({"s": shell("echo 1 > x.csv", put=["x.csv"])})}
    step = {"type": "map", "iterate_on": "xs", "iterate_as": "x", "branch": branch}
    done = project.run({"m": step}, "shared", parameters={"xs": [1, 2, 3]})
    assert done.err.count("m/1 (2)/s waits for m/0 (1)/s: their catalog patterns overlap") == 1
    assert done.err.count(" waits for ") == 1


RENDEZVOUS = """
touch $ARGOSY_PRM_marks/$ARGOSY_PRM_x
for i in $(seq 200); do test $(ls $ARGOSY_PRM_marks | wc -l) = 2 && break; sleep 0.05; done
test $(ls $ARGOSY_PRM_marks | wc -l) = 2 && echo $ARGOSY_PRM_x > x.csv
"""
"""Succeeds only where two run at the same time."""


def test_temporary_directories_of_a_killed_run_are_removed_by_the_next(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    left = temporary / "argosy-run-1"
    (left / "x").mkdir(parents=True)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    (left / "owner").write_text(f"0 0\n{boot} {Path('/proc/self/ns/pid').readlink()}")
    look = "stat -c %a $TMPDIR/argosy-run-*"
    done = project.run({"a": look}, "isolated")
    assert "a | 700" in done.err
    assert [*temporary.iterdir()] == []
