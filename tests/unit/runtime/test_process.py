"""The program in its pod: signals, timeouts, crashes, and what it leaves behind."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processes import gone

PROGRAM = [sys.executable, "-m", "argosy.runtime"]
GRACE = "import sys\nfrom argosy.runtime import __main__ as m\n" \
        "from argosy.runtime.tasks import process\nprocess.GRACE = 0.3\n" \
        "sys.exit(m.main(['exec', *sys.argv[1:]]))"  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    config = {"pipeline": {"name": "churn"}, "executor": "argo"}
    ours = {"ARGOSY_RUN_ID": "churn-1", "ARGOSY_CONFIG": json.dumps(config)}
    return {**os.environ, **ours, **more}


def start(folder: Path, node: dict[str, Any], *program: str, **more: str) -> subprocess.Popen[str]:
    command = [*(program or (*PROGRAM, "exec")), json.dumps(node)]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def record(folder: Path, step: str = "s") -> dict[str, Any]:
    (path,) = folder.glob(f".argosy/runs/churn-1/steps/{step}/*.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def until(true: Callable[[], Any]) -> Any:
    for _ in range(200):
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to that in 10 s")


SLEEPS = "echo ready; echo $$ > pid; sleep 60 & wait"
SLEEPING: dict[str, dict[str, Any]] = {
    "shell": {"step": "s", "command_type": "shell", "command": SLEEPS},
    "python": {"step": "s", "command": "jobs.f"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "jobs.py").write_text(
        "import os, signal, time\n"
        "def f():\n"
        "    open('pid', 'w').write(str(os.getpid())); print('ready'); time.sleep(60)\n"
        "def deaf():\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN); f()\n"
        "def polite():\n"
        "    signal.signal(signal.SIGTERM, lambda *_: print('bye') or os._exit(0)); f()\n"
    )
    return tmp_path


@pytest.mark.parametrize("kind", ["shell", "python"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_step_and_is_recorded(
    folder: Path, kind: str, number: signal.Signals
) -> None:
    program = start(folder, SLEEPING[kind])
    pid = int(until(lambda: (folder / "pid").exists() and (folder / "pid").read_text().strip()))
    assert record(folder)["status"] == "running"
    program.send_signal(number)
    out, _ = program.communicate(timeout=10)
    assert (program.returncode, out) == (128 + number, "ready\n")
    found = record(folder)
    assert (found["status"], found["exit_status"]) == ("failed", 128 + number)
    assert found["message"] == f"stopped by {number.name}"
    assert gone(pid)


def test_a_step_that_is_deaf_is_killed_after_the_grace(folder: Path) -> None:
    node = {"step": "s", "command": "jobs.deaf"}
    program = start(folder, node, sys.executable, "-c", GRACE)
    pid = int(until(lambda: (folder / "pid").exists() and (folder / "pid").read_text()))
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=10)
    assert program.returncode == 143
    assert gone(pid)


def test_a_step_may_clean_up_and_is_stopped_all_the_same(folder: Path) -> None:
    program = start(folder, {"step": "s", "command": "jobs.polite"})
    until((folder / "pid").exists)
    time.sleep(0.05)
    program.send_signal(signal.SIGTERM)
    out, _ = program.communicate(timeout=10)
    assert (program.returncode, out) == (143, "ready\nbye\n")


def test_a_second_signal_kills_at_once(folder: Path) -> None:
    program = start(folder, {"step": "s", "command": "jobs.deaf"})
    until((folder / "pid").exists)
    for _ in range(2):
        program.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    program.communicate(timeout=5)
    assert program.returncode == 143


def test_a_step_does_not_outlive_what_runs_it(folder: Path) -> None:
    program = start(folder, SLEEPING["shell"])
    pid = int(until(lambda: (folder / "pid").exists() and (folder / "pid").read_text().strip()))
    program.kill()
    program.communicate(timeout=10)
    assert gone(pid)


@pytest.mark.parametrize("kind", ["shell", "python"])
def test_a_timeout_ends_the_step(folder: Path, kind: str) -> None:
    program = start(folder, {**SLEEPING[kind], "timeout": 0.5})
    out, err = program.communicate(timeout=10)
    assert (program.returncode, out) == (124, "ready\n")
    assert record(folder)["message"] == "ran longer than its timeout of 0.5 s"
    assert "ran longer" in err
    assert gone(int((folder / "pid").read_text()))


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [("kill -SEGV $$", 139, "ended by SIGSEGV"), ("kill -KILL $$", 137, "ended by SIGKILL; ")],
)
def test_a_crash_is_recorded(folder: Path, command: str, status: int, said: str) -> None:
    program = start(folder, {"step": "s", "command_type": "shell", "command": command})
    program.communicate(timeout=10)
    assert program.returncode == status
    assert record(folder)["message"].startswith(said)


def test_output_comes_while_the_step_runs(folder: Path) -> None:
    program = start(folder, SLEEPING["python"])
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    assert program.poll() is None
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=10)


def test_the_log_is_kept_while_the_step_runs(folder: Path) -> None:
    program = start(folder, SLEEPING["python"])
    (chunk,) = until(lambda: [*folder.glob(".argosy/runs/churn-1/steps/s/*.log/0*")])
    assert chunk.read_text() == "ready\n"
    assert 1500 < int(chunk.name) < 6000
    assert program.poll() is None
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=10)


def test_much_output_arrives_whole_and_apart(folder: Path) -> None:
    (folder / "jobs.py").write_text(
        "import sys\ndef f():\n    for n in range(20000): print(n); print(-n, file=sys.stderr)\n"
    )
    program = start(folder, {"step": "s", "command": "jobs.f"})
    out, err = program.communicate(timeout=20)
    assert out.split() == [str(n) for n in range(20000)]
    assert err.split() == [str(-n) for n in range(20000)]
    chunks = sorted(folder.glob(".argosy/runs/churn-1/steps/s/*.log/*"))
    assert sum(chunk.stat().st_size for chunk in chunks) == len(out) + len(err)


def test_nobody_listening_does_not_end_the_step(folder: Path) -> None:
    (folder / "jobs.py").write_text(
        "import time\ndef f():\n    print('one'); time.sleep(0.3); print('two')"
    )
    program = start(folder, {"step": "s", "command": "jobs.f"})
    assert program.stdout is not None
    program.stdout.close()
    assert program.wait(timeout=10) == 0
    assert record(folder)["status"] == "succeeded"


# From arguments to exit status


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "more", "said"),
    [
        ([], {}, "usage:"),
        (["exec"], {}, "usage:"),
        (["exec", "{}", "", "", ""], {}, "usage:"),
        (["exec", "{"], {}, "NODE is not JSON"),
        (["exec", '{"step":"s"}'], {"ARGOSY_RUN_ID": ""}, "ARGOSY_RUN_ID is not set"),
        (["exec", '{"step":"s"}'], {"ARGOSY_CONFIG": "{"}, "ARGOSY_CONFIG is not JSON"),
        (["exec", '{"step":"s"}', "eu"], {}, "KEY is 'eu'"),
        (["exec", '{"step":"s"}', "", "x"], {}, "ENDED has 'x'"),
        (["exec", '{"step":"s","from":[""]}'], {"ARGOSY_ARGUMENTS": "!"}, "is not base64"),
        (["exec", '{"step":"s","command_type":"perl"}'], {}, "none of python, shell"),
    ],
)
def test_what_is_wrong_with_the_call_is_said_with_status_2(
    folder: Path, arguments: list[str], more: dict[str, str], said: str
) -> None:
    done = run(folder, *arguments, **more)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def encoded(**arguments: str) -> str:
    return base64.b64encode(json.dumps(arguments).encode()).decode()


ARGUMENTS = {"rate": "json", "name": "text"}


def test_arguments_are_typed_and_the_run_is_written(folder: Path) -> None:
    (folder / "jobs.py").write_text("def f(): ...")
    config = {"pipeline": {"name": "churn", "digest": "d"}, "executor": "argo"}
    more = {
        "ARGOSY_CONFIG": json.dumps({**config, "arguments": ARGUMENTS}),
        "ARGOSY_ARGUMENTS": encoded(rate="0.5", name="007", other="[1]", json="[{}]"),
        "ARGOSY_ORIGIN": '{"workflow": "churn-x", "uid": "0f"}',
    }
    node = json.dumps({"step": "s", "from": [""], "command": "jobs.f"})
    assert run(folder, "exec", node, **more).returncode == 0
    path = folder / ".argosy/runs/churn-1/run.json"
    first = path.read_bytes()
    assert json.loads(first) == {
        "run": "churn-1",
        "pipeline": {"name": "churn", "digest": "d"},
        "executor": "argo",
        "arguments": {"rate": 0.5, "name": "007", "other": "[1]"},
        "origin": {"workflow": "churn-x", "uid": "0f"},
        "resumes": None,
    }
    path.unlink()
    assert run(folder, "exec", node.replace('"s"', '"t"'), **more).returncode == 0
    assert path.read_bytes() == first, "whoever starts first"


@pytest.mark.parametrize("text", ["a", "NaN", "", "{"])
def test_an_argument_that_is_not_json_is_refused(folder: Path, text: str) -> None:
    config = json.dumps({"executor": "argo", "arguments": ARGUMENTS})
    node = '{"step": "s", "from": [""], "command": "jobs.f"}'
    done = run(folder, "exec", node, ARGOSY_CONFIG=config, ARGOSY_ARGUMENTS=encoded(rate=text))
    assert done.returncode == 2
    said = f"argument rate is {text!r}, which is not JSON"
    assert said in done.stderr
    (record,) = (folder / ".argosy/runs/churn-1/steps/s").glob("*.json")
    assert said in json.loads(record.read_text())["message"]


def test_the_users_modules_do_not_disturb_the_runtime(folder: Path) -> None:
    for name in ("json", "signal", "selectors", "typing", "hashlib", "re"):
        (folder / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    (folder / "jobs.py").write_text("def f(): return {'x': 1}")
    assert run(folder, "exec", '{"step": "s", "command": "jobs.f"}').returncode == 0


def test_an_empty_step_imports_little(folder: Path) -> None:
    (folder / "jobs.py").write_text("import sys\ndef f(a): print(*sys.modules)\n")
    node = '{"step": "s", "from": [""], "command": "jobs.f"}'
    done = run(folder, "exec", node, ARGOSY_ARGUMENTS=encoded(a="1"))
    loaded = set(done.stdout.split())
    heavy = {"jinja2", "yaml", "click", "boto3", "importlib.metadata", "dataclasses", "inspect",
             "asyncio", "subprocess", "logging", "tempfile", "datetime", "pickle"}  # fmt: skip
    # The development install imports pathlib and its kin itself.
    assert not loaded & heavy
    assert not any(name.startswith("argosy.compiler") for name in loaded)


def test_a_plugin_in_the_working_folder_is_called_where_a_node_runs(folder: Path) -> None:
    (folder / "company.py").write_text("""
from argosy.runtime.integrations import BaseIntegration

class Log(BaseIntegration):
    service_type = "run-log-store"
    service_provider = "file-system"

    def validate(self, **kwargs):
        if self.service.config["location"] == "refused":
            raise ValueError("not there")

    def configure_for_traversal(self, **kwargs):
        raise AssertionError("that was elsewhere")

    def configure_for_execution(self, **kwargs):
        self.service.config["location"] = "moved"
        self.executor.environment["COMPANY"] = "argosy"
""")
    node = '{"step": "s", "command_type": "shell", "command": "echo $COMPANY"}'
    config = {"executor": "local", "plugins": ["company"]}
    done = run(folder, "exec", node, ARGOSY_CONFIG=json.dumps(config))
    assert (done.returncode, done.stdout) == (0, "argosy\n")
    assert (folder / "moved" / "runs" / "churn-1").is_dir()
    refused = {
        **config,
        "run_log_store": {"type": "file-system", "config": {"location": "refused"}},
    }
    done = run(folder, "exec", node, ARGOSY_CONFIG=json.dumps(refused))
    assert done.returncode == 2
    assert "the integration company.Log.validate failed: ValueError: not there" in done.stderr
    assert "Traceback" not in done.stderr
