"""Whole runs from hand-written plans: the launcher as its own process, real steps, real files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime import layout
from argosy.runtime.context import Context
from argosy.runtime.executors.local.launch import Launcher
from argosy.runtime.executors.local.report import Report
from argosy.runtime.executors.local.schedule import Schedule
from argosy.runtime.executors.local.steps import RuntimeSteps
from marks import marks_of, with_marks
from processes import gone

LAUNCHER = [sys.executable, "-m", "argosy.runtime.executors.local"]


class Outcome:
    """How a run ended, with what it printed on stderr."""

    def __init__(self, folder: Path, status: int, out: bytes, err: bytes) -> None:
        self.exit_status = status
        self.stderr = err.decode()
        self.told: dict[str, Any] = json.loads(out) if out else {}
        self.store = folder / ".argosy"
        self.run = str(self.told.get("run", "r"))

    def records(self, path: str) -> list[dict[str, Any]]:
        """The records of a step's attempts, oldest first."""
        folder = self.store / layout.record_prefix(self.run, path)
        return [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]

    def statuses(self, path: str) -> list[str]:
        return [record["status"] for record in self.records(path)]

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.told["parameters"])

    @property
    def end(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.store / f"runs/{self.run}/end/1.json").read_text())
        return found


class Place:
    """A working folder with a module `jobs` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def jobs(self, text: str) -> None:
        (self.folder / "jobs.py").write_text(with_marks(text, self.folder))

    def start(self, plan: dict[str, Any]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*LAUNCHER, "--attached"],
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin
        process.stdin.write(json.dumps(plan).encode() + b"\n")
        process.stdin.flush()
        return process

    def finish(self, process: subprocess.Popen[bytes]) -> Outcome:
        assert process.stdout
        assert process.stderr
        out, err = process.stdout.read(), process.stderr.read()
        return Outcome(self.folder, process.wait(timeout=60), out, err)

    def run(self, plan: dict[str, Any]) -> Outcome:
        return self.finish(self.start(plan))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def plan(graphs: dict[str, Any], final: list[Any], **more: Any) -> dict[str, Any]:
    config = {
        "pipeline": {"name": "p", "digest": "d"},
        "executor": "local",
        "run_log_store": {"type": "file-system", "config": {}},
        "catalog": {"type": "file-system", "config": {}},
        "secrets": {"type": "env", "config": {}},
    }
    arguments = more.pop("arguments", {})
    made = {"run": "r", "context": config, "arguments": arguments, "workers": 4}
    return {**made, "graphs": graphs, "final": {"from": final}, **more}


def task(path: str, command: str, *after: str, rank: str = "", **more: Any) -> dict[str, Any]:
    """A task that reads the steps it comes after, or else the arguments."""
    name = path.rpartition("/")[2]
    prefix = path[: -len(name)]
    node = {"step": path, "rank": rank, "command": command}
    node["from"] = more.pop("reads", [f"{prefix}{x}" for x in after if x[0] != "!"] or [""])
    node.update(more.pop("node", {}))
    edges = [[x.lstrip("!"), "failure" if x[0] == "!" else "success"] for x in after]
    return {"name": name, "path": path, "kind": "task", "incoming": edges, "node": node, **more}


def graph(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"nodes": list(nodes)}


def test_parameters_flow_from_the_arguments_to_the_end(place: Place) -> None:
    place.jobs("def one(x): return {'y': x + 1}\ndef two(y): return {'z': y * 2}\n")
    graphs = {
        "": graph(
            task("a", "jobs.one", rank="0", node={"returns": ["y"]}),
            task("b", "jobs.two", "a", rank="1", node={"returns": ["z"]}),
        )
    }
    done = place.run(plan(graphs, ["b"], arguments={"x": 3}))
    assert done.exit_status == 0, done.stderr
    assert done.told["status"] == "succeeded"
    assert done.parameters == done.end["parameters"] == {"x": 3, "y": 4, "z": 8}
    assert done.statuses("a") == done.statuses("b") == ["succeeded"]


def test_an_object_is_no_parameter_of_the_end(place: Place) -> None:
    place.jobs(
        "import argosy.runtime as r\ndef f():\n    r.put_object('o', {1})\n    return {'x': 1}"
    )
    done = place.run(plan({"": graph(task("a", "jobs.f", rank="0"))}, ["a"]))
    assert done.exit_status == 0, done.stderr
    assert done.parameters == {"x": 1}


CRASHES = """
import os, signal

