"""What a user merges over an object that is made."""

from __future__ import annotations

from typing import Any


def merged(under: Any, over: Any) -> Any:
    """`over` deep-merged over `under`: lists of things with names by name, other lists whole; null
    removes a key.

    >>> merged({"env": [{"name": "A", "value": "1"}], "args": [1]},
    ...        {"env": [{"name": "B", "value": "2"}], "args": None})
    {'env': [{'name': 'A', 'value': '1'}, {'name': 'B', 'value': '2'}]}
    """
    if isinstance(under, dict) and isinstance(over, dict):
        found = {key: value for key, value in under.items() if key not in over}
        whole = {key: merged(under.get(key), value) for key, value in over.items()}
        order = {**under, **over}
        both = {**found, **whole}
        return {key: both[key] for key in order if both[key] is not None}
    if _named(under) and _named(over):
        by_name = {item["name"]: item for item in under}
        for item in over:
            by_name[item["name"]] = merged(by_name.get(item["name"]), item)
        return list(by_name.values())
    return over


def _named(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and "name" in item for item in value
    )
