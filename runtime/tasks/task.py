"""A task: its files brought, its process run, what it said judged, its files kept."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import closing
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from argosy.runtime import api, code_files, credentials, data, files
from argosy.runtime.attempt import Attempt
from argosy.runtime.entries import Entries, State, described
from argosy.runtime.errors import (
    ArgosyError,
    NodeError,
    ServiceError,
    StoppedError,
    TaskError,
    TaskTimeout,
)
from argosy.runtime.layout import iteration
from argosy.runtime.node import Node
from argosy.runtime.patterns import checked
from argosy.runtime.signals import Signals, name
from argosy.runtime.step import Private, Step, Written, collect, entries_of, sequence
from argosy.runtime.workdir.base import Workdir

from . import process, python, shell
from .environment import (
    PREFIXES,
    LargeValues,
    changes,
    environment,
    parameters,
    place,
    watch,
)

FAILED = ServiceError.exit_status
COMPILED = "__pycache__"
DISCARDED = 50
"""So many names at most of files that are not kept are in a record."""


class Prepared(NamedTuple):
    """What runs in the task's process, and its words when that has ended well. `kept`: files that
    are kept however it ends, paths by name in the catalog."""

    act: Callable[[], int]
    said: Callable[[Written], Written]
    kept: Mapping[str, str] = MappingProxyType({})


def run(attempt: Attempt, entering: State, signals: Signals) -> State:
    """Runs the attempt's task. Gives the state that it leaves; raises what it failed by."""
    node, context = attempt.node, attempt.context
    if node.command_type == "container":
        from . import container  # few tasks are

        return container.run(attempt, entering, signals)
    if node.command_type not in KINDS:
        known = ", ".join((*KINDS, "container"))
        raise NodeError(f"command_type '{node.command_type}' is none of {known}")
    get, put = attempt.patterns(entering)
    secrets = {wanted: context.secrets.get(wanted) for wanted in node.secrets}
    attempt.output.hide([*secrets.values(), *credentials.hidden(os.environ)])
    with closing(context.workdirs.open()) as workdir, Private(context.workdirs.temporary) as folder:
        if workdir.kind:
            attempt.record["workdir"] = workdir.kind
        if get:
            data.get(context.catalog, entering.catalog, get, workdir.incoming)
        number = attempt.number
        step = Step(context, attempt.instance, entering, folder, secrets, shown(node), number)
        step.share()
        found = environment(context, node, folder, secrets)
        found.update(place(attempt, entering))
        found.update(workdir.environment)
        prepared = KINDS[node.command_type](attempt, step, found)
        code = code_of(node, [*get, *put])
        workdir.watch(put)
        act = partial(inside, workdir, step, prepared.act)
        ended = process.run(act, attempt.output, node.timeout, signals)
        written = collect(folder)
        if written.tracked:
            attempt.record["tracked"] = written.tracked
        try:
            judge(ended, written, node.timeout)
            written = prepared.said(written)
            check_returned(node, written)
        except ArgosyError as error:
            keep_of_failed(attempt, prepared.kept, workdir)
            raise advised(error, attempt, entering, workdir) from None
        kept = keep(attempt, prepared.kept, workdir)
        if workdir.stays:  # what the step wrote is no code of it
            code = {name: code[name] for name in code.keys() - code_files.changed(code)}
        if noted := {**written.code, **code}:
            attempt.record["code"] = noted
        if written.tracked:
            attempt.record["tracked"] = written.tracked
        left = leave(attempt, entering, written, put, workdir)
    return left._replace(catalog={**left.catalog, **kept})


def advised(error: ArgosyError, attempt: Attempt, entering: State, workdir: Workdir) -> ArgosyError:
    """The error by which a task failed, with what to do about it where it lacked a file."""
    if not isinstance(error, TaskError):
        return error
    from .advice import advice  # for an error only

    found = advice(attempt, entering, str(error), workdir)
    return TaskError(f"{error}; {found}") if found else error


def code_of(node: Node, others: Iterable[str]) -> dict[str, str]:
    """The files of the project that a task runs, where its own process does not say. `others`: the
    patterns of those that it gets and puts."""
    if node.command_type == "notebook":
        return {node.command: code_files.digest_of(node.command)}
    if node.command_type == "shell":
        return code_files.named(node.command, others)
    return {}


def inside(workdir: Workdir, step: Step, act: Callable[[], int]) -> int:
    """In the task's process: `act`, in the step's working directory."""
    try:
        workdir.enter()
    except OSError as error:
        step.fail(f"cannot enter the working directory {workdir.path}: {error}", FAILED)
        return FAILED
    return act()