def leave():
    print("leaving", flush=True)
    os._exit(7)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def kill_the_runtime():
    os.kill(os.getppid(), signal.SIGKILL)

def fine():
    pass

def wrong():
    raise ValueError("no such country")
"""


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("leave", "7"),
        ("die", "SIGKILL"),
        ("kill_the_runtime", "SIGKILL"),
        ("wrong", "no such country"),
    ],
)
def test_a_crash_is_recorded_and_harms_no_other_step(place: Place, command: str, says: str) -> None:
    place.jobs(CRASHES)
    graphs = {"": graph(task("bad", f"jobs.{command}"), task("good", "jobs.fine"))}
    done = place.run(plan(graphs, ["bad", "good"]))
    assert done.exit_status == 1
    assert done.statuses("bad") == ["failed"]
    assert done.statuses("good") == ["succeeded"]
    assert says in done.records("bad")[0]["message"]
    assert done.records("bad")[0]["ended"]
    assert done.end["status"] == "failed"
    (failure,) = done.end["failures"]
    assert failure["step"] == "bad"
    assert says in failure["message"]
    assert "failed: bad: " in done.stderr


def test_a_step_is_told_which_attempt_it_is(place: Place) -> None:
    place.jobs(
        "from argosy.runtime import attempt_number\n"
        "def counts():\n"
        "    print('attempt', attempt_number())\n"
        "    assert attempt_number() == 2\n"
    )
    retry = {"max_attempts": 3, "backoff": 0.01, "factor": 2, "max_backoff": 1}
    done = place.run(plan({"": graph(task("a", "jobs.counts", retry=retry))}, ["a"]))
    assert [line for line in done.stderr.splitlines() if "| attempt" in line] == [
        "a | attempt 1",
        "a | attempt 2",
    ]


def test_a_failed_step_is_tried_again(place: Place) -> None:
    place.jobs(
        "from pathlib import Path\n"
        "def flaky():\n"
        "    with open('{marks}/tries', 'a') as file: file.write('x')\n"
        "    if len(Path('{marks}/tries').read_text()) < 3: raise ValueError('not yet')\n"
    )
    retry = {"max_attempts": 3, "backoff": 0.01, "factor": 2, "max_backoff": 1}
    done = place.run(plan({"": graph(task("a", "jobs.flaky", retry=retry))}, ["a"]))
    assert done.exit_status == 0, done.stderr
    assert done.statuses("a") == ["failed", "failed", "succeeded"]
    assert done.end["failures"] == []


def test_where_there_is_no_fork_it_spawns(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    place.jobs("def one(x, y): return {'z': [x, y]}\n")
    monkeypatch.chdir(place.folder)
    given = {"x": "text", "y": [1]}
    types = {"x": "text", "y": "json"}
    context = Context("r", {"executor": "local", "arguments": types}, given)
    node = task("a", "jobs.one", node={"returns": ["z"]})
    steps = RuntimeSteps(context, fork=False)
    launcher = Launcher(Schedule({"": graph(node)}), steps, Report(), 1)
    assert launcher.run(), capfd.readouterr().err
    state = json.loads((place.folder / ".argosy/runs/r/state/a.json").read_text())
    assert state["parameters"]["z"]["value"] == ["text", [1]]


def test_a_handler_recovers(place: Place) -> None:
    place.jobs(CRASHES + "\ndef mend(): return {'mended': True}\n")
    final = [
        {"if": "b", "is": "ok", "from": ["b"]},
        {"if": "h", "is": "ok", "from": ["h"]},
    ]
    graphs = {
        "": graph(
            task("a", "jobs.wrong", handled=True),
            task("b", "jobs.fine", "a"),
            task("h", "jobs.mend", "!a", reads=[""], node={"returns": ["mended"]}),
        )
    }
    done = place.run(plan(graphs, final, arguments={"x": 1}))
    assert done.exit_status == 0, done.stderr
    assert done.parameters == {"x": 1, "mended": True}
    assert "failed: a: " not in done.stderr
    assert done.statuses("b") == []


MAP_OF_MAP = {
    "": graph(
        {
            "name": "m",
            "path": "m",
            "kind": "map",
            "graphs": [["*", "m/*"]],
            "items": "rows",
            "reads": {"from": [""]},
        }
    ),
    "m/*": graph(
        {
            "name": "n",
            "path": "m/*/n",
            "kind": "map",
            "graphs": [["*", "m/*/n/*"]],
            "items": "row",
            "reads": {"from": [{"item": "row", "on": "rows", "depth": 0, "in": [""]}]},
            "max_parallel": 1,
        }
    ),
    "m/*/n/*": graph(
        task(
            "m/*/n/*/a",
            "jobs.ten",
            rank="0.*.0.*.0",
            reads=[
                {
                    "item": "cell",
                    "on": "row",
                    "depth": 1,
                    "in": [{"item": "row", "on": "rows", "depth": 0, "in": [""]}],
                }
            ],
            node={"returns": ["tenfold"]},
        )
    ),
}
INNER = {
    "map": "m/*/n",
    "rank": "0.*.0",
    "on": "row",
    "as": "cell",
    "in": [{"item": "row", "on": "rows", "depth": 0, "in": [""]}],
    "out": ["m/*/n/*/a"],
    "reduce": {},
    "names": ["tenfold"],
}
OUTER = {
    "map": "m",
    "rank": "0",
    "on": "rows",
    "as": "row",
    "in": [""],
    "out": [INNER],
    "reduce": {},
    "names": ["tenfold"],
}


@pytest.mark.parametrize(
    ("rows", "tenfold"),
    [([[1, 2], [], [3]], [[10, 20], [], [30]]), ([], []), ([[]], [[]])],
)
def test_maps_nest_and_may_be_empty(place: Place, rows: Any, tenfold: Any) -> None:
    place.jobs("def ten(cell): return {'tenfold': cell * 10}\n")
    done = place.run(plan(MAP_OF_MAP, [OUTER], arguments={"rows": rows}))
    assert done.exit_status == 0, done.stderr
    assert done.parameters == {"rows": rows, "tenfold": tenfold}


def test_a_map_over_what_is_no_list_says_so(place: Place) -> None:
    done = place.run(plan(MAP_OF_MAP, [OUTER], arguments={"rows": "abc"}))
    assert done.exit_status == 1
    (failure,) = done.end["failures"]
    assert failure["step"] == "m"
    assert '"abc", not a list' in failure["message"]


def conditional(**more: Any) -> dict[str, Any]:
    node = {"step": "c", "rank": "0", "type": "fail", "parameter": "mode", "from": [""]}
    return {
        "": graph(
            {
                "name": "c",
                "path": "c",
                "kind": "conditional",
                "graphs": [["b1", "c/b1"], ["b2", "c/b2"]],
                "parameter": "mode",
                "values": {"b1": "fast", "b2": 2},
                "reads": {"from": [""]},
                "node": node,
                **more,
            }
        ),
        "c/b1": graph(task("c/b1/a", "jobs.one", node={"returns": ["way"]})),
        "c/b2": graph(task("c/b2/a", "jobs.two", node={"returns": ["way"]})),
    }


CHOSEN = [{"if": f"c/{b}", "is": "ok", "from": [f"c/{b}/a"]} for b in ("b1", "b2")]
WAYS = "def one(): return {'way': 1}\ndef two(): return {'way': 2}\n"


@pytest.mark.parametrize(
    ("mode", "default", "way"), [("fast", None, 1), (2, None, 2), (9, "b1", 1)]
)
def test_a_conditional_compares_json(
    place: Place, mode: Any, default: str | None, way: int
) -> None:
    place.jobs(WAYS)
    done = place.run(plan(conditional(default=default), CHOSEN, arguments={"mode": mode}))
    assert done.exit_status == 0, done.stderr
    assert done.parameters == {"mode": mode, "way": way}


def test_a_conditional_without_a_match_fails_with_the_value(place: Place) -> None:
    place.jobs(WAYS)
    done = place.run(plan(conditional(), CHOSEN, arguments={"mode": "odd"}))
    assert done.exit_status == 1
    (failure,) = done.end["failures"]
    assert failure["step"] == "c"
    assert "odd" in failure["message"]
    assert done.statuses("c/b1/a") == done.statuses("c/b2/a") == []


RESUMED = """
from pathlib import Path

