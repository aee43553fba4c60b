"""The graph of a pipeline: what `parse` makes, `check` judges and every later phase reads.

Both forms of a definition end here. An edge says how its source must have ended; a node says how
many of its edges must have fired (`join`). `success` nodes of a chain that are reached by success
only are gone (they are the graph's exits), a `fail` node that is named and not defined is there.

Values are NamedTuples, and annotations are not put off: a cold command makes these classes in a
tenth of the time that frozen dataclasses take.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from heapq import heappop, heappush
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from .errors import Position

Outcome = Literal["success", "failure"]
_PLAIN = re.compile(r"[\w.~-]+", re.ASCII)
NOTHING: Mapping[str, Any] = MappingProxyType({})
ITERATION = "*"
"""Stands in a path for the index of a map's iteration or of a loop's round; a step's own name never
reads so."""


RESULT = "result"
"""The output of one of Argo's templates that is what it prints, or is answered."""


class Edge(NamedTuple):
    """One incoming edge: the name of its source in the same graph, and how that must have ended."""

    source: str
    outcome: Outcome


class Retry(NamedTuple):
    """How often a task is tried; between two attempts it waits `backoff` seconds, each time
    `factor` times as long."""

    max_attempts: int = 1
    backoff: float = 0.0
    factor: float = 2.0
    max_backoff: float = 300.0


class Task(NamedTuple):
    """Work in a process of its own. Without a `retry` the executor's counts, where it
    has one. `secrets` maps a secret's name to the environment variable that shows it to the user's
    process, or to `None` where only `get_secret` asks for it. A container has an `image`, and
    `argv`: its command and what that is given. `own_folder`: its patterns are in the folder that
    its own `compute_data_folder` names; `kept`: it stands for a step that succeeded in
    the run that this one goes on from, and counts as done."""

    command: str
    command_type: str = "python"
    returns: tuple[str, ...] = ()
    get: tuple[str, ...] = ()
    put: tuple[str, ...] = ()
    secrets: Mapping[str, str | None] = NOTHING
    env: Mapping[str, str] = NOTHING
    retry: Retry | None = None
    timeout: float | None = None
    image: str = ""
    argv: tuple[str, ...] = ()
    notebook_output_path: str = ""
    output_cell_tag: str = ""
    own_folder: bool = False
    kept: bool = False


class Parallel(NamedTuple):
    branches: Mapping[str, "Graph"]


class Map(NamedTuple):
    """`reducers` maps a parameter's name to list, sum, max, last or module:function."""

    iterate_on: str
    iterate_as: str
    branch: "Graph"
    reducers: Mapping[str, str] = NOTHING
    max_parallel: int | None = None


class Loop(NamedTuple):
    """Rounds of one graph, each with what the one before it left, until the parameter `break_on` is
    true; `iterate_as` is the parameter with a round's index."""

    branch: "Graph"
    break_on: str
    max_iterations: int
    iterate_as: str | None = None


class Dag(NamedTuple):
    """A graph in a graph; `inputs` and `outputs`, where given, are the parameters that pass."""

    branch: "Graph"
    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None


class Conditional(NamedTuple):
    """`branches` maps a branch's label to its graph, `values` the label to the JSON value that
    chooses it; `default` is the label that no value chooses."""

    parameter: str
    branches: Mapping[str, "Graph"]
    values: Mapping[str, Any]
    default: str | None = None


class Argo(NamedTuple):
    """A template of the engine's own, as it is written: `template` is its body, or `reference` says
    where it is, as Argo's `templateRef` does. `arguments` are engine text; those of `handed` are
    parameters of the state. `returns` maps a parameter to the output that it is."""

    template: Mapping[str, Any] = NOTHING
    reference: Mapping[str, Any] = NOTHING
    arguments: Mapping[str, str] = NOTHING
    handed: Mapping[str, str] = NOTHING
    returns: Mapping[str, str] = NOTHING


class Approval(NamedTuple):
    """Waits until a person says yes: `timeout` seconds at most."""

    message: str = ""
    timeout: float | None = None


