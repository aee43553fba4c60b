"""What the engine's phases mean: at the end of a run, and in the view of one that goes on."""

from __future__ import annotations

import pytest

from argosy.compiler.argo.status import PHASES
from argosy.runtime.end import STATUSES, ended_by, record_of, status_of
from argosy.runtime.errors import NodeError


@pytest.mark.parametrize(
    ("phase", "status"), [("Succeeded", "succeeded"), ("Failed", "failed"), ("Error", "failed")]
)
def test_a_run_is_closed_as_the_engine_says(phase: str, status: str) -> None:
    assert status_of({"ARGOSY_STATUS": phase}) == status


def test_there_are_no_other_ends() -> None:
    assert STATUSES.keys() == {"Succeeded", "Failed", "Error"}
    for other in ("", "Running", "succeeded"):
        with pytest.raises(NodeError, match="ARGOSY_STATUS is"):
            status_of({"ARGOSY_STATUS": other})


@pytest.mark.parametrize(
    ("phase", "status", "code"),
    [
        ("Succeeded", "succeeded", 0),
        ("Failed", "failed", 1),
        ("Error", "failed", 1),
        ("Running", "failed", 1),
    ],
)
def test_a_step_of_the_engines_own_is_recorded_as_it_ended(
    phase: str, status: str, code: int
) -> None:
    node = {"id": "wf-1", "startedAt": "2030-01-01T00:00:00Z", "phase": phase, "type": "Suspend"}
    found = record_of("a", node)
    assert found
    assert (found["status"], found["exit_status"]) == (status, code)


@pytest.mark.parametrize("more", [{"startedAt": None}, {"type": "Skipped"}])
def test_a_step_of_the_engines_own_that_did_not_run_has_no_record(more: dict[str, str]) -> None:
    node = {
        "id": "wf-1",
        "startedAt": "2030-01-01T00:00:00Z",
        "phase": "Omitted",
        "type": "Suspend",
    }
    assert record_of("a", {**node, **more}) is None


def test_an_attempt_that_the_engine_ended_has_failed_with_its_exit_status() -> None:
    found = ended_by("OOMKilled (exit code 137)", "2030-01-01T00:00:00Z")
    assert (found["status"], found["exit_status"]) == ("failed", 137)
    assert found["ended"] == "2030-01-01T00:00:00Z"
    assert ended_by("evicted", None)["exit_status"] is None


def test_each_phase_of_a_node_is_shown_as_what_it_is() -> None:
    assert PHASES == {
        "": "pending",
        "Pending": "pending",
        "Running": "running",
        "Succeeded": "succeeded",
        "Failed": "failed",
        "Error": "failed",
        "Skipped": "skipped",
        "Omitted": "omitted",
    }
