"""What enters each step and what a run leaves: values worked out by hand, on both engines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from argosy.compiler.compilation import Compilation
from definitions import pipeline
from lowered import compiled
from two_engines import Code, Does, Outcome, Script, run_here, run_there

Run = Callable[[Compilation, Code], Outcome]
T = "type: task, command: jobs.run"
OVER = f"type: map, iterate_as: x, branch: {{steps: {{s: {{{T}, returns: [y]}}}}}}"
"""A map of one step, without the list that it is over."""


@pytest.fixture(params=[run_here, run_there], ids=["local", "argo"])
def engine(request: pytest.FixtureRequest) -> Run:
    found: Run = request.param
    return found


def ran(engine: Run, text: str, steps: Mapping[str, Any]) -> Outcome:
    """The run of a definition; `steps` is what its tasks do."""
    found = pipeline(text)
    compilation = compiled(found.graph, until="verify", parameters=dict(found.parameters))
    return engine(compilation, Script(steps))


def sets(**parameters: Any) -> Does:
    return Does(parameters)


FAILS = Does(fails=True)


def item_as(name: str) -> Callable[[Mapping[str, Any]], Does]:
    """A step that sets `name` to the item `x` of its map."""
    return lambda values: Does({name: values["x"]})


# Keys: a source is read for its own iteration, however deep the reader is


def map_then(step: str, **of_map: str) -> str:
    more = "".join(f", {name}: {value}" for name, value in of_map.items())
    return f"""
parameters: {{xs: [1, 2, 3]}}
dag:
  steps:
    m: {{{OVER}, iterate_on: xs{more}}}
    n: {{{step}, depends_on: [m]}}
"""


DONE = sets(done=True)
LOOP = f"type: loop, break_on: done, max_iterations: 2, branch: {{steps: {{r: {{{T}}}}}}}"


def test_a_loop_after_a_map_gets_all_iterations(engine: Run) -> None:
    steps = {"m/*/s": item_as("y"), "n/*/r": DONE}
    assert ran(engine, map_then(LOOP), steps).values("n/0/r")["y"] == [1, 2, 3]


def test_a_loop_after_a_map_gets_the_sum_of_all_iterations(engine: Run) -> None:
    steps = {"m/*/s": item_as("y"), "n/*/r": DONE}
    found = ran(engine, map_then(LOOP, reducers="{y: sum}"), steps)
    assert found.values("n/0/r")["y"] == 6


def test_a_loop_after_a_map_gets_the_files_of_all_iterations(engine: Run) -> None:
    def put(values: Mapping[str, Any]) -> Does:
        return Does(files={"f": f"hash-{values['x']}"})

    found = ran(engine, map_then(LOOP), {"m/*/s": put, "n/*/r": DONE})
    files = {"m/0/f": "hash-1", "m/1/f": "hash-2", "m/2/f": "hash-3"}
    assert found.files("n/0/r") == files


def test_a_map_after_a_map_gets_all_iterations_in_each(engine: Run) -> None:
    step = f"type: map, iterate_on: y, iterate_as: z, branch: {{steps: {{t: {{{T}}}}}}}"
    found = ran(engine, map_then(step), {"m/*/s": item_as("y")})
    assert [found.values(f"n/{i}/t")["y"] for i in range(3)] == [[1, 2, 3]] * 3
    assert [found.values(f"n/{i}/t")["z"] for i in range(3)] == [1, 2, 3]


def test_a_map_in_a_loop_after_a_map_gets_all_iterations(engine: Run) -> None:
    inner = f"type: map, iterate_on: y, iterate_as: z, branch: {{steps: {{t: {{{T}}}}}}}"
    step = (
        "type: loop, break_on: done, max_iterations: 2, branch: {steps: "
        f"{{k: {{{inner}}}, r: {{{T}, depends_on: [k]}}}}}}"
    )
    found = ran(engine, map_then(step), {"m/*/s": item_as("y"), "n/*/r": DONE})
    assert [found.values(f"n/0/k/{i}/t")["y"] for i in range(3)] == [[1, 2, 3]] * 3


def test_a_loop_after_a_map_in_a_map_gets_the_iterations_of_its_own(engine: Run) -> None:
    text = f"""
parameters: {{xss: [[1, 2], [3]]}}
dag:
  steps:
    o:
      type: map
      iterate_on: xss
      iterate_as: xs
      branch:
        steps:
          m: {{{OVER}, iterate_on: xs}}
          l: {{{LOOP}, depends_on: [m]}}
