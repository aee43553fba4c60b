"""What each node reads."""

import time
from typing import Any

import pytest

from argosy.compiler.errors import Position
from argosy.compiler.flow import Flow, flow
from argosy.compiler.graph import Edge, Graph, Node, Task
from definitions import chain, steps

RUN = "type: task, command: a.b"


def reads(found: Flow, path: str) -> tuple[Any, ...]:
    return found.readings[path].sources


def test_a_node_reads_its_predecessors_and_a_root_the_arguments() -> None:
    found = flow(steps(f"a: {{{RUN}}}\nb: {{{RUN}}}\nc: {{{RUN}, depends_on: [b, a]}}"))
    assert reads(found, "a") == ("",)
    assert found.readings["a"].arguments
    assert reads(found, "c") == ("b", "a")
    assert found.rank == {"a": "0", "b": "1", "c": "2"}
    assert found.final == ("c",)


def test_stubs_and_composites_are_looked_through() -> None:
    found = flow(
        steps(
            f"a: {{{RUN}}}\n"
            f"s: {{type: stub, depends_on: [a]}}\n"
            f"p: {{type: parallel, depends_on: [s], branches:"
            f" {{x: {{steps: {{i: {{{RUN}}}}}}}, y: {{steps: {{i: {{{RUN}}}}}}}}}}}\n"
            f"z: {{{RUN}, depends_on: [p]}}"
        )
    )
    assert reads(found, "p/x/i") == reads(found, "p/y/i") == ("a",)
    assert reads(found, "z") == ("p/x/i", "p/y/i")
    assert found.rank["p/y/i"] == "2.1.0"


def test_a_handler_reads_what_entered_the_node_that_failed() -> None:
    found = flow(steps(f"a: {{{RUN}}}\nb: {{{RUN}, depends_on: [a], on_failure: h}}\nh: {{{RUN}}}"))
    assert reads(found, "h") == ("a",)


def test_alternatives_ask_the_engine() -> None:
    found = flow(
        steps(
            f"a: {{{RUN}, on_failure: h}}\nh: {{{RUN}}}\nc: {{{RUN}, depends_on: {{any: [a, h]}}}}"
        )
    )
    assert reads(found, "c") == (
        {"if": "a", "is": "ok", "from": ["a"]},
        {"if": "h", "is": "ok", "from": ["h"]},
    )
    assert [ask.path for ask in found.readings["c"].asks] == ["a", "h"]


def test_a_graph_whose_exits_exclude_each_other_is_claimed_by_them() -> None:
    found = flow(
        steps(
            f"m: {{type: map, iterate_on: xs, iterate_as: x, branch: {{steps:"
            f" {{a: {{{RUN}, on_failure: h}}, h: {{{RUN}}}}}}}}}\n"
            f"z: {{{RUN}, depends_on: [m]}}"
        )
    )
    assert found.also == {"m/*/a": ("m/*",), "m/*/h": ("m/*",)}
    (joined,) = reads(found, "z")
    assert joined["out"] == ["m/*"]
    assert not found.joins


def test_a_graph_whose_exits_do_not_is_joined() -> None:
    found = flow(
        steps(
            f"p: {{type: parallel, branches: {{x: {{steps: {{a: {{{RUN}, on_failure: s}},"
            f" s: {{type: stub}}}}}}}}}}\n"
            f"z: {{{RUN}, depends_on: [p]}}"
        )
    )
    assert set(found.joins) == {"p/x"}
    assert reads(found, "z") == ("p/x",)


def test_an_end_that_may_be_omitted_is_asked_about() -> None:
    graph = (
        f"a: {{{RUN}, on_failure: h}}\n"
        f"b: {{{RUN}, depends_on: [a]}}\n"
        f"h: {{{RUN}, on_failure: c}}\n"
        f"c: {{{RUN}, depends_on: {{any: [a, h]}}}}\n"
        f"last: {{{RUN}, depends_on: [b, c]}}"
    )
    assert flow(steps(graph)).final == tuple(
        {"if": name, "is": "ok", "from": [name]} for name in ("b", "c", "last")
    )
    inside = graph.replace("\n", ", ")
    found = flow(
        steps(f"p: {{type: dag, branch: {{steps: {{{inside}}}}}}}\nz: {{{RUN}, depends_on: [p]}}")
    )
    assert set(found.joins) == {"p/"}, "nobody inside is sure to write what the graph leaves"


