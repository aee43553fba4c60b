"""Approvals: who is asked, what an answer does, and what the run log keeps."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from examples import ARGOSY, argosy
from shapes import Steps, approval, does, over, sets

DEPLOY = {
    "build": does(),
    "sign off": approval(message="Deploy to $HOME?", depends_on=["build"]),
    "deploy": sets("deployed=1", depends_on=["sign off"]),
}


def write(folder: Path, steps: Steps, **parameters: Any) -> None:
    definition = {"name": "p", "parameters": parameters, "dag": {"steps": steps}}
    (folder / "p.yaml").write_text(json.dumps(definition))


def steps_of(folder: Path) -> dict[str, Any]:
    found = json.loads(argosy("show", "latest", "-o", "json", cwd=folder).stdout)["steps"]
    return {step["step"]: step["attempts"][-1] for step in found if step["attempts"]}


def statuses(folder: Path) -> dict[str, str]:
    return {path: record["status"] for path, record in steps_of(folder).items()}


class Terminal:
    """A run whose questions are answered at a terminal; `screen` is all that was shown there."""

    def __init__(self, folder: Path, *answers: str | None) -> None:
        ours, theirs = pty.openpty()
        self.screen = ""
        left = list(answers)
        with subprocess.Popen(
            [*ARGOSY, "run", "p.yaml", "-o", "json"],
            cwd=folder,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            asked = 0
            while data := read(ours):
                self.screen += data.decode()
                if self.screen.count("[y/n]") > asked and left:
                    asked += 1
                    answer = left.pop(0)
                    if answer is not None:
                        os.write(ours, answer.encode() + b"\n")
            assert process.stdout
            self.outcome: Mapping[str, Any] = json.loads(process.stdout.read())
        os.close(ours)
        self.status = process.returncode


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux's way to say that nobody has the other end any more
        return b""


def test_a_yes_at_the_terminal_lets_it_go_on(tmp_path: Path) -> None:
    write(tmp_path, DEPLOY)
    run = Terminal(tmp_path, "perhaps", "Y")
    assert run.screen.count("approve sign off? Deploy to $HOME? [y/n]") == 2
    assert (run.status, run.outcome["parameters"]) == (0, {"deployed": 1})
    record = steps_of(tmp_path)["sign%20off"]
    assert record["approval"] == {"by": record["approval"]["by"], "how": "asked"}
    assert record["approval"]["by"]
    assert (record["status"], record["exit_status"]) == ("succeeded", 0)


def test_a_no_fails_it_and_its_handler_follows(tmp_path: Path) -> None:
    write(
        tmp_path,
        {**DEPLOY, "sign off": approval(on_failure="roll back"), "roll back": sets("back=1")},
    )
    run = Terminal(tmp_path, "no")
    assert (run.status, run.outcome["parameters"]) == (0, {"back": 1})
    record = steps_of(tmp_path)["sign%20off"]
    assert record["status"] == "failed"
    assert record["message"] == f"{record['approval']['by']} did not approve it"


def test_several_are_asked_one_after_the_other_while_others_run(tmp_path: Path) -> None:
    steps = {
        "m": over("xs", "x", {"ok": approval(), "do": does(depends_on=["ok"])}),
        "beside": does("sleep 0.2"),
    }
    write(tmp_path, steps, xs=[1, 2])
    run = Terminal(tmp_path, "y", "n")
    assert run.status == 1
    assert "failed: m/1 (2)/ok: " in run.screen
    expected = {"m/0/ok": "succeeded", "m/1/ok": "failed", "m/0/do": "succeeded"}
    assert statuses(tmp_path) == {**expected, "beside": "succeeded"}


def test_an_answer_that_comes_too_late_is_none(tmp_path: Path) -> None:
    steps = {"first": approval(timeout=0.5, on_failure="h"), "h": does(), "second": approval()}
    write(tmp_path, steps)
    run = Terminal(tmp_path, None, "y")
    assert run.status == 0
    assert run.screen.count("approve second? [y/n]") == 1
    assert steps_of(tmp_path)["first"]["message"] == "nobody approved it within 0.5 s"


@pytest.mark.parametrize("options", [["--approve", "sign off"], ["--approve-all"]])
def test_a_yes_can_be_said_beforehand(tmp_path: Path, options: list[str]) -> None:
    write(tmp_path, DEPLOY)
    done = argosy("run", "p.yaml", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert steps_of(tmp_path)["sign%20off"]["approval"]["how"] == options[0]


def test_where_nobody_can_be_asked_nothing_starts(tmp_path: Path) -> None:
    write(tmp_path, {**DEPLOY, "again": approval(depends_on=["deploy"])})
    done = argosy("run", "p.yaml", "--approve", "again", cwd=tmp_path)
    assert done.returncode == 1
    assert "nobody can be asked to approve 'sign off': this is no terminal" in done.stderr
    assert "--approve 'sign off' says yes to it" in done.stderr
    assert "'again'" not in done.stderr
    assert not (tmp_path / ".argosy").exists()


def test_an_approval_that_is_not_there_is_no_option(tmp_path: Path) -> None:
    write(tmp_path, DEPLOY)
    done = argosy("run", "p.yaml", "--approve", "sign of", cwd=tmp_path)
    assert done.returncode == 2
    assert "no approval is called 'sign of'; did you mean 'sign off'?" in done.stderr


def test_a_resumed_run_asks_again(tmp_path: Path) -> None:
    write(tmp_path, {**DEPLOY, "deploy": does("exit 1", depends_on=["sign off"])})
    done = argosy("run", "p.yaml", "--approve-all", cwd=tmp_path)
    again = done.stderr.rpartition("argosy run ")[2].split()
    assert again[:2] == ["p.yaml", "--approve-all"]
    assert argosy("run", "p.yaml", "--resume", "latest", cwd=tmp_path).returncode == 1
    assert argosy("run", *again, cwd=tmp_path).returncode == 1
    assert statuses(tmp_path) == {"build": "skipped", "sign%20off": "succeeded", "deploy": "failed"}
