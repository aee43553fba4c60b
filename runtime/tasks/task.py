"""A task: its files brought, its process run, what it said judged, its files kept."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from typing import NamedTuple

from argosy.runtime import api, credentials, data
from argosy.runtime.attempt import Attempt
from argosy.runtime.entries import State
from argosy.runtime.errors import (
    ArgosyError,
    NodeError,
    ServiceError,
    StoppedError,
    TaskError,
    TaskTimeout,
)
from argosy.runtime.node import Node
from argosy.runtime.signals import Signals, name
from argosy.runtime.state import write_blob
from argosy.runtime.step import Private, Step, Written, collect, entries_of, sequence

from . import process, python, shell
from .environment import PREFIXES, changes, environment, parameters


class Prepared(NamedTuple):
    """What runs in the task's process, and its words when that has ended well."""

    act: Callable[[], int]
    said: Callable[[Written], Written]


def run(attempt: Attempt, entering: State, signals: Signals) -> State:
    """Runs the attempt's task. Gives the state that it leaves; raises what it failed by."""
    node, context = attempt.node, attempt.context
    if node.command_type == "container":
        from . import container  # few tasks are

        return container.run(attempt, entering, signals)
    if node.command_type not in KINDS:
        known = ", ".join((*KINDS, "container"))
        raise NodeError(f"command_type '{node.command_type}' is none of {known}")
    secrets = {wanted: context.secrets.get(wanted) for wanted in node.secrets}
    attempt.output.hide([*secrets.values(), *credentials.hidden(os.environ)])
    if node.get:
        data.get(context.catalog, entering.catalog, node.get)
    with Private() as folder:
        step = Step(context, attempt.instance, entering, folder, secrets, shown(node))
        step.share()
        found = environment(context, node, attempt.instance, folder, secrets)
        prepared = KINDS[node.command_type](attempt, step, found)
        ended = process.run(prepared.act, attempt.output, node.timeout, signals)
        written = collect(folder)
        if written.tracked:
            attempt.record["tracked"] = written.tracked
        judge(ended, written, node.timeout)
        written = prepared.said(written)
    check_returned(node, written)
    if written.tracked:
        attempt.record["tracked"] = written.tracked
    return leave(attempt, entering, written)


def shown(node: Node) -> dict[str, str | None]:
    """The variable that shows each secret to the user's processes."""
    shell = node.command_type == "shell"
    return {
        wanted: variable or (wanted if shell else None) for wanted, variable in node.secrets.items()
    }


def prepare_python(attempt: Attempt, step: Step, found: dict[str, str]) -> Prepared:
    found.update(parameters(step.state, attempt.reader, None))
    return Prepared(lambda: python_act(attempt.node, step, found), lambda written: written)


def python_act(node: Node, step: Step, found: dict[str, str]) -> int:
    """In the task's process: the function, then what it left in the environment."""
    credentials.forget()
    os.environ.clear()
    os.environ.update(found)
    api.enter(step)
    return leaving_cleanly(lambda: python.run(node, step, found))


def leaving_cleanly(act: Callable[[], int]) -> int:
    """Runs `act` as an interpreter's whole life: what it registers for its exit is run, and its
    threads are waited for."""
    atexit._clear()
    try:
        return act()
    finally:
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()
        atexit._run_exitfuncs()


def prepare_shell(attempt: Attempt, step: Step, found: dict[str, str]) -> Prepared:
    found.update(parameters(step.state, attempt.reader, step.folder))
    shell.prepare(attempt.node.command, step.folder)
    path = shell.find_shell(found)

    def said(written: Written) -> Written:
        after = shell.exported(step.folder)
        if after is None:
            raise shell.not_kept()
        exported = changes(found, after)
        # What is exported as it was is no change, but still what a step that returns it hands on.
        kept = {
            name: step.parameter(name)
            for name in attempt.node.returns
            if f"{PREFIXES[0]}{name}" in after and step.has(name)
        }
        return written._replace(
            parameters={**kept, **written.parameters, **exported.parameters},
            tracked={**written.tracked, **exported.tracked},
        )

    return Prepared(lambda: shell.become(path, found), said)


KINDS: dict[str, Callable[[Attempt, Step, dict[str, str]], Prepared]] = {
    "python": prepare_python,
    "shell": prepare_shell,
}


TOLD: dict[int, type[ArgosyError]] = {one.exit_status: one for one in (NodeError, ServiceError)}
"""What the runtime's own part of the user's process failed by, by the status that it tells."""


def judge(ended: process.Ended, written: Written, timeout: float | None) -> None:
    """Raises what the task failed by."""
    if ended.stopped_by is not None:
        raise StoppedError(f"stopped by {name(ended.stopped_by)}", ended.stopped_by)
    if ended.timed_out:
        raise TaskTimeout(f"ran longer than its timeout of {timeout:g} s")
    if ended.code < 0:
        number = -ended.code
        hint = "; the system kills what takes too much memory" if number == 9 else ""
        raise StoppedError(f"ended by {name(number)}{hint}", number)
    if ended.code and written.failed is not None:
        message, status = written.failed
        raise TOLD.get(status, TaskError)(message)
    if ended.code:
        raise TaskError(f"exited with status {ended.code}")


def check_returned(node: Node, written: Written) -> None:
    """Raises TaskError where a name of `returns` has no value."""
    lacking = [n for n in node.returns if n not in written.parameters and n not in written.objects]
    if not lacking:
        return
    names = sequence(lacking)
    if node.command_type == "shell":
        way_out = f"export {PREFIXES[0]}{lacking[0]}=..."
        raise TaskError(f"the script did not export {names}, which `returns` names: {way_out}")
    raise TaskError(f"{node.command} did not return {names}, which its `returns` names")


def leave(attempt: Attempt, entering: State, written: Written, folder: str = "") -> State:
    """What entered, with what the task set and kept over it; `folder` has its files, else the
    working folder."""
    node, context = attempt.node, attempt.context
    made = entries_of(
        written,
        attempt.instance,
        attempt.rank,
        lambda pickle: write_blob(context.run_log_store, pickle),
    )
    found = {**data.match_files(node.put, attempt.output.say, folder), **written.files}
    files = {}
    if found:
        catalog = context.catalog
        files = data.put(catalog, entering.catalog, found, attempt.instance, attempt.rank)
    return State({**entering.parameters, **made}, {**entering.catalog, **files})
