"""Where a step leaves a sign for a test, or for its next attempt: its own working directory is gone
when it has ended."""

from __future__ import annotations

from pathlib import Path


def marks_of(folder: Path) -> Path:
    """The directory of the signs of a run that starts in `folder`."""
    found = folder.with_name(f"{folder.name}-marks")
    found.mkdir(exist_ok=True)
    return found


def with_marks(text: str, folder: Path) -> str:
    """A step's code, with the path of that directory for `{marks}`."""
    return text.replace("{marks}", str(marks_of(folder)))
