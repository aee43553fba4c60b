"""Runs the plan on stdin: one line of JSON. Says on stdout how the run ended, as JSON again, and
before that what is to be approved. Anything else that is printed in this process, by a plugin for
instance, goes to stderr.

    python -m argosy.runtime.executors.local [--attached] < plan

Exit status: 0 succeeded, 1 failed, 128 + n stopped by signal n. With `--attached`, stdin stays
open as long as there is someone to run for; when it ends, so does the run. docs/local.md describes
the plan.
"""

from __future__ import annotations

import fcntl  # noqa: F401
import gc
import hashlib  # noqa: F401
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

# What each step would import: here it is imported once, and while the plan is still being made.
import argosy.runtime.api
import argosy.runtime.tasks.assigned
import argosy.runtime.tasks.python
import argosy.runtime.tasks.shell
import argosy.runtime.tasks.task  # noqa: F401
from argosy.runtime import credentials
from argosy.runtime.context import Context
from argosy.runtime.errors import ArgosyError, ServiceError
from argosy.runtime.executors.localhost import ISOLATED
from argosy.runtime.files import write_all
from argosy.runtime.workdir.choose import choose

from .begin import begin
from .end import as_json, write_end
from .launch import Failure, Launcher
from .report import Report, duration, for_stderr
from .schedule import Schedule
from .steps import RuntimeSteps

STATUSES = "succeeded", "skipped", "failed", "omitted", "cancelled", "not_started"
STDIN, STDOUT, STDERR = 0, 1, 2


def main(arguments: Sequence[str] = sys.argv[1:]) -> None:
    answers = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    try:
        line = sys.stdin.buffer.readline()
        if line.strip():  # else who started this has found nothing to run
            sys.exit(run(json.loads(line), answers, attached="--attached" in arguments))
    except KeyboardInterrupt:  # it came before the launcher listened, or after
        sys.exit(130)


def run(plan: Mapping[str, Any], answers: int, attached: bool) -> int:
    """Runs a plan, writes how it ended to the descriptor `answers`, and gives the exit status."""
    credentials.hold(plan.get("secrets") or {})
    context = Context(
        plan["run"],
        plan["context"],
        plan["arguments"],
        origin=plan.get("origin"),
        pod=plan.get("pod", ""),
        pod_uid=plan.get("pod_uid", ""),
        resume=plan.get("resume"),
        by_name=bool(plan.get("by_name")),
        ignore_code=bool(plan.get("ignore_code")),
        commit=plan.get("git"),
    )
    began = time.monotonic()
    report = for_stderr()
    say = partial(answer, answers)
    try:
        steps = prepared(plan, context, report)
    except ArgosyError as error:
        say({"refused": str(error)})
        return error.exit_status
    schedule = Schedule(plan["graphs"])
    tell = say if attached else None
    launcher = Launcher(
        schedule, steps, report, workers(plan.get("workers")), tell, not_for_steps=(answers,)
    )
    failed = 1
    try:
        begin(context, plan["graphs"])
        if not plan.get("containers"):
            context.workdirs = choose(plan.get("workdir") or ISOLATED, os.getcwd(), report.say)
        # What is there now outlives every fork: collecting it in each would only copy its pages.
        gc.freeze()
        succeeded = launcher.run(STDIN if attached else None)
        status = "cancelled" if launcher.stopped_by else "succeeded" if succeeded else "failed"
        end = write_end(context, status, launcher.failures, plan["final"], schedule)
        pack(context, report)
    except ArgosyError as error:
        launcher.failures.append(Failure("", "", str(error), "Error"))
        failed = error.exit_status
        failures = [as_json(failure) for failure in launcher.failures]
        end = {"status": "failed", "failures": failures, "parameters": {}, "catalog": {}}
        end["steps"] = schedule.statuses.steps
    finally:
        steps.close()
        context.workdirs.close()
        if "run_log_store" in vars(context):  # else it could not be opened
            context.run_log_store.close()
    say_why(report, launcher.failures)
    report.say(f"{context.run}: {summary(launcher.counts(), time.monotonic() - began)}")
    say({"run": context.run, **end})
    if launcher.stopped_by:
        return 128 + launcher.stopped_by
    return 0 if end["status"] == "succeeded" else failed


def pack(context: Context, report: Report) -> None:
    """Has the run log take less space; a run has ended as it has, whatever becomes of that."""
    try:
        context.run_log_store.pack(context.run)
    except ServiceError as error:
        report.say(f"warning: {error}")


def prepared(plan: Mapping[str, Any], context: Context, report: Report) -> RuntimeSteps:
    """What starts the steps, where that is ready to. Raises ArgosyError where it cannot be."""
    if not plan.get("containers"):
        return RuntimeSteps(context)
    from argosy.runtime.executors.containers import prepare  # and a client's library with it

    return prepare(context, plan["containers"], report.say)


def answer(descriptor: int, word: Mapping[str, Any]) -> None:
    """Writes a line for the process that started this one."""
    with suppress(BrokenPipeError):  # nobody reads it any more; the run log has it
        write_all(descriptor, json.dumps(word).encode() + b"\n")


def workers(given: int | None) -> int:
    """How many steps run at once: as many as there are processors for this process."""
    if given:
        return given
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def summary(counts: Counter[str], seconds: float) -> str:
    """`9 steps in 1.2 s: 7 succeeded, 2 omitted`."""
    total = sum(counts.values())
    parts = [
        f"{counts[status]} {status.replace('_', ' ')}" for status in STATUSES if counts[status]
    ]
    steps = "1 step" if total == 1 else f"{total} steps"
    return f"{steps} in {duration(seconds)}: {', '.join(parts) or 'none'}"


def say_why(report: Report, failures: Sequence[Failure]) -> None:
    """Which steps failed, and what they said last."""
    for failure in failures:
        about = f"{failure.name}: " if failure.name else ""
        how = "failed, handled" if failure.handled else "failed"
        report.say(f"{how}: {about}{failure.message}")
        for line in failure.tail:
            report.say(f"  | {line}")


if __name__ == "__main__":
    main()
