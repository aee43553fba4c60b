"""Any valid graph compiles, its DAG has the same reachability, and both engines run it alike."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from argosy.compiler.compilation import Compilation
from argosy.compiler.errors import DefinitionError
from argosy.compiler.graph import Graph, Task, join_path, segment
from argosy.compiler.plan import local_plan
from argosy.runtime.attempt import Attempt
from argosy.runtime.entries import State, written
from argosy.runtime.executors.local.schedule import Schedule
from argosy.runtime.executors.local.scopes import FAILED, SUCCEEDED
from argosy.runtime.signals import Signals
from definitions import pipeline
from engine import TASK
from lowered import compiled
from random_definitions import ARGUMENTS, Json, definitions
from two_engines import Jobs, run_here, run_there, workflow

Pairs = set[tuple[str, str]]
"""Steps by their paths, the first of which must have ended before the second begins."""


@settings(max_examples=100)
@given(definitions(depth=2, size=5))
def test_a_dag_has_the_reachability_of_its_graph(definition: Json) -> None:
    compilation = compilation_of(definition)
    spec = workflow(compilation)
    templates = {template["name"]: template for template in spec["templates"]}
    assert in_dag(templates, spec["entrypoint"])[1] == in_graph(compilation.pipeline.graph, "")[1]


def job(**more: Any) -> Json:
    return {"type": "task", "command": "jobs.run", **more}


RECOVERY_BY_A_TERMINAL = {
    "name": "p",
    "parameters": ARGUMENTS,
    "dag": {
        "start_at": "s0",
        "steps": {"s0": job(next="s1", on_failure="success"), "s1": job(on_failure="success")},
    },
}
LEFT_BEHIND = {
    "name": "p",
    "parameters": ARGUMENTS,
    "dag": {
        "steps": {
            "a": job(on_failure="h"),
            "b": job(depends_on=["a"]),
            "h": job(on_failure="c"),
            "c": job(depends_on={"any": ["a", "h"]}),
            "last": job(depends_on=["b", "c"]),
        }
    },
}
"""Where `a` fails and is recovered, `last` is omitted, and nothing else is an exit."""


FAILS_AFTER_ALL = {
    "type": "parallel",
    "branches": {
        "one": {"start_at": "a", "steps": {"a": job(next="fail")}},
        "two": {"steps": {"b": job(returns=["a"])}},
    },
    "on_failure": "h",
}


def ending(**steps: Json) -> Json:
    return {"name": "p", "parameters": ARGUMENTS, "dag": {"steps": steps}}


def over_nothing(**more: Any) -> Json:
    branch = {"steps": {"b": job(returns=["a"])}}
    return {"type": "map", "iterate_on": "empty", "iterate_as": "x", "branch": branch, **more}


COMPOSITE_THAT_FAILS_AFTER_ALL = ending(p=FAILS_AFTER_ALL, h=job(returns=["kind"]))
HANDLED_BY_A_STUB = ending(p=FAILS_AFTER_ALL, h={"type": "stub"})
HANDLER_THAT_DOES_NOT_RUN = ending(s=job(on_failure="h"), h=over_nothing())
BRANCH_THAT_IS_NOT_CHOSEN = ending(
    c={
        "type": "conditional",
        "parameter": "mode",
        "branches": {"b": {"steps": {"t": job()}}, "other": {"steps": {"m": over_nothing()}}},
    }
)


@settings(max_examples=100)
@given(definitions(depth=2, size=5), st.integers(0, 1000), st.sampled_from([0, 20, 50]))
@example(RECOVERY_BY_A_TERMINAL, 373, 50)
@example(LEFT_BEHIND, 2, 50)
@example(COMPOSITE_THAT_FAILS_AFTER_ALL, 0, 0)
@example(HANDLED_BY_A_STUB, 0, 0)
@example(HANDLER_THAT_DOES_NOT_RUN, 0, 0)
@example(BRANCH_THAT_IS_NOT_CHOSEN, 0, 0)
def test_both_engines_run_the_same_steps_on_the_same_state(
    definition: Json, seed: int, unlucky: int
) -> None:
    compilation = compilation_of(definition)
    here, there = (run(compilation, Jobs(seed, unlucky)) for run in (run_here, run_there))
    assert here == there


@settings(max_examples=100)
@given(definitions(depth=2, size=6, kinds=("parallel", "dag")), st.integers(0, 1000))
def test_what_leaves_a_pipeline_is_of_all_steps_that_succeeded(definition: Json, seed: int) -> None:
    compilation = compilation_of(definition)
    for run in (run_here, run_there):
        code = Named(seed, 40)
        found = run(compilation, code)
        if found.status == "Succeeded":
            assert found.parameters.keys() - ARGUMENTS.keys() == code.succeeded(compilation)


class Named(Jobs):
    """Tasks each of which sets a parameter that is called as it is."""

    def run(self, attempt: Attempt, entering: State, signals: Signals) -> State:
        leaving = super().run(attempt, entering, signals)
        step = attempt.instance
        made = {step: written(step, attempt.rank, 1)}
        return leaving._replace(parameters={**entering.parameters, **made})

    def succeeded(self, compilation: Compilation) -> set[str]:
        """The tasks that succeeded, in composites that did."""
        schedule = Schedule(local_plan(compilation.pipeline.graph, compilation.flow)["graphs"])
        tasks = set()
        while work := schedule.next():
            match work.lnode["kind"] if not work.control else "control":
                case "task":
                    failed = self.fails(work.path)
                case "approval":
                    failed = self.answer(work.lnode["message"]) == "no"
                case kind:
                    failed = kind == "fail"
            schedule.ended(work, FAILED if failed else SUCCEEDED)
            if work.lnode.get("kind") == "task" and not failed:
                tasks.add(work.path)
        lost = [f"{p}/" for p, s in schedule.statuses.steps.items() if s["status"] == "failed"]
        return {task for task in tasks if not task.startswith(tuple(lost))}


def compilation_of(definition: Json) -> Compilation:
    """The compilation of a definition's text to the end, `verify`."""
    try:
        found = pipeline(text_of(definition))
    except DefinitionError as error:
        assume("can never run" not in str(error))
        raise
    return compiled(found.graph, until="verify", parameters=dict(found.parameters))


