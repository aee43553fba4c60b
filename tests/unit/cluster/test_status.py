"""The steps of a run, read from the status of a real Workflow (`recorded/`).

sample.json: a step that failed twice and its handler, a map in a map of which one iteration failed,
a conditional, two branches, and names with blanks; recorded from Argo 3.7, without the parts of
containers.

asking.json: a template of the engine's that failed twice, an approval that nobody gave in time, and
others that wait, one of them in a map whose other iteration has gone on.
"""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from argosy.compiler.argo.status import OFFLOADED, brief, execution
from argosy.compiler.cli.view import lines

RECORDED = Path(__file__).parent / "recorded"


@pytest.fixture
def sample() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDED / "sample.json").read_text())
    return found


def test_every_step_is_there_in_the_order_of_the_definition(sample: dict[str, Any]) -> None:
    found = execution(sample)
    assert (found.name, found.run, found.status) == ("sample-npst4", "sample-50cea461", "failed")
    assert [(step.path, step.status, step.attempts) for step in found.steps] == [
        ("first", "succeeded", 1),
        ("flaky", "failed", 2),
        ("mend", "succeeded", 1),
        ("each/0/load", "succeeded", 1),
        ("each/1/load", "succeeded", 1),
        ("each/0/day/0/count", "succeeded", 1),
        ("each/0/day/1/count", "succeeded", 1),
        ("each/1/day/0/count", "succeeded", 1),
        ("each/1/day/1/count", "failed", 1),
        ("size/full/all", "succeeded", 1),
        ("size/part/some", "skipped", 0),
        ("last", "omitted", 0),
        ("par%20it/a/x%20y", "succeeded", 1),
        ("par%20it/b/z", "succeeded", 1),
    ]


def test_pods_are_called_as_the_engine_calls_them(sample: dict[str, Any]) -> None:
    pods = {step.path: step.pod for step in execution(sample).steps if step.pod}
    assert pods["first"] == "sample-npst4-run-arguments-hands-2-3841872481"
    assert pods["each/1/day/1/count"] == "sample-npst4-run-1287392604"
    assert "last" not in pods


def test_the_view_of_it(sample: dict[str, Any]) -> None:
    found = [" ".join(line.split()) for line in lines(execution(sample), 0.0)]
    assert found == [
        "sample-50cea461 failed 59 s (called sample-npst4 there)",
        "first succeeded 11 s",
        "flaky failed 27 s 2 attempts main: Error (exit code 1)",
        "mend succeeded 14 s",
        "each failed 1 of 2 done, 1 failed, 30 s",
        "└─ 1 (us)/day/1 (2)/count failed 16 s main: Error (exit code 1)",
        "size succeeded 2 steps, 10 s",
        "last omitted",
        "par it succeeded 2 steps, 16 s",
    ]


def test_nodes_may_be_packed(sample: dict[str, Any]) -> None:
    plain = execution(sample)
    nodes = json.dumps(sample["status"].pop("nodes")).encode()
    sample["status"]["compressedNodes"] = base64.b64encode(gzip.compress(nodes)).decode()
    assert execution(sample) == plain


def test_nodes_may_be_in_argos_database(sample: dict[str, Any]) -> None:
    sample["status"].update(nodes=None, offloadNodeStatusVersion="fnv:1")
    found = execution(sample)
    assert (found.status, found.note, found.steps) == ("failed", OFFLOADED, ())


def test_before_anything_has_started_every_step_waits(sample: dict[str, Any]) -> None:
    sample["status"].update(nodes=None, phase="Running", finishedAt=None)
    found = execution(sample)
    assert {step.status for step in found.steps} == {"waiting"}
    assert [step.path for step in found.steps if "each" in step.path] == [
        "each/*/load",
        "each/*/day/*/count",
    ]


