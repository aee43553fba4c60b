"""Nodes that are more than a pod, on the cluster and here."""

from __future__ import annotations

import pytest

from loops import LOOPS
from runs import Lab, result


@pytest.fixture(scope="module")
def started(lab: Lab) -> Lab:
    """All of it, started at once."""
    lab.start(*(case.definition(name) for name, case in LOOPS.items()))
    return lab


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
