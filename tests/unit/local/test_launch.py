"""The loop with real processes, and in place of the runtime plain functions."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime.errors import NodeError
from argosy.runtime.executors.local import launch
from argosy.runtime.executors.local.approvals import Open, Verdict
from argosy.runtime.executors.local.launch import Launcher
from argosy.runtime.executors.local.process import Child, Forked, Spawned
from argosy.runtime.executors.local.report import Report
from argosy.runtime.executors.local.schedule import Schedule, Work
from argosy.runtime.executors.local.turns import Files

Act = Callable[[], Any]


class Functions:
    """Steps that are functions by name, each run in a process of its own."""

    def __init__(self, acts: Mapping[str, Act]) -> None:
        self.acts = acts

    def start(self, work: Work, number: int, not_for_it: Iterable[int]) -> Child:
        return Forked(lambda: self.acts[work.path]() or 0, not_for_it)

    def files(self, work: Work) -> Files:
        return Files(work.node.get("get", ()), work.node.get("put", ()), dict)

    def name(self, path: str) -> str:
        return path

    def count(self, work: Work) -> int:
        if work.path == "broken":
            raise NodeError("not a list")
        return 3

    def choose(self, work: Work) -> str | None:
        return None

    def done(self, work: Work) -> bool:
        return work.key == ("2",)

    def decided(self, question: Open, verdict: Verdict) -> None:
        say(f"{question.work.path}: {verdict}")

    def success(self, work: Work) -> str:
        return "succeeded"

    def explain(self, work: Work, status: int) -> str:
        return f"exit status {status}"


def say(text: str) -> None:
    """Past sys.stdout, which pytest holds."""
    os.write(1, f"{text}\n".encode())


def wait() -> None:
    time.sleep(60)


class Heard(Report):
    def __init__(self) -> None:
        super().__init__()
        self.text = b""

    def write(self, data: bytes) -> None:
        self.text += data


def steps(*names: str, **more: Any) -> dict[str, Any]:
    return {
        "": {"nodes": [{"name": n, "path": n, "kind": "task", "node": {}, **more} for n in names]}
    }


def launcher(graphs: Mapping[str, Any], acts: Mapping[str, Act], workers: int = 8) -> Launcher:
    return Launcher(Schedule(graphs), Functions(acts), Heard(), workers)


def heard(made: Launcher) -> str:
    report = made._report
    assert isinstance(report, Heard)
    return report.text.decode()


def when_ready(made: Launcher, *acts: Act) -> None:
    """Does one thing after the other, the first once a step has said that it is ready."""

    def watch() -> None:
        while "ready" not in heard(made):
            time.sleep(0.01)
        for act in acts:
            act()
            time.sleep(0.1)

    threading.Thread(target=watch, daemon=True).start()


def test_output_is_passed_on_line_by_line() -> None:
    def talk() -> None:
        os.write(1, b"one\ntw")
        time.sleep(0.05)
        os.write(2, b"o\nthree")

    made = launcher(steps("a"), {"a": talk})
    assert made.run()
    assert "a: started\na | one\na | two\na | three\na: succeeded" in heard(made)


def test_more_output_than_a_pipe_holds_arrives_whole() -> None:
    def talk() -> None:
        for number in range(20_000):
            say(f"line {number}")

    made = launcher(steps("a"), {"a": talk})
    assert made.run()
    assert heard(made).count("a | line ") == 20_000


def test_a_crash_harms_only_its_own_step() -> None:
    acts: dict[str, Act] = {
        "a": lambda: os._exit(9),
        "b": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "c": int,
    }
    made = launcher(steps("a", "b", "c"), acts)
    assert not made.run()
    messages = {x.step: x.message for x in made.failures}
    assert messages == {"a": "exit status 9", "b": "exit status 137"}
    assert "c: succeeded" in heard(made)


def test_a_failure_keeps_the_last_lines() -> None:
    def talk() -> int:
        for number in range(50):
            say(f"line {number}")
        return 1

    made = launcher(steps("a"), {"a": talk})
    assert not made.run()
    assert made.failures[0].tail == tuple(f"line {n}" for n in range(40, 50))


@pytest.mark.parametrize(("status", "attempts"), [(1, 3), (3, 3), (124, 3), (137, 3), (2, 1)])
def test_what_may_succeed_is_tried_again(status: int, attempts: int, tmp_path: Path) -> None:
    def act() -> int:
        with (tmp_path / "tries").open("a") as file:
            file.write("x")
        if status == 137:
            os.kill(os.getpid(), signal.SIGKILL)
        return status

    retry = {"max_attempts": 3, "backoff": 0.02, "factor": 2, "max_backoff": 1}
    begin = time.monotonic()
    assert not launcher(steps("a", retry=retry), {"a": act}).run()
    assert (tmp_path / "tries").read_text() == "x" * attempts
    assert time.monotonic() - begin > (0.06 if attempts == 3 else 0)


def test_a_retry_waits_without_holding_a_worker(tmp_path: Path) -> None:
    def once() -> int:
        if (tmp_path / "b").exists():
            return 0
        return 1

    graphs = steps("a", "b", retry={"max_attempts": 5, "backoff": 0.1})
    assert launcher(graphs, {"a": once, "b": (tmp_path / "b").touch}, workers=1).run()


def test_steps_that_touch_the_same_files_run_in_turn(tmp_path: Path) -> None:
    def write() -> int:
        mark = tmp_path / "mark"
        if mark.exists():
            return 1
        mark.touch()
        time.sleep(0.1)
        mark.unlink()
        return 0

    def beside() -> int:
        """Runs while one of the others does."""
        for _ in range(1000):
            if (tmp_path / "mark").exists():
                return 0
            time.sleep(0.01)
        return 1

    graphs = steps("a", "b", "c", "d")
    for node in graphs[""]["nodes"][:3]:
        node["node"] = {"put": ["out/*.csv"]}
    acts = {"a": write, "b": write, "c": write, "d": beside}
    assert launcher(graphs, acts).run()


@pytest.mark.parametrize("workers", [1, 3])
def test_so_many_run_at_once(workers: int, tmp_path: Path) -> None:
    def act() -> int:
        mark = tmp_path / str(os.getpid())
        mark.touch()
        most = 0
        for _ in range(10):
            most = max(most, len(list(tmp_path.iterdir())))
            time.sleep(0.01)
        mark.unlink()
        return 0 if most <= workers else 1

    names = [str(number) for number in range(6)]
    assert launcher(steps(*names), dict.fromkeys(names, act), workers).run()


def test_what_cannot_be_decided_fails_with_its_message() -> None:
    graphs = steps("broken", kind="map", graphs=[["*", "broken/*"]])
    graphs[""]["nodes"] += steps("c", kind="conditional", graphs=[["x", "c/x"]])[""]["nodes"]
    made = launcher({**graphs, "c/x": {"nodes": []}}, {"c": lambda: 1})
    assert not made.run()
    assert [(x.step, x.message) for x in made.failures] == [
        ("broken", "not a list"),
        ("c", "exit status 1"),
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_steps_and_nothing_more_starts(number: int) -> None:
    def act() -> int:
        # A child of the step, in its group, ends with it.
        child = os.fork()
        if not child:
            time.sleep(60)
        try:
            say("ready")
            time.sleep(60)
        except KeyboardInterrupt:
            say("interrupted")
            return 130
        return 0

    graphs = steps("a", "b", retry={"max_attempts": 3})
    made = launcher(graphs, {"a": act, "b": act}, workers=1)
    when_ready(made, lambda: os.kill(os.getpid(), number))
    begin = time.monotonic()
    assert not made.run()
    assert time.monotonic() - begin < 15
    assert made.stopped_by == number
    assert made.failures == []
    assert "a: cancelled after" in heard(made)
    assert made.counts() == {"cancelled": 1, "not_started": 1}
    assert ("interrupted" in heard(made)) is (number == signal.SIGINT)


def stubborn() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("ready")
    time.sleep(60)


def test_who_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "GRACE", 0.2)
    made = launcher(steps("a"), {"a": stubborn})
    when_ready(made, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert not made.run()
    assert "a: cancelled after" in heard(made)


def test_a_second_signal_kills_at_once() -> None:
    made = launcher(steps("a"), {"a": stubborn})
    tell = partial(os.kill, os.getpid(), signal.SIGTERM)
    when_ready(made, tell, tell)
    begin = time.monotonic()
    assert not made.run()
    assert time.monotonic() - begin < launch.GRACE


def test_the_end_of_the_parent_ends_the_steps() -> None:
    reader, writer = os.pipe()

    def act() -> None:
        os.close(writer)
        say("ready")
        wait()

    made = launcher(steps("a"), {"a": act})
    when_ready(made, lambda: os.close(writer))
    assert not made.run(reader)
    assert made.stopped_by == signal.SIGTERM
    os.close(reader)


def test_a_process_left_behind_does_not_hold_up_the_run() -> None:
    def act() -> None:
        if not os.fork():
            os.setsid()
            time.sleep(20)
            os._exit(0)

    begin = time.monotonic()
    assert launcher(steps("a"), {"a": act}).run()
    assert time.monotonic() - begin < 15


def test_a_step_has_no_input_and_holds_nothing_of_the_launcher() -> None:
    def pipes() -> int:
        links = (str(Path(f"/proc/self/fd/{n}").readlink()) for n in range(3, 64) if _is_open(n))
        return sum(link.startswith(("pipe", "anon_inode:[eventpoll")) for link in links)

    before = pipes()

    def act() -> int:
        return 0 if pipes() == before and os.read(0, 1) == b"" else 1

    assert launcher(steps("a", "b"), {"a": lambda: time.sleep(0.1), "b": act}).run()


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_where_there_is_no_parent_nobody_approves() -> None:
    graphs = {"": {"nodes": [{"name": "a", "path": "a", "kind": "approval", "message": ""}]}}
    made = launcher(graphs, {})
    assert not made.run()
    assert made.failures[0].message == "nobody can be asked to approve it"


def test_what_waits_for_an_approval_when_the_run_is_stopped_is_recorded() -> None:
    graphs = {"": {"nodes": [{"name": "a", "path": "a", "kind": "approval", "message": ""}]}}
    asked: list[Mapping[str, Any]] = []
    made = Launcher(Schedule(graphs), Functions({}), Heard(), 1, asked.append)
    threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    assert not made.run()
    assert asked == [{"ask": {"step": "a", "name": "a", "message": ""}}]
    assert made.failures == []
    assert made.counts() == {"cancelled": 1}


def test_without_a_fork_it_spawns() -> None:
    class Programs(Functions):
        def start(self, work: Work, number: int, not_for_it: Iterable[int]) -> Child:
            program = "import sys; print('hello'); sys.exit(7)"
            return Spawned([sys.executable, "-c", program], os.environ)

    report = Heard()
    made = Launcher(Schedule(steps("a")), Programs({}), report, 1)
    assert not made.run()
    assert "a | hello" in report.text.decode()
    assert made.failures[0].message == "exit status 7"


def test_a_stopped_run_omits_nothing_after_what_it_ended() -> None:
    graphs = {"": {"nodes": [
        {"name": "a", "path": "a", "kind": "task", "node": {}},
        {"name": "b", "path": "b", "kind": "task", "node": {}, "incoming": [["a", "success"]]},
    ]}}  # fmt: skip

    def act() -> None:
        say("ready")
        wait()

    made = launcher(graphs, {"a": act})
    when_ready(made, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert not made.run()
    expected = {"b": {"status": "not_started", "reason": "the run was stopped"}}
    assert made._schedule.statuses.steps == expected
