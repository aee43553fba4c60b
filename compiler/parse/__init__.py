"""`parse`: the values of a definition into a Pipeline.

`fields` reads one mapping, `steps` has a function for each type of node, `edges` turns both forms
(chain and edge) into incoming edges. All problems of all files are collected; nothing is raised.
"""

from __future__ import annotations

from .definition import parse
from .fields import Context, Fields, duration

__all__ = ["Context", "Fields", "duration", "parse"]
