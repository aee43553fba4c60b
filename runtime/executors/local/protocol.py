"""What the launcher asks of the runtime; `steps` is it, and so are the tests' own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .approvals import Open, Verdict
from .process import Child
from .schedule import Work
from .turns import Files


class Steps(Protocol):
    """Each raises ArgosyError for what is wrong."""

    def start(self, work: Work, number: int, not_for_it: Iterable[int]) -> Child:
        """Starts what runs the node of `work`, for the `number`th time. Raises OSError too."""

    def files(self, work: Work) -> Files:
        """The files that the node of `work` touches."""

    def name(self, path: str) -> str:
        """What a person calls an instance: its path, each iteration with its item."""

    def count(self, work: Work) -> int:
        """The number of iterations of a map."""

    def choose(self, work: Work) -> str | None:
        """The label of the branch that a conditional takes, or None."""

    def done(self, work: Work) -> bool:
        """Whether a round of a loop was its last."""

    def decided(self, question: Open, verdict: Verdict) -> None:
        """Records how an approval ended."""

    def success(self, work: Work) -> str:
        """How the newest attempt succeeded: `succeeded`, or `skipped` as an earlier run did it."""

    def explain(self, work: Work, status: int) -> str:
        """Why the newest attempt failed with the exit status `status`, as its record says. One that
        has no end gets it here."""
