"""Generated definitions: both forms, every kind of step inside every other, all of them valid.

What the steps of a generated definition do is decided by `support.code`.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from support.reference import Json

ARGUMENTS: Json = {
    "lists": [[1, 2], ["only"]],
    "empty": [],
    "some": [3, 3],
    "mode": "b",
    "flag": False,
    "kind": 1,
    "n": 1,
    "nothing": None,
}
"""The pipeline's defaults. `lists`, `empty` and `flag` are never written."""
LISTS = "lists", "lists", "empty", "some", "some", "item", "nothing", "absent"
ITEMS = "item", "item", "inner", "a", "n", "some"
VALUES: Json = {
    "mode": ["a", "b", "two words"],
    "flag": [False, True],
    "kind": [1, "1", None],
    "n": [1, 2.5, "1"],
    "index": [0, 1],
    "nothing": [None, "none"],
    "absent": ["a"],
}
"""What conditionals compare, and with what."""
NAMES = "a", "b", "some", "mode", "kind", "done", "n", "item", "index"
"""What tasks return."""
REDUCERS = "list", "sum", "max", "last", "json:dumps"
PUT = ["x"], ["y.txt"], ["d/z.txt"], ["*.txt"], ["d/*"], ["x", "*.txt"]
GET = ["x"], ["y.txt"], ["*.txt"], ["d/z.txt", "x"], ["*/*/x"], ["*/0/y.txt"], ["none"]

TASK, APPROVAL, STUB, FAIL, SUCCESS = "task", "approval", "stub", "fail", "success"
LEAVES = TASK, TASK, TASK, TASK, TASK, APPROVAL, STUB, FAIL, SUCCESS
COMPOSITES = "parallel", "map", "map", "loop", "dag", "conditional"


def definitions(depth: int, size: int) -> st.SearchStrategy[Json]:
    """Definitions whose graphs have up to `size` steps, with graphs inside them to `depth`."""
    return graphs(depth, size).map(
        lambda dag: {"name": "p", "parameters": ARGUMENTS, "dag": dag},
    )