def a(): return {'x': 1}
def b(x):
    if not Path('mended').exists(): raise ValueError('broken')
    return {'y': x + 1}
"""


def test_a_resumed_run_skips_what_succeeded(place: Place) -> None:
    place.jobs(RESUMED)
    graphs = {
        "": graph(
            task("a", "jobs.a", rank="0", node={"returns": ["x"]}),
            task("b", "jobs.b", "a", rank="1", node={"returns": ["y"]}),
        )
    }
    first = place.run(plan(graphs, ["b"]))
    assert first.exit_status == 1
    (place.folder / "mended").touch()
    second = place.run(plan(graphs, ["b"], run="r2", resume="r"))
    assert second.exit_status == 0, second.stderr
    assert second.statuses("a") == ["skipped"]
    assert second.records("a")[0]["resumed"]["run"] == "r"
    assert second.statuses("b") == ["succeeded"]
    assert second.parameters == {"x": 1, "y": 2}
    assert "a: skipped" in second.stderr


SLOW = """
import os, time

def wait():
    print("working", flush=True)
    open(f"{marks}/began-{os.getpid()}", "w").close()
    time.sleep(60)
"""


def began(place: Place, count: int = 1) -> list[int]:
    """The process ids of the steps that wait, once there are so many."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = [
            int(file.name.partition("-")[2]) for file in marks_of(place.folder).glob("began-*")
        ]
        if len(found) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError("no step began")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_no_process_and_a_readable_log(place: Place, number: int) -> None:
    place.jobs(SLOW)
    graphs = {
        "": graph(task("a", "jobs.wait"), task("b", "jobs.wait"), task("c", "jobs.wait", "b"))
    }
    process = place.start(plan(graphs, ["a", "c"]))
    pids = began(place, 2)
    process.send_signal(number)
    done = place.finish(process)
    assert done.exit_status == 128 + number
    assert all(gone(pid) for pid in pids)
    assert done.statuses("a") == done.statuses("b") == ["failed"]
    assert done.statuses("c") == []
    assert done.end["status"] == "cancelled"
    assert done.end["failures"] == []
    not_started = {"status": "not_started", "reason": "the run was stopped"}
    assert done.end["steps"] == {"c": not_started}
    folder = done.store / layout.record_prefix("r", "a")
    assert b"working" in b"".join(file.read_bytes() for file in folder.glob("*.log/*"))