def text_of(value: Any) -> str:
    """As JSON, but that a key can be any scalar."""
    if isinstance(value, dict):
        inner = (f"? {json.dumps(name)}\n: {text_of(part)}" for name, part in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(text_of, value)) + "]"
    return json.dumps(value)


def in_graph(graph: Graph, path: str) -> tuple[set[str], Pairs]:
    """The tasks of a graph and of those inside it, and which come before which."""
    below: dict[str, set[str]] = {}
    pairs: Pairs = set()
    for name, node in graph.nodes.items():
        at = join_path(path, segment(name))
        below[name] = {at} if isinstance(node.spec, Task) else set()
        for part, inner in node.graphs():
            tasks, ordered = in_graph(inner, join_path(at, part))
            below[name] |= tasks
            pairs |= ordered
    before = {name: [e.source for e in node.incoming] for name, node in graph.nodes.items()}
    return set().union(*below.values()), pairs | across(below, before)


def in_dag(templates: Mapping[str, Json], name: str) -> tuple[set[str], Pairs]:
    """The same of a DAG template; NODE says which task of the user's a pod is."""
    below: dict[str, set[str]] = {}
    pairs: Pairs = set()
    tasks = templates[name]["dag"]["tasks"]
    if tasks[-1]["name"] == "exhausted":  # a loop, all rounds of which are one graph
        tasks = tasks[:1]
    for task in tasks:
        given = {p["name"]: p["value"] for p in task.get("arguments", {}).get("parameters", ())}
        below[task["name"]] = set()
        if "node" in given:
            node = json.loads(given["node"])
            below[task["name"]] |= {node["step"]} if "type" not in node else set()
        elif "dag" in templates[task["template"]]:
            below[task["name"]], ordered = in_dag(templates, task["template"])
            pairs |= ordered
    before = {t["name"]: [n for n, _ in TASK.findall(t.get("depends", ""))] for t in tasks}
    return set().union(*below.values()), pairs | across(below, before)


def across(below: Mapping[str, Iterable[str]], before: Mapping[str, list[str]]) -> Pairs:
    """The pairs of tasks below two nodes of one graph, `before` being its edges."""
    pairs: Pairs = set()
    for name in below:
        ancestors = [*before[name]]
        for one in ancestors:
            ancestors += [other for other in before[one] if other not in ancestors]
            pairs.update(product(below[one], below[name]))
    return pairs
