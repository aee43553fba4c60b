"""Trying again, with a clock of our own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from argosy.runtime.errors import ServiceError
from argosy.runtime.retry import LONGEST, TryAgainError, retry


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)


def failing(times: int, after: float | None = None) -> Callable[[], str]:
    faults = [TryAgainError("status 503", after) for _ in range(times)]

    def call() -> str:
        if faults:
            raise faults.pop()
        return "done"

    return call


def test_it_waits_longer_each_time_and_never_too_long() -> None:
    clock = Clock()
    assert retry(failing(12), "store: put", 60.0, clock, clock.sleep) == "done"
    assert clock.pauses[0] < clock.pauses[4] < clock.pauses[8] <= LONGEST
    assert len(clock.pauses) == 12


def test_it_waits_as_long_as_it_is_told() -> None:
    clock = Clock()
    retry(failing(1, after=7.0), "store: put", 60.0, clock, clock.sleep)
    assert 7.0 <= clock.pauses[0] < 7.1


def test_it_gives_up_inside_its_budget_and_says_what_it_did() -> None:
    clock = Clock()
    with pytest.raises(ServiceError, match=r"^store: put: status 503 \(tried for \d+ s\)$"):
        retry(failing(1000), "store: put", 60.0, clock, clock.sleep)
    assert 50.0 < clock.now <= 60.0


def test_what_is_not_worth_it_comes_at_once() -> None:
    def call() -> None:
        raise ServiceError("no such bucket")

    with pytest.raises(ServiceError, match="no such bucket"):
        retry(call, "store: put")
