"""JSON objects of a run log, where they may be damaged: by a machine that lost its power, a disk
that was full, or somebody else's file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .errors import UnreadableError

if TYPE_CHECKING:
    from .service import RunLogStore


def read_document(store: RunLogStore, key: str) -> dict[str, Any] | None:
    """The JSON object at `key`; None where there is no object. Raises UnreadableError where what is
    there cannot be read, and ServiceError where the store cannot be asked."""
    data = store.get(key)
    if data is None:
        return None
    if not data:
        raise UnreadableError(f"run log: {key} is empty")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"run log: {key} is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise UnreadableError(f"run log: {key} is not a JSON object")
    return found
