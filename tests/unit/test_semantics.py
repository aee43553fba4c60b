"""What small definitions mean, worked out by hand: the reference and every executor agree."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from support.comparison import REDUCERS, compilation_of
from support.executors import EXECUTORS
from support.reference import Json, Run, evaluate
from support.scripted import Scripted

CASES: dict[str, Json] = yaml.safe_load(
    Path(__file__).with_name("semantics.yaml").read_text("utf-8")
)


def definition_of(case: Json) -> Json:
    return {"name": "p", "parameters": case.get("parameters", {}), "dag": case["dag"]}


@pytest.mark.parametrize("name", CASES)
def test_the_reference_gives_what_was_worked_out_by_hand(name: str) -> None:
    case = CASES[name]
    run = evaluate(definition_of(case), Scripted(), approve=Scripted().approves, reducers=REDUCERS)
    check(case["expected"], run)
    assert run.steps.items() >= case["expected"].get("steps", {}).items()
    if "failures" in case["expected"]:
        assert run.failures == case["expected"]["failures"]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", CASES)
def test_an_executor_gives_what_was_worked_out_by_hand(name: str, executor: str) -> None:
    case = CASES[name]
    run = EXECUTORS[executor](compilation_of(definition_of(case)), Scripted())
    check(case["expected"], run)
    expected = case["expected"].get("steps", {})
    assert {step: run.steps.get(step, status) for step, status in expected.items()} == expected


def check(expected: Json, run: Run) -> None:
    assert run.status == expected["status"]
    assert run.parameters == expected["parameters"]
    assert run.files == expected.get("files", run.files)
    for step, parameters in expected.get("saw", {}).items():
        assert run.inputs[step].parameters.items() >= parameters.items()
    for step, names in expected.get("unseen", {}).items():
        assert not run.inputs[step].parameters.keys() & names
    for step, items in expected.get("items", {}).items():
        assert run.inputs[step].map_variable == items
    for step, files in expected.get("got", {}).items():
        assert run.inputs[step].files == files


def test_the_reference_imports_nothing_of_the_product() -> None:
    text = Path(evaluate.__code__.co_filename).read_text("utf-8")
    imports = [line for line in text.splitlines() if line.startswith(("import ", "from "))]
    modules = {line.split()[1].split(".")[0] for line in imports}
    assert modules <= {
        "__future__", "collections", "dataclasses", "fnmatch", "json", "typing", "urllib"
    }  # fmt: skip
