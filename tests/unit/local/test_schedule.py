"""The schedule: which nodes run, in which order, and how the run ends, without any process."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from argosy.runtime.executors.local.schedule import Schedule, Work
from argosy.runtime.executors.local.scopes import FAILED, SUCCEEDED

Outcome = Callable[[str], str]


def task(name: str, *after: str, prefix: str = "", **more: Any) -> dict[str, Any]:
    """A task; `a` in `after` is an edge of success, `!a` one of failure."""
    path = f"{prefix}{name}"
    edges = [[x.lstrip("!"), "failure" if x[0] == "!" else "success"] for x in after]
    node = {"step": path, "from": [], "command": "x"}
    return {"name": name, "path": path, "kind": "task", "incoming": edges, "node": node, **more}


def composite(kind: str, name: str, *after: str, prefix: str = "", **more: Any) -> dict[str, Any]:
    return {**task(name, *after, prefix=prefix), "kind": kind, **more}


def graph(*nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"nodes": list(nodes), **more}


def drive(
    graphs: Mapping[str, Any],
    failing: tuple[str, ...] = (),
    counts: Mapping[str, int] | None = None,
    choices: Mapping[str, str | None] | None = None,
) -> tuple[list[str], str | None]:
    """Runs everything, one piece of work at a time; gives the instances that ran, and the end."""
    schedule = Schedule(graphs)
    ran: list[str] = []
    while work := schedule.next():
        if work.kind == "count":
            schedule.opened(work, (counts or {})[work.path])
        elif work.kind == "choose":
            schedule.chosen(work, (choices or {})[work.path])
        else:
            ran.append(f"{work.path} [{work.ended}]" if work.ended else work.path)
            schedule.ended(work, FAILED if work.path in failing else SUCCEEDED)
    return ran, schedule.status


def take(schedule: Schedule) -> list[Work]:
    """All the work there is now."""
    return list(iter(schedule.next, None))


def test_an_empty_graph_succeeds() -> None:
    assert drive({"": graph()}) == ([], SUCCEEDED)


def test_steps_run_after_those_they_depend_on() -> None:
    graphs = {"": graph(task("c", "a", "b"), task("a"), task("b", "a"))}
    assert drive(graphs) == (["a", "b", "c"], SUCCEEDED)


def test_independent_steps_are_ready_together() -> None:
    schedule = Schedule({"": graph(task("a"), task("b"), task("c", "a", "b"))})
    first, second = take(schedule)
    assert (first.path, second.path) == ("a", "b")
    schedule.ended(second, SUCCEEDED)
    assert schedule.next() is None
    schedule.ended(first, SUCCEEDED)
    assert [work.path for work in take(schedule)] == ["c"]


def test_a_failure_omits_what_follows_and_lets_other_branches_finish() -> None:
    graphs = {"": graph(task("a"), task("b", "a"), task("c", "b"), task("x"), task("y", "x"))}
    assert drive(graphs, failing=("a",)) == (["a", "x", "y"], FAILED)


@pytest.mark.parametrize(
    ("failing", "ran", "status"),
    [
        ((), ["a", "b"], SUCCEEDED),
        (("a",), ["a", "h"], SUCCEEDED),
        (("a", "h"), ["a", "h"], FAILED),
        (("b",), ["a", "b"], FAILED),
    ],
)
def test_a_handler_runs_on_failure_only(
    failing: tuple[str, ...], ran: list[str], status: str
) -> None:
    graphs = {"": graph(task("a", handled=True), task("b", "a"), task("h", "!a"))}
    assert drive(graphs, failing) == (ran, status)


@pytest.mark.parametrize(("failing", "route"), [((), "a b end"), (("a",), "a h end")])
def test_a_join_any_takes_the_way_that_was_gone(failing: tuple[str, ...], route: str) -> None:
    end = task("end", "b", "h", on="any", asks=[["b", None], ["h", None]])
    graphs = {"": graph(task("a", handled=True), task("b", "a"), task("h", "!a"), end)}
    ran, status = drive(graphs, failing)
    b, h = ("Omitted", "Succeeded") if failing else ("Succeeded", "Omitted")
    assert ran == [*route.split()[:-1], f"end [b={b} h={h}]"]
    assert status == SUCCEEDED


def test_a_handler_of_two_waits_for_both_and_needs_one() -> None:
    def graphs() -> dict[str, Any]:
        return {
            "": graph(task("a", handled=True), task("b", handled=True), task("h", "!a", "!b")),
        }

    assert drive(graphs(), ("b",)) == (["a", "b", "h"], SUCCEEDED)
    assert drive(graphs()) == (["a", "b"], SUCCEEDED)


def test_a_fail_node_fails_the_graph() -> None:
    graphs = {"": graph(task("a", handled=True), composite("fail", "stop", "!a"))}
    assert drive(graphs, ("a", "stop")) == (["a", "stop"], FAILED)
    assert drive(graphs) == (["a"], SUCCEEDED)


@pytest.mark.parametrize("kind", ["stub", "parallel"])
def test_a_join_comes_after_its_node_and_before_what_follows(kind: str) -> None:
    join = {"node": {"step": "s", "type": "control"}}
    more: dict[str, Any] = {} if kind == "stub" else {"graphs": [["x", "s/x"]]}
    node = composite(kind, "s", "a", join=join, **more)
    graphs = {"": graph(task("a"), node, task("z", "s")), "s/x": graph()}
    assert drive(graphs) == (["a", "s", "z"], SUCCEEDED)
    assert drive(graphs, failing=("s",)) == (["a", "s"], FAILED)


def loop(most: int) -> dict[str, Any]:
    """A loop in a map."""
    inner = task("a", prefix="m/*/l/*/")
    node = {"step": "m/*/l", "type": "fail"}
    looped = composite("loop", "l", prefix="m/*/", graphs=[["*", "m/*/l/*"]], max_iterations=most)
    mapped = composite("map", "m", graphs=[["*", "m/*"]])
    return {"": graph(mapped), "m/*": graph({**looped, "node": node}), "m/*/l/*": graph(inner)}


def rounds(schedule: Schedule, last: tuple[str, ...], failing: tuple[str, ...] = ()) -> list[str]:
    ran: list[str] = []
    while work := schedule.next():
        if work.kind == "count":
            schedule.opened(work, 2)
        elif work.kind == "judge":
            ran.append(f"{work.path}?")
            schedule.judged(work, work.key == last)
        else:
            ran.append(work.path)
            schedule.ended(work, FAILED if work.path in failing else SUCCEEDED)
    return ran


def test_rounds_follow_each_other_until_one_is_the_last() -> None:
    schedule = Schedule(loop(3))
    first = ["m/0/l/0/a", "m/0/l?", "m/0/l/1/a", "m/0/l?"]
    second = [f"m/1/l/{n}" for n in range(3)]
    over = [step for at in second for step in (f"{at}/a", "m/1/l?")]
    assert rounds(schedule, ("0", "1"), ("m/1/l",)) == [*first, *over, "m/1/l"]
    assert schedule.status == FAILED


def test_a_round_that_fails_is_the_last() -> None:
    schedule = Schedule(loop(3))
    ran = rounds(schedule, ("0", "0"), ("m/1/l/1/a",))
    assert ran == ["m/0/l/0/a", "m/0/l?", "m/1/l/0/a", "m/1/l?", "m/1/l/1/a"]
    assert schedule.status == FAILED


def test_a_round_that_cannot_be_judged_fails_the_loop() -> None:
    schedule = Schedule(loop(3))
    while work := schedule.next():
        if work.kind == "count":
            schedule.opened(work, 1)
        else:
            schedule.ended(work, FAILED if work.kind == "judge" else SUCCEEDED)
    assert schedule.status == FAILED


def test_a_composite_ends_after_all_its_branches_and_its_handler_follows() -> None:
    graphs = {
        "": graph(
            composite("parallel", "p", graphs=[["x", "p/x"], ["y", "p/y"]], handled=True),
            task("after", "p"),
            task("h", "!p"),
        ),
        "p/x": graph(task("a", prefix="p/x/")),
        "p/y": graph(task("a", prefix="p/y/"), task("b", "a", prefix="p/y/")),
    }
    assert drive(graphs) == (["p/x/a", "p/y/a", "p/y/b", "after"], SUCCEEDED)
    assert drive(graphs, ("p/x/a",)) == (["p/x/a", "p/y/a", "p/y/b", "h"], SUCCEEDED)


def test_joins_run_after_success_and_before_what_follows() -> None:
    join = {"node": {"step": "s", "type": "control", "from": ["s/b"]}}
    inner = {"node": {"step": "s/", "type": "control", "from": ["s/b"]}, "asks": [["b", None]]}
    graphs = {
        "": graph(composite("dag", "s", graphs=[["", "s"]], join=join), task("z", "s")),
        "s": graph(task("a", prefix="s/"), task("b", "a", prefix="s/"), join=inner),
    }
    told = "s/ [s/b=Succeeded]"
    assert drive(graphs) == (["s/a", "s/b", told, "s", "z"], SUCCEEDED)
    assert drive(graphs, ("s/a",)) == (["s/a"], FAILED)
    assert drive(graphs, ("s/",)) == (["s/a", "s/b", told], FAILED)
    assert drive(graphs, ("s",)) == (["s/a", "s/b", told, "s"], FAILED)


MAP = {
    "": graph(composite("map", "m", graphs=[["*", "m/*"]], items="xs"), task("z", "m")),
    "m/*": graph(task("a", prefix="m/*/"), task("b", "a", prefix="m/*/")),
}


def test_a_map_runs_its_branch_for_each_item() -> None:
    ran, status = drive(MAP, counts={"m": 2})
    assert ran == ["m/0/a", "m/0/b", "m/1/a", "m/1/b", "z"]
    assert status == SUCCEEDED


def test_an_empty_map_succeeds() -> None:
    assert drive(MAP, counts={"m": 0}) == (["z"], SUCCEEDED)


def test_a_failed_iteration_lets_the_others_finish() -> None:
    ran, status = drive(MAP, ("m/0/a",), counts={"m": 2})
    assert ran == ["m/0/a", "m/1/a", "m/1/b"]
    assert status == FAILED


def test_max_parallel_bounds_the_open_iterations() -> None:
    first = {**MAP[""]["nodes"][0], "max_parallel": 2}
    schedule = Schedule({**MAP, "": graph(first)})
    work = schedule.next()
    assert work is not None
    schedule.opened(work, 5)
    held = take(schedule)
    assert [work.path for work in held] == ["m/0/a", "m/1/a"]
    schedule.ended(held[1], SUCCEEDED)
    (b1,) = take(schedule)
    assert b1.path == "m/1/b"
    schedule.ended(b1, SUCCEEDED)
    assert [work.path for work in take(schedule)] == ["m/2/a"]


def test_iterations_without_work_do_not_stall_a_bounded_map() -> None:
    node = composite("map", "m", graphs=[["*", "m/*"]], items="xs", max_parallel=1)
    graphs = {"": graph(node), "m/*": graph(composite("stub", "s", prefix="m/*/"))}
    assert drive(graphs, counts={"m": 5}) == ([], SUCCEEDED)


def test_maps_nest() -> None:
    graphs = {
        "": graph(composite("map", "m", graphs=[["*", "m/*"]])),
        "m/*": graph(composite("map", "n", prefix="m/*/", graphs=[["*", "m/*/n/*"]])),
        "m/*/n/*": graph(task("a", prefix="m/*/n/*/")),
    }
    ran, status = drive(graphs, counts={"m": 3, "m/0/n": 2, "m/1/n": 0, "m/2/n": 1})
    assert sorted(ran) == ["m/0/n/0/a", "m/0/n/1/a", "m/2/n/0/a"]
    assert status == SUCCEEDED


def conditional(**more: Any) -> dict[str, Any]:
    asks = [["c", "eu"], ["c", "us"], ["c", None]]
    return {
        "": graph(
            composite("conditional", "c", graphs=[["eu", "c/eu"], ["us", "c/us"]], **more),
            task("z", "c", asks=asks),
        ),
        "c/eu": graph(task("a", prefix="c/eu/")),
        "c/us": graph(task("a", prefix="c/us/")),
    }


def test_a_conditional_runs_one_branch() -> None:
    ran, status = drive(conditional(), choices={"c": "us"})
    assert ran == ["c/us/a", "z [c/eu=Skipped c/us=Succeeded c=Succeeded]"]
    assert status == SUCCEEDED


def test_the_join_of_a_conditional_is_told_which_branch_ran() -> None:
    join = {"node": {"step": "c"}, "asks": [["c", "eu"], ["c", "us"]]}
    ran, _ = drive(conditional(join=join), choices={"c": "eu"})
    assert ran[:2] == ["c/eu/a", "c [c/eu=Succeeded c/us=Skipped]"]


@pytest.mark.parametrize("says", [SUCCEEDED, FAILED])
def test_a_conditional_without_a_match_runs_the_node_that_says_so_and_fails(says: str) -> None:
    node = {"step": "c", "type": "fail"}
    failing = ("c",) if says == FAILED else ()
    graphs = conditional(node=node, handled=True)
    graphs[""]["nodes"].append(task("h", "!c", asks=[["c", "eu"], ["c", None]]))
    ran, status = drive(graphs, failing, choices={"c": None})
    assert ran == ["c", "h [c/eu=Skipped c=Failed]"]
    assert status == SUCCEEDED


def test_what_is_asked_inside_is_answered_before_outside_answers() -> None:
    graphs = {
        "": graph(
            task("a", handled=True),
            composite("dag", "s", "a", "!a", on="any", graphs=[["", "s"]], asks=[["a", None]]),
        ),
        "s": graph(
            task("x", prefix="s/", inherits=True),
            task("y", "x", prefix="s/", inherits=True, asks=[["x", None]]),
            task("z", "y", prefix="s/"),
        ),
    }
    ran, _ = drive(graphs, ("a",))
    assert ran == ["a", "s/x [a=Failed]", "s/y [a=Failed s/x=Succeeded]", "s/z"]


def test_the_end_of_the_run_can_ask() -> None:
    schedule = Schedule({"": graph(task("a", handled=True), task("h", "!a"))})
    (a,) = take(schedule)
    schedule.ended(a, FAILED)
    (h,) = take(schedule)
    schedule.ended(h, SUCCEEDED)
    assert schedule.tokens([{"if": "a", "is": "ok", "from": ["a"]}]) == "a=Failed"


def chain(count: int) -> dict[str, Any]:
    steps = [task("s0"), *(task(f"s{i}", f"s{i - 1}") for i in range(1, count))]
    return {"": graph(*steps)}


def deep(count: int) -> dict[str, Any]:
    """A dag in a dag in a dag."""
    graphs, prefix = {}, ""
    for level in range(count):
        node = composite("dag", "d", prefix=prefix, graphs=[["", f"{prefix}d"]])
        graphs[prefix.rstrip("/")] = graph(node)
        prefix = f"{prefix}d/" if level < count else prefix
    graphs[prefix.rstrip("/")] = graph(task("a", prefix=prefix))
    return graphs


def stubs(count: int) -> dict[str, Any]:
    steps = (composite("stub", f"s{i}", *([f"s{i - 1}"] if i else [])) for i in range(count))
    return {"": graph(*steps)}


def test_depth_meets_no_recursion_limit() -> None:
    assert drive(stubs(10_000)) == ([], SUCCEEDED)
    assert drive(deep(1_500))[1] == SUCCEEDED
    omitted = drive(chain(10_000), ("s0",))
    assert omitted == (["s0"], FAILED)


@pytest.mark.parametrize("shape", ["chain", "map", "wide"])
def test_the_cost_grows_with_the_size_and_no_faster(shape: str) -> None:
    def seconds(count: int) -> float:
        wide = {"": graph(*(task(f"s{i}") for i in range(count)))}
        graphs = {"chain": chain(count), "map": MAP, "wide": wide}[shape]
        gc.disable()  # it would look through all that other tests have left
        try:
            begin = time.process_time()
            drive(graphs, counts={"m": count})
            return time.process_time() - begin
        finally:
            gc.enable()

    small = min(seconds(1_000) for _ in range(3))
    assert min(seconds(10_000) for _ in range(2)) < 60 * small  # what is quadratic takes 100
