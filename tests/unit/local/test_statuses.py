"""The statuses of steps that leave no record: what they are, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from argosy.runtime.executors.local.schedule import Schedule
from argosy.runtime.executors.local.scopes import FAILED, SUCCEEDED

Json = dict[str, Any]


def node(name: str, *after: str, kind: str = "task", at: str = "", **more: Any) -> Json:
    """A node; `a` in `after` is an edge of success, `!a` one of failure."""
    path = at or name
    edges = [[x.lstrip("!"), "failure" if x[0] == "!" else "success"] for x in after]
    leaf = {"step": path, "from": [], "command": "x"}
    return {"name": name, "path": path, "kind": kind, "incoming": edges, "node": leaf, **more}


def graph(*nodes: Json) -> Json:
    return {"nodes": list(nodes)}


def driven(graphs: Mapping[str, Json], *failing: str, label: str | None = None) -> Schedule:
    """A schedule whose work is all done; maps have two iterations."""
    schedule = Schedule(graphs)
    while work := schedule.next():
        if work.kind == "count":
            schedule.opened(work, 2)
        elif work.kind == "choose":
            schedule.chosen(work, label)
        else:
            schedule.started(work)
            schedule.ended(work, FAILED if work.path in failing else SUCCEEDED)
    return schedule


def omitted(reason: str) -> Json:
    return {"status": "omitted", "reason": reason}


def test_a_step_with_a_record_is_left_out() -> None:
    assert driven({"": graph(node("a"), node("b"))}, "b").statuses.steps == {}


def test_a_step_after_one_that_failed_and_was_handled_says_so() -> None:
    nodes = graph(node("a", handled=True), node("h", "!a"), node("b", "a"), node("c", "b"))
    schedule = driven({"": nodes}, "a")
    assert schedule.status == SUCCEEDED
    found = {"b": omitted("'a' failed"), "c": omitted("'b' was omitted")}
    assert schedule.statuses.steps == found


def test_a_handler_that_was_not_needed_says_so() -> None:
    nodes = graph(node("a", handled=True), node("h", "!a"))
    assert driven({"": nodes}).statuses.steps == {"h": omitted("'a' did not fail")}


def test_a_handler_of_two_names_both() -> None:
    nodes = graph(node("a", handled=True), node("b", handled=True), node("h", "!a", "!b"))
    expected = {"h": omitted("'a' did not fail, 'b' did not fail")}
    assert driven({"": nodes}).statuses.steps == expected


def test_a_handler_with_another_dependency_names_what_is_missing() -> None:
    nodes = graph(
        node("a", handled=True),
        node("b", handled=True),
        node("c", "!b"),
        node("h", "b", "!a"),
    )
    assert driven({"": nodes}, "a", "b").statuses.steps == {"h": omitted("'b' failed")}


def test_a_step_after_any_of_several_names_them_all() -> None:
    nodes = graph(
        node("a", handled=True), node("h", "!a", handled=True), node("g", "!h"),
        node("c", "a", "h", on="any"),
    )  # fmt: skip
    expected = omitted("'a' failed, 'h' failed")
    assert driven({"": nodes}, "a", "h").statuses.steps["c"] == expected


def test_at_most_three_reasons_are_given() -> None:
    names = "abcde"
    nodes = [node(name, handled=True) for name in names]
    last = node("last", *names)
    expected = omitted("'a' failed, 'b' failed, 'c' failed, 2 more")
    found = driven({"": graph(*nodes, node("h", *(f"!{n}" for n in names)), last)}, *names)
    assert found.statuses.steps["last"] == expected


def test_stubs_and_composites_have_a_status() -> None:
    graphs = {
        "": graph(
            node("s", kind="stub"),
            node("p", kind="parallel", graphs=[["x", "p/x"]]),
            node("m", kind="map", graphs=[["*", "m/*"]]),
        ),
        "p/x": graph(node("i", at="p/x/i")),
        "m/*": graph(node("j", at="m/*/j", kind="stub")),
    }
    assert driven(graphs, "p/x/i").statuses.steps == {
        "s": {"status": "succeeded"},
        "p": {"status": "failed"},
        "m/0/j": {"status": "succeeded"},
        "m/1/j": {"status": "succeeded"},
        "m": {"status": "succeeded"},
    }


CONDITIONAL = {
    "": graph(
        node(
            "c",
            kind="conditional",
            graphs=[["one", "c/one"], ["two", "c/two"]],
        )
    ),
    "c/one": graph(node("i", at="c/one/i")),
    "c/two": graph(node("d", at="c/two/d", kind="dag", graphs=[["", "c/two/d"]])),
    "c/two/d": graph(node("j", at="c/two/d/j"), node("m", at="c/two/d/m", kind="map")),
}


def test_all_steps_of_a_branch_that_was_not_taken_are_skipped() -> None:
    skipped = {"status": "skipped", "reason": "'c' took the branch 'one'"}
    assert driven(CONDITIONAL, label="one").statuses.steps == {
        "c/two/d": skipped,
        "c/two/d/j": skipped,
        "c/two/d/m": skipped,
        "c": {"status": "succeeded"},
    }


def test_no_branch_is_taken_for_a_value_that_none_is_for() -> None:
    found = driven(CONDITIONAL, "c").statuses.steps
    assert found["c/one/i"] == {"status": "skipped", "reason": "'c' took no branch"}
    assert found["c"] == {"status": "failed"}


def test_what_is_in_an_omitted_composite_is_omitted() -> None:
    graphs = {
        "": graph(node("a"), node("d", "a", kind="dag", graphs=[["", "d"]])),
        "d": graph(node("i", at="d/i")),
    }
    expected = {"d": omitted("'a' failed"), "d/i": omitted("'d' was omitted")}
    assert driven(graphs, "a").statuses.steps == expected


def test_a_composite_that_could_not_begin_says_why() -> None:
    schedule = Schedule({"": graph(node("m", kind="map", graphs=[["*", "m/*"]]))})
    work = schedule.next()
    assert work
    schedule.ended(work, FAILED, "no list")
    assert schedule.statuses.steps == {"m": {"status": "failed", "reason": "no list"}}


def test_a_run_that_is_stopped_has_cancelled_composites_and_steps_not_started() -> None:
    stopped = "the run was stopped"
    graphs = {
        "": graph(
            node("p", kind="parallel", graphs=[["x", "p/x"]]),
            node("z", "p", kind="dag", graphs=[["", "z"]]),
        ),
        "p/x": graph(node("i", at="p/x/i"), node("j", "i", at="p/x/j"), node("k", at="p/x/k")),
        "z": graph(node("i", at="z/i")),
    }
    schedule = Schedule(graphs)
    work = schedule.next()
    assert work
    assert work.path == "p/x/i"
    schedule.started(work)
    schedule.stopped()
    assert schedule.statuses.steps == {
        "p": {"status": "cancelled", "reason": stopped},
        "z": {"status": "not_started", "reason": stopped},
        "z/i": {"status": "not_started", "reason": stopped},
        "p/x/j": {"status": "not_started", "reason": stopped},
        "p/x/k": {"status": "not_started", "reason": stopped},
    }


# Which failures are handled


def handled(graphs: Mapping[str, Json], failing: str, *more: str) -> bool:
    """Whether a failure is handled, once all has ended."""
    schedule = Schedule(graphs)
    found = None
    while work := schedule.next():
        found = work if work.path == failing else found
        schedule.ended(work, FAILED if work.path in (failing, *more) else SUCCEEDED)
    assert found
    return found.handled


def test_a_failure_without_a_handler_is_not_handled() -> None:
    assert not handled({"": graph(node("a"))}, "a")


def test_a_failure_with_a_handler_is_handled() -> None:
    assert handled({"": graph(node("a", handled=True), node("h", "!a"))}, "a")


def test_a_failure_that_leads_to_a_fail_is_not_handled() -> None:
    graphs = {"": graph(node("a", handled=True), node("stop", "!a", kind="fail"))}
    assert not handled(graphs, "a", "stop")


def test_a_failure_inside_a_composite_with_a_handler_is_handled() -> None:
    graphs = {
        "": graph(node("d", kind="dag", graphs=[["", "d"]], handled=True), node("h", "!d")),
        "d": graph(node("i", at="d/i")),
    }
    assert handled(graphs, "d/i")


def test_a_failure_inside_a_composite_without_a_handler_is_not_handled() -> None:
    graphs = {
        "": graph(node("d", kind="dag", graphs=[["", "d"]])),
        "d": graph(node("i", at="d/i")),
    }
    assert not handled(graphs, "d/i")