def test_the_run_ends_with_who_started_it(place: Place) -> None:
    place.jobs(SLOW)
    process = place.start(plan({"": graph(task("a", "jobs.wait"))}, ["a"]))
    (pid,) = began(place)
    assert process.stdin
    process.stdin.close()
    done = place.finish(process)
    assert done.exit_status == 143
    assert gone(pid)


def test_nothing_to_run_is_no_fault(place: Place) -> None:
    done = subprocess.run(
        LAUNCHER, cwd=place.folder, input=b"", capture_output=True, check=False, timeout=20
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_store_that_cannot_be_written_is_said_plainly(place: Place) -> None:
    place.jobs(CRASHES)
    (place.folder / ".argosy").touch()
    done = place.run(plan({"": graph(task("a", "jobs.fine"))}, ["a"]))
    assert done.exit_status == 3
    assert "run log: cannot write" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_buffered_run_leaves_nothing(place: Place, tmp_path: Path) -> None:
    place.jobs("def one(): return {'x': 1}\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    made = plan({"": graph(task("a", "jobs.one", node={"returns": ["x"]}))}, ["a"])
    made["context"]["run_log_store"] = {"type": "buffered"}
    done = subprocess.run(
        LAUNCHER,
        cwd=place.folder,
        env={**os.environ, "TMPDIR": str(temporary)},
        input=json.dumps(made).encode(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["parameters"] == {"x": 1}
    assert list(temporary.iterdir()) == []
