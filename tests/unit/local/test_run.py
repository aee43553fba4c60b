"""`argosy run`, from the definition to the exit status."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click import ClickException

from argosy.compiler.cli.run import _launch
from examples import argosy
from marks import marks_of, with_marks
from processes import gone

PROGRAM = "import sys; sys.path.remove(''); from argosy.compiler.cli import main; main()"
ARGOSY = [sys.executable, "-c", PROGRAM]
"""The installed command, which has no working folder on its path."""

DEFINITION = """
name: demo
parameters: {rate: 1, mode: slow}
dag:
  steps:
    first: {type: task, command: jobs.first, returns: [rows]}
    second: {type: task, command: jobs.second, depends_on: [first], returns: [total]}
"""
JOBS = """
import time, os

def first(rate):
    print("to stdout")
    return {"rows": [rate] * 2}

def second(rows, rate, mode, new=""):
    if mode == "broken":
        raise ValueError("it is broken")
    if mode == "wait":
        open(f"{marks}/began-{os.getpid()}", "w").close()
        time.sleep(60)
    return {"total": sum(rows)}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "demo.yaml").write_text(DEFINITION)
    (tmp_path / "jobs.py").write_text(with_marks(JOBS, tmp_path))
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [*ARGOSY, "run", "demo.yaml", *arguments]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_the_result_is_all_there_is_on_stdout(folder: Path) -> None:
    done = run(folder)
    assert done.returncode == 0, done.stderr
    name, _, rest = done.stdout.partition(":")
    assert name.startswith("demo-")
    assert rest == ' succeeded\n  mode: "slow"\n  rate: 1\n  rows: [1, 1]\n  total: 2\n'
    assert "first | to stdout" in done.stderr


def test_the_last_lines_name_the_files_and_how_to_fetch_them(folder: Path) -> None:
    step = {"type": "task", "command_type": "shell", "command": "touch 1 2 3 4 5 6"}
    steps = {"a": {**step, "catalog": {"put": ["*"]}}}
    (folder / "demo.yaml").write_text(json.dumps({"name": "demo", "dag": {"steps": steps}}))
    done = run(folder)
    assert done.returncode == 0, done.stderr
    name = done.stdout.partition(":")[0]
    last = ["files: 1, 2, 3, 4, 5 and 1 more", f"to fetch them: argosy get {name} -o DIR"]
    assert done.stderr.splitlines()[-2:] == last


def test_parameters_come_from_files_and_options_in_their_order(folder: Path) -> None:
    (folder / "more.yaml").write_text("rate: 3\nmode: yes\n")
    done = run(folder, "-p", "more.yaml", "-p", "rate=2.5", "-p", "new=007", "-o", "json")
    told = json.loads(done.stdout)
    assert told["status"] == "succeeded"
    expected = {"rate": 2.5, "mode": "yes", "rows": [2.5, 2.5], "total": 5.0, "new": "007"}
    assert told["parameters"] == expected


def test_a_parameter_that_nothing_reads(folder: Path) -> None:
    done = run(folder, "-p", "rates=2")
    assert done.returncode == 2
    assert "nothing reads parameter 'rates'" in done.stderr
    assert "did you mean 'rate'?" in done.stderr
    (folder / "more.yaml").write_text("elsewhere: 3\n")
    done = run(folder, "-p", "more.yaml")
    assert (done.returncode, "nothing reads parameter 'elsewhere'" in done.stderr) == (2, True)
    assert not (folder / ".argosy").exists()


def test_a_parameter_that_a_map_hides_from_the_steps_inside(folder: Path) -> None:
    (folder / "p.yaml").write_text(
        "parameters: {regions: [eu]}\n"
        "dag: {steps: {m: {type: map, iterate_on: regions, iterate_as: region, branch: {steps: {"
        "s: {type: task, command_type: shell, command: 'test $ARGOSY_PRM_region = eu'}}}}}}\n"
    )
    done = argosy("run", "p.yaml", "-p", "region=x", cwd=folder)
    assert done.returncode == 2
    assert "nothing reads parameter 'region'" in done.stderr
    assert "did you mean 'regions'?" in done.stderr


