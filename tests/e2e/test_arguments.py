"""A run's arguments, given where it is submitted: text as text, any other type as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from cluster import Cluster, from_template
from runs import Lab, result

DEFAULTS = {"text": "a", "number": 1, "items": [1], "flag": True, "nested": {"a": None}}
FIELDS: dict[str, Any] = {"type": "task", "command_type": "shell"}
STEPS: dict[str, Any] = {
    # MAGNUS_PRM_x is JSON whatever its type is.
    "see": {
        **FIELDS,
        "command": 'export ARGOSY_PRM_seen="$MAGNUS_PRM_text $MAGNUS_PRM_number $MAGNUS_PRM_flag"',
        "retry": 3,
    },
    "each": {
        "type": "map",
        "iterate_on": "items",
        "iterate_as": "item",
        "branch": {
            "steps": {"keep": {**FIELDS, "command": 'export ARGOSY_PRM_kept="$MAGNUS_PRM_item"'}}
        },
    },
    "choose": {
        "type": "conditional",
        "parameter": "text",
        "branches": {"5": {"steps": {"five": {**FIELDS, "command": "export ARGOSY_PRM_five=1"}}}},
        "default": {"steps": {"other": {"type": "stub"}}},
    },
}
STEPS["each"]["branch"]["steps"]["keep"]["returns"] = ["kept"]
RUNS = {
    "args-none": {},
    "args-all": {
        "text": "5",
        "number": "2.50",
        "items": '["x", {"y": "}}"}, null]',
        "flag": "false",
        "nested": "null",
    },
    "args-empty": {"text": "", "items": "[]"},
    "args-text": {"text": '\'"$(id)" \\ \N{GRINNING FACE} %\n'},
    "args-wrong": {"number": "many"},
}


@pytest.fixture(scope="module")
def submitted(lab: Lab, cluster: Cluster) -> dict[str, dict[str, Any]]:
    """What `argosy show` says of each run."""
    definition = {"name": "args", "parameters": DEFAULTS, "dag": {"steps": STEPS}}
    lab.apply(lab.render(definition))
    cluster.create(*(from_template("args", name, given) for name, given in RUNS.items()))
    command = ("submit", "--from", "workflowtemplate/args", "-p", "number=7", "-o", "name")
    by_argo = cluster.run("argo", *command).strip().rpartition("/")[2]
    lab.wait(*RUNS, by_argo)
    return {
        name: lab.there(workflow, "args")
        for name, workflow in {**{name: name for name in RUNS}, "argo": by_argo}.items()
    }


@pytest.mark.parametrize("name", ["args-none", "args-all", "args-empty", "args-text"])
def test_arguments_have_the_types_of_their_defaults(
    name: str, lab: Lab, submitted: dict[str, dict[str, Any]]
) -> None:
    given = [part for key, value in RUNS[name].items() for part in ("-p", f"{key}={value}")]
    there = result(submitted[name])
    assert there.status == "succeeded", submitted[name]["failures"]
    assert there == result(lab.here("args", *given))
    assert there.parameters["text"] == RUNS[name].get("text", "a")


def test_all_of_them_arrive(submitted: dict[str, dict[str, Any]]) -> None:
    assert submitted["args-all"]["parameters"] == {
        "text": "5",
        "number": 2.5,
        "items": ["x", {"y": "}}"}, None],
        "flag": False,
        "nested": None,
        "seen": '"5" 2.5 false',
        "kept": ["x", {"y": "}}"}, None],
        "five": 1,
    }
    assert submitted["argo"]["parameters"]["seen"] == '"a" 7 true'
    assert submitted["args-empty"]["parameters"]["kept"] == []


def test_an_argument_that_is_no_json_fails_the_first_step_once(
    lab: Lab, submitted: dict[str, dict[str, Any]]
) -> None:
    found = submitted["args-wrong"]
    (step,) = (one for one in found["steps"] if one["step"] == "see")
    (attempt,) = step["attempts"]
    assert (attempt["status"], attempt["exit_status"]) == ("failed", 2)
    assert "argument number is 'many', which is not JSON" in attempt["message"]
    assert (found["status"], lab.status("args-wrong")) == ("failed", "Failed")
