"""Reference evaluator: what a definition means, for tests to hold every executor to.

Written from docs/definition.md alone. It imports nothing from Argosy, on purpose: a mistake in the
product cannot be repeated here. It evaluates a parsed definition recursively, step after step in
topological order, with dictionaries; nothing is concurrent and nothing is stored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from urllib.parse import quote

Json = dict[str, Any]
Rank = tuple[int, ...]
"""Where a value was written: positions in order, branches and iterations, outermost first."""

SUCCEEDED, FAILED, OMITTED, SKIPPED = "succeeded", "failed", "omitted", "skipped"
WILDCARDS = frozenset("*?[")


class Entry(NamedTuple):
    """A parameter's value or a file's content, and where it was written."""

    value: Any
    rank: Rank


class State(NamedTuple):
    """What passes along an edge."""

    parameters: dict[str, Entry]
    files: dict[str, Entry]


class Inputs(NamedTuple):
    """What a task's code is given. `files` are those that its `catalog.get` names."""

    step: str
    parameters: Json
    map_variable: Json
    files: dict[str, str]


class Outputs(NamedTuple):
    """What a task's code wrote: parameters and files."""

    parameters: Json
    files: dict[str, str]


class Failure(Exception):
    """A step failed, for the reason given."""


Code = Callable[[Inputs, Json], Outputs]
"""A task's code, given its inputs and its definition. It raises Failure to fail."""


@dataclass
class Run:
    """The result of a run. Steps are named by their instance paths: `features/0/build`."""

    status: str = SUCCEEDED
    steps: dict[str, str] = field(default_factory=dict)
    """The status of every step, composites too. Steps of a map or loop that never began an
    iteration are not listed."""
    marks: set[str] = field(default_factory=set)
    """The ends of graphs that are no steps: they need no status."""
    inputs: dict[str, Inputs] = field(default_factory=dict)
    """What each task was given, of the tasks whose code ran."""
    parameters: Json = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    failures: dict[str, bool] = field(default_factory=dict)
    """Steps that failed for a reason of their own; whether the failure was handled."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why those steps failed. For people: no executor has to say it in the same words."""


@dataclass(frozen=True)
class Place:
    """Where a graph stands."""

    path: str = ""
    """The instance path of the graph."""
    relative: str = ""
    """The same from the innermost iteration on: the files of a map are named by it."""
    rank: Rank = ()
    items: Mapping[str, Any] = field(default_factory=dict)
    """What `map_variable()` gives here."""

    def inside(self, segment: str, position: int) -> Place:
        return Place(
            joined(self.path, segment),
            joined(self.relative, segment),
            (*self.rank, position),
            self.items,
        )

    def iteration(self, index: int, item: Mapping[str, Any]) -> Place:
        inner = self.inside(str(index), index)
        return Place(inner.path, "", inner.rank, {**self.items, **item})

    def written(self, found: Mapping[str, Entry]) -> dict[str, Entry]:
        """The entries that a step inside this place wrote."""
        depth = len(self.rank)
        return {
            name: entry
            for name, entry in found.items()
            if len(entry.rank) > depth and entry.rank[:depth] == self.rank
        }


def evaluate(
    definition: Json,
    code: Code,
    arguments: Mapping[str, Any] | None = None,
    approve: Callable[[str], bool] = lambda message: True,
    reducers: Mapping[str, Callable[[list[Any]], Any]] | None = None,
    other_files: Mapping[str, Json] | None = None,
) -> Run:
    """Evaluate a pipeline. `approve` answers an approval, given its message; `reducers` are
    the functions that reducers of the form `module:function` name; `other_files` are the
    definitions that a `dag_definition` may name."""
    evaluation = Evaluation(code, approve, reducers or {}, other_files or {})
    values = {**definition.get("parameters", {}), **(arguments or {})}
    entering = State({name: Entry(value, ()) for name, value in values.items()}, {})
    left = evaluation.graph(definition["dag"], entering, Place())
    run = evaluation.run
    if left is None:
        run.status = FAILED
    else:
        run.parameters, run.files = contents(left.parameters), contents(left.files)
    return run


