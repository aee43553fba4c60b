"""Pipelines on the executors, without processes: the local schedule runs its plan, and `engine` the
rendered workflow. What runs a node is the runtime itself, all but the code of tasks, which is
`support.code`'s."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import yaml

from argosy.compiler.compilation import Compilation
from argosy.compiler.plan import local_plan
from argosy.runtime import execute
from argosy.runtime.alternatives import by_statuses, statuses
from argosy.runtime.attempt import Attempt
from argosy.runtime.context import Context
from argosy.runtime.end import final, records
from argosy.runtime.entries import State, written
from argosy.runtime.errors import ArgosyError, TaskError
from argosy.runtime.executors.local.schedule import Schedule, Work
from argosy.runtime.executors.local.steps import RuntimeSteps
from argosy.runtime.node import from_json
from argosy.runtime.signals import Signals
from argosy.runtime.state import Reader
from engine import Engine
from support.memory import Memory
from support.reference import Failure, Inputs, Json, Run, got, perform

Code = Any
SUCCEEDED, FAILED = "Succeeded", "Failed"


class Recorder:
    """Runs the code of tasks in the place of the runtime, and records what it was given."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.run = Run()
        self.texts: dict[str, str] = {}

    def task(self, attempt: Attempt, entering: State, signals: Signals) -> State:
        """In the place of `argosy.runtime.tasks.task.run`."""
        node, step = attempt.node, attempt.instance
        assert step not in self.run.inputs, f"{step} runs twice"
        definition = {
            "command": node.command,
            "returns": [*node.returns],
            "catalog": {"get": [*node.get], "put": [*node.put]},
        }
        parameters = {n: attempt.reader.value(entry) for n, entry in entering.parameters.items()}
        try:
            files = got(definition, self.files(entering.catalog))
            items = dict(attempt.record.get("item", {}))
            self.run.inputs[step] = Inputs(step, parameters, items, files)
            outputs = perform(self.code, self.run.inputs[step], definition)
        except Failure as failure:
            raise TaskError(str(failure)) from failure
        made = {n: written(step, attempt.rank, value) for n, value in outputs.parameters.items()}
        put = {n: self.entry(text, step, attempt.rank) for n, text in outputs.files.items()}
        parameters_left = {**entering.parameters, **made}
        return entering._replace(parameters=parameters_left, catalog={**entering.catalog, **put})

    def entry(self, text: str, step: str, rank: str) -> Json:
        digest = sha256(text.encode()).hexdigest()
        self.texts[digest] = text
        return {"sha256": digest, "size": len(text), "by": step, "rank": rank}

    def files(self, catalog: Any) -> dict[str, str]:
        return {name: self.texts[entry["sha256"]] for name, entry in catalog.items()}


@contextmanager
def recorded(code: Code) -> Iterator[Recorder]:
    """All tasks run `code`."""
    recorder = Recorder(code)
    with mock.patch.dict(execute.ACTS, {"task": recorder.task}):
        yield recorder


def run_local(compilation: Compilation, code: Code) -> Run:
    """The local run: the plan as JSON, the schedule, and the runtime."""
    plan = local_plan(compilation.pipeline.graph, compilation.flow)
    return run_plan(json.loads(json.dumps(plan)), dict(compilation.pipeline.parameters), code)


def run_plan(plan: Json, arguments: Json, code: Code) -> Run:
    context = context_of(Memory(), arguments)
    failures: list[Work] = []
    with recorded(code) as recorder:
        steps, schedule = RuntimeSteps(context), Schedule(plan["graphs"])

        def ended(work: Work, succeeded: bool, reason: str = "") -> None:
            if not succeeded:
                failures.append(work)
            schedule.ended(work, SUCCEEDED if succeeded else FAILED, reason)

        while work := schedule.next():
            if work.kind == "count":
                try:
                    schedule.opened(work, steps.count(work))
                except ArgosyError as error:  # as in the launcher
                    ended(work, False, str(error))
            elif work.kind == "choose":
                schedule.chosen(work, steps.choose(work))
            elif work.kind == "ask":
                recorder.run.steps[work.path] = (
                    "succeeded" if code.approves(work.lnode["message"]) else "failed"
                )
                ended(work, recorder.run.steps[work.path] == "succeeded")
            elif work.kind == "judge":
                schedule.judged(work, steps.done(work))
            else:
                key = "/".join(work.key)
                ended(work, not execute.execute(from_json(work.node), key, work.ended, context))
    assert schedule.status
    run = recorder.run
    run.status = schedule.status.lower()
    run.steps |= {step: told["status"] for step, told in schedule.statuses.steps.items()}
    run.steps |= statuses_of_records(context)
    run.failures = {work.path: work.handled for work in failures}
    if schedule.status == SUCCEEDED:
        sources = plan["final"]["from"]
        says = by_statuses(statuses(schedule.tokens(sources)))
        reader = Reader(context.run_log_store, "r", context.arguments, says, patience=())
        state = reader.read(sources, ())
        run.parameters = {n: reader.value(entry) for n, entry in state.parameters.items()}
        run.files = recorder.files(state.catalog)
    return run


def statuses_of_records(context: Context) -> dict[str, str]:
    """How the steps ended that the run log has records of."""
    found = [record for _, record in records(context)]
    return {one["step"]: one["status"] for one in found if not one.get("control")}


def run_workflow(compilation: Compilation, code: Code) -> Run:
    """The run of the rendered workflow, each pod of which is the runtime."""
    spec = yaml.load(compilation.files["workflowtemplate.yaml"], yaml.CSafeLoader)["spec"]
    arguments = dict(compilation.pipeline.parameters)
    store = Memory()

    def pod(node: Json, key: str, ended: str, template: Json) -> tuple[bool, list[str]]:
        given = {variable["name"] for variable in template["container"]["env"]}
        told = arguments if "ARGOSY_ARGUMENTS" in given else {}
        with TemporaryDirectory() as folder:
            context = context_of(store, told, folder)
            failed = execute.execute(from_json(node), key, ended, context)
            hands = range(0 if failed else len(node.get("hands", ())))
            return not failed, [Path(folder, str(number)).read_text() for number in hands]

    def answer(message: str) -> str:
        return "yes" if code.approves(message) else "no"

    with recorded(code) as recorder:
        phase = Engine(spec, pod, answers=answer).phase
    recorder.run.status = phase.lower()
    recorder.run.steps |= statuses_of_records(context_of(store, arguments))
    if phase == SUCCEEDED:
        (end,) = (one for one in spec["templates"] if one["name"] == spec["onExit"])
        variables = {one["name"]: one.get("value") for one in end["container"]["env"]}
        sources = json.loads(variables["ARGOSY_FINAL"])["from"]
        leaving = final(context_of(store, arguments), sources)
        recorder.run.parameters = leaving.parameters
        recorder.run.files = recorder.files(leaving.catalog)
    return recorder.run


def context_of(store: Memory, arguments: Json, hands: str = "") -> Context:
    context = Context("r", {}, arguments, hands=hands)
    context.__dict__["run_log_store"] = store
    return context


EXECUTORS: dict[str, Callable[[Compilation, Code], Run]] = {
    "local": run_local,
    "argo": run_workflow,
}
