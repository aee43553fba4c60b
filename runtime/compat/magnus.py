"""What the code of a step imports from Magnus, by the same names and with the same arguments.

Found by steps of a definition that was written for Magnus, before Magnus itself where that is
installed: its own functions work in its own runs only.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from argosy.runtime import api
from argosy.runtime.errors import NodeError, TaskError

__all__ = [
    "end_interactive_session",
    "get_experiment_tracker_context",
    "get_from_catalog",
    "get_object",
    "get_parameter",
    "get_run_id",
    "get_run_log",
    "get_secret",
    "get_tag",
    "put_in_catalog",
    "put_object",
    "set_parameter",
    "start_interactive_session",
    "track_this",
]
_FOLDERS = (os.path.join(part, "magnus") for part in sys.path)
__path__ = [folder for folder in _FOLDERS if os.path.isdir(folder)]
"""A folder `magnus` of the user's without an `__init__.py`: its modules are found as before."""
DO_NOTHING = "do-nothing"
"""The catalog that keeps nothing."""
DEFINED = {"Catalog", "Fail", "Map", "Parallel", "Pipeline", "Stub", "Success", "Task"}
"""With these Magnus defines a pipeline in Python."""


def track_this(step: int = 0, **kwargs: Any) -> None:
    """Keeps metrics; those of several steps are a series."""
    for name, value in kwargs.items():
        api.track_this(step, **{name: value})


def set_parameter(**kwargs: Any) -> None:
    """Sets parameters for the steps after this one."""
    for name, value in kwargs.items():
        api.set_parameter(name, value)


def get_parameter(key: str | None = None, cast_as: Any = None) -> Any:
    """The value of a parameter, or all of them, as `cast_as` where that is given."""
    step = api.current("get_parameter")
    if key:
        value = step.parameter(key)
    else:
        value = {name: step.parameter(name) for name in step.names() if not step.is_object(name)}
    if cast_as is None:
        return value
    from argosy.runtime.tasks.convert import convert

    try:
        return convert(value, cast_as)
    except (ValueError, TypeError) as error:
        raise TaskError(f"get_parameter: '{key or 'all of them'}' {error}") from error


def get_secret(secret_name: str) -> str:
    """A secret of the provider's."""
    return api.get_secret(secret_name)


def get_from_catalog(name: str, destination_folder: str = "") -> None:
    """Brings the files that the pattern `name` matches into a folder, else the working folder."""
    from argosy.runtime.data import bring
    from argosy.runtime.patterns import checked, matcher

    step = api.current("get_from_catalog")
    if step.catalog.service_provider == DO_NOTHING:
        return
    match = matcher(checked(name)).match
    names = [known for known in sorted(step.state.catalog) if match(known)]
    if not names:
        raise TaskError(f"get_from_catalog: there is no file '{name}' in the catalog")
    for known in names:
        path = os.path.join(destination_folder, known)
        bring(step.catalog, step.state.catalog, known, path)


def put_in_catalog(filepath: str) -> None:
    """Has the files that the pattern `filepath` matches kept, a folder with all that is in it."""
    if api.current("put_in_catalog").catalog.service_provider == DO_NOTHING:
        return
    paths = [path for path in _files(filepath) if os.path.isfile(path)]
    if not paths:
        raise TaskError(f"put_in_catalog: there is no file {filepath}")
    for path in paths:
        api.put_in_catalog(path)


def _files(pattern: str) -> Iterator[str]:
    for path in sorted(glob.glob(pattern, recursive=True)):
        if os.path.isdir(path):
            yield from sorted(glob.glob(f"{glob.escape(path)}/**", recursive=True))
        else:
            yield path


def put_object(data: Any, name: str) -> None:
    """Keeps any object that can be pickled."""
    api.put_object(name, data)


def get_object(name: str) -> Any:
    """An object that an earlier step put."""
    return api.get_object(name)


def get_run_id() -> str:
    """The id of this run."""
    return api.run_id()


def get_tag() -> str:
    """Nothing: a run has no tag."""
    return ""


def get_run_log() -> Any:
    """Raises NodeError: a step does not see the records of others."""
    raise NodeError(
        "get_run_log() has no counterpart here: `argosy show RUN -o json` gives a run's records"
    )


@contextmanager
def get_experiment_tracker_context() -> Iterator[None]:
    """Does nothing: no experiment tracker is configured."""
    yield


def start_interactive_session(
    run_id: str = "", config_file: str = "", tag: str = "", parameters_file: str = ""
) -> None:
    """Does nothing in a step; raises NodeError elsewhere."""
    api.current("start_interactive_session")


def end_interactive_session() -> None:
    """Does nothing."""


def __getattr__(name: str) -> Any:
    if name in DEFINED:
        raise ImportError(
            f"magnus.{name} defines a pipeline in Python, which has no counterpart here: write it "
            "as YAML"
        )
    raise AttributeError(f"module 'magnus' has no attribute '{name}'")