def test_what_an_omitted_end_would_have_read_is_read_beside_it() -> None:
    found = flow(
        steps(
            f"a: {{{RUN}}}\nz: {{{RUN}, on_failure: h}}\nh: {{{RUN}}}\n"
            f"last: {{{RUN}, depends_on: [a, z]}}"
        )
    )
    asked = [{"if": name, "is": "ok", "from": [name]} for name in ("h", "last")]
    assert found.final == ("a", *asked)


def test_what_is_read_by_a_step_that_runs_for_certain_is_not_read_again() -> None:
    found = flow(
        steps(
            f"a: {{{RUN}}}\nz: {{{RUN}, on_failure: h}}\nh: {{{RUN}}}\n"
            f"b: {{{RUN}, depends_on: [z]}}\n"
            f"c: {{{RUN}, depends_on: [a, z]}}\n"
            f"last: {{{RUN}, depends_on: [b, c]}}"
        )
    )
    asked = [{"if": name, "is": "ok", "from": [name]} for name in ("h", "last")]
    assert found.final == ("a", *asked)


PAR = (
    f"type: parallel, branches: {{x: {{steps: {{i: {{{RUN}}}}}}}, y: {{steps: {{i: {{{RUN}}}}}}}}}"
)
MAP = f"type: map, iterate_on: xs, iterate_as: x, branch: {{steps: {{i: {{{RUN}}}}}}}"


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param(
            f"a: {{{RUN}, on_failure: h}}\nh: {{{RUN}}}\nm: {{{MAP}, depends_on: [a]}}",
            id="the handler of a step before a map",
        ),
        pytest.param(
            f"a: {{{RUN}, on_failure: s}}\nb: {{{RUN}, on_failure: s}}\ns: {{type: stub}}",
            id="a stub that handles two steps",
        ),
        pytest.param(
            f"p: {{{PAR}, on_failure: h}}\nh: {{{RUN}}}", id="a composite with a handler of its own"
        ),
        pytest.param(
            f"p: {{{PAR}}}\na: {{{RUN}, depends_on: [p], on_failure: s}}\ns: {{type: stub}}",
            id="a composite before a step that a stub handles",
        ),
    ],
)
def test_records_tell_what_a_pipeline_leaves(graph: str) -> None:
    assert flow(steps(graph)).final != ("!",)


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param(f"p: {{{PAR}, on_failure: s}}\ns: {{type: stub}}", id="handled by a stub"),
        pytest.param(
            f"p: {{{PAR}, on_failure: h}}\nh: {{{RUN}}}\n"
            f"a: {{{RUN}, depends_on: [p], on_failure: s}}\ns: {{type: stub}}",
            id="read by the handler of a later step",
        ),
        pytest.param(
            f"a: {{{RUN}, on_failure: m}}\nm: {{{MAP}, on_failure: d}}\n"
            f"d: {{type: dag, outputs: [], depends_on: {{any: [m, a]}}, "
            f"branch: {{steps: {{s: {{type: stub}}}}}}}}",
            id="what entered it is read inside a dag",
        ),
        pytest.param(f"a: {{{RUN}, on_failure: m}}\nm: {{{MAP}}}", id="a map as a handler"),
    ],
)
def test_a_control_joins_what_a_pipeline_leaves_where_records_cannot_tell(graph: str) -> None:
    assert flow(steps(graph)).final == ("!",)


def test_what_entered_a_graph_is_read_where_none_of_its_ends_is_sure_to_have_it() -> None:
    found = flow(
        steps(
            f"s: {{{RUN}}}\n"
            f"d: {{type: dag, depends_on: [s], branch: {{steps: {{a: {{{RUN}, on_failure: h}},"
            f" b: {{{RUN}, on_failure: g}}, h: {{{RUN}, depends_on: [b]}},"
            f" g: {{{RUN}, depends_on: [a]}}}}}}}}"
        )
    )
    asked = [{"if": f"d/{name}", "is": "ok", "from": [f"d/{name}"]} for name in "abhg"]
    assert found.joins["d/"].sources == ("s", *asked)


def test_a_map_after_a_map_reads_one_joined_state() -> None:
    branch = f"branch: {{steps: {{i: {{{RUN}}}}}}}"
    found = flow(
        steps(
            f"m: {{type: map, iterate_on: xs, iterate_as: x, {branch}}}\n"
            f"n: {{type: map, iterate_on: ys, iterate_as: y, {branch}, depends_on: [m]}}"
        )
    )
    assert set(found.joins) == {"m"}
    assert reads(found, "n/*/i") == ({"item": "y", "on": "ys", "depth": 0, "in": ["m"]},)


