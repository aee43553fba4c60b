"""What is a definition of Magnus's, and what Magnus takes for granted where it is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import source

CONFIGURATION = "magnus-config.yaml"
"""The file beside a definition whose `defaults` are its configuration."""
ENDS = {"success", "fail"}
OUTPUT_TAG = "magnus_output"
"""The tag of the cell whose output is returned, where a notebook names none."""


def is_magnus(document: Any) -> bool:
    """Whether a definition was written for Magnus: it has no `name`, its graph is a chain, and that
    defines the two ends that Magnus requires, or a configuration of Magnus's is beside it."""
    dag = document.get("dag") if isinstance(document, source.Mapping) else None
    if not isinstance(dag, source.Mapping) or "start_at" not in dag or "name" in document:
        return False
    steps = dag.get("steps")
    bodies = steps.values() if isinstance(steps, dict) else ()
    types = [body.get("type") for body in bodies if isinstance(body, dict)]
    ends = [kind for kind in types if isinstance(kind, str) and kind in ENDS]
    return set(ends) == ENDS or configuration_beside(document.source.name) is not None


def configuration_beside(definition: str) -> str | None:
    """The path of the configuration beside a definition."""
    path = Path(definition).with_name(CONFIGURATION) if Path(definition).name else None
    return str(path) if path and path.is_file() else None


def extension_keys(document: source.Mapping) -> list[str]:
    """The keys of a file whose values are for other places in it, and mean nothing themselves:
    those that begin with `x-`, and those with an anchor in their value."""
    return [key for key in document if key.startswith("x-") or key in document.anchored]
