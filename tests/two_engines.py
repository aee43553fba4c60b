"""One pipeline on both engines, without processes: the local schedule runs its plan, and `engine`
its rendered manifest. What runs a node is the runtime itself, all but the user's code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Protocol
from unittest import mock
from zlib import crc32

import yaml

from argosy.compiler.compilation import Compilation
from argosy.compiler.plan import local_plan
from argosy.runtime import execute
from argosy.runtime.alternatives import by_statuses, statuses
from argosy.runtime.attempt import Attempt
from argosy.runtime.context import Context
from argosy.runtime.end import NOTHING, Leaving, final, leaving_of
from argosy.runtime.entries import State, written
from argosy.runtime.errors import ArgosyError, TaskError
from argosy.runtime.executors.local.schedule import Schedule
from argosy.runtime.executors.local.scopes import FAILED, SUCCEEDED
from argosy.runtime.executors.local.steps import RuntimeSteps
from argosy.runtime.node import from_json
from argosy.runtime.signals import Signals
from argosy.runtime.state import Reader
from engine import Engine, Json
from support.memory import Memory


class Outcome(NamedTuple):
    """How a run went: the parameters and files that entered each task that ran, and those that the
    run left."""

    status: str
    entered: dict[str, State]
    parameters: dict[str, Any]
    catalog: dict[str, str]

    def values(self, step: str) -> dict[str, Any]:
        """The parameters that entered a step."""
        entries = self.entered[step].parameters
        return {name: entry["value"] for name, entry in entries.items()}

    def files(self, step: str) -> dict[str, str]:
        """The hashes of the files that entered a step."""
        return {name: entry["sha256"] for name, entry in self.entered[step].catalog.items()}


class Code(Protocol):
    """The user's code: what steps do, and what becomes of approvals."""

    entered: dict[str, State]

    def run(self, attempt: Attempt, entering: State, signals: Signals) -> State:
        """Does what `argosy.runtime.tasks.task.run` does."""

    def answer(self, message: str) -> str:
        """The answer to an approval's question: yes or no."""


class Does(NamedTuple):
    """What a step of `Script` does: it sets parameters and puts files, then succeeds, or fails."""

    parameters: Mapping[str, Any] = {}
    files: Mapping[str, str] = {}
    fails: bool = False


class Script:
    """The user's code, step by step: by the path of an instance or, for all of them, by that of the
    node (`m/*/s`). A function is given the parameters that entered."""

    def __init__(self, steps: Mapping[str, Does | Callable[[Mapping[str, Any]], Does]]) -> None:
        self.steps = steps
        self.entered: dict[str, State] = {}

    def run(self, attempt: Attempt, entering: State, signals: Signals) -> State:
        step = attempt.instance
        assert step not in self.entered, f"{step} runs twice"
        self.entered[step] = entering
        does = self.steps.get(step) or self.steps.get(attempt.node.step) or Does()
        if callable(does):
            values = {name: attempt.reader.value(e) for name, e in entering.parameters.items()}
            does = does(values)
        if does.fails:
            raise TaskError("it fails")
        made = {name: written(step, attempt.rank, v) for name, v in does.parameters.items()}
        about = {"size": 1, "by": step, "rank": attempt.rank}
        files = {name: {"sha256": sha, **about} for name, sha in does.files.items()}
        return entering._replace(
            parameters={**entering.parameters, **made}, catalog={**entering.catalog, **files}
        )

    def answer(self, message: str) -> str:
        return "yes"


class Jobs:
    """The user's code, decided by a seed: the same wherever a step runs."""

    def __init__(self, seed: int, unlucky: int) -> None:
        self.seed = seed
        self.unlucky = unlucky
        self.entered: dict[str, State] = {}

    def draw(self, what: str, sides: int) -> int:
        return crc32(f"{self.seed} {what}".encode()) % sides

    def run(self, attempt: Attempt, entering: State, signals: Signals) -> State:
        step = attempt.instance
        assert step not in self.entered, f"{step} runs twice"
        self.entered[step] = entering
        if self.fails(step):
            raise TaskError("out of luck")
        more = ["b"] if self.draw(f"{step} more", 2) else []
        made = {
            name: written(step, attempt.rank, self.value(step, name))
            for name in dict.fromkeys([*attempt.node.returns, *more])
        }
        return entering._replace(parameters={**entering.parameters, **made})

    def fails(self, step: str) -> bool:
        return self.draw(step, 100) < self.unlucky

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


def run_here(compilation: Compilation, code: Code) -> Outcome:
    """The local run: the plan as JSON, the schedule, and the runtime."""
    plan = local_plan(compilation.pipeline.graph, compilation.flow)
    plan = json.loads(json.dumps(plan))
    context = context_of(Memory(), dict(compilation.pipeline.parameters))
    steps, schedule = RuntimeSteps(context), Schedule(plan["graphs"])
    with mock.patch.dict(execute.ACTS, {"task": code.run}):
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
    leaving = NOTHING
    if schedule.status == SUCCEEDED:
        sources = plan["final"]["from"]
        says = by_statuses(statuses(schedule.tokens(sources)))
        reader = Reader(context.run_log_store, "r", context.arguments, says, patience=())
        leaving = leaving_of(reader.read(sources, ()), reader)
    return outcome(schedule.status, code, leaving)


def outcome(status: str, code: Code, leaving: Leaving) -> Outcome:
    hashes = {name: entry["sha256"] for name, entry in leaving.catalog.items()}
    return Outcome(status, code.entered, leaving.parameters, hashes)


def run_there(compilation: Compilation, code: Code) -> Outcome:
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

    with mock.patch.dict(execute.ACTS, {"task": code.run}):
        phase = Engine(spec, pod, answers=code.answer).phase
    (end,) = (one for one in spec["templates"] if one["name"] == spec["onExit"])
    sources = json.loads(
        next(v["value"] for v in end["container"]["env"] if v["name"] == "ARGOSY_FINAL")
    )["from"]
    context = context_of(store, arguments)
    return outcome(phase, code, final(context, sources) if phase == SUCCEEDED else NOTHING)


def workflow(compilation: Compilation) -> Json:
    """The specification in the rendered file."""
    found: Json = yaml.safe_load(compilation.files["workflowtemplate.yaml"])["spec"]
    return found


def context_of(store: Memory, arguments: Json, hands: str = "") -> Context:
    context = Context("r", {}, arguments, hands=hands)
    context.__dict__["run_log_store"] = store
    return context
