"""A line of the table."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """`top`: it is in the README too."""

    what: str
    measured: str
    goal: str
    top: bool = False