def test_what_cannot_be_reduced_at_the_end_fails_the_run_and_closes_it(folder: Path) -> None:
    (folder / "demo.yaml").write_text("""
parameters: {rates: [1, 2]}
dag:
  steps:
    m:
      type: map
      iterate_on: rates
      iterate_as: rate
      reducers: {rows: "jobs:second"}
      branch: {steps: {first: {type: task, command: jobs.first, returns: [rows]}}}
""")
    done = run(folder)
    assert done.returncode == 1
    assert "failed: m: reducer jobs:second failed on parameter 'rows'" in done.stderr
    (file,) = folder.glob(".argosy/runs/*/end/1.json")
    end = json.loads(file.read_text())
    assert end["status"] == "failed"
    assert "reducer jobs:second failed" in end["failures"][0]["message"]


def test_a_run_that_cannot_be_logged_has_the_exit_status_of_that(folder: Path) -> None:
    (folder / ".argosy").write_text("a file where the folder should be")
    done = run(folder)
    assert done.returncode == 3
    assert "failed: run log: cannot write" in done.stderr


@pytest.mark.parametrize(("closed", "status"), [("2>&-", 0), (">&-", 0), ("<&- >&- 2>&-", 0)])
def test_a_closed_stream_harms_no_step(folder: Path, closed: str, status: int) -> None:
    command = f"{shlex.join([*ARGOSY, 'run', 'demo.yaml'])} {closed}"
    done = subprocess.run(["bash", "-c", command], cwd=folder, check=False, timeout=60)
    assert done.returncode == status


@pytest.mark.parametrize(("mode", "status"), [("fast", 0), ("broken", 1)])
def test_a_result_that_nobody_reads_changes_no_exit_status(
    folder: Path, mode: str, status: int
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    argv = [*ARGOSY, "run", "demo.yaml", "-p", f"mode={mode}"]
    done = subprocess.run(
        argv, cwd=folder, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(writer)
    assert done.returncode == status
    assert b"BrokenPipe" not in done.stderr


def test_independent_steps_share_so_many_workers(folder: Path) -> None:
    steps = "".join(
        f"    s{n}: {{type: task, command_type: shell, command: sleep 0.3}}\n" for n in range(4)
    )
    (folder / "demo.yaml").write_text(f"name: a b/c\ndag:\n  steps:\n{steps}")
    (folder / "one.yaml").write_text("executor: {type: local, config: {max_workers: 1}}\n")
    (folder / "four.yaml").write_text("executor: {type: local, config: {max_workers: 4}}\n")
    for workers in ("one", "four"):
        done = run(folder, "-c", f"{workers}.yaml")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("a%20b%2Fc-")
        before = done.stderr[: done.stderr.index("s3: started")]
        assert ("s0: succeeded" in before) is (workers == "one")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-p", "rate=a lot"], "'rate' takes a number, as its default is; 'a lot' is not JSON"),
        (["-p", "nothing"], "there is no file 'nothing'"),
        (["-p", "=1"], "-p takes NAME=VALUE or a file, not '=1'"),
        (["--resume", "demo-0"], "there are no runs there"),
        (["--by-name"], "--by-name goes with --resume"),
        (["-c", "argo.yaml"], "does not run on this machine"),
    ],
)
def test_what_cannot_run_says_why_and_starts_nothing(
    folder: Path, arguments: list[str], says: str
) -> None:
    (folder / "argo.yaml").write_text(
        "executor: {type: argo, config: {image: x, claims: {c: /data}}}\n"
        "run_log_store: {type: file-system}\ncatalog: {type: file-system}\n"
    )
    done = run(folder, *arguments)
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / ".argosy").exists()


def test_a_failed_run_tells_the_step_its_last_lines_and_the_way_on(folder: Path) -> None:
    done = run(folder, "-p", "mode=broken")
    assert done.returncode == 1
    assert "failed: second: ValueError: it is broken" in done.stderr
    assert "  | ValueError: it is broken" in done.stderr
    name = done.stdout.partition(":")[0]
    command = f"argosy run demo.yaml -p mode=broken --resume {name}"
    assert done.stderr.endswith(f"to go on from there: {command}\n")
    (folder / "jobs.py").write_text(JOBS.replace('"broken"', '"mended"'))
    again = run(folder, *command.split()[3:], "--ignore-code")
    assert again.returncode == 0, again.stderr
    assert "first: skipped" in again.stderr


