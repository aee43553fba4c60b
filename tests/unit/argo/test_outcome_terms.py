"""The terms of a graph's success."""

from __future__ import annotations

from argosy.compiler.argo.outcome import ALWAYS, outcome
from definitions import steps

T = "type: task, command: a.b"


def test_where_nothing_is_handled_argos_own_rule_is_enough() -> None:
    found = outcome(steps(f"a: {{{T}}}\nb: {{{T}, depends_on: [a]}}\nc: {{{T}}}"))
    assert found.plain
    assert found.last == {ALWAYS: ["b", "c"]}


def test_what_is_handled_may_fail_and_what_comes_after_it_may_be_omitted() -> None:
    found = outcome(steps(f"a: {{{T}, on_failure: h}}\nh: {{{T}}}\nb: {{{T}, depends_on: [a]}}"))
    assert not found.plain
    assert found.last == {"h": ["h"], "b": ["b"]}


def test_a_fail_that_only_a_failure_leads_to_needs_no_pod() -> None:
    found = outcome(steps(f"a: {{{T}, on_failure: stop}}\nstop: {{type: fail}}"))
    assert found.silent == {"stop"}
    assert found.last == {ALWAYS: ["a"]}
    assert not found.unreached


def test_a_fail_that_a_success_leads_to_is_judged_as_any_step() -> None:
    found = outcome(steps(f"a: {{{T}}}\nstop: {{type: fail, depends_on: [a]}}"))
    assert not found.silent
    assert found.last == {ALWAYS: ["stop"]}


def test_a_fail_on_its_own_is_judged_as_any_step() -> None:
    found = outcome(steps(f"a: {{{T}}}\nstop: {{type: fail}}"))
    assert not found.silent
    assert found.last == {ALWAYS: ["a", "stop"]}


def test_a_fail_after_a_failure_and_a_success_must_not_be_reached() -> None:
    found = outcome(
        steps(
            f"a: {{{T}, on_failure: h}}\nh: {{{T}}}\n"
            f"b: {{{T}, on_failure: g}}\ng: {{{T}}}\n"
            f"stop: {{type: fail, depends_on: [h]}}"
        )
    )
    assert found.silent == {"stop"}
    (unreached,) = found.unreached
    assert unreached.name == "stop"
    assert unreached.blamed == ("a",)