def without_approvals(part: Any) -> Any:
    """The same with stubs in the place of approvals, for executors that cannot ask."""
    if isinstance(part, list):
        return [without_approvals(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {name: without_approvals(inner) for name, inner in part.items()}
    return {**found, "type": STUB} if part.get("type") == APPROVAL else found


def graphs(depth: int, size: int) -> st.SearchStrategy[Json]:
    return st.one_of(edge_form(depth, size), chain_form(depth, size))


@st.composite
def edge_form(draw: st.DrawFn, depth: int, size: int) -> Json:
    """Steps that depend on any of those before them, some of which handle failures."""
    steps: dict[str, Json] = {}
    for number in range(draw(st.integers(1, size))):
        name, step = f"s{number}", draw(bodies(depth))
        after = some_of(draw, [n for n, one in steps.items() if one["type"] not in (FAIL, SUCCESS)])
        if after:
            step["depends_on"] = {"any": after} if draw(st.booleans()) else after
        failing = [n for n, one in steps.items() if can_fail(one) and "on_failure" not in one]
        for handled in some_of(draw, failing):
            steps[handled]["on_failure"] = name
        steps[name] = step
    return {"steps": shuffled(draw, steps)}


@st.composite
def chain_form(draw: st.DrawFn, depth: int, size: int) -> Json:
    """A state machine whose steps go on to later ones, or to an end."""
    names = [f"s{number}" for number in range(draw(st.integers(1, size)))]
    steps: dict[str, Json] = {}
    for position, name in enumerate(names):
        step = draw(bodies(depth))
        later = names[position + 1 :]
        targets = [None, *later, *later, *later, SUCCESS, FAIL]
        if step["type"] not in (FAIL, SUCCESS):
            for edge in ("next", "on_failure") if can_fail(step) else ("next",):
                if target := draw(st.sampled_from(targets)):
                    step[edge] = target
        steps[name] = step
    reached = ["s0"]
    for name in reached:
        for target in (steps[name].get("next"), steps[name].get("on_failure")):
            if target in steps and target not in reached:
                reached.append(target)
    kept = {name: steps[name] for name in names if name in reached}
    return {"start_at": "s0", "steps": shuffled(draw, kept)}


def can_fail(step: Json) -> bool:
    return step["type"] not in (STUB, FAIL, SUCCESS)


@st.composite
def bodies(draw: st.DrawFn, depth: int) -> Json:
    """A step without its edges."""
    kind = draw(st.sampled_from([*LEAVES, *(COMPOSITES if depth else ())]))
    inner = graphs(depth - 1, 3)
    match kind:
        case "task":
            return draw(tasks())
        case "approval":
            return {"type": kind, "message": draw(st.sampled_from("abcdefgh"))}
        case "parallel":
            labels = draw(st.sampled_from([["one"], ["one", "two"], ["two words", "b", "a"]]))
            return {"type": kind, "branches": {label: draw(inner) for label in labels}}
        case "map":
            return draw(maps(inner))
        case "loop":
            return draw(loops(inner))
        case "dag":
            return draw(dags(inner))
        case "conditional":
            return draw(conditionals(inner))
    return {"type": kind}


@st.composite
def tasks(draw: st.DrawFn) -> Json:
    step: Json = {"type": TASK, "command": "jobs.run"}
    if returns := some_of(draw, NAMES):
        step["returns"] = returns
    catalog: Json = {}
    if draw(st.integers(0, 2)) == 2:
        catalog["put"] = draw(st.sampled_from(PUT))
    if draw(st.integers(0, 7)) == 7:
        catalog["get"] = draw(st.sampled_from(GET))
    return {**step, "catalog": catalog} if catalog else step


@st.composite
def maps(draw: st.DrawFn, inner: st.SearchStrategy[Json]) -> Json:
    item = draw(st.sampled_from(ITEMS))
    step: Json = {
        "type": "map",
        "iterate_on": draw(st.sampled_from([name for name in LISTS if name != item])),
        "iterate_as": item,
        "branch": draw(inner),
    }
    reduced = some_of(draw, [name for name in NAMES if name != item])
    if reduced:
        step["reducers"] = {name: draw(st.sampled_from(REDUCERS)) for name in reduced}
    if draw(st.booleans()):
        step["max_parallel"] = draw(st.integers(1, 2))
    return step


@st.composite
def loops(draw: st.DrawFn, inner: st.SearchStrategy[Json]) -> Json:
    step: Json = {
        "type": "loop",
        "break_on": draw(st.sampled_from(["done", "done", "flag", "absent"])),
        "max_iterations": draw(st.integers(1, 3)),
        "branch": draw(inner),
    }
    index = draw(st.sampled_from([None, "index", "a", "n", "item"]))
    return {**step, "iterate_as": index} if index else step


@st.composite
def dags(draw: st.DrawFn, inner: st.SearchStrategy[Json]) -> Json:
    step: Json = {"type": "dag", "branch": draw(inner)}
    if draw(st.booleans()):
        step["inputs"] = [*ARGUMENTS][: draw(st.integers(0, len(ARGUMENTS)))]
        step["inputs"] += some_of(draw, ["a", "b", "item", "index", "done"])
    if draw(st.booleans()):
        step["outputs"] = some_of(draw, NAMES)
    return step


@st.composite
def conditionals(draw: st.DrawFn, inner: st.SearchStrategy[Json]) -> Json:
    parameter = draw(st.sampled_from([*VALUES]))
    values = VALUES[parameter][: draw(st.integers(1, 3))]
    step: Json = {
        "type": "conditional",
        "parameter": parameter,
        "branches": {value: draw(inner) for value in values},
    }
    texts = [value for value in values if isinstance(value, str) and value != "1"]
    if draw(st.booleans()):
        step["default"] = draw(st.one_of(inner, *([st.sampled_from(texts)] if texts else [])))
    return step


def some_of(draw: st.DrawFn, found: Any) -> list[Any]:
    """None, one or two of them."""
    if not found:
        return []
    return draw(st.lists(st.sampled_from([*found]), unique=True, max_size=2))


def shuffled(draw: st.DrawFn, steps: dict[str, Json]) -> dict[str, Json]:
    """In the order in which a definition has them, which decides who is first of equals."""
    return {name: steps[name] for name in draw(st.permutations([*steps]))}