class Stub(NamedTuple):
    """Does nothing; a `success` node that only failures reach is one too."""


class Fail(NamedTuple):
    message: str = ""


Spec = Task | Parallel | Map | Loop | Dag | Conditional | Approval | Argo | Stub | Fail
KINDS: Mapping[type, str] = {
    Task: "task",
    Parallel: "parallel",
    Map: "map",
    Loop: "loop",
    Dag: "dag",
    Conditional: "conditional",
    Approval: "approval",
    Argo: "argo",
    Stub: "stub",
    Fail: "fail",
}


class Node(NamedTuple):
    """One step. `handler` is the step its `on_failure` names; `overrides` is by executor; `fields`
    is the mapping that it was read from, for the places of its values."""

    name: str
    spec: Spec
    at: Position
    incoming: tuple[Edge, ...] = ()
    join: Literal["any", "all"] = "all"
    handler: str | None = None
    overrides: Mapping[str, Any] = NOTHING
    description: str = ""
    fields: Any = None

    def place(self, *path: str | int) -> Position:
        """Where the value at `path` of the step's fields is written, or the nearest around it."""
        found, at = self.fields, self.at
        for key in path:
            there = key in found if isinstance(found, dict) else isinstance(key, int)
            if not there or not hasattr(found, "source"):
                break
            at, found = found.source.position(found.at(key)), found[key]
        return at

    @property
    def kind(self) -> str:
        """What its spec makes it, in a word."""
        return KINDS[type(self.spec)]

    def graphs(self) -> Sequence[tuple[str, "Graph"]]:
        """The graphs inside, each with the path segment that leads to it ('' adds none)."""
        spec = self.spec
        if isinstance(spec, (Parallel, Conditional)):
            return [(segment(name), graph) for name, graph in spec.branches.items()]
        if isinstance(spec, (Map, Loop)):
            return [(ITERATION, spec.branch)]
        return [("", spec.branch)] if isinstance(spec, Dag) else ()


class Graph(NamedTuple):
    """Nodes by name, in the order of the definition. `start` is the chain form's `start_at`."""

    nodes: Mapping[str, Node]
    form: Literal["chain", "edge"]
    at: Position
    start: str = ""

    def order(self) -> list[str]:
        """Topological order by Kahn's algorithm, ties in the order of the definition.

        Nodes of a cycle, and those behind it, are missing from it.
        """
        if self._in_order():
            return list(self.nodes)
        place = {name: index for index, name in enumerate(self.nodes)}
        names = list(self.nodes)
        waiting = {name: len(node.incoming) for name, node in self.nodes.items()}
        targets: dict[str, list[str]] = {name: [] for name in names}
        for name, node in self.nodes.items():
            for edge in node.incoming:
                targets[edge.source].append(name)
        ready = [place[name] for name in names if not waiting[name]]
        order = []
        while ready:
            name = names[heappop(ready)]
            order.append(name)
            for target in targets[name]:
                waiting[target] -= 1
                if not waiting[target]:
                    heappush(ready, place[target])
        return order

    def _in_order(self) -> bool:
        """Whether every node comes after those that it waits for, as people mostly write them."""
        before: set[str] = set()
        for name, node in self.nodes.items():
            for edge in node.incoming:
                if edge.source not in before:
                    return False
            before.add(name)
        return True


class Pipeline(NamedTuple):
    """A definition. `parameters` are the defaults, JSON values; `magnus`: it was written for
    Magnus."""

    name: str
    graph: Graph
    parameters: Mapping[str, Any] = NOTHING
    description: str = ""
    magnus: bool = False


@cache
def segment(name: str) -> str:
    """A name as one segment of a path, percent-encoded: `/`, `*`, `=` and blanks are free."""
    if _PLAIN.fullmatch(name):
        return name
    from urllib.parse import quote

    return quote(name, safe="")


def join_path(path: str, part: str) -> str:
    """`part` below `path`; either may be '', which adds nothing."""
    return f"{path}/{part}" if path and part else path or part
