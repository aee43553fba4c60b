"""Parameters that are asked for by a name that nobody declares."""

from __future__ import annotations

import pytest

from argosy.compiler.checks import check
from definitions import pipeline

DEFINITION = """
parameters: {regions: [eu], mode: full}
dag:
  steps:
    count: {type: task, command: a.b, returns: [rows, done]}
    each:
      type: map
      iterate_on: regions
      iterate_as: region
      branch: {steps: {x: {type: task, command: a.c, returns: [score]}}}
    again: {type: loop, break_on: done, max_iterations: 2, branch: {steps: {y: {type: stub}}}}
    choose: {type: conditional, parameter: mode, branches: {full: {steps: {z: {type: stub}}}}}
    inner: {type: dag, inputs: [rows], outputs: [score], branch: {steps: {w: {type: stub}}}}
"""


def hints(text: str) -> list[str]:
    _, warnings = check(pipeline(text))
    return [warning.hint for warning in warnings]


@pytest.mark.parametrize(
    ("right", "wrong", "hint"),
    [
        ("iterate_on: regions", "iterate_on: regoins", "'regions'"),
        ("break_on: done", "break_on: don", "'done'"),
        ("parameter: mode", "parameter: moode", "'mode'"),
        ("inputs: [rows]", "inputs: [rowss]", "'rows'"),
        ("outputs: [score]", "outputs: [scores]", "'score'"),
    ],
)
def test_a_name_that_is_nearly_another_is_warned_of(right: str, wrong: str, hint: str) -> None:
    assert hints(DEFINITION.replace(right, wrong)) == [f"did you mean {hint}?"]


def test_any_other_name_may_be_set_by_a_step() -> None:
    assert hints(DEFINITION) == []
    assert hints(DEFINITION.replace("iterate_on: regions", "iterate_on: shards")) == []


def test_what_a_map_hands_to_its_graph_is_not_known_outside() -> None:
    step = "{type: map, iterate_on: regions, iterate_as: region, branch: {steps: {s: %s}}}"
    assert hints(f"dag: {{steps: {{m: {step % '{type: stub}'}}}}}") == []
    inside = "{type: dag, inputs: [regoin], branch: {steps: {t: {type: stub}}}}"
    assert hints(f"dag: {{steps: {{m: {step % inside}}}}}") == ["did you mean 'region'?"]
