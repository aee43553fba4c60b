"""Following a run to its end, and saying what failed in it, why, and how to go on."""

from __future__ import annotations

import shlex
import time
from collections import deque
from collections.abc import Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import Thread

from argosy.runtime.layout import leaves
from argosy.runtime.service import RunLogStore

from ..cluster.engine import Engine, Execution, Instance
from ..cluster.errors import ClusterError
from . import history
from .screen import Screen
from .session import Session

TICK = 0.5
"""Seconds between two looks at the clock."""
PAUSE = 1.0
"""Seconds between two looks into a run log."""
EXPLAINED = 3
"""So many failed steps are explained, by so many of their last lines:"""
LINES = 10


def follow(changes: Iterable[Execution], screen: Screen) -> Execution:
    """Shows a run until it has ended; how it did. Raises what `changes` raises."""
    found: SimpleQueue[Execution | Exception] = SimpleQueue()
    Thread(target=_read, args=(changes, found), daemon=True).start()
    current: Execution | None = None
    while True:
        try:
            news = found.get(timeout=TICK)
            while not found.empty():
                news = found.get()
            if isinstance(news, Exception):
                raise news
            current = news
        except Empty:
            pass
        if current is None:
            continue
        if current.finished:
            screen.end(current)
            return current
        screen.show(current)


def _read(changes: Iterable[Execution], found: SimpleQueue[Execution | Exception]) -> None:
    try:
        for one in changes:
            found.put(one)
            if one.finished:
                return
    except Exception as error:  # it is raised where it can be shown
        found.put(error)


def from_log(store: RunLogStore, run: str) -> Iterator[Execution]:
    """A run of this machine, as its log has it from time to time."""
    while True:
        found = history.read(store, run)
        known = ("succeeded", "running", "cancelled")
        status = found.status if found.status in known else "failed"
        times = found.started, found.ended
        yield Execution(found.id, found.id, status, "", *times, logged_steps(store, found))
        time.sleep(PAUSE)


def changes(session: Session, engine: Engine, name: str) -> Iterator[Execution]:
    """A run of a cluster at each change, or from time to time where its steps cannot be seen."""
    if engine.shows_steps:
        for execution in engine.watch(name):
            if execution.note:
                break
            yield execution
    yield from with_log(session, engine, name)


def with_log(session: Session, engine: Engine, name: str) -> Iterator[Execution]:
    """A run of a cluster that does not know of steps, from time to time, with those that its log
    has."""
    while True:
        execution = engine.get(name)
        run = session.log(execution.run)
        steps = logged_steps(session.must_store(), run) if run else ()
        yield execution._replace(steps=steps)
        time.sleep(PAUSE)


def logged_steps(store: RunLogStore, run: history.Run) -> tuple[Instance, ...]:
    """The steps of a run, as its log tells of them."""
    return tuple(
        Instance(
            step.path,
            step.status,
            step.started,
            step.ended,
            len(step.attempts),
            step.message,
            label=step.label,
        )
        for step in run.every_step(history.patterns(store, run.id))
    )


def explain(session: Session, execution: Execution, options: Iterable[str]) -> Iterator[str]:
    """Lines on what failed, why, and how to go on from there with these options."""
    every = [step for step in execution.steps if step.status == "failed"]
    lowest = set(leaves(step.path for step in every))  # why a composite failed
    failed = [step for step in every if step.path in lowest]
    run = session.log(execution.run)
    if run and not failed:  # such as a map that could not read its list, on an engine
        for failure in run.end.get("failures") or ():
            if failure.get("message"):
                yield f"\n{history.failure_text(failure)}"
    for step in failed[:EXPLAINED]:
        message, last = _logged(session, run, step) if run else ("", [])
        told = message or step.message or "failed"
        yield f"\n{step.name}: {told}"
        for line in last or _written(session, execution, step):
            yield f"  | {line}"
    if len(failed) > EXPLAINED:
        yield f"\nand {len(failed) - EXPLAINED} more; `argosy logs` has the output of each"
    if session.engine:
        again = shlex.join(["argosy", "retry", execution.run, *options])
        yield f"\nto go on from there: {again}"


def _logged(session: Session, run: history.Run, step: Instance) -> tuple[str, list[str]]:
    """What the run log says of a failed step: the message, and the last lines."""
    for found in run.steps:
        if found.path == step.path and session.store:
            chunks = found.last.chunks[-LINES:]
            text = b"".join(history.read_output(session.store, chunk) for chunk in chunks)
            last = text.decode(errors="replace").splitlines()[-LINES:]
            return str(found.last.record.get("message", "")), last
    return "", []


def _written(session: Session, execution: Execution, step: Instance) -> list[str]:
    """The last lines of a step's pod, where that is still there."""
    if not session.engine or not step.pod:
        return []
    try:
        found = session.engine.output(execution, step, last=LINES)
        return [line.decode(errors="replace") for line in deque(found, LINES)]
    except ClusterError:
        return []


def attended(session: Session, name: str, screen: Screen, options: Iterable[str]) -> Execution:
    """Follows a run in the cluster, and explains a failure; Ctrl-C leaves the run alone."""
    engine = session.must_engine("watch")
    try:
        execution = follow(changes(session, engine, name), screen)
    except KeyboardInterrupt:
        command = shlex.join(["argosy", "watch", name, *options])
        screen.say(f"\nthe run goes on; `{command}` looks again, `argosy stop {name}` ends it")
        raise
    if execution.status != "succeeded":
        for line in explain(session, execution, options):
            screen.say(line)
    return execution
