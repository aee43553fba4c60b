"""Tries again what may go well the next time, with growing pauses, inside a time budget."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from .errors import ServiceError

BUDGET = 60.0
"""Seconds that a remote store has to come back: longer than a restart of one takes."""

HURRY = 1.0
"""Seconds of the budget where something better waits: see `in_a_hurry`."""

SHORTEST, LONGEST = 0.05, 5.0
"""Seconds of the first pause and of the longest one; each is twice the one before."""

Result = TypeVar("Result")
_hurries: list[float] = []


class TryAgainError(Exception):
    """What a call raises that is worth another try. `after`: the seconds that the server asked
    for, where it did."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Pauses:
    """The pauses of one call, from its first try on."""

    def __init__(
        self, budget: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._started = clock()
        self._until = self._started + min([BUDGET if budget is None else budget, *_hurries])
        self._next = SHORTEST

    @property
    def seconds(self) -> float:
        """The time since the first try."""
        return self._clock() - self._started

    def next(self, after: float | None = None) -> float | None:
        """The seconds to wait before another try; `None` where that would be after the budget."""
        # Many steps that a server turned away at once must not come back at once.
        wait = (after or 0.0) + self._next * jitter()
        self._next = min(2 * self._next, LONGEST)
        return wait if self._clock() + wait <= self._until else None


def retry(
    call: Callable[[], Result],
    what: str,
    budget: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """What `call` returns, once it does not raise TryAgainError. Raises ServiceError, which begins
    with `what`, when another try would begin after `budget` seconds."""
    pauses = Pauses(budget, clock)
    while True:
        try:
            return call()
        except TryAgainError as fault:
            wait = pauses.next(fault.after)
            if wait is None:
                tried = f"tried for {pauses.seconds:.0f} s"
                raise ServiceError(f"{what}: {fault} ({tried})") from fault
        sleep(wait)


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """For what can be tried again later, while a step's process waits to be looked after."""
    _hurries.append(HURRY)
    try:
        yield
    finally:
        _hurries.pop()


def jitter() -> float:
    """Between a half and one; `random` would cost 8 ms."""
    return 0.5 + os.urandom(1)[0] / 510
