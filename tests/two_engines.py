"""One pipeline on both engines, without processes: the local schedule runs its plan, and `engine`
its rendered manifest. What runs a node is the runtime itself, all but the user's code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest import mock
from zlib import crc32

import yaml

from argosy.compiler.compilation import Compilation
from argosy.compiler.plan import local_plan
from argosy.runtime import execute
from argosy.runtime.alternatives import by_statuses, statuses
from argosy.runtime.attempt import Attempt
from argosy.runtime.context import Context
from argosy.runtime.end import final
from argosy.runtime.entries import State, written
from argosy.runtime.errors import ArgosyError, TaskError
from argosy.runtime.executors.local.schedule import Schedule
from argosy.runtime.executors.local.scopes import FAILED, SUCCEEDED
from argosy.runtime.executors.local.steps import RuntimeSteps
from argosy.runtime.node import from_json
from argosy.runtime.service import RunLogStore
from argosy.runtime.signals import Signals
from argosy.runtime.state import Reader
from engine import Engine, Json


class Memory(RunLogStore):
    """A run log in a dict."""

    service_provider = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    def get(self, key: str) -> bytes | None:
        return self.objects.get(key)

    def list(self, prefix: str) -> list[str]:
        return sorted(key for key in self.objects if key.startswith(prefix))


class Outcome(NamedTuple):
    """How a run went: what entered each task that ran, and the parameters that the run left."""

    status: str
    entered: dict[str, Any]
    parameters: dict[str, Any]


class Jobs:
    """The user's code, decided by a seed: the same wherever a step runs."""

    def __init__(self, seed: int, unlucky: int) -> None:
        self.seed = seed
        self.unlucky = unlucky
        self.entered: dict[str, Any] = {}

    def draw(self, what: str, sides: int) -> int:
        return crc32(f"{self.seed} {what}".encode()) % sides

    def run(self, attempt: Attempt, entering: State, signals: Signals) -> State:
        """In the place of `argosy.runtime.tasks.task.run`."""
        step = attempt.instance
        assert step not in self.entered, f"{step} runs twice"
        self.entered[step] = entering.parameters
        if self.draw(step, 100) < self.unlucky:
            raise TaskError("out of luck")
        more = ["b"] if self.draw(f"{step} more", 2) else []
        made = {
            name: written(step, attempt.rank, self.value(step, name))
            for name in dict.fromkeys([*attempt.node.returns, *more])
        }
        return State({**entering.parameters, **made}, {})

    def answer(self, message: str) -> str:
        """What becomes of an approval; of several with one message, the same."""
        return "no" if self.draw(message, 100) < self.unlucky else "yes"

    def value(self, step: str, name: str) -> Any:
        chosen = self.draw(f"{step} {name}", 4)
        match name:
            case "found":
                return [step] * (chosen % 3)
            case "mode":
                return ["a", "b", "two words", "other"][chosen]
            case "done":
                return [True, True, False, "true"][chosen]
            case "kind":
                return [1, "one", None, 2][chosen]
        return f"{step}: {name}"


@contextmanager
def jobs(seed: int, unlucky: int) -> Iterator[Jobs]:
    """The user's code, in the place of all tasks."""
    found = Jobs(seed, unlucky)
    with mock.patch.dict(execute.ACTS, {"task": found.run}):
        yield found


def run_here(compilation: Compilation, seed: int, unlucky: int) -> Outcome:
    """The local run: the plan as JSON, the schedule, and the runtime."""
    plan = local_plan(compilation.pipeline.graph, compilation.flow)
    plan = json.loads(json.dumps(plan))
    context = context_of(Memory(), dict(compilation.pipeline.parameters))
    steps, schedule = RuntimeSteps(context), Schedule(plan["graphs"])
    with jobs(seed, unlucky) as code:
        while work := schedule.next():
            if work.kind == "count":
                try:
                    schedule.opened(work, steps.count(work))
                except ArgosyError:  # as in the launcher
                    schedule.ended(work, FAILED)
            elif work.kind == "choose":
                schedule.chosen(work, steps.choose(work))
            elif work.kind == "ask":
                yes = code.answer(work.lnode["message"]) == "yes"
                schedule.ended(work, SUCCEEDED if yes else FAILED)
            elif work.kind == "judge":
                schedule.judged(work, steps.done(work))
            else:
                key = "/".join(work.key)
                failed = execute.execute(from_json(work.node), key, work.ended, context)
                schedule.ended(work, FAILED if failed else SUCCEEDED)
    assert schedule.status
    parameters = {}
    if schedule.status == SUCCEEDED:
        sources = plan["final"]["from"]
        says = by_statuses(statuses(schedule.tokens(sources)))
        reader = Reader(context.run_log_store, "r", context.arguments, says, patience=())
        state = reader.read(sources, ())
        parameters = {name: reader.value(entry) for name, entry in state.parameters.items()}
    return Outcome(schedule.status, code.entered, parameters)


def run_there(compilation: Compilation, seed: int, unlucky: int) -> Outcome:
    """The run of the rendered workflow, each pod of which is the runtime."""
    spec = workflow(compilation)
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

    with jobs(seed, unlucky) as code:
        phase = Engine(spec, pod, answers=code.answer).phase
    (end,) = (one for one in spec["templates"] if one["name"] == spec["onExit"])
    sources = json.loads(
        next(v["value"] for v in end["container"]["env"] if v["name"] == "ARGOSY_FINAL")
    )["from"]
    context = context_of(store, arguments)
    parameters = final(context, sources).parameters if phase == SUCCEEDED else {}
    return Outcome(phase, code.entered, parameters)


def workflow(compilation: Compilation) -> Json:
    """The specification in the rendered file."""
    found: Json = yaml.safe_load(compilation.files["workflowtemplate.yaml"])["spec"]
    return found


def context_of(store: Memory, arguments: Json, hands: str = "") -> Context:
    context = Context("r", {}, arguments, hands=hands)
    context.__dict__["run_log_store"] = store
    return context
