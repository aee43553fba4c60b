"""`runs`, `show` and `logs` over a run log whose every object is written here."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from argosy.compiler.cli import argosy, history
from argosy.runtime.run_logs.file_system import FileSystemRunLog

SHA = "ab" * 32
OTHER = "cd" * 32


class Log:
    """Writes runs as the runtime would."""

    def __init__(self) -> None:
        self.store = FileSystemRunLog()

    def put(self, key: str, value: Any) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.store.put(key, data)

    def attempt(self, run: str, step: str, at: int, status: str, **more: Any) -> None:
        """A record of an attempt that began `at`, in milliseconds."""
        name = f"{at:013d}-0000"
        record = {"step": step, "attempt": name, "status": status, **more}
        self.put(f"runs/{run}/steps/{step.replace('/', '.')}/{name}.json", record)

    def says(self, run: str, step: str, at: int, after: int, text: str) -> None:
        folder = f"runs/{run}/steps/{step.replace('/', '.')}/{at:013d}-0000.log"
        self.put(f"{folder}/{after:010d}", text.encode())

    def state(self, run: str, step: str, parameters: Any, catalog: Any = None) -> None:
        made = {
            "parameters": {k: {"by": step, "rank": "0", **v} for k, v in parameters.items()},
            "catalog": {k: {"by": step, "rank": "0", **v} for k, v in (catalog or {}).items()},
        }
        self.put(f"runs/{run}/state/{step.replace('/', '.')}.json", {"attempt": "x", **made})

    def end(self, run: str, status: str, ended: str, **more: Any) -> None:
        self.put(f"runs/{run}/end/1.json", {"status": status, "ended": ended, **more})


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    return Log()


def call(*arguments: str) -> Result:
    return CliRunner().invoke(argosy, arguments)


def good(*arguments: str) -> str:
    done = call(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def now() -> int:
    return time.time_ns() // 1_000_000


def two_runs(log: Log) -> None:
    log.attempt("old-1", "a", 1_700_000_000_000, "succeeded")
    log.end("old-1", "succeeded", "2023-11-14T22:13:25.500Z")
    log.attempt("new-2", "a", 1_700_000_100_000, "failed")
    log.end("new-2", "failed", "2023-11-14T22:15:01.000Z")


def test_runs_come_newest_first(log: Log) -> None:
    two_runs(log)
    assert good("runs") == (
        "RUN    STATUS     STARTED              TOOK\n"
        "new-2  failed     2023-11-14 22:15:00  1.0 s\n"
        "old-1  succeeded  2023-11-14 22:13:20  5.5 s\n"
    )
    first = json.loads(good("runs", "-o", "json"))[0]
    assert first == {
        "run": "new-2",
        "status": "failed",
        "started": "2023-11-14T22:15:00.000Z",
        "ended": "2023-11-14T22:15:01.000Z",
        "took": 1.0,
    }


def test_the_runs_of_a_mocked_pipeline_are_those_of_this_machine(log: Log) -> None:
    two_runs(log)
    Path("mocked.yaml").write_text("executor: {type: mocked}")
    for arguments in (["runs"], ["show", "latest"], ["logs", "latest"]):
        assert good(*arguments, "-c", "mocked.yaml") == good(*arguments)


def test_no_runs_is_said_on_stderr(log: Log) -> None:
    done = call("runs")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "argosy run FILE" in done.stderr
    assert json.loads(good("runs", "-o", "json")) == []


def test_a_run_that_nobody_closed_is_judged_by_its_last_sign_of_life(log: Log) -> None:
    old = now() - 600_000
    log.attempt("alive", "a", old, "running")
    log.says("alive", "a", old, 599_000, "tick")
    log.attempt("silent", "a", old, "running")
    log.says("silent", "a", old, 1_000, "tick")
    log.attempt("between", "a", now() - 1_000, "succeeded")
    log.attempt("nowhere", "a", old, "succeeded", ended="2023-11-14T22:13:25.500Z")
    log.attempt("again", "a", now() - 1_000, "running")
    log.end("again", "running", "")  # taken back by the pod that went on with it
    found = {row["run"]: row["status"] for row in json.loads(good("runs", "-o", "json"))}
    assert found == {
        "again": "running",
        "alive": "running",
        "silent": "lost",
        "between": "running",
        "nowhere": "unknown",
    }


def test_show_draws_the_steps_as_a_tree(log: Log) -> None:
    begin = 1_700_000_000_000
    ended = "2023-11-14T22:13:21.000Z"
    log.attempt("r", "a%20b", begin, "succeeded", ended=ended)
    log.state("r", "a%20b", {"rows": {"value": [1, 2]}}, {"x.csv": {"sha256": SHA, "size": 2048}})
    log.attempt("r", "m/0/c", begin + 1, "failed", ended=ended, message="once")
    log.attempt("r", "m/0/c", begin + 2, "failed", ended=ended, message="ValueError: no\nway")
    log.attempt("r", "m/1/c", begin + 3, "skipped", ended=ended, resumed={"run": "q"})
    log.attempt("r", "m", begin + 4, "succeeded", ended=ended, control=True)
    failures = [{"step": "m/0/c", "message": "ValueError: no", "phase": "Failed", "pod": ""}]
    catalog = {"x.csv": {"sha256": SHA, "size": 2048}}
    log.end("r", "failed", ended, failures=failures, parameters={"x": "é"}, catalog=catalog)
    assert good("show", "latest") == (
        "r: failed, started 2023-11-14 22:13:20, took 1.0 s\n"
        "a b      succeeded     1.0 s  rows=[1, 2]  x.csv (2.0 KiB)\n"
        "m        failed\n"
        "├─ 0     failed\n"
        "│  └─ c  failed        1.0 s  2 attempts  ValueError: no way\n"
        "└─ 1     skipped\n"
        "   └─ c  skipped       1.0 s  as in q\n"
        "\nfailures\n"
        "  m/0/c: ValueError: no\n"
        "\nparameters\n"
        '  x: "é"\n'
        "\ncatalog\n"
        "  x.csv  2.0 KiB  abababababab\n"
    )


def test_an_iteration_whose_failure_only_the_map_handled_is_shown_as_failed(log: Log) -> None:
    at, ended = 1_700_000_000_000, "2023-11-14T22:13:21.000Z"
    failures = []
    for step in ("m/0/a", "m/1/d/1/a", "n/0/a"):  # n handled it inside the iteration
        log.attempt("r", step, at, "failed", ended=ended, message="no")
        failures.append({"step": step, "message": "no", "handled": True})
    statuses = {"m": "failed", "m/1/d": "failed", "n": "succeeded"}
    steps = {path: {"status": status} for path, status in statuses.items()}
    log.end("r", "succeeded", ended, failures=failures, steps=steps)
    rows = good("show", "r").partition("\n\n")[0].splitlines()[1:]
    assert [row.lstrip("│├└─ ").split()[:2] for row in rows] == [
        ["m", "failed"],
        ["0", "failed"],
        ["a", "failed"],
        ["1", "failed"],
        ["d", "failed"],
        ["1", "failed"],
        ["a", "failed"],
        ["n", "succeeded"],
        ["0", "succeeded"],
        ["a", "failed"],
    ]


def test_show_tells_all_in_json(log: Log) -> None:
    log.attempt("r", "a", 1_700_000_000_000, "succeeded", exit_status=0)
    log.state("r", "a", {"x": {"value": 1}, "big": {"blob": SHA, "size": 9}})
    log.end("r", "succeeded", "2023-11-14T22:13:21.000Z", parameters={"x": 1})
    found = json.loads(good("show", "r", "-o", "json"))
    assert found["status"] == "succeeded"
    assert found["parameters"] == {"x": 1}
    (step,) = found["steps"]
    assert step["step"] == "a"
    assert step["parameters"] == {"x": 1, "big": {"blob": SHA, "size": 9}}
    assert step["attempts"][0]["exit_status"] == 0


def test_show_has_values_that_states_name_and_those_in_parts(log: Log) -> None:
    long = "x" * 2_000
    data = json.dumps(long).encode()
    sha = hashlib.sha256(data).hexdigest()
    own = {"by": "a", "rank": "0"}
    log.attempt("r", "a", 1_700_000_000_000, "succeeded", exit_status=0)
    log.put(f"blobs/{sha}", data)
    log.put("blobs/part", {"parameters": {"y": {"value": 1, **own}}, "catalog": {}})
    entries = {"x": {"blob": sha, "size": len(data), **own}}
    log.put(
        "runs/r/state/a.json",
        {"attempt": "1", "parameters": entries, "catalog": {}, "parts": ["part"]},
    )
    (step,) = json.loads(good("show", "r", "-o", "json"))["steps"]
    assert step["parameters"] == {"x": long, "y": 1}


def test_a_run_that_is_not_there_is_named_with_the_nearest(log: Log) -> None:
    two_runs(log)
    done = call("show", "new-3")
    assert done.exit_code == 1
    assert "did you mean 'new-2'?" in done.stderr


def test_logs_come_in_the_order_they_were_written(log: Log) -> None:
    begin = now() - 5_000
    log.attempt("r", "a", begin, "succeeded")
    log.attempt("r", "m/0/b", begin + 100, "succeeded")
    log.says("r", "a", begin, 0, "one\ntw")
    log.says("r", "m/0/b", begin + 100, 0, "other\n")
    log.says("r", "a", begin, 300, "o\nthree")
    assert good("logs", "r") == "a | one\nm/0/b | other\na | two\na | three\n"
    assert good("logs", "r", "a") == "one\ntwo\nthree\n"
    assert good("logs", "r", "m") == "m/0/b | other\n"
    assert good("logs", "latest", "b") == "m/0/b | other\n"
    done = call("logs", "r", "c")
    assert done.exit_code == 1
    assert "no step 'c'" in done.stderr


def test_a_line_without_an_end_is_shown_in_time(log: Log) -> None:
    begin = now() - 5_000
    log.attempt("r", "a", begin, "succeeded")
    for n in range(500):
        log.says("r", "a", begin, n, "x" * 50_000)
    start = time.process_time()
    assert good("logs", "r", "a") == "x" * 25_000_000 + "\n"
    assert time.process_time() - start < 15  # of 12 GB, were the line put together each time anew


def test_logs_follow_until_the_end(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = now()
    log.attempt("r", "a", begin, "running")
    log.says("r", "a", begin, 0, "one\n")
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 1:
            log.says("r", "a", begin, 1_000, "two\n")
        else:
            log.end("r", "succeeded", "2023-11-14T22:13:21.000Z")

    monkeypatch.setattr("argosy.compiler.cli.logs.time.sleep", nap)
    assert good("logs", "r", "-f") == "a | one\na | two\n"
    assert len(naps) == 2


def test_rm_deletes_runs_and_what_no_other_run_names(log: Log, tmp_path: Path) -> None:
    two_runs(log)
    Path("c.yaml").write_text("run_log_store: {type: file-system, config: {location: .argosy}}")
    for sha in (SHA, OTHER):
        log.put(f"blobs/{sha}", b"large")
        (tmp_path / ".argosy/catalog/blobs").mkdir(parents=True, exist_ok=True)
        (tmp_path / f".argosy/catalog/blobs/{sha}").write_text("data")
    both = {name: {"sha256": sha, "size": 4} for name, sha in (("x", SHA), ("y", OTHER))}
    objects = {"objects": [{"blob": SHA, "size": 5, "pickle": True}, None]}
    log.state("old-1", "a", {"x": objects, "y": {"blob": OTHER, "size": 5}}, both)
    log.state("new-2", "a", {"y": {"blob": OTHER, "size": 5}}, {"y": both["y"]})
    good("runs", "rm", "old-1", "-c", "c.yaml")
    assert [row["run"] for row in json.loads(good("runs", "-o", "json"))] == ["new-2"]
    assert log.store.list("blobs/") == [f"blobs/{OTHER}"]
    assert [file.name for file in (tmp_path / ".argosy/catalog/blobs").iterdir()] == [OTHER]
    assert not (tmp_path / ".argosy/runs/old-1").exists()


def named(log: Log, run: str, sha: str) -> None:
    """Has a state of the run name a blob, which is there."""
    log.put(f"blobs/{sha}", b"large")
    log.state(run, "a", {"x": {"blob": sha, "size": 5}}, {})


def test_rm_looks_where_the_options_lead(log: Log) -> None:
    two_runs(log)
    Path("c.yaml").write_text("run_log_store: {type: file-system, config: {location: other}}")
    assert "no run 'old-1'" in call("runs", "-c", "c.yaml", "rm", "old-1").stderr


def test_rm_deletes_nothing_of_a_run_in_progress(log: Log) -> None:
    log.attempt("alive", "a", now(), "running")
    done = call("runs", "rm", "alive")
    assert done.exit_code == 1
    assert "alive is running" in done.stderr
    assert len(json.loads(good("runs", "-o", "json"))) == 1


def test_rm_keeps_what_a_run_in_progress_resumes(log: Log) -> None:
    two_runs(log)
    log.put("runs/alive/run.json", {"resumes": "old-1"})
    log.attempt("alive", "a", now(), "running")
    done = call("runs", "rm", "old-1")
    assert done.exit_code == 1
    assert "alive is running and resumes old-1" in done.stderr
    good("runs", "rm", "--keep", "0")
    assert {row["run"] for row in json.loads(good("runs", "-o", "json"))} == {"alive", "old-1"}


def test_data_stays_while_a_run_is_in_progress_and_goes_with_the_next_rm(log: Log) -> None:
    two_runs(log)
    named(log, "old-1", SHA)
    named(log, "new-2", OTHER)
    log.attempt("alive", "a", now(), "running")
    assert "alive is running, so files and large values stay" in call("runs", "rm", "old-1").stderr
    assert not log.store.list("runs/old-1/")
    assert len(log.store.list("blobs/")) == 2
    log.end("alive", "failed", "2023-11-14T23:59:59.000Z")
    log.state("alive", "a", {"x": {"blob": OTHER, "size": 5}}, {})
    good("runs", "rm", "new-2")
    assert log.store.list("blobs/") == [f"blobs/{OTHER}"], "the other one is named by a run"
    assert not log.store.list("garbage/")


def test_rm_keeps_a_number_of_runs(log: Log) -> None:
    two_runs(log)
    good("runs", "rm", "--keep", "1")
    assert [row["run"] for row in json.loads(good("runs", "-o", "json"))] == ["new-2"]
    assert "there is no such run" in call("runs", "rm", "--keep", "1").stderr


def test_rm_deletes_runs_by_age(log: Log) -> None:
    two_runs(log)
    log.attempt("young-3", "a", now(), "succeeded")
    log.end("young-3", "succeeded", "2099-01-01T00:00:00.000Z")
    good("runs", "rm", "--older-than", "30d", "--keep", "2")
    assert [row["run"] for row in json.loads(good("runs", "-o", "json"))] == ["young-3", "new-2"]
    good("runs", "rm", "--older-than", "30d")
    assert [row["run"] for row in json.loads(good("runs", "-o", "json"))] == ["young-3"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give either runs or --older-than and --keep"),
        (["old-1", "--keep", "1"], "give either runs or --older-than and --keep"),
        (["--older-than", "soon"], "'soon' is not a duration"),
    ],
)
def test_rm_is_told_what_to_delete(log: Log, arguments: list[str], said: str) -> None:
    two_runs(log)
    done = call("runs", "rm", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_rm_looks_into_the_parts_of_states(log: Log) -> None:
    two_runs(log)
    for run, sha in (("old-1", SHA), ("new-2", OTHER)):
        entry = {"blob": sha, "size": 5, "by": "a", "rank": "0"}
        log.put(f"blobs/{sha}", b"large")
        log.put(f"blobs/part-{run}", {"parameters": {"x": entry}, "catalog": {}})
        state = {"attempt": "1-a", "parameters": {}, "catalog": {}, "parts": [f"part-{run}"]}
        log.put(f"runs/{run}/state/a.json", state)
    good("runs", "rm", "old-1")
    assert log.store.list("blobs/") == sorted([f"blobs/{OTHER}", "blobs/part-new-2"])


def test_latest_is_the_run_that_began_last(log: Log) -> None:
    two_runs(log)
    log.put("runs/stubs-3/run.json", {"started": "2023-11-14T22:20:00.000Z"})
    log.end("stubs-3", "succeeded", "2023-11-14T22:20:00.010Z")
    log.put("runs/early-0/run.json", {"started": "2023-11-14T22:00:00.000Z"})
    log.end("early-0", "failed", "2023-11-14T23:59:59.000Z")
    rows = json.loads(good("runs", "-o", "json"))
    assert [row["run"] for row in rows] == ["stubs-3", "new-2", "old-1", "early-0"]
    assert rows[0]["took"] == 0.01
    assert good("show", "latest").startswith("stubs-3: succeeded, started 2023-11-14 22:20:00")


def test_latest_may_have_begun_just_now_and_have_no_step_yet(log: Log) -> None:
    two_runs(log)
    log.put("runs/fresh-3/run.json", {"started": history.iso_time(time.time())})
    assert good("show", "latest").startswith("fresh-3: running")


DAMAGED = {
    "runs/good-1/state/a.json": b"",
    "runs/good-1/end/1.json": b'{"status": "succ',
    "runs/good-1/steps/a/1700000000000-0000.json": b"[1, 2]",
    "runs/good-1/run.json": b"[" * 100_000,
}


@pytest.mark.parametrize("key", DAMAGED)
def test_what_is_damaged_is_ignored_and_named(log: Log, key: str) -> None:
    log.put("runs/good-1/run.json", {"started": "2023-11-14T22:13:20.000Z"})
    log.attempt("good-1", "a", 1_700_000_000_000, "succeeded")
    log.attempt("good-1", "b", 1_700_000_000_001, "succeeded")
    log.state("good-1", "a", {"x": {"value": 1}})
    log.end("good-1", "succeeded", "2023-11-14T22:13:25.500Z", parameters={"x": 1})
    log.put(key, DAMAGED[key])
    for command in ("runs", "show good-1", "show good-1 -o json", "logs good-1"):
        done = call(*command.split())
        assert done.exit_code == 0, done.output
    shown = call("show", "good-1")
    assert f"warning: run log: {key} " in shown.stderr
    assert "b  " in shown.stdout


WRONG_SHAPES = {
    "runs/good-1/end/1.json": {"status": "succeeded", "catalog": {"f": 3}},
    "runs/good-1/steps/a/1700000000000-0000.json": {"status": ["failed"], "step": 4},
    "runs/good-1/state/a.json": {"parameters": {"x": "y"}, "catalog": {}},
    "runs/good-1/run.json": {"started": 17},
}


@pytest.mark.parametrize("key", WRONG_SHAPES)
def test_json_that_is_not_what_it_should_be_is_ignored_and_named(log: Log, key: str) -> None:
    log.attempt("good-1", "a", 1_700_000_000_000, "succeeded")
    log.put(key, WRONG_SHAPES[key])
    assert call("runs").exit_code == 0
    shown = call("show", "good-1", "-o", "json")
    if key.startswith("runs/good-1/steps"):
        assert shown.exit_code == 0
    assert f"warning: run log: {key} is not what Argosy writes there; it is ignored" in shown.stderr


def test_what_is_no_run_is_ignored_and_named(log: Log) -> None:
    two_runs(log)
    listed = good("runs")
    log.put("runs/README.md", b"# what is here")
    log.put("runs/old-1/steps/a/notes.txt", b"mine")
    log.put("runs/old-1/steps/a/1700000000000-0000.log/zero", b"mine")
    log.put("runs/new-2/values/0123", b"of another version")
    done = call("runs")
    assert (done.exit_code, done.stdout) == (0, listed)
    assert "warning: run log: runs/README.md is not part of a run" in done.stderr
    said = call("show", "old-1").stderr + call("show", "new-2").stderr
    for key in ("notes.txt", "1700000000000-0000.log/zero"):
        assert f"warning: run log: runs/old-1/steps/a/{key} is not part of a run" in said
    assert "values" not in said


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
@pytest.mark.parametrize(
    "key",
    ["run.json", "end/1.json", "state/a.json", "steps/a/1700000000000-0000.json"],
)
def test_what_is_no_file_is_not_opened(log: Log, key: str, make: Callable[[Path], None]) -> None:
    two_runs(log)
    log.state("old-1", "a", {"x": {"value": 1}})
    path = Path(f".argosy/runs/old-1/{key}")
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)
    assert call("runs").exit_code == 0
    done = call("show", "old-1")
    assert done.exit_code == 0, done.output
    assert f"{key} is not a regular file; it is ignored" in done.stderr


def test_a_link_that_leads_up_is_not_followed(log: Log) -> None:
    two_runs(log)
    Path(".argosy/runs/old-1/steps/loop").symlink_to(Path("..").absolute())
    assert "old-1" in good("runs")


def test_every_step_of_the_graph_has_a_status(log: Log) -> None:
    log.put("runs/r-1/graph.json", {"steps": ["s", "m", "m/*/a", "b", "c", "c/x/y"]})
    us: dict[str, Any] = {"name": "m/1%20%28us%29/a", "item": {"r": "us"}}
    log.attempt("r-1", "m/1/a", 1_700_000_000_000, "failed", **us)
    log.attempt("r-1", "m/0/a", 1_700_000_000_001, "succeeded", name="m/0%20%28eu%29/a")
    steps = {
        "s": {"status": "succeeded"},
        "m": {"status": "failed"},
        "b": {"status": "omitted", "reason": "'m' failed"},
        "c/x/y": {"status": "not_started", "reason": "the run was stopped"},
        "c": {"status": "not_started", "reason": "the run was stopped"},
    }
    failures = [{"step": "m/1/a", "name": "m/1 (us)/a", "message": "no", "handled": True}]
    end = "2023-11-14T22:13:25.500Z"
    log.end("r-1", "cancelled", end, steps=steps, failures=failures)
    shown = good("show", "r-1").splitlines()
    assert shown == [
        "r-1: cancelled, 1 failure handled, 1 step omitted, 1 step not started, "
        "started 2023-11-14 22:13:20, took 5.5 s",
        "s          succeeded",
        "m          failed",
        "├─ 0 (eu)  succeeded",
        "│  └─ a    succeeded",
        "└─ 1 (us)  failed",
        "   └─ a    failed",
        "b          omitted                'm' failed",
        "c          not started            the run was stopped",
        "└─ x       not started",
        "   └─ y    not started            the run was stopped",
        "",
        "failures",
        "  m/1 (us)/a: no (handled)",
    ]
    document = json.loads(good("show", "r-1", "-o", "json"))
    assert [(step["step"], step["status"]) for step in document["steps"]] == [
        ("s", "succeeded"),
        ("m", "failed"),
        ("m/0/a", "succeeded"),
        ("m/1/a", "failed"),
        ("b", "omitted"),
        ("c", "not_started"),
        ("c/x/y", "not_started"),
    ]
    assert document["steps"][4]["reason"] == "'m' failed"
    assert document["steps"][3]["item"] == {"r": "us"}
    watched = call("watch", "r-1").stdout.splitlines()
    assert "m/1 (us)/a: failed" in watched
    assert "b: omitted: 'm' failed" in watched
    assert watched[-1] == ("r-1: cancelled, 1 step omitted, 1 step not started after 5.5 s")


def test_what_a_running_run_has_not_begun_is_waiting(log: Log) -> None:
    log.put("runs/r-1/run.json", {"started": history.iso_time(time.time())})
    log.put("runs/r-1/graph.json", {"steps": ["a", "b", "m", "m/*/c"]})
    log.attempt("r-1", "a", now(), "running")
    document = json.loads(good("show", "r-1", "-o", "json"))
    assert [(step["step"], step["status"]) for step in document["steps"]] == [
        ("a", "running"),
        ("b", "waiting"),
        ("m", "waiting"),
        ("m/*/c", "waiting"),
    ]


def test_a_run_of_an_older_version_shows_what_its_records_tell(log: Log) -> None:
    two_runs(log)
    assert good("show", "old-1").splitlines()[1:] == ["a  succeeded"]
