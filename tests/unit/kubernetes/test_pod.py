"""What runs in the pod, run here: the variables of the rendered container, as a pod gets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime import layout
from support.pods import RUN, UID, Pod

TEXT = (
    "{{workflow.name}} $(ARGOSY_JOB) $$HOME $$(id) ${x} 'a' \"b\" \\ \t\u2028 \U0001f600 %d #\x7f"
)


def lose(pod: subprocess.Popen[str]) -> None:
    """Kills all processes of a pod at once, as the end of its container does."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                session = path.read_text().rpartition(")")[2].split()[3]
                if session == str(pod.pid):
                    os.kill(int(path.parent.name), number)
    pod.communicate(timeout=60)


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    return Pod(tmp_path)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def steps(**given: Any) -> dict[str, Any]:
    return {"dag": {"steps": {name: {"type": "task", **body} for name, body in given.items()}}}


def test_the_whole_pipeline_runs_as_it_does_here(pod: Pod) -> None:
    pod.jobs("def one(x): return {'y': x + 1}\ndef two(y): return {'z': 2 * y}\n")
    pod.render(
        {
            "parameters": {"x": 1, "text": TEXT},
            **steps(
                a={"command": "jobs.one", "returns": ["y"]},
                b={"command": "jobs.two", "returns": ["z"], "depends_on": ["a"]},
            ),
        }
    )
    told = pod.told()
    assert (told["run"], told["status"]) == (RUN, "succeeded")
    assert told["parameters"] == {"x": 1, "text": TEXT, "y": 2, "z": 4}
    run = pod.read(layout.run_key(RUN))
    assert run["origin"] == {"job": "churn-1", "namespace": "team", "uid": UID}
    assert run["executor"] == "kubernetes"
    (record,) = (pod.folder / "argosy" / layout.record_prefix(RUN, "a")).glob("*.json")
    assert (json.loads(record.read_text())["pod"], record.stem[-4:]) == ("churn-1-1", "1f00")


@pytest.mark.parametrize("padding", [0, 150_000])
def test_text_arrives_as_it_was_written(pod: Pod, padding: int) -> None:
    """In one variable and, where it is long, packed into several."""
    pod.jobs("import os\ndef told(): return {'found': os.environ['TEXT']}\n")
    filling = os.urandom(padding).hex()
    pod.render(
        steps(
            a={"command": "jobs.told", "returns": ["found"], "env": {"TEXT": TEXT}},
            b={"command_type": "shell", "command": f": {filling}", "depends_on": ["a"]},
        )
    )
    parts = [name for name in pod.environment() if name.startswith("ARGOSY_PLAN")]
    assert parts == ["ARGOSY_PLAN", "ARGOSY_PLAN_1", "ARGOSY_PLAN_2"][: 1 + 2 * bool(padding)]
    assert pod.told()["parameters"]["found"] == TEXT


def test_a_pod_goes_on_where_another_was_killed(pod: Pod) -> None:
    pod.jobs(
        "import os, time\n"
        "def first(): return {'n': os.getpid()}\n"
        "def slow():\n"
        "    if not os.path.exists('{marks}/began'):\n"
        "        open('{marks}/began', 'w').close()\n"
        "        time.sleep(60)\n"
        "def last(n): return {'m': n}\n"
    )
    pod.render(
        steps(
            a={"command": "jobs.first", "returns": ["n"]},
            b={"command": "jobs.slow", "depends_on": ["a"]},
            c={"command": "jobs.last", "returns": ["m"], "depends_on": ["b"]},
        )
    )
    lost = pod.start()
    wait_for((pod.marks / "began").exists)
    lose(lost)
    assert (pod.statuses("a"), pod.statuses("b"), pod.ends()) == (["succeeded"], ["running"], [])

    status, out, err = pod.run()
    assert status == 0, err
    found = json.loads(out)["parameters"]
    assert found["n"] == found["m"]
    assert "a: skipped" in err
    assert "b: succeeded" in err
    assert pod.statuses("a") == ["succeeded"]
    assert pod.statuses("b") == ["failed", "succeeded"]
    assert pod.statuses("c") == ["succeeded"]
    assert pod.ends() == ["succeeded"]


def test_a_pod_that_is_told_to_stop_closes_the_run_and_the_next_opens_it_again(pod: Pod) -> None:
    pod.jobs(
        "import os, time\n"
        "def slow():\n"
        "    again = os.path.exists('{marks}/began')\n"
        "    open('{marks}/began', 'w').close()\n"
        "    while not (again and os.path.exists('{marks}/go')): time.sleep(0.02)\n"
    )
    pod.render(steps(a={"command": "jobs.slow"}))
    first = pod.start()
    wait_for((pod.marks / "began").exists)
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=60)
    assert first.returncode == 143
    assert (pod.statuses("a"), pod.ends()) == (["failed"], ["cancelled"])

    second = pod.start()
    wait_for(lambda: pod.statuses("a") == ["failed", "running"])
    assert pod.ends() == ["running"]
    (pod.marks / "go").touch()
    second.communicate(timeout=60)
    assert second.returncode == 0
    assert pod.ends() == ["running", "succeeded"]