class Evaluation:
    """One run."""

    def __init__(
        self,
        code: Code,
        approve: Callable[[str], bool],
        reducers: Mapping[str, Callable[[list[Any]], Any]],
        other_files: Mapping[str, Json],
    ) -> None:
        self.code = code
        self.approve = approve
        self.reducers = reducers
        self.other_files = other_files
        self.run = Run()

    def graph(self, graph: Json, entering: State, place: Place) -> State | None:
        """What leaves a graph; None where it failed."""
        steps = with_terminals(graph)
        edges = edges_of(graph, steps)
        entered: dict[str, State] = {}
        left: dict[str, State] = {}
        failed: set[str] = set()
        for position, name in enumerate(topological(steps, edges)):
            fired = [
                (source, on)
                for source, on in edges[name]
                if source in (left if on == "success" else failed)
            ]
            inner = place.inside(quote(name, safe=""), position)
            if not runs(graph, steps[name], edges[name], fired):
                self.leave_out(steps[name], inner, OMITTED)
                continue
            sources = [left[one] if on == "success" else entered[one] for one, on in fired]
            entered[name] = merged(sources or [entering])
            outcome = self.step(steps[name], entered[name], inner)
            if outcome is None:
                failed.add(name)
            else:
                left[name] = outcome
        for name in failed:
            handler = steps[name].get("on_failure")
            if handler and not (steps[handler]["type"] == "fail" and handler in failed):
                self.mark_handled(joined(place.path, quote(name, safe="")))
        if any("on_failure" not in steps[name] for name in failed):
            return None
        return merged([entering, *left.values()])

    def step(self, step: Json, entering: State, place: Place) -> State | None:
        """What leaves a step; None where it failed."""
        try:
            left = self.evaluate_step(step, entering, place)
        except Failure as failure:
            self.run.failures[place.path] = False
            self.run.reasons[place.path] = str(failure)
            left = None
        self.set_status(step, place, FAILED if left is None else SUCCEEDED)
        return left

    def set_status(self, step: Json, place: Place, status: str) -> None:
        if step.get("mark"):
            self.run.marks.add(place.path)
        else:
            self.run.steps[place.path] = status

    def mark_handled(self, path: str) -> None:
        """The failures of a step, and of all inside it, do not fail the run."""
        for failure in self.run.failures:
            if failure == path or failure.startswith(f"{path}/"):
                self.run.failures[failure] = True

    def evaluate_step(self, step: Json, entering: State, place: Place) -> State | None:
        match step["type"]:
            case "task":
                return self.task(step, entering, place)
            case "stub" | "success":
                return entering
            case "fail":
                raise Failure(step.get("message", "reached"))
            case "approval":
                if not self.approve(step.get("message", "")):
                    raise Failure("not approved")
                return entering
            case "parallel":
                return self.parallel(step, entering, place)
            case "conditional":
                return self.conditional(step, entering, place)
            case "dag":
                return self.dag(step, entering, place)
            case "map":
                return self.map(step, entering, place)
            case "loop":
                return self.loop(step, entering, place)
        raise NotImplementedError(step["type"])

    def task(self, step: Json, entering: State, place: Place) -> State:
        catalog = contents(entering.files)
        files = got(step, catalog)
        inputs = Inputs(place.path, contents(entering.parameters), dict(place.items), files)
        self.run.inputs[place.path] = inputs
        outputs = perform(self.code, inputs, step)
        written = (entries(values, place.rank) for values in outputs)
        return merged([entering, State(*written)])

    def parallel(self, step: Json, entering: State, place: Place) -> State | None:
        left = [
            self.graph(branch, entering, place.inside(name, number))
            for number, (name, branch) in enumerate(
                zip(segments(step), step["branches"].values(), strict=True)
            )
        ]
        return merged_or_none([entering, *left])

    def conditional(self, step: Json, entering: State, place: Place) -> State | None:
        branches = dict(zip(segments(step), step["branches"].items(), strict=True))
        default = step.get("default")
        if isinstance(default, dict):
            branches["default"] = (None, default)
        chosen = (
            "default"
            if isinstance(default, dict)
            else None
            if default is None
            else segment(default)
        )
        entry = entering.parameters.get(step["parameter"])
        for name, (label, _) in branches.items():
            if name != "default" and entry is not None and equal(entry.value, label):
                chosen = name
        for number, (name, (_, graph)) in enumerate(branches.items()):
            if name != chosen:
                self.leave_out_graph(graph, place.inside(name, number), SKIPPED)
        if chosen is None:
            raise Failure(f"no branch for {entry.value if entry else 'a missing parameter'!r}")
        number = list(branches).index(chosen)
        return self.graph(branches[chosen][1], entering, place.inside(chosen, number))

    def dag(self, step: Json, entering: State, place: Place) -> State | None:
        inputs, outputs = step.get("inputs"), step.get("outputs")
        visible = State(only(entering.parameters, inputs), entering.files)
        left = self.graph(self.graph_of(step), visible, place)
        if left is None:
            return None
        parameters = only(place.written(left.parameters), outputs)
        return merged([entering, State(parameters, place.written(left.files))])

    def graph_of(self, step: Json) -> Json:
        if "branch" in step:
            return dict(step["branch"])
        return dict(self.other_files[step["dag_definition"]]["dag"])

    def map(self, step: Json, entering: State, place: Place) -> State | None:
        entry = entering.parameters.get(step["iterate_on"])
        if entry is None or not isinstance(entry.value, list):
            raise Failure(f"{step['iterate_on']} is no list")
        name, kinds = step["iterate_as"], step.get("reducers", {})
        parameters: list[Json] = []
        files: list[dict[str, str]] = []
        for index, item in enumerate(entry.value):
            inner = place.iteration(index, {name: item})
            own = State({name: Entry(item, inner.rank)}, {})
            left = self.graph(step["branch"], merged([entering, own]), inner)
            if left is not None:
                parameters.append(contents(inner.written(left.parameters)))
                files.append(contents(inner.written(left.files)))
        if len(parameters) < len(entry.value):
            return None
        names = {*kinds, *self.declared(step["branch"])}.union(*parameters) - {name}
        reduced: Json = {}
        for one in names:
            reduced |= self.reduced(one, kinds.get(one, "list"), parameters)
        after = State(entries(reduced, place.rank), entries(collected(place, files), place.rank))
        return merged([entering, after])

    def reduced(self, name: str, kind: str, iterations: list[Json]) -> Json:
        """What a map writes under a name that its iterations wrote, or declare: nothing or one."""
        values = [written.get(name) for written in iterations]
        written = [one[name] for one in iterations if name in one]
        if kind == "list":
            return {name: values}
        if kind == "sum":
            if not all(is_number(value) for value in written):
                raise Failure(f"sum of {written}")
            return {name: sum(written)}
        if kind == "max":
            if not (all(map(is_number, written)) or all(isinstance(v, str) for v in written)):
                raise Failure(f"max of {written}")
            return {name: max(written)} if written else {}
        if kind == "last":
            return {name: written[-1]} if written else {}
        return {name: self.reducers[kind](values)}

    def declared(self, graph: Json) -> set[str]:
        """The names that steps of a graph declare and that leave it."""
        names: set[str] = set()
        for step in graph["steps"].values():
            graphs = [self.graph_of(step)] if step["type"] == "dag" else graphs_of(step)
            inner = set().union(*map(self.declared, graphs))
            match step["type"]:
                case "task":
                    names |= {*step.get("returns", [])}
                case "dag":
                    names |= {*only(dict.fromkeys(inner), step.get("outputs"))}
                case "map":
                    names |= (inner | {*step.get("reducers", {})}) - {step["iterate_as"]}
                case "loop":
                    names |= inner - {step.get("iterate_as")}
                case "parallel" | "conditional":
                    names |= inner
        return names

    def loop(self, step: Json, entering: State, place: Place) -> State | None:
        state, name = entering, step.get("iterate_as")
        for number in range(step["max_iterations"]):
            inner = place.iteration(number, {name: number} if name else {})
            if name:
                state = merged([state, State({name: Entry(number, inner.rank)}, {})])
            left = self.graph(step["branch"], state, inner)
            if left is None:
                return None
            state = left
            done = state.parameters.get(step["break_on"])
            if done is not None and done.value is True:
                parameters = {n: entry for n, entry in state.parameters.items() if n != name}
                before = {n: entry for n, entry in entering.parameters.items() if n == name}
                return State({**parameters, **before}, state.files)
        raise Failure(f"{step['break_on']} was not true after the last round")

    def leave_out(self, step: Json, place: Place, status: str) -> None:
        """Give a step that does not run its status, and the steps inside it theirs."""
        self.set_status(step, place, status)
        if step["type"] == "dag":
            self.leave_out_graph(self.graph_of(step), place, status)
        if step["type"] in ("parallel", "conditional"):
            graphs = dict(zip(segments(step), step["branches"].values(), strict=True))
            if isinstance(step.get("default"), dict):
                graphs["default"] = step["default"]
            for name, graph in graphs.items():
                self.leave_out_graph(graph, place.inside(name, 0), status)

    def leave_out_graph(self, graph: Json, place: Place, status: str) -> None:
        for name, step in with_terminals(graph).items():
            self.leave_out(step, place.inside(quote(name, safe=""), 0), status)


