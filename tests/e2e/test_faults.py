"""What goes wrong in pods, and what the run log says of it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from cluster import Cluster
from runs import MOUNT, Lab, result, run_id

SLEEPS = "echo started; sleep 300"


def pipeline(name: str, **steps: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "dag": {"steps": steps}}


def does(command: str, **fields: Any) -> dict[str, Any]:
    return {"type": "task", "command_type": "shell", "command": command, **fields}


def counts(name: str) -> str:
    """Shell lines that set `n` to how often they have run before."""
    return f'n=$(cat "$PLACE/{name}" || echo 0); echo $((n + 1)) >"$PLACE/{name}"'


SMALL = {"argo": {"resources": {"limits": {"memory": "64Mi"}}}}
HOG = """python -c 'print(len(b"x" * (400 << 20)))'"""
PIPELINES = [
    pipeline("memory", hog=does(HOG, retry=2, overrides=SMALL)),
    pipeline(
        "memory-recovered", hog=does(HOG, overrides=SMALL, on_failure="mend"), mend=does("true")
    ),
    pipeline("overdue", slow=does(SLEEPS, timeout="2s"), after=does("true", depends_on=["slow"])),
    pipeline(
        "flaky",
        try_=does(
            f'{counts("flaky")}; echo "this is try $n"\n'
            "case $n in 0) exit 2;; 1) kill -9 $$;; esac\n"
            "export ARGOSY_PRM_tries=$n",
            retry={"max_attempts": 4, "backoff": "1s"},
            returns=["tries"],
        ),
    ),
    pipeline("lost", step=does(f"{counts('lost')}; [ $n = 1 ] || {{ {SLEEPS}; }}", retry=2)),
    pipeline("stopped", slow=does(SLEEPS), after=does("true", depends_on=["slow"])),
]
DEADLINE = pipeline("deadline", slow=does(SLEEPS), after=does("true", depends_on=["slow"]))


@pytest.fixture(scope="module")
def faults(lab: Lab, cluster: Cluster) -> dict[str, dict[str, Any]]:
    """What `argosy show` says of each, once all have ended."""
    lab.start(*PIPELINES, env={"PLACE": MOUNT})
    lab.start(DEADLINE, workflow_timeout="20s")
    cluster.run("argo", "stop", wait_for_step(cluster, lab, "stopped"))
    wait_for_step(cluster, lab, "lost")
    (pod,) = cluster.pods("lost")
    cluster.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=false")
    names = [one["name"] for one in [*PIPELINES, DEADLINE]]
    lab.wait(*names)
    return {name: lab.there(name) for name in names}


def wait_for_step(cluster: Cluster, lab: Lab, name: str) -> str:
    """Waits until the only step that a workflow has started says so; the workflow's name."""
    run = run_id(name, cluster.get("workflow", name))
    steps = lab.volume / "argosy" / "runs" / run / "steps"
    until = time.monotonic() + 120
    while not any(chunk.read_bytes() for chunk in steps.glob("*/*.log/*")):
        assert time.monotonic() < until, cluster.report(name)
        time.sleep(0.5)
    return name


def attempts(document: dict[str, Any], step: str) -> list[dict[str, Any]]:
    (found,) = (one for one in document["steps"] if one["step"] == step)
    return list(found["attempts"])


def test_a_step_that_is_killed_for_memory_has_all_its_attempts(
    lab: Lab, faults: dict[str, dict[str, Any]]
) -> None:
    found = faults["memory"]
    tries = attempts(found, "hog")
    assert [(one["status"], one["exit_status"]) for one in tries] == [("failed", 137)] * 2
    assert all("OOMKilled" in one["message"] for one in tries)
    assert [one["step"] for one in found["failures"]].count("hog") >= 2
    assert (found["status"], lab.status("memory")) == ("failed", "Failed")
    assert lab.pods("memory") == 3


def test_it_can_be_recovered_from(lab: Lab, faults: dict[str, dict[str, Any]]) -> None:
    found = faults["memory-recovered"]
    assert result(found).steps == {"hog": ["failed"], "mend": ["succeeded"]}
    assert "OOMKilled" in attempts(found, "hog")[0]["message"]
    assert (found["status"], lab.status("memory-recovered")) == ("succeeded", "Succeeded")


def test_a_step_over_its_deadline_ends_as_it_does_here(
    lab: Lab, faults: dict[str, dict[str, Any]]
) -> None:
    here, there = lab.here("overdue"), faults["overdue"]
    for found in (here, there):
        (one,) = attempts(found, "slow")
        assert (one["status"], one["exit_status"]) == ("failed", 124)
        assert "2 s" in one["message"]
    assert result(here) == result(there)
    assert lab.status("overdue") == "Failed"


def test_a_step_that_fails_twice_and_then_succeeds_has_three_attempts(
    lab: Lab, faults: dict[str, dict[str, Any]]
) -> None:
    here, there = lab.here("flaky", PLACE=str(lab.place("counts"))), faults["flaky"]
    assert result(here) == result(there)
    assert result(there).steps == {"try_": ["failed", "failed", "succeeded"]}
    assert there["parameters"] == {"tries": 2}
    messages = [[one.get("message") for one in attempts(found, "try_")] for found in (here, there)]
    assert messages[0] == messages[1]
    assert (there["status"], lab.status("flaky")) == ("succeeded", "Succeeded")
    assert lab.pods("flaky") == 4


def test_a_pod_that_was_lost_is_tried_again(lab: Lab, faults: dict[str, dict[str, Any]]) -> None:
    assert result(faults["lost"]).steps == {"step": ["failed", "succeeded"]}
    assert lab.status("lost") == "Succeeded"


@pytest.mark.parametrize("name", ["stopped", "deadline"])
def test_a_run_that_is_ended_from_outside_is_closed(
    name: str, lab: Lab, faults: dict[str, dict[str, Any]]
) -> None:
    found = faults[name]
    expected = "cancelled" if name == "stopped" else "failed"
    assert (found["status"], lab.status(name)) == (expected, "Failed")
    assert found["ended"]
    assert result(found).steps == {"slow": [expected]}
    assert attempts(found, "slow")[0]["message"]
