"""The steps of a run, read from the status of a real Workflow (`recorded/`).

sample.json: a step that failed twice and its handler, a map in a map of which one iteration failed,
a conditional, two branches, and names with blanks; recorded from Argo 3.7, without the parts of
containers.
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
        "└─ 1/day/1/count failed 16 s main: Error (exit code 1)",
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
