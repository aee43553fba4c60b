"""How graphs end: each pipeline of a table runs here and on the cluster, and ends the same."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from runs import Lab, Result, result, shown
from shapes import Steps, choice, dag, does, fails, over, parallel, sets


class Case(NamedTuple):
    """`start` makes it a chain. `tried`: attempts at steps, each one pod; `controls`: pods that are
    no step's; `podless`: a `fail` that only failures lead to, which has a record here and no pod
    there; `ends`: final parameters beside the given ones."""

    status: str
    tried: int
    steps: Steps
    parameters: dict[str, Any] | None = None
    start: str = ""
    controls: int = 0
    podless: str = ""
    ends: dict[str, Any] | None = None

    def definition(self, name: str) -> dict[str, Any]:
        graph: dict[str, Any] = {"steps": self.steps}
        if self.start:
            graph["start_at"] = self.start
        return {"name": name, "parameters": self.parameters or {}, "dag": graph}


def after_all(*after: str, **fields: Any) -> dict[str, Any]:
    """A composite that fails though what it is to leave is there."""
    ends = {"start_at": "a", "steps": {"a": does(next="fail")}}
    goes_on = {"steps": {"b": sets("lost=1")}}
    found = {"type": "parallel", "branches": {"ends": ends, "goes on": goes_on}, **fields}
    return {**found, "depends_on": [*after]} if after else found


GOOD, BAD = "succeeded", "failed"
ENGINE = {GOOD: ["Succeeded"], BAD: ["Failed", "Error"]}
STUB = {"type": "stub"}
ODD = "[ $((ARGOSY_PRM_x % 2)) = 1 ]"
REPORT = 'seen="$ARGOSY_PRM_out"'

CASES = {
    # A handler
    "handled": Case(
        GOOD,
        2,
        {
            "a": fails(on_failure="h"),
            "b": does(depends_on=["a"]),
            "c": does(depends_on=["b"]),
            "h": sets("mended=1"),
        },
        ends={"mended": 1},
    ),
    "handled-and-joined-again": Case(
        GOOD,
        3,
        {
            "a": fails(on_failure="h"),
            "h": sets("mended=1"),
            "z": sets('seen="$ARGOSY_PRM_mended"', depends_on={"any": ["a", "h"]}),
        },
        ends={"mended": 1, "seen": 1},
    ),
    "not-needed": Case(
        GOOD,
        2,
        {
            "a": sets("out=1", on_failure="h"),
            "h": sets("out=2"),
            "z": sets(REPORT, depends_on={"any": ["a", "h"]}),
        },
        ends={"out": 1, "seen": 1},
    ),
    "recovered-by-an-end": Case(
        GOOD,
        2,
        {"a": sets("out=1", next="b"), "b": fails(on_failure="success")},
        start="a",
        ends={"out": 1},
    ),
    "recovered-and-left-there": Case(
        GOOD,
        3,
        {
            "a": fails(on_failure="h"),
            "b": does(depends_on=["a"]),
            "h": sets("mended=1", on_failure="c"),
            "c": sets("out=1", depends_on={"any": ["a", "h"]}),
            "last": does(depends_on=["b", "c"]),
        },
    ),
    "failed-after-all-and-handled": Case(
        GOOD,
        4,  # the `fail` that a success leads to is one
        {
            "p": {
                "type": "parallel",
                "branches": {
                    "ends": {"start_at": "a", "steps": {"a": does(next="fail")}},
                    "goes on": {"steps": {"b": sets("lost=1")}},
                },
                "on_failure": "h",
            },
            "h": sets("mended=1"),
        },
        ends={"mended": 1},
    ),
    "failed-after-all-and-handled-by-a-stub": Case(
        GOOD,
        4,
        {"a": sets("kept=1"), "p": after_all("a", on_failure="s"), "s": STUB},
        controls=1,
        ends={"kept": 1},
    ),
    "failed-after-all-and-handled-by-one": Case(
        GOOD,
        5,
        {
            "p": after_all(on_failure="h"),
            "q": parallel({"one": {"c": sets("kept=1")}}, on_failure="h"),
            "h": sets("mended=1"),
        },
        controls=1,
        ends={"kept": 1, "mended": 1},
    ),
    "failed-after-all-and-handled-by-a-composite": Case(
        GOOD,
        4,
        {"p": after_all(on_failure="h"), "h": dag({"m": sets("mended=1")})},
        controls=1,
        ends={"mended": 1},
    ),
    "failed-after-all-and-followed": Case(
        GOOD,
        4,
        {
            "p": after_all(on_failure="h"),
            "z": {**STUB, "depends_on": ["p"]},
            "h": sets("mended=1"),
        },
        controls=1,
        ends={"mended": 1},
    ),
    "handler-fails": Case(BAD, 2, {"a": fails(on_failure="h"), "h": fails()}),
    "handled-by-a-stub": Case(
        GOOD,
        1,
        {"a": fails(on_failure="h"), "h": STUB, "b": does(depends_on=["a"])},
        {"kept": 1},
    ),
    "two-handled-by-one": Case(
        GOOD,
        3,
        {"a": fails(on_failure="h"), "b": sets("b=1", on_failure="h"), "h": sets("h=1")},
        ends={"b": 1, "h": 1},
    ),
    # A fail
    "handler-and-fail": Case(
        BAD,
        2,
        {
            "a": fails(next="b", on_failure="h"),
            "b": does(next="success"),
            "h": sets("h=1", next="fail"),
        },
        start="a",
        podless="fail",
    ),
    "fail-at-once": Case(
        BAD,
        1,
        {"a": fails(next="b", on_failure="fail"), "b": does()},
        start="a",
        podless="fail",
    ),
    "fail-after-success": Case(
        BAD, 2, {"a": does(next="stop"), "stop": {"type": "fail", "message": "enough"}}, start="a"
    ),
    "fail-not-reached": Case(
        GOOD,
        2,
        {"a": does(next="b", on_failure="fail"), "b": sets("b=1")},
        start="a",
        ends={"b": 1},
    ),
    # No handler
    "others-go-on": Case(
        BAD,
        4,
        {
            "a": fails(),
            "b": does(depends_on=["a"]),
            "c": does(),
            "d": does(depends_on=["c"]),
            "e": does(depends_on=["d"]),
        },
    ),
    "all": Case(
        BAD,
        2,
        {"a": does(), "b": fails(), "z": does(depends_on=["a", "b"])},
    ),
    "any": Case(
        BAD,
        3,
        {"a": does(), "b": fails(), "z": sets("z=1", depends_on={"any": ["a", "b"]})},
    ),
    # Maps
    "recovery-in-a-map": Case(
        GOOD,
        5,
        {
            "m": over(
                "xs",
                "x",
                {
                    "a": sets("out=$ARGOSY_PRM_x", ODD, on_failure="h"),
                    "h": sets("out=-1"),
                },
            ),
            "z": sets(REPORT, depends_on=["m"]),
        },
        {"xs": [1, 2, 3]},
        ends={"out": [1, -1, 3], "seen": [1, -1, 3]},
    ),
    "handler-on-a-map": Case(
        GOOD,
        4,
        {
            "m": over("xs", "x", {"a": does(ODD)}, on_failure="h"),
            "z": does(depends_on=["m"]),
            "h": sets("h=1"),
        },
        {"xs": [1, 2, 3]},
        ends={"h": 1},
    ),
    "map-of-map": Case(
        GOOD,
        5,
        {
            "rows": over(
                "table",
                "row",
                {"cells": over("row", "cell", {"a": sets("out=$((ARGOSY_PRM_cell * 10))")})},
            ),
            "z": sets(REPORT, depends_on=["rows"]),
        },
        {"table": [[1, 2], [], [3, 4]]},
        controls=4,  # three hand over a row's items, one joins the state for `z`
        ends={"out": [[10, 20], [], [30, 40]], "seen": [[10, 20], [], [30, 40]]},
    ),
    "map-in-parallel": Case(
        GOOD,
        4,
        {
            "p": parallel(
                {
                    "left": {
                        "m": over("xs", "x", {"a": sets("out=$((ARGOSY_PRM_x + 1))")}),
                        "s": sets('left="$ARGOSY_PRM_out"', depends_on=["m"]),
                    },
                    "right": {"b": sets("right=1")},
                }
            ),
        },
        {"xs": [1, 2]},
    ),
    "map-after-map": Case(
        GOOD,
        5,
        {
            "m": over("xs", "x", {"a": sets("ys=$((ARGOSY_PRM_x * 2))")}),
            "n": over("ys", "y", {"b": sets("out=$((ARGOSY_PRM_y + 1))")}, depends_on=["m"]),
            "z": sets(REPORT, depends_on=["n"]),
        },
        {"xs": [1, 2]},
        controls=1,
        ends={"ys": [2, 4], "out": [3, 5], "seen": [3, 5]},
    ),
    "empty-maps": Case(
        GOOD,
        1,
        {
            "m": over(
                "xs", "x", {"a": sets("out=1", "export ARGOSY_PRM_n=1")}, reducers={"n": "sum"}
            ),
            "n": over("out", "y", {"b": sets("deep=1")}, depends_on=["m"], max_parallel=2),
            "z": sets(REPORT, depends_on=["n"]),
        },
        {"xs": []},
        controls=1,
    ),
    "map-with-a-bound": Case(
        BAD,
        3,
        {
            "m": over("xs", "x", {"a": does(ODD)}, max_parallel=1),
            "z": does(depends_on=["m"]),
        },
        {"xs": [1, 2, 3]},
    ),
    "map-may-be-empty-and-asked-about": Case(
        GOOD,
        2,
        {
            "m": over("xs", "x", {"a": sets("out=1")}, on_failure="h"),
            "h": does(),
            "b": sets("b=1"),
            "z": sets(REPORT, depends_on={"any": ["m", "h"]}),
        },
        {"xs": []},
        ends={"b": 1, "out": [], "seen": []},
    ),
    # Conditionals
    "match-of-an-argument": Case(
        GOOD,
        2,
        {
            "c": choice("mode", {"fast": {"f": sets("out=1")}, "slow": {"s": sets("out=2")}}),
            "z": sets(REPORT, depends_on=["c"]),
        },
        {"mode": "slow"},
        ends={"out": 2, "seen": 2},
    ),
    "match-of-a-value": Case(
        GOOD,
        3,
        {
            "a": sets("n='3 %'"),
            "c": choice(
                "n", {"one": {"f": sets("out=1")}, "3 %": {"s": sets("out=2")}}, depends_on=["a"]
            ),
            "z": sets(REPORT, depends_on=["c"]),
        },
    ),
    "default": Case(
        GOOD,
        3,
        {
            "a": sets("n=[7]"),
            "c": choice(
                "n", {"x": {"f": does()}}, default={"steps": {"d": sets("out=9")}}, depends_on=["a"]
            ),
            "z": sets(REPORT, depends_on=["c"]),
        },
        ends={"n": [7], "out": 9, "seen": 9},
    ),
    "no-match": Case(
        BAD,
        2,
        {
            "a": sets("n=7"),
            "c": choice("n", {"x": {"f": does()}}, depends_on=["a"]),
            "z": does(depends_on=["c"]),
        },
    ),
    "no-match-handled": Case(
        GOOD,
        2,
        {
            "c": choice("mode", {"x": {"f": does()}}, on_failure="h"),
            "z": does(depends_on=["c"]),
            "h": sets("h=1"),
        },
        {"mode": "y"},
        ends={"h": 1},
    ),
    "conditional-in-a-map": Case(
        GOOD,
        6,
        {
            "m": over(
                "xs",
                "x",
                {
                    "c": choice("x", {"one": {"f": sets("out=1")}}, default={"steps": {"s": STUB}}),
                    "t": sets("t=$ARGOSY_PRM_x-$ARGOSY_PRM_out", depends_on=["c"]),
                },
            ),
            "z": sets(REPORT, depends_on=["m"]),
        },
        {"xs": ["one", "two", "one"]},
        controls=3,
    ),
    # What is not there
    "map-over-nothing": Case(
        BAD, 1, {"a": does(), "m": over("xs", "x", {"t": does()})}, controls=1
    ),
    "map-over-what-nobody-set": Case(
        GOOD,
        2,
        {
            "a": does(),
            "m": over("xs", "x", {"t": does()}, depends_on=["a"], on_failure="h"),
            "h": sets("mended=1"),
        },
        ends={"mended": 1},
    ),
    "map-over-no-list": Case(
        BAD,
        1,
        {
            "a": sets("xs='{\"a\": 1}'"),
            "m": over("xs", "x", {"t": does()}, depends_on=["a"], max_parallel=1),
            "z": does(depends_on=["m"]),
        },
    ),
    "choice-of-what-is-not-there": Case(
        GOOD,
        2,
        {
            "a": does(),
            "c": choice(
                "mode",
                {"x": {"n": sets("out=1")}},
                default={"steps": {"d": sets("out=2")}},
                depends_on=["a"],
            ),
        },
        ends={"out": 2},
    ),
    "choice-of-what-is-not-there-without-default": Case(
        GOOD,
        3,
        {
            "a": does(),
            "c": choice("mode", {"x": {"n": does()}}, depends_on=["a"], on_failure="h"),
            "h": sets("mended=1"),
        },
        ends={"mended": 1},
    ),
    # Nested
    "dag-handled-outside": Case(
        GOOD,
        3,
        {
            "d": dag(
                {"a": does(), "b": fails(depends_on=["a"]), "c": does(depends_on=["b"])},
                on_failure="h",
            ),
            "z": does(depends_on=["d"]),
            "h": sets("h=1"),
        },
        ends={"h": 1},
    ),
    "parallel-handled-outside": Case(
        GOOD,
        4,
        {
            "p": parallel({"left": {"a": fails()}, "right": {"b": sets("b=1")}}, on_failure="h"),
            "h": sets("h=1"),
            "z": sets("z=1", depends_on={"any": ["p", "h"]}),
        },
    ),
    "scoped-dag-with-recovery": Case(
        GOOD,
        3,
        {
            "d": dag(
                {"a": fails(on_failure="h"), "h": sets("out=2", "export ARGOSY_PRM_inner=3")},
                inputs=["x"],
                outputs=["out"],
            ),
            "z": sets(REPORT, depends_on=["d"]),
        },
        {"x": 1, "y": 2},
        ends={"out": 2, "seen": 2},
    ),
    "scoped-dag-with-a-join": Case(
        GOOD,
        2,
        {
            "d": dag(
                {"a": fails(on_failure="s"), "s": STUB},
                inputs=["x"],
                outputs=["x"],
            ),
            "z": sets('seen="$ARGOSY_PRM_x"', depends_on=["d"]),
        },
        {"x": 1, "y": 2},
        controls=1,
        ends={"seen": 1},
    ),
    "branch-with-a-join": Case(
        GOOD,
        3,
        {
            "p": parallel(
                {"left": {"a": fails(on_failure="s"), "s": STUB}, "right": {"b": sets("b=1")}}
            ),
            "z": sets('seen="$ARGOSY_PRM_b"', depends_on=["p"]),
        },
        controls=1,
        ends={"b": 1, "seen": 1},
    ),
    "everything-in-everything": Case(
        GOOD,
        5,
        {
            "d": dag(
                {
                    "c": choice(
                        "mode",
                        {
                            "deep": {
                                "m": over(
                                    "xs",
                                    "x",
                                    {
                                        "p": parallel(
                                            {
                                                "left": {"a": sets("left=$((ARGOSY_PRM_x + 1))")},
                                                "right": {"b": sets("right=$((ARGOSY_PRM_x + 2))")},
                                            }
                                        )
                                    },
                                )
                            }
                        },
                        default={"steps": {"s": STUB}},
                    )
                }
            ),
            "z": sets('seen="$ARGOSY_PRM_right"', depends_on=["d"]),
        },
        {"mode": "deep", "xs": [1, 2]},
        controls=1,
    ),
    "stubs-only": Case(GOOD, 0, {"a": STUB, "b": {**STUB, "depends_on": ["a"]}}, {"x": 1}),
    "names": Case(
        GOOD,
        6,
        {
            "Step A": sets("a=1"),
            "step-a": sets("b=1", depends_on=["Step A"]),
            "in": sets("c=1", depends_on=["step-a"]),
            "2 = größer/kleiner *": over("xs", "a b", {"π.x": sets("out=1")}, depends_on=["in"]),
            "{{workflow.name}} $(id)": sets(REPORT, depends_on=["2 = größer/kleiner *"]),
        },
        {"xs": ["ä/ö", "}}"]},
        ends={"a": 1, "b": 1, "c": 1, "out": [1, 1], "seen": [1, 1]},
    ),
}


class Both(NamedTuple):
    here: Result
    there: Result
    status: str
    pods: int


@pytest.fixture(scope="module")
def runs(lab: Lab, request: pytest.FixtureRequest) -> dict[str, Both]:
    """The cases that are asked for, run at once."""
    chosen = {
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.parent is request.node
    }
    names = [name for name in CASES if name in chosen]
    lab.start(*(CASES[name].definition(name) for name in names))
    here = {name: result(lab.here(name)) for name in names}
    lab.wait(*names)
    return {
        name: Both(here[name], result(lab.there(name)), lab.status(name), lab.pods(name))
        for name in names
    }


@pytest.mark.parametrize("name", CASES)
def test_a_graph_ends_on_the_cluster_as_it_does_here(name: str, runs: dict[str, Both]) -> None:
    case, run = CASES[name], runs[name]
    attempts = sum(map(len, run.there.steps.values()))
    if case.podless:
        assert run.here.steps.pop(case.podless) == [BAD]
    assert run.there == run.here
    assert run.there.status == case.status
    assert run.status in ENGINE[case.status]
    assert attempts == case.tried
    assert run.pods == attempts + case.controls + 1, "one closes the run"
    if case.ends is not None:
        assert run.there.parameters == {**(case.parameters or {}), **case.ends}


@pytest.mark.parametrize("name", ["map-over-nothing", "map-over-what-nobody-set"])
def test_a_map_that_cannot_run_says_why(name: str, lab: Lab, runs: dict[str, Both]) -> None:
    (there,), (here,) = lab.there(name)["failures"], shown("latest", lab.place(name))["failures"]
    said = "a map iterates over parameter 'xs', which is not there; known: none"
    for one in (there, here):
        assert (one["step"], one["message"]) == ("m", said)
