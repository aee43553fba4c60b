"""How often and how long what may pass is tried again."""

from __future__ import annotations

import pytest

from argosy.runtime.errors import ServiceError
from argosy.runtime.retry import LONGEST, TryAgainError, in_a_hurry, retry


class Clock:
    """`slept` is the pauses; a call takes no time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def retry(self, failures: int, after: float | None = None, budget: float = 60.0) -> int:
        """Calls what fails so many times; how often it was called."""
        calls = 0

        def call() -> int:
            nonlocal calls
            calls += 1
            if calls <= failures:
                raise TryAgainError("it is down", after)
            return calls

        return retry(call, "cannot write", budget, lambda: self.now, self.sleep)


def test_what_comes_back_within_the_budget_is_no_fault() -> None:
    clock = Clock()
    assert clock.retry(16) == 17
    assert 30 < clock.now < 60
    assert all(pause <= LONGEST for pause in clock.slept)
    assert clock.slept[0] < 0.1, "a short fault costs little"


def test_pauses_differ_so_that_many_do_not_come_back_at_once() -> None:
    clocks = [Clock() for _ in range(20)]
    for clock in clocks:
        clock.retry(1)
    assert len({clock.now for clock in clocks}) > 5


def test_what_stays_away_is_an_error_that_says_for_how_long() -> None:
    clock = Clock()
    with pytest.raises(ServiceError, match=r"cannot write: it is down \(tried for (5[0-9]|60) s\)"):
        clock.retry(1000)


def test_a_server_that_names_a_time_is_given_it() -> None:
    clock = Clock()
    assert clock.retry(2, after=7.0) == 3
    assert all(pause > 7 for pause in clock.slept)
    with pytest.raises(ServiceError):
        clock.retry(1, after=120.0)


def test_who_is_in_a_hurry_gives_up_early() -> None:
    clock = Clock()
    with in_a_hurry(), pytest.raises(ServiceError):
        clock.retry(1000)
    assert clock.now <= 1.0
