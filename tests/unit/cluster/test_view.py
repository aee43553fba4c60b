"""How a run looks: what is folded, what is counted, what is left out where there is no room."""

from __future__ import annotations

from io import StringIO

import click
import pytest

from argosy.compiler.cli import screen as screens
from argosy.compiler.cli.view import lines
from argosy.compiler.cluster.engine import Execution, Instance

NOW = 1000.0


def step(
    path: str, status: str, started: float | None = None, ended: float | None = None
) -> Instance:
    return Instance(path, status, started, ended)


def run(*steps: Instance, status: str = "running") -> Execution:
    ended = NOW if status != "running" else None
    return Execution("churn-x7k2p", "churn-1a2b3c4d", status, "", NOW - 70, ended, steps)


def view(execution: Execution, width: int = 0, height: int = 0) -> list[str]:
    """Without the blanks that align columns."""
    return [" ".join(line.split()) for line in lines(execution, NOW, width, height)]


def test_a_step_says_how_long_it_took_or_takes() -> None:
    assert view(
        run(
            step("extract", "succeeded", NOW - 60, NOW - 55),
            Instance("train", "running", NOW - 50, attempts=2),
            Instance("load", "pending", NOW - 5, message="Unschedulable:\n no node"),
            step("publish%20it", "waiting"),
            step("mend", "omitted", NOW, NOW),
        )
    ) == [
        "churn-1a2b3c4d running 1 m 10 s (called churn-x7k2p there)",
        "extract succeeded 5 s",
        "train running 50 s 2 attempts",
        "load pending 5 s Unschedulable: no node",
        "publish it waiting",
        "mend omitted",
    ]


def test_iterations_are_counted_and_failed_ones_named() -> None:
    def one(number: int, build: str, check: str) -> list[Instance]:
        return [
            Instance(f"each/{number}/build", build, NOW - 9, NOW - 8, message="exit code 1"),
            Instance(f"each/{number}/check", check, NOW - 8, NOW - 4, message="exit code 2"),
        ]

    done = [s for n in range(10) for s in one(n, "succeeded", "succeeded")]
    failed = [s for n in (10, 11) for s in one(n, "failed", "omitted")]
    assert view(run(*done, *failed, *one(12, "succeeded", "waiting")))[1:] == [
        "each running 10 of 13 done, 1 running, 2 failed, 9 s",
        "├─ 10/build failed 1 s exit code 1",
        "└─ 11/build failed 1 s exit code 1",
    ]
    many = [s for n in range(5) for s in one(n, "failed", "failed")]
    assert view(run(*many))[1:] == [
        "each failed 0 of 5 done, 5 failed, 5 s",
        "├─ 0/build failed 1 s exit code 1",
        "├─ 0/check failed 4 s exit code 2",
        "├─ 1/build failed 1 s exit code 1",
        "└─ … failed 7 more",
    ]


def test_a_map_that_has_not_begun_waits() -> None:
    assert view(run(step("each/*/build", "waiting"), step("each/*/check", "waiting")))[1:] == [
        "each waiting"
    ]
    assert view(run(step("each/*/build", "omitted")))[1:] == ["each omitted"]


def test_a_composite_is_unfolded_while_it_goes_on_or_has_failed() -> None:
    good = [step("par/a/x", "succeeded", NOW - 9, NOW - 5), step("par/b/y", "omitted")]
    assert view(run(*good))[1:] == ["par succeeded 2 steps, 4 s"]
    assert view(run(*good, step("par/c/z", "running", NOW - 2)))[1:] == [
        "par running 3 steps, 9 s",
        "├─ a succeeded 1 step, 4 s",
        "├─ b omitted 1 step",
        "└─ c running 1 step, 2 s",
        "└─ z running 2 s",
    ]
    assert view(run(*good, step("par/c/z", "failed", NOW - 2, NOW)))[1] == (
        "par failed 3 steps, 9 s"
    )
    # Between two of its steps nothing runs, and it goes on all the same.
    assert view(run(step("d/a", "succeeded", NOW - 9, NOW - 5), step("d/b", "waiting")))[1] == (
        "d running 2 steps, 9 s"
    )