def test_a_round_reads_the_one_before_it_and_its_last_task_ends_it() -> None:
    body = f"branch: {{steps: {{i: {{{RUN}}}, j: {{{RUN}, depends_on: [i]}}}}}}"
    loop = "type: loop, break_on: d, max_iterations: 3, depends_on: [a]"
    text = f"a: {{{RUN}}}\nl: {{{loop}, {body}}}\nz: {{{RUN}, depends_on: [l]}}"
    found = flow(steps(text))
    before = {"round": None, "depth": 0, "in": ["a"], "last": "l/*/j"}
    assert reads(found, "l/*/i") == (before,)
    assert found.endings == {"l/*/j": ("l", "d")}
    assert not found.joins
    assert reads(found, "z") == ("l",)
    indexed = flow(steps(text.replace("loop,", "loop, iterate_as: n,")))
    assert reads(indexed, "l/*/i") == ({**before, "round": "n"},)
    assert reads(indexed, "z") == ({"loop": "n", "in": ["a"], "out": ["l"]},)


@pytest.mark.parametrize(
    "body",
    [
        "s: {type: stub}",
        f"i: {{{RUN}}}, j: {{{RUN}}}",
        f"i: {{{RUN}, on_failure: h}}, h: {{{RUN}}}",
        f"p: {{type: dag, branch: {{steps: {{i: {{{RUN}}}}}}}}}",
    ],
)
def test_a_round_that_no_one_task_ends_is_joined(body: str) -> None:
    loop = "type: loop, break_on: d, max_iterations: 3"
    found = flow(steps(f"l: {{{loop}, branch: {{steps: {{{body}}}}}}}"))
    assert set(found.joins) == set(found.endings) == {"l/*"}
    assert not found.also
    assert found.final == ("l",)


def test_a_dag_keeps_its_own_state_apart_from_its_graph() -> None:
    found = flow(
        steps(
            f"d: {{type: dag, outputs: [o], branch: {{steps: {{a: {{{RUN}, on_failure: h}},"
            f" h: {{{RUN}}}}}}}}}\nz: {{{RUN}, depends_on: [d]}}"
        )
    )
    assert found.also["d/a"] == ("d/",)
    (scoped,) = reads(found, "z")
    assert (scoped["out"], scoped["outputs"]) == (["d/"], ["o"])


def test_conditionals_are_alternatives_of_their_branches() -> None:
    found = flow(
        chain(
            "c",
            f"c: {{type: conditional, parameter: p, branches: {{x: {{steps: {{i: {{{RUN}}}}}}},"
            f" y: {{steps: {{j: {{type: stub}}}}}}}}, next: z}}\nz: {{{RUN}}}",
        )
    )
    assert reads(found, "z") == (
        {"if": "c/x", "is": "ok", "from": ["c/x/i"]},
        {"if": "c/y", "is": "ok", "from": [""]},
    )
    assert [(a.node, a.label) for a in found.readings["z"].asks] == [("c", "x"), ("c", "y")]


def test_what_is_ignored_again_and_again_does_not_nest_without_end() -> None:
    lines = ["a0: {type: task, command: a.b, on_failure: s0, next: a1}"]
    for n in range(1, 60):
        lines.append(f"s{n - 1}: {{type: stub, next: a{n}}}")
        lines.append(f"a{n}: {{type: task, command: a.b, on_failure: s{n}, next: a{n + 1}}}")
    lines += ["s59: {type: stub, next: a60}", "a60: {type: task, command: a.b}"]
    found = flow(chain("a0", "\n".join(lines)))
    assert len(str(reads(found, "a59"))) < 1000


def test_a_chain_of_ten_thousand_is_linear() -> None:
    def seconds(count: int) -> float:
        nodes = {
            f"s{n}": Node(
                f"s{n}",
                Task("a.b"),
                Position("", 0, 0),
                (Edge(f"s{n - 1}", "success"),) if n else (),
            )
            for n in range(count)
        }
        start = time.process_time()
        found = flow(Graph(nodes, "edge", Position("", 0, 0)))
        assert reads(found, f"s{count - 1}") == (f"s{count - 2}",)
        return time.process_time() - start

    small = min(seconds(1_000) for _ in range(3))
    assert min(seconds(10_000) for _ in range(2)) < 60 * small  # what is quadratic takes 100
