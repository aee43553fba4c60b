"""Tries again what may go well the next time, with growing pauses, inside a time budget."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from .errors import ServiceError

BUDGET = 60.0
"""Seconds that a remote store has to come back: longer than a restart of one takes."""

SHORTEST, LONGEST = 0.05, 5.0
"""Seconds of the first pause and of the longest one; each is twice the one before."""

Result = TypeVar("Result")


class TryAgainError(Exception):
    """What a call raises that is worth another try. `after`: the seconds that the server asked
    for, where it did."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


def retry(
    call: Callable[[], Result],
    what: str,
    budget: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """What `call` returns, once it does not raise TryAgainError. Raises ServiceError, which begins
    with `what`, when another try would begin after `budget` seconds."""
    budget = BUDGET if budget is None else budget
    until = clock() + budget
    pause = SHORTEST
    tries = 0
    while True:
        tries += 1
        try:
            return call()
        except TryAgainError as fault:
            # Many steps that a server turned away at once must not come back at once.
            wait = pause * jitter() if fault.after is None else fault.after + pause * jitter()
            if clock() + wait > until:
                times = f"tried {tries} times in {budget:.0f} s"
                raise ServiceError(f"{what}: {fault} ({times})") from fault
        sleep(wait)
        pause = min(2 * pause, LONGEST)


def jitter() -> float:
    """Between a half and one; `random` would cost 8 ms."""
    return 0.5 + os.urandom(1)[0] / 510
