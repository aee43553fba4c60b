"""Where a run is watched: a terminal, on which the graph is drawn again and again, or anything
else, which gets a line for each thing that happens."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from typing import Any, TextIO

import click

from argosy.runtime.executors.local.report import duration

from ..cluster.engine import Execution, Instance
from ..cluster.pods import STARTING
from .view import LEFT, ending, lines, notes

SAID = ("running", "succeeded", "failed", "cancelled", "omitted", "skipped", "not_started")


class Screen:
    """Anything but a terminal."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.time) -> None:
        self.out = out
        self.clock = clock
        self._seen: dict[str, tuple[str, int, str]] = {}
        self._noted: set[str] = set()

    def show(self, execution: Execution) -> None:
        """The run as it is now."""
        for step in execution.steps:
            trouble = _trouble(step)
            now = (step.status, step.attempts, step.answer or trouble.partition(":")[0])
            told = step.status in SAID or step.answer or trouble
            if now != self._seen.get(step.path) and told:
                self.say(_said(step))
            self._seen[step.path] = now
        if execution.message and not execution.finished:
            self._note(f"{execution.run}: {execution.status}: {execution.message}")
        for note in notes(execution):
            self._note(note)

    def _note(self, note: str) -> None:
        """Say once what is no change of a step."""
        if note not in self._noted:
            self._noted.add(note)
            self.say(note)

    def end(self, execution: Execution) -> None:
        """The run as it ended."""
        self.show(execution)
        took = ""
        if execution.started and execution.ended:
            took = f" after {duration(execution.ended - execution.started)}"
        why = f": {execution.message}" if execution.message else ""
        self.say(f"{execution.run}: {ending(execution)}{took}{why}")

    def say(self, text: str) -> None:
        click.echo(text, file=self.out)


class Terminal(Screen):
    """Draws over what it drew before, never more than there is room for."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.time) -> None:
        super().__init__(out, clock)
        self._drawn = 0

    def show(self, execution: Execution) -> None:
        size = shutil.get_terminal_size()
        self._draw(lines(execution, self.clock(), size.columns - 1, size.lines - 1, color=True))

    def end(self, execution: Execution) -> None:
        """All of it, whether there is room or not: it scrolls."""
        size = shutil.get_terminal_size()
        self._draw(lines(execution, self.clock(), size.columns - 1, color=True))
        self._drawn = 0

    def _draw(self, found: list[str]) -> None:
        back = f"\x1b[{self._drawn}A\r\x1b[J" if self._drawn else ""
        self.out.write(back + "".join(f"{line}\n" for line in found))
        self.out.flush()
        self._drawn = len(found)


def screen(out: Any) -> Screen:
    """What suits where `out` goes."""
    live = out.isatty() and os.environ.get("TERM") not in (None, "dumb")
    return Terminal(out) if live else Screen(out)


def _trouble(step: Instance) -> str:
    """Why the pod of a step does not start, such as an image that cannot be pulled."""
    text = " ".join(step.message.split()) if step.status == "pending" else ""
    return "" if text.partition(":")[0] in STARTING else text


def _said(step: Instance) -> str:
    name = step.name
    if step.status == "running":
        return f"{name}: started" + (f", attempt {step.attempts}" if step.attempts > 1 else "")
    if step.answer:
        return f"{name}: waits for a person: {' '.join(step.message.split())}".rstrip(": ")
    if trouble := _trouble(step):
        return f"{name}: {step.status}: {trouble}"
    took = ""
    if step.status in ("succeeded", "failed", "cancelled") and step.started and step.ended:
        took = f" after {duration(step.ended - step.started, whole=True)}"
    tells = step.status in ("failed", *LEFT)
    why = f": {' '.join(step.message.split())}" if tells and step.message else ""
    return f"{name}: {step.status.replace('_', ' ')}{took}{why}"