def keep(attempt: Attempt, kept: Mapping[str, str], workdir: Workdir) -> Entries:
    """Keeps files of a task, paths by name: in a catalog if there is one. Without, or where steps
    share the working directory, they are written there too, each iteration's in a directory of its
    own."""
    if not kept:
        return {}
    catalog = attempt.context.catalog
    found = {path: made for path, made in kept.items() if os.path.exists(made)}
    nowhere = catalog.service_provider == "do-nothing"
    for path, made in found.items() if nowhere or workdir.stays else ():
        try:
            files.copy(made, os.path.abspath(iteration(attempt.node.step, attempt.key) + path))
        except OSError as error:
            attempt.output.say(f"cannot write {path} here: {error.strerror}")
    return {} if nowhere else data.put(catalog, found, attempt.instance, attempt.rank)


def keep_of_failed(attempt: Attempt, kept: Mapping[str, str], workdir: Workdir) -> None:
    """The same of a task that leaves no state: its record says what there is."""
    try:
        entries = keep(attempt, kept, workdir)
    except ArgosyError as error:  # what the task failed by matters more
        attempt.output.say(str(error))
        return
    if entries:
        attempt.record["catalog"] = described(entries)


def shown(node: Node) -> dict[str, str]:
    """The variable that shows each secret to the user's processes."""
    return {wanted: variable or wanted for wanted, variable in node.secrets.items()}


def prepare_python(attempt: Attempt, step: Step, found: dict[str, str]) -> Prepared:
    large = LargeValues(step.folder, attempt.context.workdirs.temporary)
    found.update(parameters(step.state, attempt.reader, large))
    return Prepared(lambda: python_act(attempt.node, step, found, large), lambda written: written)


def python_act(node: Node, step: Step, found: dict[str, str], large: LargeValues) -> int:
    """In the task's process: the function, then what it left in the environment."""
    credentials.forget()
    os.environ.clear()
    os.environ.update(found)
    watch()
    large.write_when_needed()
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
    large = LargeValues(step.folder, attempt.context.workdirs.temporary)
    found.update(parameters(step.state, attempt.reader, large))
    large.write()
    command = attempt.node.command
    shell.prepare(command, step.folder)
    path = shell.find_shell(found)
    watched = shell.watches(path, command, found)

    def said(written: Written) -> Written:
        after = shell.exported(step.folder)
        if after is None:
            if shell.may_leave(command):
                raise shell.not_kept()
            return written
        after = {**shell.unseen(found), **after}
        exported = changes(found, after, shell.assigned(step.folder, path, command))
        # What is exported as it was is no change, but still what a step that returns it hands on.
        kept = {
            name: step.parameter(name)
            for name in attempt.node.returns
            if step.has(name)
            and (f"{PREFIXES[0]}{name}" in after or f"{PREFIXES[0]}{name}_FILE" in after)
        }
        return written._replace(
            parameters={**kept, **written.parameters, **exported.parameters},
            tracked={**written.tracked, **exported.tracked},
        )

    return Prepared(lambda: shell.become(path, found, watched), said)


def prepare_notebook(attempt: Attempt, step: Step, found: dict[str, str]) -> Prepared:
    from . import notebook  # few tasks are

    large = LargeValues(step.folder, attempt.context.workdirs.temporary)
    found.update(parameters(step.state, attempt.reader, large))
    large.write()
    node, mask = attempt.node, attempt.output.mask
    return Prepared(
        lambda: leaving_cleanly(lambda: notebook.act(node, step, found, mask)),
        lambda written: written,
        {checked(notebook.output_name(node)): os.path.join(step.folder, notebook.EXECUTED)},
    )


KINDS: dict[str, Callable[[Attempt, Step, dict[str, str]], Prepared]] = {
    "python": prepare_python,
    "shell": prepare_shell,
    "notebook": prepare_notebook,
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
    verb = "set" if node.command_type == "notebook" else "return"
    raise TaskError(f"{node.command} did not {verb} {names}, which its `returns` names")


def leave(
    attempt: Attempt, entering: State, written: Written, put: Iterable[str], workdir: Workdir
) -> State:
    """What entered, with what the task set and kept over it."""
    context = attempt.context
    made = entries_of(
        written,
        attempt.instance,
        attempt.rank,
        context.blobs.write,
    )
    found = data.match_files(put, workdir, attempt.output.say)
    found.update((name, workdir.locate(path)) for name, path in written.files.items())
    files = data.put(context.catalog, found, attempt.instance, attempt.rank) if found else {}
    if discarded := discarded_files(workdir, {*found.values()}):
        attempt.record["discarded"] = discarded
    return entering._replace(
        parameters={**entering.parameters, **made}, catalog={**entering.catalog, **files}
    )


def discarded_files(workdir: Workdir, kept: Container[str]) -> list[str]:
    """The names of the first files that a task wrote and did not keep, compiled modules aside."""
    names = (
        name
        for name in workdir.created()
        if os.path.join(workdir.outgoing, name) not in kept and COMPILED not in name.split("/")
    )
    return [*islice(names, DISCARDED)]
