"""Traversal: a pipeline definition into the manifests of an engine, or into a plan to run locally.

`compile(Request(...))` runs the phases of `phases`; the `argosy` command is in `cli`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compilation import Compilation, Request
    from .phases import compile

__all__ = ["Compilation", "Request", "compile"]


def __getattr__(name: str) -> Any:
    """Loads what is asked for, so that `argosy --help` need not load it all."""
    if name == "compile":
        from .phases import compile

        return compile
    if name in __all__:
        from . import compilation

        return getattr(compilation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
