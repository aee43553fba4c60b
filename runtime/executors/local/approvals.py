"""Approvals while they wait: what the one who started the run is asked, and what comes back.

A question is a line of JSON to the parent, `{"ask": {"step", "name", "message"}}`, and so is what
takes it back, `{"withdraw": step}`. The parent answers with `{"step", "approved", "by"}`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from argosy.runtime.approval import too_late
from argosy.runtime.attempt import now
from argosy.runtime.lines import Lines

from .schedule import Work


class Verdict(NamedTuple):
    """How an approval ended: `message` says why it failed; `by` who decided, and `how`. `stopped`
    is the exit status of the run where that was stopped first."""

    approved: bool
    message: str = ""
    by: str = ""
    how: str = ""
    stopped: int = 0


class Open(NamedTuple):
    """A question that nobody has answered yet; `started` is a time as the records have it, `name`
    what a person calls the step."""

    work: Work
    began: float
    started: str
    name: str


class Approvals:
    """The questions of one run. `tell` says a line to the parent; None where there is no parent."""

    def __init__(self, tell: Callable[[Mapping[str, Any]], None] | None) -> None:
        self._tell = tell
        self._open: dict[str, Open] = {}
        self._lines = Lines()

    def __len__(self) -> int:
        return len(self._open)

    def ask(self, work: Work, began: float, name: str) -> tuple[Open, Verdict | None]:
        """Asks, or says at once how it ended: where the run was started with a yes to it, or where
        there is nobody to ask."""
        question = Open(work, began, now(), name)
        if given := work.lnode.get("approved"):
            return question, Verdict(True, by=given["by"], how=given["how"])
        if self._tell is None:
            return question, Verdict(False, "nobody can be asked to approve it")
        self._open[work.path] = question
        message = work.lnode["message"]
        self._tell({"ask": {"step": work.path, "name": name, "message": message}})
        return question, None

    def heard(self, data: bytes) -> Iterator[tuple[Open, Verdict]]:
        """What the parent's words decide; an answer to what is no question any more is none."""
        for line in self._lines.feed(data):
            answer = json.loads(line)
            question = self._open.pop(answer["step"], None)
            if question is not None:
                by = answer["by"]
                message = "" if answer["approved"] else f"{by} did not approve it"
                yield question, Verdict(answer["approved"], message, by, "asked")

    def due(self) -> float | None:
        """When the first of them is too late."""
        return min((at for question in self._open.values() if (at := _due(question))), default=None)

    def overdue(self, clock: float) -> Iterator[tuple[Open, Verdict]]:
        """Those that nobody answered in time."""
        for path, question in list(self._open.items()):
            due = _due(question)
            if due is not None and due <= clock:
                del self._open[path]
                if self._tell is not None:
                    self._tell({"withdraw": path})
                yield question, Verdict(False, too_late(question.work.lnode["timeout"]))

    def dropped(self, why: str, exit_status: int) -> Iterator[tuple[Open, Verdict]]:
        """All that are left, when the run is stopped."""
        while self._open:
            yield self._open.popitem()[1], Verdict(False, why, stopped=exit_status)


def _due(question: Open) -> float | None:
    timeout = question.work.lnode.get("timeout")
    return None if timeout is None else question.began + float(timeout)