def graphs_of(step: Json) -> list[Json]:
    """The graphs inside a step, but for another file's."""
    default = step.get("default")
    return [
        *([step["branch"]] if "branch" in step else []),
        *step.get("branches", {}).values(),
        *([default] if isinstance(default, dict) else []),
    ]


def got(step: Json, catalog: Mapping[str, str]) -> dict[str, str]:
    """The files of the catalog that a task gets."""
    files: dict[str, str] = {}
    for pattern in step.get("catalog", {}).get("get", []):
        found = {name: text for name, text in catalog.items() if matches(name, pattern)}
        if not found:
            raise Failure(f"catalog.get: nothing matches {pattern}")
        files |= found
    return files


def perform(code: Code, inputs: Inputs, step: Json) -> Outputs:
    """Run a task's code; what it hands on."""
    outputs = code(inputs, step)
    for name in step.get("returns", []):
        if name not in outputs.parameters:
            raise Failure(f"did not return {name}")
    put: dict[str, str] = {}
    for pattern in step.get("catalog", {}).get("put", []):
        found = {name: text for name, text in outputs.files.items() if matches(name, pattern)}
        if not found and not WILDCARDS & set(pattern):
            raise Failure(f"catalog.put: {pattern} was not written")
        put |= found
    return Outputs(outputs.parameters, put)