def test_a_secret_is_seen_by_the_step_that_asks_and_no_other(pod: Pod) -> None:
    pod.jobs(
        "import os\n"
        "from argosy.runtime import credentials, get_secret\n"
        "def around():\n"
        "    found = [str(dict(os.environ)), open('/proc/self/environ').read()]\n"
        "    found.append(open(f'/proc/{os.getppid()}/environ').read())\n"
        "    return ' '.join([*found, str(credentials.held('ARGOSY_SECRET_TOKEN'))])\n"
        "def asks():\n"
        "    shown = os.environ.pop('TOKEN')\n"
        "    assert 'value of' not in around(), around()\n"
        "    return {'length': len(get_secret('TOKEN')), 'same': shown == get_secret('TOKEN')}\n"
        "def other():\n"
        "    assert 'value of' not in around(), around()\n"
        "    try:\n"
        "        get_secret('TOKEN')\n"
        "    except Exception as error:\n"
        "        return {'said': str(error)}\n"
    )
    pod.render(
        steps(
            asks={"command": "jobs.asks", "returns": ["length", "same"], "secrets": ["TOKEN"]},
            shown={
                "command_type": "shell",
                "command": "export ARGOSY_PRM_shell=${#TOKEN}; ! env | grep -q ARGOSY_SECRET",
                "secrets": ["TOKEN"],
            },
            other={"command": "jobs.other", "returns": ["said"], "depends_on": ["asks"]},
            script={
                "command_type": "shell",
                "command": "! cat /proc/self/environ /proc/$PPID/environ | grep -q 'value of'",
                "depends_on": ["asks"],
            },
        )
    )
    found = pod.told()["parameters"]
    assert (found["length"], found["shell"]) == (len("value of TOKEN"),) * 2
    assert found["same"]
    assert "does not name secret" in found["said"]
    everything = b"".join(p.read_bytes() for p in (pod.folder / "argosy").rglob("*") if p.is_file())
    assert b"value of" not in everything


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({}, 1, "failed: a: ZeroDivisionError"),
        ({"ARGOSY_JOB_UID": ""}, 2, "runs in a pod of a Job"),
        ({"ARGOSY_PLAN": "{}"}, 2, "ARGOSY_PLAN is no plan"),
        ({"ARGOSY_PLAN": "x"}, 2, "ARGOSY_PLAN is not JSON"),
        ({"ARGOSY_PLAN": '{"z":"x"}'}, 2, "ARGOSY_PLAN is no plan"),
    ],
)
def test_the_exit_status_says_whether_another_pod_could_do_better(
    pod: Pod, change: dict[str, str], status: int, said: str
) -> None:
    pod.jobs("def wrong(): 1 / 0\n")
    pod.render(steps(a={"command": "jobs.wrong"}))
    pod.more = change
    found, _, err = pod.run()
    assert found == status
    assert said in err
    assert not err.startswith("Traceback")


def test_a_run_goes_on_from_another(pod: Pod) -> None:
    pod.jobs("def one(): return {'y': 1}\n")
    pod.render(steps(a={"command": "jobs.one", "returns": ["y"]}))
    pod.told()
    job = {"ARGOSY_JOB_UID": f"ffff{UID[4:]}"}
    pod.more = {**job, "ARGOSY_RESUME": RUN}
    told = pod.told()
    assert told["run"] == "churn-ffff2c3d"
    folder = pod.folder / "argosy" / layout.record_prefix(told["run"], "a")
    (record,) = (json.loads(path.read_text()) for path in folder.glob("*.json"))
    assert (record["status"], record["resumed"]["run"]) == ("skipped", RUN)


def test_a_pod_goes_on_in_the_middle_of_a_loop(pod: Pod) -> None:
    pod.jobs(
        "import os, time\n"
        "def more(n=0):\n"
        "    if n == 1 and not os.path.exists('{marks}/began'):\n"
        "        open('{marks}/began', 'w').close()\n"
        "        time.sleep(60)\n"
        "    return {'n': n + 1, 'size': 'large' if n else 'small', 'done': n == 2}\n"
        "def large(n): return {'said': f'large {n}'}\n"
    )
    task = {"type": "task", "command": "jobs.more", "returns": ["n", "size", "done"]}
    loop = {
        "type": "loop",
        "branch": {"steps": {"more": task}},
        "break_on": "done",
        "max_iterations": 5,
    }
    large = {"type": "task", "command": "jobs.large", "returns": ["said"]}
    choice = {
        "type": "conditional",
        "parameter": "size",
        "branches": {"large": {"steps": {"large": large}}},
        "depends_on": ["loop"],
    }
    pod.render({"dag": {"steps": {"loop": loop, "choice": choice}}})
    lost = pod.start()
    wait_for((pod.marks / "began").exists)
    lose(lost)
    found = pod.told()["parameters"]
    assert found == {"n": 3, "size": "large", "done": True, "said": "large 3"}
    rounds = [pod.statuses(f"loop/{number}/more") for number in range(3)]
    assert rounds == [["succeeded"], ["failed", "succeeded"], ["succeeded"]]


def test_a_step_overrides_what_is_not_of_the_pod(pod: Pod) -> None:
    pod.jobs(
        "import os\n"
        "def a(): return {'a': [os.environ.get(n) for n in ('COLOUR', 'SIZE')]}\n"
        "def b(): return {'b': [os.environ.get(n) for n in ('COLOUR', 'SIZE')]}\n"
        "def c():\n"
        "    open('{marks}/tries', 'a').write('x')\n"
        "    assert len(open('{marks}/tries').read()) > 1\n"
    )
    own = {"kubernetes": {"env": {"SIZE": "2"}, "timeout": "1m"}}
    definition = steps(
        a={"command": "jobs.a", "returns": ["a"], "overrides": own},
        b={"command": "jobs.b", "returns": ["b"]},
        c={"command": "jobs.c", "overrides": {"kubernetes": {"retry": 2}}},
    )
    pod.render(definition, env={"COLOUR": "red", "SIZE": "1"})
    found = pod.told()["parameters"]
    assert (found["a"], found["b"]) == (["red", "2"], ["red", "1"])
    assert pod.statuses("c") == ["failed", "succeeded"]
