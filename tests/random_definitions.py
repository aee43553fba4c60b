"""Definitions by chance: both forms, every kind of node in every kind, all of them valid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
ARGUMENTS: Json = {
    "lists": [[1, 2], ["only"]],
    "empty": [],
    "found": [3],
    "mode": "b",
    "flag": False,
    "kind": 1,
}
"""The defaults: those that maps iterate over are lists, in any run and after any map."""
LISTS = "lists", "empty", "found"
VALUES: Json = {"mode": ["a", "b", "two words"], "flag": [False, True], "kind": [1, "one", None]}
"""What a conditional's parameter is compared with."""
NAMES = "a", "b", "found", "mode", "kind", "done"
"""What steps set: names of their own, and some of the arguments'."""
TASK, APPROVAL, STUB, FAIL, SUCCESS = "task", "approval", "stub", "fail", "success"
ENDS = FAIL, SUCCESS
LEAVES = TASK, TASK, TASK, APPROVAL, STUB, FAIL, SUCCESS
COMPOSITES = "parallel", "map", "loop", "dag", "scoped dag", "conditional"


def definitions(
    depth: int, size: int, kinds: Sequence[str] = COMPOSITES
) -> st.SearchStrategy[Json]:
    """Definitions whose graphs have up to `size` steps, with graphs in these `kinds` of composites
    to `depth`."""
    return graphs(depth, size, kinds).map(
        lambda dag: {"name": "p", "parameters": ARGUMENTS, "dag": dag},
    )


def graphs(depth: int, size: int, kinds: Sequence[str]) -> st.SearchStrategy[Json]:
    return st.one_of(edge_form(depth, size, kinds), chain_form(depth, size, kinds))


@st.composite
def edge_form(draw: st.DrawFn, depth: int, size: int, kinds: Sequence[str]) -> Json:
    """Each step after any of those before it, and the handler of some."""
    steps: dict[str, Json] = {}
    for number in range(draw(st.integers(1, size))):
        name, step = f"s{number}", draw(bodies(depth, kinds, *LEAVES))
        after = some_of(draw, [one for one in steps if steps[one]["type"] not in ENDS])
        failing = [one for one in steps if steps[one]["type"] not in (STUB, *ENDS)]
        handled = some_of(draw, [one for one in failing if "on_failure" not in steps[one]])
        if step["type"] == FAIL and not after and not handled and draw(st.integers(0, 3)):
            step = {"type": STUB}
        if after:
            step["depends_on"] = {"any": after} if draw(st.booleans()) else after
        steps[name] = step
        for one in handled:
            steps[one]["on_failure"] = name
    return {"steps": shuffled(draw, steps)}


@st.composite
def chain_form(draw: st.DrawFn, depth: int, size: int, kinds: Sequence[str]) -> Json:
    """A state machine whose steps go on to later ones, or to an end."""
    names = [f"s{number}" for number in range(draw(st.integers(1, size)))]
    steps: dict[str, Json] = {}
    for place, name in enumerate(names):
        step = draw(bodies(depth, kinds, *LEAVES))
        targets = [None, *names[place + 1 :], *names[place + 1 :], "success", "fail"]
        if step["type"] not in (FAIL, SUCCESS):
            for edge in ("next", "on_failure"):
                if target := draw(st.sampled_from(targets)):
                    step[edge] = target
        steps[name] = step
    reached = ["s0"]
    for name in reached:
        targets = [steps[name].get(edge) for edge in ("next", "on_failure")]
        reached += [one for one in targets if one in steps and one not in reached]
    kept = {name: steps[name] for name in names if name in reached}
    return {"start_at": "s0", "steps": shuffled(draw, kept)}


@st.composite
def bodies(draw: st.DrawFn, depth: int, kinds: Sequence[str], *leaves: str) -> Json:
    """A step without its edges."""
    kind = draw(st.sampled_from([*leaves, *(kinds if depth else ())]))
    if kind == TASK:
        returns = some_of(draw, NAMES)
        return {"type": TASK, "command": "jobs.run", **({"returns": returns} if returns else {})}
    if kind == APPROVAL:
        return {"type": kind, "message": draw(st.sampled_from("abcdefgh"))}
    inner = graphs(depth - 1, 3, kinds)
    if kind == "parallel":
        return {"type": kind, "branches": {"one": draw(inner), "two": draw(inner)}}
    if kind == "map":
        return {
            "type": kind,
            "iterate_on": draw(st.sampled_from(LISTS)),
            "iterate_as": "item",
            "branch": draw(inner),
            **draw(st.sampled_from([{}, {}, {"max_parallel": 1}, {"reducers": {"a": "last"}}])),
        }
    if kind == "loop":
        return {
            "type": kind,
            "break_on": "done",
            "max_iterations": draw(st.integers(1, 3)),
            "branch": draw(inner),
            **draw(st.sampled_from([{}, {"iterate_as": "index"}, {"iterate_as": "a"}])),
        }
    if kind == "dag":
        return {"type": kind, "branch": draw(inner)}
    if kind == "scoped dag":
        scope = {"inputs": [*ARGUMENTS, "a"], "outputs": ["a", "found"]}
        return {"type": "dag", "branch": draw(inner), **scope}
    if kind == "conditional":
        return draw(conditionals(inner))
    return {"type": kind}


@st.composite
def conditionals(draw: st.DrawFn, inner: st.SearchStrategy[Json]) -> Json:
    parameter = draw(st.sampled_from([*VALUES]))
    branches = {value: draw(inner) for value in VALUES[parameter][: draw(st.integers(1, 3))]}
    step = {"type": "conditional", "parameter": parameter, "branches": branches}
    if draw(st.booleans()):
        step["default"] = draw(inner)
    return step


def some_of(draw: st.DrawFn, found: Any) -> list[Any]:
    """None, one or two of them."""
    if not found:
        return []
    return draw(st.lists(st.sampled_from([*found]), unique=True, max_size=2))


def shuffled(draw: st.DrawFn, steps: dict[str, Json]) -> dict[str, Json]:
    """The order of writing says nothing but who is first of equals."""
    return {name: steps[name] for name in draw(st.permutations([*steps]))}
