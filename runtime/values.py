"""JSON values as the runtime writes, compares and refuses them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

SHOWN = 24
"""Characters of an item that people are shown."""
SECRET = re.compile(r"token|secret|passw|credential|api_?key|private_?key", re.IGNORECASE)
"""A name whose value is not shown."""
TOKEN = re.compile(r"(?=[A-Za-z+=]*\d)(?=[\d+=]*[A-Za-z])[A-Za-z\d+=]{20,}")
"""Text that is more likely a key or a hash than something to read."""


class NotJsonError(ValueError):
    """A value that JSON cannot hold; the message says what is wrong with it."""


def dump(value: Any, default: Any = None) -> str:
    """Compact JSON. NaN and infinity, which JSON has no word for, raise NotJsonError."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False, default=default)
    except NotJsonError:
        raise
    except ValueError as error:
        if "circular" in str(error).lower():
            raise NotJsonError("contains itself") from error
        raise NotJsonError("holds NaN or infinity, which JSON has no word for") from error
    except TypeError as error:
        raise NotJsonError(f"cannot be written as JSON ({error})") from error
    except RecursionError as error:
        raise NotJsonError("is nested too deeply") from error


def check_text(value: Any) -> None:
    r"""Raise NotJsonError for a value with text that UTF-8 cannot hold: a lone surrogate.

    >>> check_text(["caf\u00e9"])
    >>> check_text(["caf\udce9"])
    Traceback (most recent call last):
    ...
    argosy.runtime.values.NotJsonError: holds text that is not UTF-8: 'caf\udce9'
    """
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        start = max(0, error.start - 20)
        text = error.object[start : error.end + 20].strip('"[]{} ')
        raise NotJsonError(f"holds text that is not UTF-8: {text!a}") from error


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: `1` is `1.0`, and neither is `true`.

    >>> equal([1, {"a": 2}], [1.0, {"a": 2}]), equal(1, True)
    (True, False)
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    return bool(one == other)


def brief(value: Any, width: int = 60) -> str:
    """A value for a message."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= width else f"{text[: width - 3]}..."


def item_text(name: str, value: Any) -> str:
    """The item of a map as people are shown it: the beginning, on one line; of what looks like a
    secret hardly anything.

    >>> item_text("region", "eu"), item_text("day", {"n": 1}), item_text("api_token", "x")
    ('eu', '{"n": 1}', '***')
    >>> item_text("file", "s3://bucket/of/files/2026.csv"), item_text("x", "ghp16C7e42F292c6912E7")
    ('s3://bucket/of/files/20…', 'ghp16C…')
    """
    if SECRET.search(name):
        return "***"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(char if char.isprintable() else " " for char in text[: 4 * SHOWN])
    text = " ".join(text.split())
    if TOKEN.search(text):
        return f"{text[:6]}…"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def label(value: Any) -> str:
    """What tells people which item it is: of a scalar at most 20 of `a-z`, `0-9` and `-`.

    >>> label("EU West/1"), label([1])
    ('eu-west-1', '')
    """
    if isinstance(value, (list, dict)) or value is None:
        return ""
    text = value.lower() if isinstance(value, str) else json.dumps(value).lower()
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in text[:80])
    return "-".join(part for part in kept.split("-") if part)[:20].strip("-")


def keys(items: Sequence[Any]) -> list[str]:
    """The KEY parts of a map over `items`.

    >>> keys(["EU", [1]])
    ['0-eu', '1']
    """
    labels = [label(item) for item in items]
    return [f"{index}-{text}" if text else str(index) for index, text in enumerate(labels)]


def choose(value: Any, values: Mapping[str, Any], default: str | None) -> str | None:
    """The label of the branch whose value is equal to `value`, or the default."""
    for name, wanted in values.items():
        if equal(value, wanted):
            return name
    return default