def with_terminals(graph: Json) -> dict[str, Json]:
    """The steps of a graph, with the terminals that it names without defining them, and without
    those of the chain form that no step leads to. A `success` of the chain form, or one that is not
    defined, is a mark: it says where the graph ends and has no status."""
    edges = "next", "on_failure"
    targets = {step.get(edge) for step in graph["steps"].values() for edge in edges}
    chain = "start_at" in graph
    steps: dict[str, Json] = {}
    for name, step in graph["steps"].items():
        terminal = step["type"] in ("success", "fail")
        if not (chain and terminal) or name in targets or name == graph["start_at"]:
            mark = chain and step["type"] == "success" and name != graph["start_at"]
            steps[name] = {**step, "mark": mark}
    for target in sorted({*targets} & {"success", "fail"}):
        steps.setdefault(target, {"type": target, "mark": target == "success"})
    return steps


def edges_of(graph: Json, steps: dict[str, Json]) -> dict[str, list[tuple[str, str]]]:
    """The edges that lead to each step: from which, on its success or its failure."""
    edges: dict[str, list[tuple[str, str]]] = {name: [] for name in steps}
    for name, step in steps.items():
        after = step.get("depends_on", [])
        after = after["any"] if isinstance(after, dict) else after
        edges[name] += [(source, "success") for source in after]
        if "next" in step:
            edges[step["next"]].append((name, "success"))
        if "on_failure" in step:
            edges[step["on_failure"]].append((name, "failure"))
    return edges