"""
    found = ran(engine, text, {"o/*/m/*/s": item_as("y"), "o/*/l/*/r": DONE})
    assert found.values("o/0/l/0/r")["y"] == [1, 2]
    assert found.values("o/1/l/0/r")["y"] == [3]
    assert found.parameters["y"] == [[1, 2], [3]]


def test_the_second_round_of_a_loop_in_a_loop_gets_what_the_inner_loop_left(engine: Run) -> None:
    inner = f"type: loop, break_on: done, max_iterations: 3, branch: {{steps: {{i: {{{T}}}}}}}"
    text = f"""
parameters: {{n: 0}}
dag:
  steps:
    o:
      type: loop
      break_on: over
      max_iterations: 3
      branch: {{steps: {{l: {{{inner}}}, r: {{{T}, depends_on: [l]}}}}}}
"""

    def count(values: Mapping[str, Any]) -> Does:
        return sets(n=values["n"] + 1, done=values["n"] % 2 == 1)

    def over(values: Mapping[str, Any]) -> Does:
        return sets(over=values["n"] == 4)

    found = ran(engine, text, {"o/*/l/*/i": count, "o/*/r": over})
    assert found.values("o/1/l/0/i")["n"] == 2
    assert found.parameters["n"] == 4


def test_a_dag_in_a_map_after_a_map_gets_all_iterations(engine: Run) -> None:
    dag = f"type: dag, inputs: [y], branch: {{steps: {{t: {{{T}}}}}}}"
    step = f"type: map, iterate_on: y, iterate_as: z, branch: {{steps: {{d: {{{dag}}}}}}}"
    found = ran(engine, map_then(step), {"m/*/s": item_as("y")})
    assert found.values("n/1/d/t") == {"y": [1, 2, 3]}


def test_alternatives_after_a_map_are_read_whole_in_a_loop(engine: Run) -> None:
    text = f"""
parameters: {{xs: [1, 2, 3]}}
dag:
  steps:
    m: {{{OVER}, iterate_on: xs, on_failure: h}}
    h: {{{T}}}
    l: {{{LOOP}, depends_on: {{any: [m, h]}}}}
"""
    found = ran(engine, text, {"m/*/s": item_as("y"), "l/*/r": DONE})
    assert found.values("l/0/r")["y"] == [1, 2, 3]


# Terminals


def guarded(default: str) -> str:
    return f"""
parameters: {{p: x}}
dag:
  steps:
    a:
      type: conditional
      parameter: p
      branches: {{ok: {{steps: {{go: {{{T}}}}}}}}}
      default: {{steps: {{stop: {default}}}}}
    deploy: {{{T}, depends_on: [a]}}
"""


def test_a_lone_fail_in_a_branch_fails_the_run(engine: Run) -> None:
    found = ran(engine, guarded("{type: fail, message: unknown environment}"), {})
    assert found.status == "Failed"
    assert not found.entered


def test_a_lone_success_in_a_branch_passes_on_what_entered(engine: Run) -> None:
    found = ran(engine, guarded("{type: success}"), {})
    assert found.status == "Succeeded"
    assert found.values("deploy") == {"p": "x"}


def test_a_lone_fail_of_the_pipeline_fails_it_whatever_else_succeeds(engine: Run) -> None:
    found = ran(engine, f"dag: {{steps: {{a: {{{T}}}, stop: {{type: fail}}}}}}", {})
    assert found.status == "Failed"
    assert list(found.entered) == ["a"]


def test_an_explicit_success_is_an_end_of_the_edge_form(engine: Run) -> None:
    text = f"""
dag:
  steps:
    a: {{{T}, returns: [one]}}
    z: {{{T}, on_failure: h}}
    h: {{{T}}}
    both: {{{T}, depends_on: [a, z]}}
    end: {{type: success, depends_on: [a]}}
"""
    found = ran(engine, text, {"a": Does({"one": 1}, {"f": "hash"}), "z": FAILS})
    assert found.status == "Succeeded"
    assert found.parameters == {"one": 1}
    assert found.catalog == {"f": "hash"}


# Maps: what is reduced, and what files are called


def test_a_map_around_a_scoped_dag_keeps_what_cannot_leave_the_dag(engine: Run) -> None:
    text = f"""
parameters: {{xs: [1, 2], p: 7}}
dag:
  steps:
    m:
      type: map
      iterate_on: xs
      iterate_as: x
      branch:
        steps:
          d: {{type: dag, outputs: [z], branch: {{steps: {{s: {{{T}, returns: [z, p]}}}}}}}}
