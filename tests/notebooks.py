"""Notebooks as tests write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook


def write(path: Path, *cells: str | tuple[str, str], **metadata: Any) -> None:
    """A notebook of these cells; a pair is a tag and a source."""
    pairs = [("", cell) if isinstance(cell, str) else cell for cell in cells]
    code = [new_code_cell(text, metadata={"tags": [tag] if tag else []}) for tag, text in pairs]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=code, metadata=metadata), path)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)
