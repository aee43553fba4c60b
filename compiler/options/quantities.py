"""Quantities as the API server writes them, so that what it returns is what was applied."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from .readers import WrongValue, text

DECIMAL = "n", "u", "m", "", "k", "M", "G", "T", "P", "E"
BINARY = "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"
_FORM = re.compile(
    r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([-+]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i))?"
)


def amount(value: Any) -> str:
    """A quantity of a resource; a number counts as it is written."""
    written = repr(value) if isinstance(value, (int, float)) and value is not True else text(value)
    match = _FORM.fullmatch(written)
    if not match:
        raise WrongValue(f"cannot be {written!r}", "such as 500m, 2, 4Gi")
    return canonical(match)


def canonical(match: re.Match[str]) -> str:
    """No fraction, and the largest suffix that allows for that (Kubernetes' `Quantity`).

    >>> [amount(text) for text in (0.5, "1.5Gi", "1024Mi", "1000", "0.5Ki", "10e2", "0")]
    ['500m', '1536Mi', '1Gi', '1k', '512', '1e3', '0']
    """
    before, _, after = match[1].partition(".")
    number, parts = int(before + after), 10 ** len(after)  # it is number / parts
    exponent, suffix = match[2], match[3] or ""
    if suffix in BINARY[1:]:
        number *= 1024 ** BINARY.index(suffix)
        if number >= 1024 * parts:
            whole, power = _without(_up(number, parts), 1024, len(BINARY) - 1)
            return f"{whole}{BINARY[power]}"
        suffix = ""
    shift = 9 + int(exponent) if exponent else 3 * DECIMAL.index(suffix)
    nanos = _up(number * 10 ** max(shift, 0), parts * 10 ** max(-shift, 0))
    if exponent:
        whole, power = _without(nanos, 1000, 99)
        return f"{whole}e{3 * power - 9}" if whole and power != 3 else str(whole)
    whole, power = _without(nanos, 1000, len(DECIMAL) - 1)
    return f"{whole}{DECIMAL[power]}" if whole else "0"


def number(quantity: str) -> Fraction:
    """What a quantity comes to.

    >>> number("500m"), number("1Ki"), number("1e3")
    (Fraction(1, 2), Fraction(1024, 1), Fraction(1000, 1))
    """
    match = _FORM.fullmatch(quantity)
    if not match:
        raise ValueError(f"{quantity!r} is no quantity")
    exponent, suffix = match[2], match[3] or ""
    binary = suffix in BINARY[1:]
    base, power = (1024, BINARY.index(suffix)) if binary else (10, _power(exponent, suffix))
    scale = Fraction(base ** abs(power))
    return Fraction(match[1]) * scale if power >= 0 else Fraction(match[1]) / scale


def _power(exponent: str | None, suffix: str) -> int:
    return int(exponent) if exponent else 3 * DECIMAL.index(suffix) - 9


def _up(number: int, parts: int) -> int:
    """The least whole number that is not below number / parts."""
    return -(-number // parts)


def _without(number: int, factor: int, most: int) -> tuple[int, int]:
    """The number without this factor, and how often it was in it."""
    times = 0
    while number and times < most and number % factor == 0:
        number, times = number // factor, times + 1
    return number, times
