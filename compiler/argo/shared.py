"""What lowering one graph shares with lowering the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from ..flow import Flow
from ..graph import ITERATION, Graph
from ..manifests.names import Names
from .hooks import Hooks
from .layout import readings
from .options import Options
from .pods import Pods

NOOP = "noop"
"""The template of a task without a pod: it is there at once, and Argo can link to it."""


class Inner(NamedTuple):
    """A graph that is to become the DAG template `template`. `part`: it is one of the graph at
    that path, and `inherits` is that graph's."""

    template: str
    graph: Graph
    path: str
    part: bool = False
    inherits: bool = False


class Shared:
    """One workflow on its way. `kinds`: how each argument of the run is read, json or text;
    `steps`: the options of the steps that override any; `pending`: graphs whose templates have a
    name and nothing else yet (a stack, so that no depth of nesting is one of Python's);
    `waits`: the templates of approvals, without a timeout and with one."""

    def __init__(
        self,
        flow: Flow,
        kinds: Mapping[str, str],
        base: Options,
        steps: Mapping[str, Options],
        names: Names,
        pods: Pods,
        hooks: Hooks,
    ) -> None:
        self.flow = flow
        self.kinds = kinds
        self.base = base
        self.steps = steps
        self.names = names
        self.pods = pods
        self.hooks = hooks
        self.pending: list[Inner] = []
        self.waits: dict[bool, dict[str, Any]] = {}

    def name(self, path: str) -> str:
        """A name for the template of what is at `path`."""
        return self.names.take(unquote(path).replace(ITERATION, "each") or "main")

    def call(self, graph: Graph, path: str) -> str:
        """The template that a graph will have."""
        name = self.name(path)
        self.pending.append(Inner(name, graph, path))
        return name

    def inherits(self, graph: Graph, path: str) -> bool:
        """Whether a graph needs to be told how nodes outside it ended."""
        return any(reading.inherits for reading in readings(self.flow, graph, path))

    def options(self, path: str) -> Options:
        """The options of the step at `path`."""
        return self.steps.get(path, self.base)
