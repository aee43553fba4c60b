"""Cron expressions, as Kubernetes and Argo read them (github.com/robfig/cron, ParseStandard)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .readers import WrongValue, text


class Part(NamedTuple):
    """One of the five, from `least` to `most`; `names` are those of its values."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    def number(self, word: str) -> int | None:
        """The value that `word` stands for; None where it is none."""
        if word.lower() in self.names:
            return self.names.index(word.lower()) + self.least
        return int(word) if word.isdecimal() and self.least <= int(word) <= self.most else None


MONTHS = "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"
DAYS = "sun", "mon", "tue", "wed", "thu", "fri", "sat"
PARTS = (
    Part("minute", 0, 59),
    Part("hour", 0, 23),
    Part("day of the month", 1, 31),
    Part("month", 1, 12, MONTHS),
    Part("day of the week", 0, 6, DAYS),
)
SHORT = re.compile(
    r"@(yearly|annually|monthly|weekly|daily|midnight|hourly|every ([\d.]+(h|m|s))+)"
)
LONGEST = 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
"""The most days that each month has."""
FORM = "five fields, such as '0 6 * * 1-5', or @daily"


def cron(value: Any) -> str:
    """A cron expression. Its time zone is an option of its own."""
    found = text(value)
    if SHORT.fullmatch(found):
        return found
    fields = found.split()
    if "TZ=" in fields[0]:
        zone = fields[0].partition("=")[2]
        hint = f"{{schedule: '{' '.join(fields[1:])}', timezone: {zone}}}"
        raise WrongValue(f"cannot be {found!r}: the time zone stands beside it", hint)
    if len(fields) != len(PARTS):
        raise WrongValue(f"cannot be {found!r}", FORM)
    for part, field in zip(PARTS, fields, strict=True):
        for wrong in _wrong(part, field):
            hint = f"the {part.name} is {part.least} to {part.most}"
            hint += f", or {part.names[0]} to {part.names[-1]}" if part.names else ""
            raise WrongValue(f"cannot be {found!r}: '{wrong}' is no {part.name}", hint)
    if not _fires(*fields[2:]):
        hint = "name a day that one of these months has"
        raise WrongValue(f"{found!r} never fires: no such month has such a day", hint)
    return found


def _fires(days: str, months: str, weekdays: str) -> bool:
    """Whether there is a day that fits. A day of the week fits of itself, unless it is any."""
    if weekdays[0] not in "*?":
        return True
    first = min(_values(PARTS[2], days))
    return any(first <= LONGEST[month - 1] for month in _values(PARTS[3], months))


def _values(part: Part, field: str) -> set[int]:
    """The values that a field means."""
    found: set[int] = set()
    for piece in field.split(","):
        span, slash, step = piece.partition("/")
        first, _, last = span.partition("-")
        begin, end = part.number(first), part.number(last)
        if end is None and begin is not None and not slash:
            end = begin
        begin = part.least if begin is None else begin
        end = part.most if end is None else end
        found.update(range(begin, end + 1, int(step or 1)))
    return found


def _wrong(part: Part, field: str) -> Iterator[str]:
    """What of a field does not mean anything: values, `*`, ranges of them, each with a step."""
    for piece in field.split(","):
        span, slash, step = piece.partition("/")
        first, dash, last = span.partition("-")
        begin, end = part.number(first), part.number(last if dash else first)
        known = span in ("*", "?") or (begin is not None and end is not None and begin <= end)
        stepped = not slash or (step.isdecimal() and int(step) > 0)
        if not (known and stepped):
            yield piece
