"""Keys: where every object of a run is."""

from __future__ import annotations

import pytest

from argosy.runtime import layout
from argosy.runtime.errors import NodeError


def test_every_object_of_a_run_has_its_key() -> None:
    step = "features/0/build.all"
    assert layout.run_key("r-1") == "runs/r-1/run.json"
    assert layout.record_key("r-1", step, "17-a") == (
        "runs/r-1/steps/features.0.build%2Eall/17-a.json"
    )
    assert layout.log_key("r-1", step, "17-a", 2000) == (
        "runs/r-1/steps/features.0.build%2Eall/17-a.log/0000002000"
    )
    assert layout.state_key("r-1", step) == "runs/r-1/state/features.0.build%2Eall.json"
    assert layout.end_key("r-1", 3) == "runs/r-1/end/3.json"
    assert layout.blob_key("ab") == "blobs/ab"


def test_indexes_fill_the_stars_in_order() -> None:
    key = layout.indexes("0-eu/12-b-c")
    assert key == ("0", "12")
    assert layout.fill("a/*/b/*/c", key) == "a/0/b/12/c"
    assert layout.fill("2.*.0.*.1", key, ".") == "2.0.0.12.1"
    assert layout.fill("a/*/b", key) == "a/0/b", "a node may know more indexes than its source"
    assert layout.indexes("") == ()


@pytest.mark.parametrize("key", ["eu", "-1", "0/", "0//1", "٣"])
def test_a_key_without_an_index_is_refused(key: str) -> None:
    with pytest.raises(NodeError, match="index"):
        layout.indexes(key)


def test_a_path_with_more_stars_than_indexes_is_refused() -> None:
    with pytest.raises(NodeError, match="more maps"):
        layout.fill("a/*/b/*", ("0",))


def test_long_names_stay_short_and_different() -> None:
    one, other = (layout.step_key("é" * 150 + end) for end in ("a", "b"))
    assert one != other
    assert len(one.encode()) <= layout.LONGEST
    assert layout.step_key("a" * 200) == "a" * 200


@pytest.mark.parametrize("run", ["", "../up", ".hidden", "a/b"])
def test_a_run_cannot_leave_its_folder(run: str) -> None:
    with pytest.raises(NodeError, match="called"):
        layout.run_key(run)


def test_attempts_sort_by_time() -> None:
    one = layout.new_attempt("ffff")
    other = layout.new_attempt("0000")
    assert one[:13] <= other[:13]
    assert one.endswith("-ffff")
    assert len(layout.new_attempt()) == 13 + 1 + 4
