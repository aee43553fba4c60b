"""What the code of a step calls: `from argosy.runtime import get_parameter, ...`.

Works in the step's own process and in those that it starts. Outside a step each says so.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .entries import map_place
from .errors import NodeError
from .step import FOLDER, Step

if TYPE_CHECKING:
    from pathlib import Path

_MISSING: Any = object()
_current: Step | None = None


def enter(step: Step) -> None:
    """Makes `step` the one that this process is in."""
    global _current  # noqa: PLW0603 - a process is in one step
    _current = step


def current(function: str) -> Step:
    """The step that this process is in. Raises NodeError where it is in none."""
    step = _current
    if step is None:
        if not os.environ.get(FOLDER):
            raise NodeError(
                f"{function}() works in a step of a pipeline only; here none is running. "
                "To try a step's code alone, call your function with arguments of your own"
            )
        step = Step.opened(os.environ)
        enter(step)
    return step


def get_parameter(name: str, default: Any = _MISSING) -> Any:
    """The JSON value of a parameter. Without a `default`, raises TaskError where there is none."""
    step = current("get_parameter")
    return step.parameter(name) if default is _MISSING or step.has(name) else default


def set_parameter(name: str, value: Any) -> None:
    """Sets a parameter for the steps after this one. Raises TaskError for a value that JSON cannot
    hold; `put_object` keeps any."""
    current("set_parameter").set(name, value)


def get_object(name: str) -> Any:
    """An object that `put_object` kept in an earlier step; after a map, the list of them."""
    return current("get_object").object(name)


def put_object(name: str, value: Any) -> None:
    """Keeps any object that can be pickled, for steps that run the same code."""
    current("put_object").put_object(name, value)


def get_secret(name: str) -> str:
    """A secret that the step names in its definition."""
    return current("get_secret").secret(name)


def get_from_catalog(name: str, path: str | os.PathLike[str] | None = None) -> Path:
    """Brings a file of the catalog to `path`, or to its own name in the working folder."""
    from pathlib import Path

    from .data import bring

    step = current("get_from_catalog")
    return Path(bring(step.catalog, step.state.catalog, name, os.fspath(path or name)))


def put_in_catalog(path: str | os.PathLike[str], name: str | None = None) -> None:
    """Has a file kept in the catalog when the step has succeeded, under its path in the working
    folder or under `name`."""
    from .data import name_of

    step = current("put_in_catalog")
    step.keep(name_of(os.fspath(path)) if name is None else name_of(name), os.fspath(path))


def track_this(step: int | None = None, **values: Any) -> None:
    """Keeps metrics in the step's record; with `step`, as one of a series.

    `track_this(rows=3)`; `track_this(step=10, loss=0.2)`
    """
    now = current("track_this")
    for name, value in values.items():
        now.track(name, value, step)


def run_id() -> str:
    """The id of this run."""
    return current("run_id").context.run


def step_name() -> str:
    """This step's path in the graph, with the index of each map that it is in."""
    return current("step_name").name


def attempt_number() -> int:
    """Which attempt at this step this is, from 1."""
    return current("attempt_number").attempt


def map_index() -> int | None:
    """The index, from 0, of this step's iteration of the innermost map; None outside of maps."""
    return map_place(current("map_index").state)[0]


def map_count() -> int | None:
    """How many iterations the innermost map has; None outside of maps."""
    return map_place(current("map_count").state)[1]


def map_variable() -> dict[str, Any]:
    """The item of each map that this step is in, by the name that the map gives it."""
    return dict(current("map_variable").map_variable)
