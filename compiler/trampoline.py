"""Runs functions that call each other to any depth, without Python's stack."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

T = TypeVar("T")
Steps = Generator["Steps[Any]", Any, T]
"""A function that yields the calls it makes, gets their results, and returns its own."""


def run(call: Steps[T]) -> T:
    """The result of `call`.

    >>> def depth(n): return 0 if n == 0 else 1 + (yield depth(n - 1))
    >>> run(depth(100_000))
    100000
    """
    stack: list[Steps[Any]] = [call]
    result: Any = None
    while stack:
        try:
            stack.append(stack[-1].send(result))
            result = None
        except StopIteration as stop:
            stack.pop()
            result = stop.value
    return result  # type: ignore[no-any-return]
