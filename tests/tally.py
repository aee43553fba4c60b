"""How often each fault was tried, and what was lost: the table of the README."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- faults -->", "<!-- /faults -->"
_counts: dict[str, tuple[int, int]] = {}


def count(fault: str, tried: int, lost: int) -> None:
    before = _counts.get(fault, (0, 0))
    _counts[fault] = (before[0] + tried, before[1] + lost)


@contextmanager
def counted(fault: str, times: int) -> Iterator[list[str]]:
    """Takes down what so many trials of a fault cost, and wants it to be nothing."""
    gone: list[str] = []
    yield gone
    count(fault, times, len(gone))
    assert not gone


def table() -> str:
    lines = ["| fault | tried | lost |", "|---|---|---|"]
    lines += [f"| {name} | {tried} | {lost} |" for name, (tried, lost) in _counts.items()]
    return "\n".join(lines)


def write() -> None:
    """Puts the table in its place, where ARGOSY_TEST_UPDATE asks for that."""
    if os.environ.get("ARGOSY_TEST_UPDATE") != "1":
        return
    document = README.read_text("utf-8")
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    text = f"{BEGIN}\n{table()}\n{END}"
    README.write_text(re.sub(pattern, lambda _: text, document, flags=re.DOTALL), "utf-8")