"""
    found = ran(engine, text, {"m/*/d/s": sets(z=1, p=0)})
    assert found.parameters == {"xs": [1, 2], "p": 7, "z": [1, 1]}


def test_a_map_whose_reducer_fails_fails_itself_and_its_handler_runs(engine: Run) -> None:
    text = map_then(T, reducers="{y: sum}", on_failure="h") + f"    h: {{{T}}}\n"
    found = ran(engine, text, {"m/*/s": sets(y=True)})
    assert found.status == "Succeeded"
    assert "n" not in found.entered
    assert "y" not in found.values("h")


def put(values: Mapping[str, Any]) -> Does:
    return Does(files={"f": "same"})


def test_a_file_that_all_iterations_wrote_alike_has_both_names(engine: Run) -> None:
    found = ran(engine, map_then(T), {"m/*/s": put})
    names = ["f", "m/0/f", "m/1/f", "m/2/f"]
    assert found.files("n") == found.catalog == dict.fromkeys(names, "same")


NESTED = f"""
parameters: {{xss: [[1, 2], [3]]}}
dag:
  steps:
    outer:
      type: map
      iterate_on: xss
      iterate_as: xs
      branch:
        steps:
          d:
            type: dag
            branch:
              steps: {{inner: {{{OVER}, iterate_on: xs}}}}
    after: {{{T}, depends_on: [outer]}}
"""


def test_files_of_nested_maps_nest(engine: Run) -> None:
    def put(values: Mapping[str, Any]) -> Does:
        return Does(files={"f": f"hash-{values['x']}"})

    assert ran(engine, NESTED, {"outer/*/d/inner/*/s": put}).files("after") == {
        "outer/0/d/inner/0/f": "hash-1",
        "outer/0/d/inner/1/f": "hash-2",
        "outer/1/d/inner/0/f": "hash-3",
        "outer/1/f": "hash-3",
        "f": "hash-3",
        "d/inner/1/f": "hash-2",
    }


# What leaves a graph: all that its steps left, of those that succeeded


def test_an_omitted_end_loses_nothing_of_what_succeeded_before_it(engine: Run) -> None:
    text = f"""
dag:
  steps:
    a: {{{T}}}
    z: {{{T}, on_failure: h}}
    h: {{{T}}}
    last: {{{T}, depends_on: [a, z]}}
"""
    steps = {"a": Does({"a": 1}, {"f": "hash"}), "z": FAILS, "h": sets(h=2), "last": sets(last=3)}
    found = ran(engine, text, steps)
    assert found.parameters == {"a": 1, "h": 2}
    assert found.catalog == {"f": "hash"}


def test_an_omitted_end_of_a_dag_loses_nothing_of_what_succeeded_before_it(engine: Run) -> None:
    text = f"""
dag:
  steps:
    d:
      type: dag
      branch:
        steps:
          a: {{{T}}}
          z: {{{T}, on_failure: h}}
          h: {{{T}}}
          last: {{{T}, depends_on: [a, z]}}
    after: {{{T}, depends_on: [d]}}
"""
    found = ran(engine, text, {"d/a": sets(a=1), "d/z": FAILS, "d/h": sets(h=2)})
    assert found.values("after") == {"a": 1, "h": 2}


NONE_SUCCEEDS = f"""
parameters: {{p: 0}}
dag:
  steps:
    before: {{{T}}}
    d:
      type: dag
      depends_on: [before]
      branch:
        steps:
          a: {{{T}, on_failure: g}}
          b: {{{T}, on_failure: h}}
          g: {{{T}, depends_on: [b]}}
          h: {{{T}, depends_on: [a]}}
    after: {{{T}, depends_on: [d]}}
"""


def test_a_graph_in_which_nothing_succeeded_passes_on_what_entered_it(engine: Run) -> None:
    steps = {"before": Does({"one": 1}, {"f": "hash"}), "d/a": FAILS, "d/b": FAILS}
    found = ran(engine, NONE_SUCCEEDS, steps)
    assert found.values("after") == {"p": 0, "one": 1}
    assert found.files("after") == {"f": "hash"}
    assert found.parameters == {"p": 0, "one": 1}


def test_a_round_with_an_omitted_end_leaves_all_that_succeeded(engine: Run) -> None:
    text = f"""
dag:
  steps:
    l:
      type: loop
      break_on: done
      max_iterations: 1
      branch:
        steps:
          a: {{{T}}}
          z: {{{T}, on_failure: h}}
          h: {{{T}}}
          last: {{{T}, depends_on: [a, z]}}
"""
    found = ran(engine, text, {"l/*/a": sets(done=True), "l/*/z": FAILS})
    assert found.status == "Succeeded"
    assert found.parameters == {"done": True}


def test_a_failure_that_no_handler_took_on_is_neutral_where_its_fail_was_omitted(
    engine: Run,
) -> None:
    text = f"""
dag:
  steps:
    a: {{{T}, on_failure: stop}}
    b: {{{T}, on_failure: h}}
    h: {{{T}}}
    stop: {{type: fail, depends_on: [b]}}
"""
    found = ran(engine, text, {"a": FAILS, "b": FAILS, "h": sets(h=1)})
    assert found.status == "Succeeded"
    assert found.parameters == {"h": 1}
