"""What the launcher asks while it runs a pipeline: put to the one at the terminal, one question
after the other, and answered."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import click

from argosy.runtime.lines import Lines
from argosy.runtime.suggestions import nearest

from ..errors import Problem, SettingsError
from ..graph import Approval, Graph
from ..settings import every_node

YES, NO = ("y", "yes"), ("n", "no")
CHUNK = 1 << 16


def approved(
    graph: Graph, names: Iterable[str], everything: bool, alone: bool
) -> dict[str, dict[str, str]]:
    """By name, who has said yes to approvals beforehand, and how. Raises UsageError for a name that
    none has, and, where the one who started the run is not at a terminal (`alone`), SettingsError
    for approvals that nobody could give."""
    nodes = [node for _, node in every_node(graph) if isinstance(node.spec, Approval)]
    known = {node.name for node in nodes}
    for name in names:
        if name not in known:
            hint = nearest(name, known) if known else "the pipeline has no approvals"
            raise click.UsageError(f"--approve: no approval is called '{name}'; {hint}")
    given = known if everything else known & set(names)
    if alone and (left := [node for node in nodes if node.name not in given]):
        raise SettingsError(
            [
                Problem(
                    f"nobody can be asked to approve '{node.name}': this is no terminal",
                    node.at,
                    f"--approve '{node.name}' says yes to it, --approve-all to all",
                )
                for node in left
            ]
        )
    how = "--approve-all" if everything else "--approve"
    return {name: {"by": user(), "how": how} for name in given}


def user() -> str:
    """Who this is, as far as the system knows."""
    import getpass  # few runs have anything to approve

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as containers have
        return str(os.getuid())


def listen(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What the launcher says last, which is how the run ended; {} where it says nothing. On the way
    its questions are answered."""
    desk = Desk(process)
    while desk.hear():
        pass
    return desk.last


class Desk:
    """Waits for the launcher and, while it has asked something, for a line from the terminal."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("the launcher has no pipes")
        self.last: dict[str, Any] = {}
        self._to, self._from = process.stdin, process.stdout.fileno()
        self._questions: dict[str, str] = {}
        self._lines = Lines()
        self._terminal = -1
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._from, selectors.EVENT_READ)

    def hear(self) -> bool:
        """Deals with what comes next; False once the launcher says no more."""
        for key, _ in self._selector.select():
            data = os.read(key.fd, CHUNK)
            if key.fd != self._from:
                self._answered(data.decode(errors="replace").strip().lower(), ended=not data)
            elif not data:
                self._selector.close()
                return False
            else:
                for line in self._lines.feed(data):
                    self._told(json.loads(line))
        return True

    def _told(self, word: Mapping[str, Any]) -> None:
        if "ask" in word:
            question = word["ask"]
            self._questions[question["step"]] = f"approve {question['name']}? {question['message']}"
            if len(self._questions) == 1:
                self._put()
        elif "withdraw" in word:
            self._next(word["withdraw"])
        else:
            self.last = dict(word)

    def _put(self) -> None:
        """Puts the first question."""
        question = next(iter(self._questions.values()))
        click.echo(f"{question.rstrip()} [y/n]", err=True)
        if self._terminal < 0:
            self._terminal = sys.stdin.fileno()
            self._selector.register(self._terminal, selectors.EVENT_READ)

    def _answered(self, text: str, ended: bool) -> None:
        step = next(iter(self._questions))
        if text not in (*YES, *NO) and not ended:
            self._put()
            return
        answer = {"step": step, "approved": text in YES, "by": user()}
        with suppress(BrokenPipeError):  # it is gone; its end says so
            self._to.write(json.dumps(answer).encode() + b"\n")
            self._to.flush()
        self._next(step)

    def _next(self, step: str) -> None:
        """A question is no more: the terminal is asked the one after it, or nothing."""
        self._questions.pop(step, None)
        if self._questions:
            self._put()
        elif self._terminal >= 0:
            self._selector.unregister(self._terminal)
            self._terminal = -1
