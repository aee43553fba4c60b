"""What the checks of steps' code are given, and what they find."""

from __future__ import annotations

import os
from typing import NamedTuple

from ..errors import Severity
from ..inspection.code import Code
from ..inspection.supply import Files, Supplies


class Inspected(NamedTuple):
    """The code of a pipeline's steps. `here`: they run on this machine, with this Python, so that
    what is not found here is not there. `complete`: all parameters of the run are known; else more
    may be given with -p. `missing`: modules that have been reported."""

    code: Code
    supplies: Supplies
    files: Files
    here: bool
    complete: bool
    missing: set[str]


def severity(certain: bool) -> Severity:
    """Of a problem; one that is not `certain` may be none where the steps run."""
    return "error" if certain else "warning"


def code_place(file: str, line: int = 0) -> str:
    """A place in the code, as people read it."""
    relative = os.path.relpath(file)
    shown = file if relative.startswith(os.pardir) else relative
    return f"{shown}:{line}" if line else shown
