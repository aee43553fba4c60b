"""The output of a run's pods, as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from threading import Lock, Thread

import click

from ..cluster.engine import Engine, Execution, Instance
from ..cluster.errors import ClusterError, NotFoundError, RefusedError

PAUSE = 1.0
"""Seconds until a pod whose container is not there yet is asked again."""
BEGUN = {"running", "succeeded", "failed"}


class Pods:
    """A thread for each pod that writes; whole lines reach the terminal, one at a time."""

    def __init__(self, engine: Engine, follow: bool) -> None:
        self._engine = engine
        self._follow = follow
        self._threads: dict[str, Thread] = {}
        self._turn = Lock()

    def show(self, execution: Execution, steps: Iterable[Instance], prefix: bool) -> None:
        """Begins to show the pods of these steps that are new."""
        for step in steps:
            if step.pod and step.pod not in self._threads and step.status in BEGUN:
                head = f"{step.name} | ".encode() if prefix else b""
                thread = Thread(target=self._read, args=(execution, step, head), daemon=True)
                self._threads[step.pod] = thread
                thread.start()
                if not self._follow:  # one after the other, in the order of the steps
                    thread.join()

    def close(self) -> None:
        """Waits until all have been shown."""
        for thread in self._threads.values():
            thread.join()

    def _read(self, execution: Execution, step: Instance, head: bytes) -> None:
        try:
            self._show(execution, step, head)
        except NotFoundError:
            self._say(f"{step.name}: its pod is gone; the run log may have its output")
        except ClusterError as error:
            self._say(f"{step.name}: {error}")

    def _show(self, execution: Execution, step: Instance, head: bytes) -> None:
        while True:
            try:
                for line in self._engine.output(execution, step, self._follow):
                    with self._turn:
                        click.echo(head + line)
            except RefusedError:  # its container is being made
                if not self._follow:
                    raise
                time.sleep(PAUSE)
            else:
                return

    def _say(self, text: str) -> None:
        with self._turn:
            click.echo(text, err=True)


def show_pods(
    engine: Engine,
    execution: Execution,
    chosen: Callable[[Execution], list[Instance]],
    follow: bool,
    prefix: bool,
) -> None:
    """What the pods of the steps that `chosen` chooses have written; with `follow` until the run
    has ended."""
    pods = Pods(engine, follow)
    for current in engine.watch(execution.name) if follow else [execution]:
        pods.show(current, chosen(current), prefix)
        if current.finished:
            break
    pods.close()