def test_a_workflow_that_nobody_has_seen_yet(sample: dict[str, Any]) -> None:
    """Neither its status nor the template is there."""
    del sample["status"]
    del sample["metadata"]["annotations"]
    sample["metadata"]["labels"] = {"argosy.dev/pipeline": "sample"}
    found = execution(sample)
    assert (found.run, found.status, found.steps) == ("sample-50cea461", "pending", ())


def test_the_metadata_alone_tells_how_it_is(sample: dict[str, Any]) -> None:
    found = brief({"metadata": sample["metadata"]})
    assert (found.run, found.status) == ("sample-50cea461", "failed")
    assert found.started is not None


@pytest.fixture
def asking() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDED / "asking.json").read_text())
    return found


def test_steps_without_a_pod_of_ours_are_there_too(asking: dict[str, Any]) -> None:
    found = {step.path: step for step in execution(asking).steps}
    assert [(step.path, step.status, step.attempts) for step in found.values()] == [
        ("train", "succeeded", 1),
        ("probe", "failed", 2),
        ("mend", "succeeded", 1),
        ("late", "failed", 1),
        ("sign%20off", "waiting", 1),
        ("each/0/ask", "succeeded", 1),
        ("each/1/ask", "waiting", 1),
        ("each/0/go", "succeeded", 1),
        ("last", "waiting", 0),
    ]
    assert found["probe"].pod.startswith("asking-c5fnj-probe-")
    assert found["sign%20off"].pod == ""
    assert {path: step.answer for path, step in found.items() if step.answer} == {
        "sign%20off": "argo resume asking-c5fnj -n team"
        " --node-field-selector name=asking-c5fnj.sign-off",
        "each/1/ask": "argo resume asking-c5fnj -n team"
        " --node-field-selector 'name=asking-c5fnj.each(1:1-us).ask'",
    }


def test_what_waits_for_a_person_is_seen_with_the_answer(asking: dict[str, Any]) -> None:
    now = execution(asking).steps[0].started
    assert now is not None
    found = [" ".join(line.split()) for line in lines(execution(asking), now + 100, 60)]
    assert found[5:] == [
        "sign off waiting 1 m 34 s Publish it?",
        "each running 1 of 2 done, 1 waiting, 1 m 34 s",
        "└─ 1 (us)/ask waiting 1 m 34 s There too?",
        "last waiting",
        "to go on with sign off: argo resume asking-c5fnj -n team --n",
        "ode-field-selector name=asking-c5fnj.sign-off",
        "to go on with each/1 (us)/ask: argo resume asking-c5fnj -n t",
        "eam --node-field-selector 'name=asking-c5fnj.each(1:1-us).as",
        "k'",
    ]


@pytest.mark.parametrize("how", ["shutdown", "label"])
def test_a_run_that_was_stopped_is_cancelled(sample: dict[str, Any], how: str) -> None:
    if how == "shutdown":
        sample["spec"]["shutdown"] = "Stop"
    else:
        sample["metadata"].setdefault("labels", {})["argosy.dev/cancelled"] = "true"
    nodes = sample["status"]["nodes"]
    nodes["sample-npst4-1287392604"]["message"] = "workflow shutdown with strategy:  Stop"
    nodes.pop("sample-npst4-1060129209")  # the last step, which was not reached
    found = execution(sample)
    statuses = {step.path: step.status for step in found.steps}
    assert (found.status, found.finished) == ("cancelled", True)
    assert statuses["each/1/day/1/count"] == "cancelled"
    assert statuses["flaky"] == "failed"
    assert statuses["last"] == "not_started"


def test_a_failed_run_that_nobody_stopped_is_not_cancelled(sample: dict[str, Any]) -> None:
    assert execution(sample).status == "failed"


def test_a_map_that_could_not_read_its_list_says_why(sample: dict[str, Any]) -> None:
    said = "withParam value could not be parsed as a JSON list: 'xs' is 3, not a list: invalid char"
    sample["status"]["nodes"]["sample-npst4-3598474696"]["message"] = said
    assert execution(sample).message == "each: 'xs' is 3, not a list"
