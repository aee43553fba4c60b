"""Which of several sources is read: what the engine's statuses and a run's records decide."""

from __future__ import annotations

import json

import pytest

from argosy.runtime import layout
from argosy.runtime.alternatives import Records, by_statuses, statuses
from argosy.runtime.errors import NodeError
from support.memory import Memory

IF_OK = {"if": "a", "is": "ok", "from": ["a"]}
IF_FAILED = {"if": "a", "is": "failed", "from": [""]}


@pytest.mark.parametrize(
    ("status", "ok", "failed"),
    [
        ("Succeeded", True, False),
        ("Failed", False, True),
        ("Error", False, True),
        ("Errored", False, True),
        ("Omitted", False, False),
        ("Skipped", False, False),
    ],
)
def test_a_status_of_the_engine_decides(status: str, ok: bool, failed: bool) -> None:
    says = by_statuses({"a": status})
    assert says(IF_OK, ()) is ok
    assert says(IF_FAILED, ()) is failed


def test_a_map_that_the_engine_skipped_was_over_an_empty_list() -> None:
    over = {"if": "m", "is": "ok", "from": [{"map": "m"}]}
    assert by_statuses({"m": "Skipped"})(over, ())
    assert not by_statuses({"m": "Omitted"})(over, ())


def test_a_status_that_is_not_told_is_an_error() -> None:
    with pytest.raises(NodeError, match="does not say how 'a' ended"):
        by_statuses({"b": "Succeeded"})(IF_OK, ())


def test_statuses_are_read_by_path() -> None:
    assert statuses("a=Succeeded b/c=Failed") == {"a": "Succeeded", "b/c": "Failed"}
    with pytest.raises(NodeError, match="path=Status"):
        statuses("Succeeded")


def recorded(*steps: tuple[str, str, str]) -> Records:
    """Records of attempts: the instance, the attempt and its status. What succeeded has a state."""
    store = Memory()
    for step, attempt, status in steps:
        record = json.dumps({"step": step, "status": status}).encode()
        store.put(layout.record_key("r", step, attempt), record)
        if status in ("succeeded", "skipped"):
            state = {"attempt": attempt, "parameters": {}, "catalog": {}}
            store.put(layout.state_key("r", step), json.dumps(state).encode())
    return Records(store, "r")


@pytest.mark.parametrize(
    ("status", "ok", "failed"),
    [
        ("succeeded", True, False),
        ("skipped", True, False),
        ("failed", False, True),
        ("running", False, False),
    ],
)
def test_a_record_decides(status: str, ok: bool, failed: bool) -> None:
    records = recorded(("a", "1", status))
    assert records.says(IF_OK, ()) is ok
    assert records.says(IF_FAILED, ()) is failed


def test_the_newest_attempt_counts() -> None:
    records = recorded(("a", "1", "failed"), ("a", "2", "succeeded"))
    assert records.says(IF_OK, ())
    assert not records.says(IF_FAILED, ())


def test_a_composite_failed_where_a_step_inside_it_did() -> None:
    assert recorded(("a/b", "1", "failed")).says(IF_FAILED, ())
    assert not recorded(("ab", "1", "failed")).says(IF_FAILED, ())


def test_what_has_no_record_did_not_run() -> None:
    assert not recorded().says(IF_OK, ())
    assert not recorded().says(IF_FAILED, ())


def test_a_source_with_a_handler_that_began_failed() -> None:
    source = {**IF_OK, "unless": "h"}
    assert recorded(("a", "1", "succeeded")).says(source, ())
    assert not recorded(("a", "1", "succeeded"), ("h", "1", "running")).says(source, ())


def test_all_certain_sources_must_be_there_and_of_alternatives_one() -> None:
    records = recorded(("a", "1", "succeeded"), ("b", "1", "failed"))
    if_b = {"if": "b", "is": "ok", "from": ["b"]}
    assert records.readable(["a", if_b], ())
    assert not records.readable(["a", "b"], ())
    assert records.readable([IF_OK, if_b], ())
    assert not records.readable([if_b], ())
