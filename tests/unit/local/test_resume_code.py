"""`argosy run --resume` after a step's code was edited, and the Git commit that a run records."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from definitions import shell
from examples import argosy


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "churn").mkdir()
    (tmp_path / "churn" / "__init__.py").touch()
    write(tmp_path, "churn/helpers.py", "RATE = 1\n")
    write(tmp_path, "churn/late.py", "LATE = 1\n")
    write(tmp_path, "churn/unused.py", "")
    write(tmp_path, "churn/fit.py", "from . import helpers\ndef fit(): return helpers.RATE\n")
    write(
        tmp_path, "churn/score.py", "def score():\n  import churn.late\n  return churn.late.LATE\n"
    )
    write(tmp_path, "script.sh", "echo 1\n")
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)


def python(command: str, **fields: Any) -> dict[str, Any]:
    return {"type": "task", "command": command, **fields}


STEPS = {
    "fit": python("churn.fit.fit", returns=["rate"]),
    "score": python("churn.score.score", returns=["late"]),
    "publish": shell("bash script.sh > out.txt"),
    "plain": shell("true"),
}


def run(folder: Path, *options: str, steps: Any = STEPS, **environment: str) -> dict[str, Any]:
    write(folder, "p.yaml", json.dumps({"dag": {"steps": steps}}))
    done = argosy("run", "p.yaml", "-o", "json", *options, cwd=folder, **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "stderr": done.stderr}


def ran(folder: Path, *options: str, steps: Any = STEPS) -> set[str]:
    """The steps that ran, and were not skipped, in a run that goes on from the latest."""
    found = run(folder, "--resume", "latest", *options, steps=steps)["run"]
    shown = argosy("show", found, "-o", "json", cwd=folder)
    steps = json.loads(shown.stdout)["steps"]
    return {one["step"] for one in steps if one["status"] == "succeeded"}


def test_nothing_runs_again_where_nothing_was_edited(project: Path) -> None:
    run(project)
    assert ran(project) == set()
    assert ran(project) == set()


@pytest.mark.parametrize(
    ("file", "again"),
    [
        ("churn/fit.py", {"fit"}),
        ("churn/helpers.py", {"fit"}),
        ("churn/__init__.py", {"fit", "score"}),
        ("churn/late.py", {"score"}),
        ("churn/unused.py", set()),
        ("script.sh", {"publish"}),
    ],
)
def test_a_step_whose_code_was_edited_runs_again(project: Path, file: str, again: set[str]) -> None:
    run(project)
    with (project / file).open("a") as opened:
        opened.write("# edited\n")
    assert ran(project, "--ignore-code") == set()
    assert ran(project) == again


def test_a_notebook_runs_again_where_a_module_that_it_imports_was_edited(project: Path) -> None:
    source = "from churn.helpers import RATE as rate"
    cell = new_code_cell(source, id="a")
    write(project, "fit.ipynb", nbformat.writes(new_notebook(cells=[cell])))
    steps = {"fit": python("fit.ipynb", command_type="notebook", returns=["rate"])}
    assert run(project, steps=steps)["parameters"] == {"rate": 1}
    write(project, "churn/late.py", "LATE = 2\n")
    assert ran(project, steps=steps) == set()
    write(project, "churn/helpers.py", "RATE = 23\n")
    assert ran(project, steps=steps) == {"fit"}


def test_what_runs_again_is_said_with_the_files(project: Path) -> None:
    run(project)
    write(project, "churn/helpers.py", "RATE = 2\n")
    found = run(project, "--resume", "latest")
    assert "fit: runs again, as churn/helpers.py changed" in found["stderr"]
    assert found["parameters"]["rate"] == 2


def test_steps_behind_one_that_runs_again_run_again(project: Path) -> None:
    steps = {**STEPS, "plain": shell("true", depends_on=["fit"])}
    run(project, steps=steps)
    write(project, "churn/helpers.py", "RATE = 2\n")
    assert ran(project, steps=steps) == {"fit", "plain"}


def test_a_file_that_a_script_gets_and_puts_is_no_code(project: Path) -> None:
    steps = {
        "a": shell("echo 1 > x.csv", catalog={"put": ["x.csv"]}),
        "b": shell("cat x.csv", catalog={"get": ["x.csv"]}, depends_on=["a"]),
    }
    run(project, steps=steps)
    write(project, "x.csv", "2\n")
    assert ran(project, steps=steps) == set()


def test_what_a_script_writes_to_a_shared_directory_is_no_code(project: Path) -> None:
    config = {"executor": {"type": "local", "config": {"workdir": "shared"}}}
    write(project, "shared.yaml", json.dumps(config))
    steps = {"a": shell("date +%N >> log.txt")}
    run(project, "-c", "shared.yaml", steps=steps)
    run(project, "-c", "shared.yaml", steps=steps)
    assert ran(project, "-c", "shared.yaml", steps=steps) == set()


def test_a_reducer_that_was_edited_changes_what_is_behind_its_map(project: Path) -> None:
    steps = {
        "m": {
            "type": "map",
            "iterate_on": "xs",
            "iterate_as": "x",
            "reducers": {"y": "churn.fit:total"},
            "branch": {"steps": {"s": shell("export ARGOSY_PRM_y=$ARGOSY_PRM_x", returns=["y"])}},
        },
        "after": shell("echo $ARGOSY_PRM_y", depends_on=["m"]),
    }
    write(project, "churn/fit.py", "def total(ys): return sum(ys)\n")
    run(project, steps=with_list(steps))
    write(project, "churn/fit.py", "def total(ys): return max(ys)\n")
    assert ran(project, steps=with_list(steps)) == {"m", "after"}  # the map itself has no record


def with_list(steps: dict[str, Any]) -> dict[str, Any]:
    """The steps, behind one that makes the list."""
    first = shell("export ARGOSY_PRM_xs='[1, 2]'", returns=["xs"])
    return {"first": first, **steps, "m": {**steps["m"], "depends_on": ["first"]}}


# Git


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    argv = ["git", *identity, *arguments]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def recorded(folder: Path, **environment: str) -> Any:
    found = run(folder, **environment)["run"]
    return json.loads((folder / ".argosy" / "runs" / found / "run.json").read_text()).get("git")


def test_a_run_records_the_commit_and_whether_files_differ(project: Path) -> None:
    git(project, "init", "-q")
    write(project, "p.yaml", json.dumps({"dag": {"steps": STEPS}}))
    assert recorded(project) is None
    git(project, "add", "-A", ":!.argosy")
    git(project, "commit", "-q", "-m", "first")
    head = git(project, "rev-parse", "HEAD")
    assert recorded(project) == {"commit": head, "dirty": False}
    write(project, "churn/helpers.py", "RATE = 2\n")
    assert recorded(project) == {"commit": head, "dirty": True}


def test_outside_of_a_checkout_and_without_git_no_commit_is_recorded(project: Path) -> None:
    assert recorded(project) is None
    assert recorded(project, PATH="/nonexistent:/bin") is None
