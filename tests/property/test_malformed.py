"""Malformed definitions and configurations are problems at their places, and no tracebacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from malformed import ARGO, DEFINITION, DEFINITIONS, LOCAL, Case, campaign, findings

SEED = 8
BATCH, BATCHES = 50, 6


@pytest.mark.parametrize("batch", range(BATCHES))
def test_malformed_input_is_a_problem_at_its_place(batch: int) -> None:
    found = list(campaign(range(batch * BATCH, (batch + 1) * BATCH), SEED))
    assert not found, "\n".join(f"--- {case.kind}\n{what}" for case, what in found[:3])


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_what_is_mutated_is_right(definition: str, tmp_path: Path) -> None:
    configuration = ARGO if definition is DEFINITION else LOCAL
    assert list(findings(Case(definition, configuration, "as it is"), tmp_path)) == []
