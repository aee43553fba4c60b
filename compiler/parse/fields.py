"""Reads the fields of one YAML mapping: right types, known names, every problem with its place."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from argosy.runtime.suggestions import nearest

from .. import source, variables
from ..errors import MOST, Problem
from ..graph import Graph
from ..trampoline import Steps

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")
_UNITS = 86400, 3600, 60, 1
SHORTEST, LONGEST = 1e-9, 1e9
"""Seconds: the longest is 31 years, as some clocks cannot hold more."""
DURATION = "a duration above 0 and below 31 years"
DURATIONS = "seconds, or such as 90s, 10m, 1h30m, 2d"
IMAGE = re.compile(
    r"(?:(?:(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?"  # the registry
    r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"|[A-Za-z0-9._-]+)"  # or a word that kustomize replaces
    r"(?::\w[\w.-]{0,127})?(?:@[A-Za-z][\w.+-]*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)
IMAGE_FORM = "registry/path:tag or registry/path@digest, the path in lower case"
FACTORS = 1.0, 1000.0
"""The least and the most that a wait grows by from one attempt to the next."""
MOST_COUNT = (1 << 31) - 1
"""The largest whole number that Kubernetes takes where it counts."""


class Context:
    """What parsing one definition shares: where problems go, the variables, the files under way,
    and how many were included before."""

    def __init__(
        self, variables: Mapping[str, str] | None = None, files: tuple[str, ...] = ()
    ) -> None:
        self.problems: list[Problem] = []
        self.variables = variables or {}
        self.files = files
        self.included = 0


def name_of(value: Any) -> str:
    """The kind of a YAML value, in a user's words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def seconds(value: Any, least: float = SHORTEST) -> float | None:
    """The duration that `value` is, a number or text; None where it is none that can be waited for.

    >>> seconds("10m"), seconds(1.5), seconds(True), seconds(0), seconds("1" * 400)
    (600.0, 1.5, None, None, None)
    """
    return number(duration(value) if isinstance(value, str) else value, least, LONGEST)


