"""Pipelines that once ended with wrong results end with the right ones on the cluster."""

from __future__ import annotations

import pytest

from right_answers import CASES, FAILED, SUCCEEDED
from runs import Lab

PHASES = {SUCCEEDED: ["Succeeded"], FAILED: ["Failed", "Error"]}


@pytest.fixture(scope="session")
def answers(lab: Lab) -> Lab:
    """All of them on the cluster at once."""
    lab.start(*(case.definition(name) for name, case in CASES.items()))
    lab.wait(*CASES, seconds=600)
    return lab


@pytest.mark.parametrize("name", CASES)
def test_on_the_cluster(answers: Lab, name: str) -> None:
    case = CASES[name]
    assert answers.status(name) in PHASES[case.status], answers.cluster.report(name)
    case.assert_ended_so(answers.there(name))
