"""What reads an option's value: each reader takes a value as YAML has it, and gives it as the back
end wants it or raises WrongValue with everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from argosy.runtime.suggestions import nearest

from ..parse import fields
from ..parse.fields import name_of
from ..schema.faults import path_of
from ..schema.fields import check_fields
from ..schema.versions import ARGO

LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
Path = tuple[str | int, ...]
Reader = Callable[[Any], Any]


class Fault(NamedTuple):
    """What is wrong with the value at `path`, and the way out."""

    path: Path
    message: str
    hint: str = ""


class WrongValue(Exception):
    """A value that an option does not take; the paths of `faults` lead on from it."""

    def __init__(self, message: str = "", hint: str = "", faults: Iterable[Fault] = ()) -> None:
        self.faults = tuple(faults) or (Fault((), message, hint),)
        super().__init__(message)


def text(value: Any) -> str:
    """Text that is not empty."""
    if not isinstance(value, str):
        hint = "put it in quotes" if isinstance(value, (int, float)) else ""
        raise WrongValue(f"takes text, not {name_of(value)}", hint)
    if not value.strip():
        raise WrongValue("is empty")
    return value


def integer(value: Any, least: int = 1) -> int:
    """A whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongValue(f"takes a whole number, not {name_of(value)}")
    if value < least:
        raise WrongValue(f"must be at least {least}")
    if value > fields.MOST_COUNT:
        raise WrongValue(f"must be at most {fields.MOST_COUNT:,}")
    return value


def boolean(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise WrongValue(f"takes true or false, not {name_of(value)}")
    return value


def seconds(value: Any) -> float:
    """A duration above 0."""
    found = fields.seconds(value)
    if found is None:
        raise WrongValue(f"takes {fields.DURATION}", fields.DURATIONS)
    return found


def wait(value: Any) -> float:
    """A duration, which may be 0."""
    found = fields.seconds(value, least=0)
    if found is None:
        raise WrongValue("takes a duration below 31 years", fields.DURATIONS)
    return found


def plain(value: Any) -> str:
    """A variable's text; whole numbers and booleans have one way to be written."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if value == "":
        return ""
    return text(value)


def choice(*known: str) -> Reader:
    """One of some words."""

    def read(value: Any) -> str:
        if value not in known:
            raise WrongValue(f"cannot be {value!r}", nearest(str(value), known))
        return str(value)

    return read


def matching(pattern: str, hint: str) -> Reader:
    """Text of a form. It is compiled when it is needed: most configurations need few of them."""

    def read(value: Any) -> str:
        found = text(value)
        if not re.fullmatch(pattern, found):
            raise WrongValue(f"cannot be {found!r}", hint)
        return found

    return read


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts; one text is a list of one."""
    return tuple(listed(text)(value if isinstance(value, list) else [text(value)]))


def listed(item: Reader) -> Reader:
    """A list."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise WrongValue(f"takes a list, not {name_of(value)}")
        return tuple(_each((index, item, entry) for index, entry in enumerate(value)))

    return read


def mapping(item: Reader, key: Reader = text) -> Reader:
    """Names of the user's own to values of one kind; `null` leaves a name out."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise WrongValue(f"takes a mapping, not {name_of(value)}")
        given = {name: entry for name, entry in value.items() if entry is not None}
        names = _each((str(name), key, name) for name in given)
        values = _each((str(name), item, entry) for name, entry in given.items())
        return dict(zip(names, values, strict=True))

    return read


def record(known: Mapping[str, Reader]) -> Reader:
    """A mapping with known fields."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise WrongValue(f"takes a mapping, not {name_of(value)}")
        unknown = [
            Fault((str(name),), f"has no field '{name}'", nearest(str(name), known))
            for name in value
            if name not in known
        ]
        if unknown:
            raise WrongValue(faults=unknown)
        given = {name: entry for name, entry in value.items() if entry is not None}
        values = _each((name, known[name], entry) for name, entry in given.items())
        return dict(zip(given, values, strict=True))

    return read


class Shaped:
    """Reads a value of a type of the schema, as it is; `[Toleration]` is a list of them. `partial`:
    it is merged with another, and may lack what is required."""

    def __init__(self, type_: str, *, partial: bool = False) -> None:
        self.type_ = type_
        self.partial = partial

    def __call__(self, value: Any) -> Any:
        self.check(value, ARGO)
        return value

    def check(self, value: Any, version: str) -> None:
        """Raises WrongValue where this version of Argo does not take the value."""
        faults = [
            Fault(path_of(fault.place), fault.message, fault.hint)
            for fault in check_fields(value, self.type_, version, partial=self.partial)
        ]
        if faults:
            raise WrongValue(faults=faults)


def _each(parts: Iterator[tuple[str | int, Reader, Any]]) -> list[Any]:
    """Reads values inside another; what is wrong with any is said with its place."""
    found, faults = [], []
    for name, read, value in parts:
        try:
            found.append(read(value))
        except WrongValue as wrong:
            faults += [Fault((name, *path), said, hint) for path, said, hint in wrong.faults]
    if faults:
        raise WrongValue(faults=faults)
    return found


dns_name = matching(
    r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", "lower-case letters, digits, '-' and '.'"
)
dns_label = matching(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", "lower-case letters, digits and '-'")
label_key = matching(
    r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?",
    "a name, or prefix/name",
)


def label_value(value: Any) -> str:
    """A label's text; what the engine makes of a text with {{ is its own."""
    found = plain(value)
    if "{{" not in found and not LABEL.fullmatch(found):
        hint = "63 letters, digits, '-', '_' and '.' at most, a letter or digit first and last"
        raise WrongValue(f"cannot be {found!r}", hint)
    return found


def image(value: Any) -> str:
    """A reference of an image; what the engine makes of a text with {{ is its own."""
    found = text(value)
    if "{{" not in found and not fields.IMAGE.fullmatch(found):
        raise WrongValue(f"cannot be {found!r}", fields.IMAGE_FORM)
    return found