def number(value: Any, least: float, most: float) -> float | None:
    """The number that `value` is; None where it is none, or not within these bounds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if least <= value <= most else None


def duration(text: str) -> float | None:
    """Seconds of `90`, `90s`, `10m`, `1h30m`, `2d`; None where it is no duration.

    >>> duration("1h30m"), duration("2.5"), duration("soon")
    (5400.0, 2.5, None)
    """
    match = _DURATION.fullmatch(text.strip())
    if not match or not text.strip():
        return None
    parts = zip(match.groups(), _UNITS, strict=True)
    return sum(float(part) * unit for part, unit in parts if part)


class Fields:
    """The fields of `mapping`, each taken once; `close` reports those that nobody took.

    Text has its variables replaced unless it is `literal`: what belongs to the user's program or to
    people stays as it is written.
    """

    def __init__(
        self, mapping: source.Mapping, what: str, context: Context, literal: bool = False
    ) -> None:
        self.mapping = mapping
        self.what = what
        self.context = context
        self.literal = literal
        self.known: dict[str, None] = {}
        self.accepted: set[str] = set()

    def problem(self, message: str, mark: Any = None, hint: str | Callable[[], str] = "") -> None:
        """Reports a problem of this mapping, at its own place where `mark` is None. A `hint` that
        takes time is a function, which is called for no more problems than are shown."""
        if callable(hint):
            hint = hint() if len(self.context.problems) < MOST else ""
        place = self.mapping.mark if mark is None else mark
        file = getattr(place, "source", self.mapping.source)
        if place is None:
            self.context.problems.append(Problem(message, hint=hint))
        else:
            self.context.problems.append(file.problem(message, place, hint))

    def wrong(self, key: str, wanted: str, hint: str = "") -> None:
        """Reports a value of the wrong type."""
        value = self.mapping[key]
        self.problem(f"{key} takes {wanted}, not {name_of(value)}", self.mapping.at(key), hint)

    def has(self, key: str) -> bool:
        """Whether the field is given, and not as null."""
        self.known[key] = None
        return self.mapping.get(key) is not None

    def accept(self, *keys: str) -> None:
        """Fields that may be there and are not named where one is misspelt: other names of
        Magnus's, and what means nothing here."""
        self.accepted.update(keys)

    def require(self, key: str, wanted: str) -> bool:
        """As `has`; a field that is missing is a problem."""
        if self.has(key):
            return True
        self.problem(f"{self.what} needs '{key}': {wanted}")
        return False

    def text(self, key: str, default: str = "", literal: bool = False) -> str:
        """Text; a plain value of another type counts as it was written where `literal`."""
        if not self.has(key):
            return default
        value = self.mapping[key]
        if not isinstance(value, str):
            if not literal or key not in self.mapping.texts:
                self.wrong(key, "text", "put it in quotes" if key in self.mapping.texts else "")
                return default
            return self.mapping.texts[key]
        return value if literal else self.replaced(value, self.mapping.at(key))

    def replaced(self, text: str, mark: Any) -> str:
        """`text` with its variables replaced."""
        if self.literal or "$" not in text:
            return text
        return variables.replace(
            text,
            self.context.variables,
            lambda message, hint: self.problem(message, mark, hint),
        )

    def choice(self, key: str, known: Sequence[str], default: str) -> str:
        """One of the `known` words."""
        value = self.text(key, default)
        if value not in known:
            message = f"{key} cannot be '{value}'"
            self.problem(message, self.mapping.at(key), nearest(value, known))
            return default
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one."""
        if not self.has(key):
            return ()
        value = self.mapping[key]
        if isinstance(value, str):
            return (self.replaced(value, self.mapping.at(key)),)
        if not isinstance(value, source.Sequence):
            self.wrong(key, "a list of texts")
            return ()
        found = []
        for index, item in enumerate(value):
            if isinstance(item, str):
                found.append(self.replaced(item, value.at(index)))
            else:
                message = f"{key} takes a list of texts; this is {name_of(item)}"
                self.problem(message, value.at(index), "put it in quotes")
        return tuple(found)

    def words(self, key: str) -> tuple[str, ...]:
        """A list of texts of the user's own; plain values count as they were written."""
        if not self.has(key):
            return ()
        value = self.mapping[key]
        if not isinstance(value, source.Sequence):
            self.wrong(key, "a list of texts")
            return ()
        found = []
        for index, item in enumerate(value):
            if isinstance(item, str) or index in value.texts:
                found.append(value.texts.get(index, item))
            else:
                message = f"{key} takes a list of texts; this is {name_of(item)}"
                self.problem(message, value.at(index))
        return tuple(found)

    def integer(self, key: str, default: int | None, least: int = 1) -> int | None:
        """A whole number of at least `least`."""
        if not self.has(key):
            return default
        value = self.mapping[key]
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(key, "a whole number")
            return default
        if not least <= value <= MOST_COUNT:
            wanted = f"at least {least}" if value < least else f"at most {MOST_COUNT:,}"
            self.problem(f"{key} must be {wanted}", self.mapping.at(key))
            return default
        return value

    def seconds(
        self, key: str, default: float | None = None, least: float = SHORTEST
    ) -> float | None:
        """A duration, in seconds."""
        if not self.has(key):
            return default
        value = self.mapping[key]
        if isinstance(value, str):
            value = self.replaced(value, self.mapping.at(key))
        found = seconds(value, least)
        if found is None:
            wanted = DURATION if least else "a duration below 31 years"
            self.problem(f"{key} takes {wanted}", self.mapping.at(key), DURATIONS)
            return default
        return found

    def number(self, key: str, default: float, least: float, most: float) -> float:
        """A number within these bounds."""
        if not self.has(key):
            return default
        found = number(self.mapping[key], least, most)
        if found is None:
            message = f"{key} takes a number from {least:g} to {most:g}"
            self.problem(message, self.mapping.at(key))
        return default if found is None else found

    def submapping(self, key: str) -> source.Mapping | None:
        """A mapping, as it stands."""
        if not self.has(key):
            return None
        value = self.mapping[key]
        if not isinstance(value, source.Mapping):
            self.wrong(key, "a mapping")
            return None
        return value

    def fields(self, key: str) -> Fields | None:
        """A mapping whose fields are read in turn."""
        value = self.submapping(key)
        return None if value is None else Fields(value, key, self.context, self.literal)

    def text_mapping(self, key: str) -> dict[str, str]:
        """Names to texts of the user's own; plain values count as they were written."""
        value = self.submapping(key)
        if value is None:
            return {}
        inner = Fields(value, key, self.context)
        return {name: inner.text(name, literal=True) for name in value}

    def data(self, key: str, literal: bool = True) -> Any:
        """Any JSON value; numbers must be finite. Variables are replaced where not `literal`."""
        if not self.has(key):
            return None
        return self.plain(self.mapping[key], self.mapping.at(key), literal)

    def plain(self, value: Any, mark: Any, literal: bool) -> Any:
        """`value` as plain JSON data."""
        if isinstance(value, source.Mapping):
            self.refuse_alike(value)
            return {k: self.plain(v, value.at(k), literal) for k, v in value.items()}
        if isinstance(value, source.Sequence):
            return [self.plain(v, value.at(i), literal) for i, v in enumerate(value)]
        if isinstance(value, float) and not math.isfinite(value):
            self.problem("JSON has no such number", mark, "put it in quotes to pass it as text")
            return None
        return value if literal or not isinstance(value, str) else self.replaced(value, mark)

    def refuse_alike(self, mapping: source.Mapping) -> None:
        """Reports keys of which one is text and reads as the other: names are text."""
        for name, key in mapping.alike.items():
            self.problem(f"'{key}' is given twice", mapping.at_key(name), "remove one of them")

    def placed(self, value: Any, mark: Any) -> Any:
        """`value` as `plain` has it, with the places of its members kept."""
        if isinstance(value, source.Mapping):
            found = source.Mapping(value.source, value.mark)
            found.marks = value.marks
            found.update({k: self.placed(v, value.at(k)) for k, v in value.items()})
            return found
        if isinstance(value, source.Sequence):
            items = source.Sequence(value.source, value.mark)
            items.marks = value.marks
            items.extend(self.placed(v, value.at(i)) for i, v in enumerate(value))
            return items
        return self.plain(value, mark, self.literal)

    def close(self, hint: Callable[[str], str] | None = None) -> None:
        """Reports every field that was never asked for."""
        if len(self.mapping) == 0:
            return
        for key in self.mapping:
            if key not in self.known and key not in self.accepted:
                way = (hint(key) if hint else "") or partial(nearest, key, self.known)
                message = f"{self.what} has no field '{key}'"
                self.problem(message, self.mapping.at_key(key), way)


Nested = Callable[[Fields, str, source.Mapping], Steps[Graph | None]]
"""Reads a graph inside a step: of its fields, of what the graph is called, and of its mapping."""
