"""Nodes that are more than a pod, on the cluster and here."""

from __future__ import annotations

import time
from typing import Any

import pytest

from loops import LOOPS
from runs import Lab, result
from shapes import approval, does, sets

NAME = "sign off"
DISPLAYED = "sign-off"


def waiting(name: str, **fields: Any) -> dict[str, Any]:
    steps = {
        "a": sets("a=1"),
        NAME: approval(message="Go on?", depends_on=["a"], **fields),
        "b": sets("b=1", depends_on=[NAME]),
        "h": sets("h=1") if "on_failure" in fields else does(depends_on=["b"]),
    }
    return {"name": name, "dag": {"steps": steps}}


APPROVALS = {
    "approved": waiting("approved"),
    "approved-in-time": waiting("approved-in-time", timeout="1h"),
    "denied": waiting("denied", on_failure="h"),
    "too-late": waiting("too-late", timeout=4),
}


@pytest.fixture(scope="module")
def started(lab: Lab) -> Lab:
    """All of it, started at once and answered."""
    loops = (case.definition(name) for name, case in LOOPS.items())
    lab.start(*APPROVALS.values(), *loops)
    answers = {
        "approved": ["resume", "approved"],
        "approved-in-time": ["resume", "approved-in-time"],
        "denied": ["stop", "denied", "--message", "not today"],
    }
    until = time.monotonic() + 300
    while answers and time.monotonic() < until:
        for name in [name for name in answers if suspended(lab, name)]:
            one = ["--node-field-selector", f"displayName={DISPLAYED}"]
            lab.cluster.run("argo", *answers.pop(name), *one)
        time.sleep(1)
    return lab


def nodes(lab: Lab, workflow: str) -> dict[str, dict[str, Any]]:
    found = lab.cluster.get("workflow", workflow).get("status", {}).get("nodes", {})
    return {node["displayName"]: node for node in found.values()}


def suspended(lab: Lab, workflow: str) -> bool:
    return bool(nodes(lab, workflow).get(DISPLAYED, {}).get("phase") == "Running")


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_ends_on_the_cluster_as_it_does_here(name: str, started: Lab) -> None:
    case = LOOPS[name]
    here = result(started.here(name))
    started.wait(name)
    there = result(started.there(name))
    assert there == here
    assert there.status == ("succeeded" if case.ends is not None else "failed")
    assert len(there.steps) == case.ran
    assert started.pods(name) == case.ran + case.controls + 1, "one closes the run"


@pytest.mark.parametrize("name", ["approved", "approved-in-time"])
def test_what_is_resumed_is_approved(name: str, started: Lab) -> None:
    here = result(started.here(name, "--approve-all"))
    started.wait(name)
    assert result(started.there(name)) == here
    assert here.steps["sign%20off"] == ["succeeded"]
    assert started.pods(name) == 3 + 1
    shown = nodes(started, name)[DISPLAYED]["inputs"]["parameters"]
    assert {"name": "message", "value": "Go on?"} in shown


def test_what_is_stopped_is_denied_and_handled(started: Lab) -> None:
    started.wait("denied")
    found = started.there("denied")
    there = result(found)
    assert (there.status, there.parameters) == ("succeeded", {"a": 1, "h": 1})
    ((attempt,),) = (s["attempts"] for s in found["steps"] if s["step"] == "sign%20off")
    assert (attempt["status"], attempt["message"]) == ("failed", "not today")
    assert [(one["step"], one["message"]) for one in found["failures"]] == [
        ("sign%20off", "not today")
    ]
    assert started.pods("denied") == 2 + 1


def test_what_nobody_approves_in_time_fails(started: Lab) -> None:
    started.wait("too-late")
    found = started.there("too-late")
    there = result(found)
    assert there.status == "failed"
    assert there.steps == {"a": ["succeeded"], "sign%20off": ["failed"]}
    failures = {failure["step"]: failure["message"] for failure in found["failures"]}
    assert failures["sign%20off"] == "nobody approved it within 4 s"
    assert started.pods("too-late") == 2 + 1