def topological(steps: Iterable[str], edges: Mapping[str, list[tuple[str, str]]]) -> list[str]:
    """Kahn's algorithm: the next step is the first in the definition that waits for none."""
    order: list[str] = []
    rest = list(steps)
    while rest:
        name = next(n for n in rest if all(source in order for source, _ in edges[n]))
        rest.remove(name)
        order.append(name)
    return order


def runs(
    graph: Json,
    step: Json,
    edges: list[tuple[str, str]],
    fired: list[tuple[str, str]],
) -> bool:
    """Whether a step runs, given the edges to it that fired."""
    if not edges:
        return True
    if "start_at" in graph or isinstance(step.get("depends_on"), dict):
        return bool(fired)
    handles = any(on == "failure" for _, on in edges)
    return all(edge in fired for edge in edges if edge[1] == "success") and (
        not handles or any(on == "failure" for _, on in fired)
    )


def collected(place: Place, iterations: list[dict[str, str]]) -> dict[str, str]:
    """The files that leave a map: each iteration's under its index, and by their own names where
    all iterations that wrote one agree."""
    files: dict[str, str] = {}
    for name in {name for written in iterations for name in written}:
        texts = {written[name] for written in iterations if name in written}
        if len(texts) == 1:
            files[name] = texts.pop()
    for index, written in enumerate(iterations):
        files |= {f"{place.relative}/{index}/{name}": text for name, text in written.items()}
    return files


def merged(states: Iterable[State]) -> State:
    """By name, the entry with the highest rank."""
    parameters: dict[str, Entry] = {}
    files: dict[str, Entry] = {}
    for state in states:
        for into, new in ((parameters, state.parameters), (files, state.files)):
            for name, entry in new.items():
                if name not in into or into[name].rank < entry.rank:
                    into[name] = entry
    return State(parameters, files)


def merged_or_none(states: Iterable[State | None]) -> State | None:
    """None where one of them is: a composite fails with any of its graphs."""
    found = [*states]
    return None if None in found else merged(state for state in found if state is not None)


def entries(values: Mapping[str, Any], rank: Rank) -> dict[str, Entry]:
    return {name: Entry(value, rank) for name, value in values.items()}


def contents(found: Mapping[str, Entry]) -> dict[str, Any]:
    return {name: entry.value for name, entry in found.items()}


def only(found: dict[str, Any], names: Iterable[str] | None) -> dict[str, Any]:
    """Those that are named; all where nothing is."""
    return found if names is None else {name: found[name] for name in names if name in found}


def matches(name: str, pattern: str) -> bool:
    """Whether a file's name matches a pattern, segment by segment."""
    parts, patterns = name.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def equal(one: Any, other: Any) -> bool:
    """Equality of JSON values: 1 is 1.0, but true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def segment(label: Any) -> str:
    """A branch's part of a path."""
    return quote(label if isinstance(label, str) else json.dumps(label), safe="")


def segments(step: Json) -> list[str]:
    """The parts of paths that the branches of a step have. A text that is beside the number it
    shows is in quotes."""
    others = {json.dumps(label) for label in step["branches"] if not isinstance(label, str)}
    return [segment(f"'{one}'" if one in others else one) for one in step["branches"]]


def joined(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
