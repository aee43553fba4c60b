"""What runs one node of a pipeline, wherever that is; and the functions for the code of a step:

from argosy.runtime import get_parameter, set_parameter, put_in_catalog
"""

from __future__ import annotations

# Nothing is imported here, not even typing: `python -m argosy.runtime` runs this while the working
# folder still comes first, where a user's module may have the name of one of Python's.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .api import (
        attempt_number,
        get_from_catalog,
        get_object,
        get_parameter,
        get_secret,
        map_count,
        map_index,
        map_variable,
        put_in_catalog,
        put_object,
        run_id,
        set_parameter,
        step_name,
        track_this,
    )

__all__ = [
    "attempt_number",
    "get_from_catalog",
    "get_object",
    "get_parameter",
    "get_secret",
    "map_count",
    "map_index",
    "map_variable",
    "put_in_catalog",
    "put_object",
    "run_id",
    "set_parameter",
    "step_name",
    "track_this",
]


def __getattr__(name: str) -> Any:
    # The program that runs a node imports this package first, and needs none of these.
    if name in __all__:
        from . import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
