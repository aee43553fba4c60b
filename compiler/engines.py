"""The engines: the executors that manifests are rendered for, and the parts of their back ends."""

from __future__ import annotations

from importlib import import_module
from typing import Any

ENGINES = {"argo": ".argo", "kubernetes": ".kubernetes"}
"""Each one's package. Its modules `lower` and `verify` have a phase of the same name, `checks`
has `option_problems` and `warn_options`."""


def back_end(engine: str, module: str) -> Any:
    """One module of an engine's back end: each is loaded when it is needed."""
    return import_module(f"{ENGINES[engine]}.{module}", __package__)