def test_a_module_of_the_users_takes_no_place_of_pythons(folder: Path) -> None:
    for name in ("json", "select", "signal"):
        (folder / f"{name}.py").write_text("raise ImportError('the wrong module')\n")
    (folder / "jobs.py").write_text("def first(): pass\ndef second(): return {'total': 1}\n")
    (folder / "demo.yaml").write_text(DEFINITION.replace(", returns: [rows]", ""))
    done = run(folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("damage", [Path.touch, os.mkfifo, lambda path: path.write_text("[1]")])
def test_a_resumed_run_does_again_what_cannot_be_read(
    folder: Path, damage: Callable[[Path], object]
) -> None:
    assert run(folder).returncode == 0
    (state,) = folder.glob(".argosy/runs/*/state/first.json")
    state.unlink()
    damage(state)
    done = run(folder, "--resume", "latest")
    assert done.returncode == 0, done.stderr
    assert "first: succeeded" in done.stderr
    assert "it is ignored" in done.stderr
    assert "state/first.json" in done.stderr


def waiting(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A run that waits in its second step, and that step's process."""
    argv = [*ARGOSY, "run", "demo.yaml", "-p", "mode=wait"]
    process = subprocess.Popen(
        argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for file in marks_of(folder).glob("began-*"):
            return process, int(file.name.partition("-")[2])
        time.sleep(0.02)
    raise AssertionError("the step never began")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_the_steps_and_are_recorded(folder: Path, number: int) -> None:
    process, step = waiting(folder)
    process.send_signal(number)
    assert process.wait(timeout=40) == 128 + number
    assert gone(step)
    (file,) = folder.glob(".argosy/runs/*/end/1.json")
    end = json.loads(file.read_text())
    assert (end["status"], end["failures"]) == ("cancelled", [])
    (row,) = json.loads(argosy("runs", "-o", "json", cwd=folder).stdout)
    assert row["status"] == "cancelled"
    shown = json.loads(argosy("show", "latest", "-o", "json", cwd=folder).stdout)
    steps = {step["step"]: step["status"] for step in shown["steps"]}
    assert steps == {"first": "succeeded", "second": "cancelled"}


def test_a_cancelled_run_is_resumed(folder: Path) -> None:
    process, _ = waiting(folder)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=40)
    jobs = (folder / "jobs.py").read_text()
    (folder / "jobs.py").write_text(jobs.replace("sleep(60)", "sleep(0)"))
    done = run(folder, "-p", "mode=wait", "--resume", "latest", "--by-name")
    assert done.returncode == 0, done.stderr
    assert "first: skipped" in done.stderr
    assert "second: succeeded" in done.stderr


@pytest.mark.parametrize(
    ("number", "ends"), [(signal.SIGTERM, SystemExit), (signal.SIGKILL, ClickException)]
)
def test_a_launcher_that_a_signal_ended_early(
    number: int, ends: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.compiler.cli.run.signal.signal", lambda *_: None)
    code = f"import os; os.kill(os.getpid(), {number:d})"
    with (
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process,
        pytest.raises(ends, match="143" if ends is SystemExit else "broke off"),
    ):
        _launch(process, {"run": "r"})


def test_a_killed_command_takes_its_steps_with_it(folder: Path) -> None:
    process, step = waiting(folder)
    process.kill()
    process.wait(timeout=40)
    assert gone(step)


SECRETS = """
dag:
  steps:
    asks: {type: task, command_type: shell, command: 'echo "${TOKEN}."', secrets: [TOKEN]}
    other:
      type: task
      command_type: shell
      command: 'echo "${TOKEN-none} ${AWS_SECRET_ACCESS_KEY}."'
      depends_on: [asks]
"""


def test_a_step_has_the_secrets_that_it_names_and_no_key_is_shown(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(SECRETS)
    keys = {"TOKEN": "let-me-in", "AWS_SECRET_ACCESS_KEY": "a-key-of-AWS"}
    done = argosy("run", "p.yaml", cwd=tmp_path, **keys)
    assert done.returncode == 0, done.stderr
    assert "asks | ***.\n" in done.stderr
    assert "other | none ***.\n" in done.stderr, "it has the key, for its own code"
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not any(value.encode() in done.stderr.encode() + kept for value in keys.values())


MAPS = """
parameters: {regions: [eu, "us west/2"], token: [abc]}
dag:
  steps:
    start: {type: stub}
    each:
      type: map
      iterate_on: regions
      iterate_as: region
      branch: {steps: {load: {type: task, command_type: shell, command: '[ "$region" = eu ]'}}}
    secret:
      type: map
      iterate_on: token
      iterate_as: api_token
      branch: {steps: {use: {type: task, command_type: shell, command: 'true'}}}
    after: {type: stub, depends_on: [each]}
"""


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    text = MAPS.replace("$region", "$ARGOSY_PRM_region")
    (tmp_path / "maps.yaml").write_text(f"name: maps\n{text}")
    return tmp_path


def test_iterations_are_called_by_their_items(maps: Path) -> None:
    done = argosy("run", "maps.yaml", cwd=maps)
    assert "each/0 (eu)/load: succeeded after" in done.stderr
    assert "failed: each/1 (us west/2)/load: exited with status 1\n" in done.stderr
    assert "secret/0 (***)/use: succeeded" in done.stderr
    shown = argosy("show", "latest", cwd=maps).stdout
    assert "├─ 0 (eu)" in shown
    assert "  each/1 (us west/2)/load: exited with status 1\n" in shown
    assert "each/1 (us west/2)/load: failed after" in argosy("watch", "latest", cwd=maps).stdout
    logs = argosy("logs", "latest", cwd=maps).stdout
    assert logs.startswith("each/1 (us west/2)/load | argosy: each/1 (us west/2)/load: exited")
    assert argosy("logs", "latest", "each/1 (us west/2)", cwd=maps).stdout == logs
    document = json.loads(argosy("show", "latest", "-o", "json", cwd=maps).stdout)
    items = {step["step"]: step.get("item") for step in document["steps"]}
    assert items["each/1/load"] == {"region": "us west/2"}
    assert document["failures"][0]["name"] == "each/1 (us west/2)/load"


def test_every_step_has_a_status_while_it_runs_and_the_last_line_says_what_it_hides(
    maps: Path,
) -> None:
    done = argosy("run", "maps.yaml", cwd=maps)
    lines = done.stderr.splitlines()
    for line in ("start: succeeded", "each: failed", "secret: succeeded"):
        assert line in lines
    assert "after: omitted: 'each' failed" in lines
    (summary,) = (line for line in lines if " steps in " in line)
    assert summary.endswith(": 3 succeeded, 1 failed, 1 omitted")
    assert summary.startswith("maps-")
    assert done.stdout.endswith(": failed, 1 step omitted\n")


HANDLED = """
dag:
  steps:
    a: {type: task, command_type: shell, command: 'exit 3', on_failure: h}
    h: {type: stub}
    b: {type: stub, depends_on: [a]}
    c: {type: stub, depends_on: [b]}
"""


OWN = """
parameters: {p: 7}
dag:
  steps:
    c: {type: conditional, parameter: p, branches: {1: {steps: {a: {type: stub}}}}, on_failure: h}
    l: {type: loop, break_on: no, max_iterations: 1, branch: {steps: {a: {type: stub}}}}
    h: {type: stub}
"""


def test_a_conditional_and_a_loop_that_fail_themselves_are_counted_and_told_of_once(
    tmp_path: Path,
) -> None:
    (tmp_path / "p.yaml").write_text(OWN)
    done = argosy("run", "p.yaml", cwd=tmp_path)
    lines = done.stderr.splitlines()
    assert sum(line.startswith("c: failed") for line in lines) == 1
    assert sum(line.startswith("l: failed") for line in lines) == 1
    (summary,) = (line for line in lines if " steps in " in line)
    # c and l failed; h and l/0/a succeeded; c/1/a was skipped.
    assert summary.partition(": ")[2].partition(": ")[2] == "2 succeeded, 1 skipped, 2 failed"


def test_a_handled_failure_and_what_it_omitted_are_in_the_last_line(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(HANDLED)
    done = argosy("run", "p.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(": succeeded, 1 failure handled, 2 steps omitted\n")
    assert "failed, handled: a: exited with status 3\n" in done.stderr