def test_where_there_is_no_room_what_matters_stays() -> None:
    found = [step(f"s{n}", "succeeded", 1, 2) for n in range(5)]
    found += [step("bad", "failed", 1, 2), step("now", "running", NOW)]
    found += [step(f"w{n}", "waiting") for n in range(5)]
    shown = view(run(*found), height=7)
    assert shown[1:] == [
        "bad failed 1 s",
        "now running 0 s",
        "w0 waiting",
        "w1 waiting",
        "… and 8 more: 5 succeeded, 3 waiting",
    ]
    assert len(shown) <= 7


@pytest.mark.parametrize("width", [10, 20, 40, 79])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    path = "a-step-of-a-very-long-name-indeed-that-goes-on/and-on/and-on"
    found = run(Instance(path, "failed", 1, 2, message="m" * 200))
    assert all(len(line) <= max(width, 24) for line in lines(found, NOW, width, 9))


def test_colours_do_not_change_the_text() -> None:
    found = run(step("a", "succeeded", 1, 2), step("b", "failed", 1, 2), step("c", "waiting"))
    coloured = lines(found, NOW, 60, 20, color=True)
    assert [click.unstyle(line).rstrip() for line in coloured] == lines(found, NOW, 60, 20)
    assert "\x1b[31mfailed" in coloured[2]


def test_a_terminal_is_drawn_over() -> None:
    out = StringIO()
    terminal = screens.Terminal(out, lambda: NOW)
    terminal.show(run(step("a", "running", NOW - 1)))
    first = out.getvalue()
    assert first.count("\n") == 2
    terminal.end(run(step("a", "succeeded", NOW - 1, NOW), status="succeeded"))
    assert out.getvalue()[len(first) :].startswith("\x1b[2A\r\x1b[J")


def test_a_file_gets_a_line_for_each_change() -> None:
    out = StringIO()
    screen = screens.screen(out)
    screen.show(run(step("a", "pending"), step("b", "waiting")))
    screen.show(run(step("a", "running", NOW - 3), step("b", "waiting")))
    screen.show(run(step("a", "running", NOW - 3), step("b", "waiting")))
    failed = Instance("b", "failed", NOW - 1, NOW, message="exit\ncode 1")
    screen.end(run(step("a", "succeeded", NOW - 3, NOW - 1), failed, status="failed"))
    assert out.getvalue().splitlines() == [
        "a: started",
        "a: succeeded after 2 s",
        "b: failed after 1 s: exit code 1",
        "churn-1a2b3c4d: failed after 1 m 10 s",
    ]


def test_what_cannot_be_seen_is_said_once() -> None:
    out = StringIO()
    screen = screens.screen(out)
    hidden = run()._replace(note="look elsewhere")
    screen.show(hidden)
    screen.show(hidden)
    assert out.getvalue() == "look elsewhere\n"
    assert view(hidden)[-1] == "look elsewhere"


def test_why_a_pod_does_not_start_is_said_once_and_at_once() -> None:
    out = StringIO()
    screen = screens.screen(out)
    for message in ("", "ContainerCreating", "ErrImagePull: no such image", "ErrImagePull: again"):
        screen.show(run(Instance("a", "pending", message=message)))
    screen.show(run(Instance("a", "pending", message='ImagePullBackOff: Back-off pulling "i"')))
    assert out.getvalue().splitlines() == [
        "a: pending: ErrImagePull: no such image",
        'a: pending: ImagePullBackOff: Back-off pulling "i"',
    ]


def test_why_a_run_does_not_begin_is_said_once() -> None:
    out = StringIO()
    screen = screens.screen(out)
    stuck = run(status="pending")._replace(message="Unschedulable: 0/3 nodes are available")
    screen.show(stuck)
    screen.show(stuck)
    said = "churn-1a2b3c4d: pending: Unschedulable: 0/3 nodes are available\n"
    assert out.getvalue() == said


def test_the_last_line_says_what_the_status_would_hide() -> None:
    out = StringIO()
    found = run(
        step("a", "failed", 1, 2), step("h", "succeeded", 2, 3), step("b", "omitted"),
        status="succeeded",
    )  # fmt: skip
    screens.screen(out).end(found)
    last = out.getvalue().splitlines()[-1]
    assert last == "churn-1a2b3c4d: succeeded, 1 failure handled, 1 step omitted after 1 m 10 s"


def test_a_map_that_could_not_read_its_list_says_why() -> None:
    failed = Instance("each", "failed", message="parameter 'xs' is 3, not a list")
    shown = view(run(failed, step("each/*/build", "waiting"), status="failed"))
    assert shown[1] == "each failed parameter 'xs' is 3, not a list"
