"""What each node reads: the sources of its state, from the edges of its graph.

State flows along edges (runtime protocol, *State*). Stubs and composites are looked through, a
handler reads what entered the node that failed, and where only one of several sources can be there,
the engine says which ended how. Six things bound what is read:

- a graph inside another hands over *certain* exits only. Where it has others and exactly one of
  them can succeed, that one claims the graph: it writes its state under the graph's path as well.
  Otherwise a control node joins them at the graph's end;
- a round of a loop ends in one node, which tells whether it was the last: in the one task that the
  body ends in, or in a control node;
- a template of the engine's own writes no state: where it has outputs, a control node does;
- what a reducer that can fail makes of a map is made once, by a control node, so that it is the map
  that fails;
- where fan-in times fan-out could pass MAX_READS, a control node writes the joined state once;
- where looking through would nest deeper than MAX_NESTING, likewise.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Set
from typing import Any, NamedTuple

from .checks.returns import declared
from .exits import Ends, certain, ends, exclusive, recovers
from .graph import (
    ITERATION,
    Approval,
    Argo,
    Conditional,
    Dag,
    Edge,
    Fail,
    Graph,
    Loop,
    Map,
    Node,
    Stub,
    Task,
    join_path,
    segment,
)
from .sources import (
    START,
    If,
    Item,
    Joined,
    Looped,
    Only,
    Round,
    Scoped,
    Source,
    Sources,
    State,
    asks,
    deeper,
    encode,
    every,
    of_maps,
    starts,
)
from .trampoline import Steps, run

MAX_READS = 1000
MAP_WIDTH = 100
"""How wide a map is taken to be when reads are counted; nobody knows before it runs."""
MAX_NESTING = 4
END = "!"
"""The path of the control node that joins what leaves the pipeline: no step is called so."""


class Ask(NamedTuple):
    """A status that the engine hands over: of the sibling `node`, or of its branch `label`."""

    node: str
    label: str | None
    path: str


class Reading(NamedTuple):
    """What a node reads. `sources` as in NODE's `from`; `inherits`: statuses of graphs outside its
    own are among what it asks for; `arguments`: so are the run's arguments."""

    sources: tuple[Any, ...]
    asks: tuple[Ask, ...] = ()
    inherits: bool = False
    arguments: bool = False


class Ending(NamedTuple):
    """What the node that ends a round has to judge: whether `parameter` ends the loop at `loop`."""

    loop: str
    parameter: str


class Flow(NamedTuple):
    """The whole of it, by path.

    rank       position in topological order, then branch, then position inside, and so on
    readings   of every node; of a composite, what enters it
    joins      control nodes, by the path of the node or the graph that they come after
    also       the graphs that a node claims
    endings    what ends the rounds of loops, by the path of the task or the control node
    final      the sources of the pipeline's end
    """

    rank: dict[str, str]
    readings: dict[str, Reading]
    joins: dict[str, Reading]
    also: dict[str, tuple[str, ...]]
    endings: dict[str, Ending]
    final: tuple[Any, ...] = ()

    def home(self, graph: str) -> str:
        """The path at which a graph's own state is written, where it has one. A dag's node and its
        graph share their path, and only the node's state may stand there; the pipeline's own graph
        has none."""
        return f"{graph}/" if graph in self.rank else graph or END


def flow(graph: Graph, memoized: Set[str] = frozenset()) -> Flow:
    """The flow of a pipeline's graph. What is `memoized`, by path, may not run and writes nothing
    that others read: it is looked through as a stub is."""
    found = Flow({}, {}, {}, {}, {})
    of = _ends(graph)
    inside = run(_Walk(found, of, _weights(graph, of), memoized).graph(graph, "", "", START))
    nodes = {segment(name): node for name, node in graph.nodes.items()}
    outermost = {*inside}
    if all(_recorded(graph, nodes, one, one in outermost) for one in asks(inside, None)):
        return found._replace(final=tuple(_final(graph, source) for source in inside))
    found.joins[END] = _reading(inside, "")
    return found._replace(final=(END,))


def _recorded(graph: Graph, nodes: Mapping[str, Node], one: If, outermost: bool) -> bool:
    """Whether the records of a run tell if an alternative of its end is read. `nodes`: by segment.

    They tell how a step ended that has none inside. Of a composite they tell how the steps inside
    ended, which may all have succeeded where it failed: then nothing of them is left, if the run
    goes on. A state that is there and is left anyway may be read or not."""
    node = graph.nodes[one.name]
    if one.label is not None:
        return not of_maps(one.of)
    if one.outcome == "failure":
        return not node.graphs()
    told = node if outermost and _handler_alone(graph, node) else None
    read = [*every(one.of)]
    paths = {source.path for source in read if isinstance(source, (State, Looped))}
    inside = (nodes[path.partition("/")[0]] for path in paths if "/" in path)
    if any(recovers(graph, composite) and composite is not told for composite in inside):
        return False
    maps = {source.path.partition("/")[0] for source in read if isinstance(source, Joined)}
    return all(_ran(graph, nodes[name], paths, told) for name in maps)


def _ran(graph: Graph, node: Node, paths: Container[str], told: Node | None) -> bool:
    """Whether a node with a map has succeeded if what enters it is there: all that the records tell
    where its list is empty. `paths` are those of the states that are read."""
    edges, seen = [Edge(node.name, "success")], set[Edge]()
    while edges:
        edge = edges.pop()
        before = graph.nodes[edge.source]
        if edge.outcome == "failure":
            return False
        if edge in seen or segment(before.name) in paths:
            continue
        seen.add(edge)
        if recovers(graph, before) and before is not told:
            return False
        edges.extend(before.incoming)
    return True


def _final(graph: Graph, source: Source) -> Any:
    """A source of the pipeline's end, where records decide: of a composite, whether its handler has
    begun tells."""
    encoded = encode(source)
    if isinstance(source, If) and not source.graph and source.label is None:
        handler = _handler_alone(graph, graph.nodes[source.name])
        return {**encoded, "unless": segment(handler)} if handler else encoded
    return encoded


def _handler_alone(graph: Graph, node: Node) -> str:
    """The task that runs if and only if the node failed; '' where there is none."""
    handler = graph.nodes.get(node.handler or "")
    alone = handler and handler.incoming == (Edge(node.name, "failure"),)
    return handler.name if handler and alone and isinstance(handler.spec, Task) else ""


class _Walk(NamedTuple):
    """One pass over all graphs, each in topological order."""

    flow: Flow
    ends: Mapping[int, Ends]
    weights: Mapping[int, tuple[int, int]]
    memoized: Set[str]

    def graph(
        self, graph: Graph, path: str, rank: str, entry: Sources, ends_at: str = ""
    ) -> Steps[Sources]:
        """Fills the flow for one graph; returns what leaves it. A loop's body `ends_at` a node: at
        its own path, where that is a control node."""
        reads: dict[str, Sources] = {}
        leaves: dict[str, Sources] = {}
        readers = _readers(graph, self.weights)
        for position, name in enumerate(graph.order()):
            node = graph.nodes[name]
            at = join_path(path, segment(name))
            own = f"{rank}{position}"
            self.flow.rank[at] = own
            reads[name] = sources = _sources(node, path, entry, reads, leaves)
            self.flow.readings[at] = _reading(sources, path)
            out = yield self.node(node, at, own, path, sources)
            width = self.weights.get(id(node), (1, 1))[1]
            if not isinstance(node.spec, (Task, Fail)) and (
                _can_fail(node)
                or (width > 1 and width * readers[name] > MAX_READS)
                or deeper(out, MAX_NESTING)
            ):
                self.flow.joins[at] = _reading(out, path)
                out = (State(at),)
            leaves[name] = out
        inside = _leaving(graph, path, entry, self.ends[id(graph)], leaves)
        if ends_at:
            if ends_at == path:
                self.flow.joins[path] = _reading(inside, path)
        elif path and any(asks(inside, path)):
            home = self.flow.home(path)
            claimants = _claimants(graph, path, self.ends)
            if claimants and not self.memoized.isdisjoint(claimants):
                claimants = None
            if claimants is None:
                self.flow.joins[home] = _reading(inside, path)
            for claimant in claimants or ():
                self.flow.also[claimant] = (*self.flow.also.get(claimant, ()), home)
            inside = (State(home),)
        return inside

    def node(self, node: Node, at: str, rank: str, path: str, sources: Sources) -> Steps[Sources]:
        """What leaves one node that succeeded."""
        spec = node.spec
        inside: Sources
        if isinstance(spec, (Stub, Approval)) or at in self.memoized:
            return sources
        if isinstance(spec, Task):
            return (State(at),)
        if isinstance(spec, Argo):
            if not spec.returns:
                return sources
            self.flow.joins[at] = _reading(sources, path)
            return (State(at),)
        if isinstance(spec, Map):
            item = Item(spec.iterate_on, spec.iterate_as, at.split("/").count(ITERATION), sources)
            inner = join_path(at, ITERATION)
            inside = yield self.graph(spec.branch, inner, f"{rank}.*.", (item,))
            return (_joined(spec, at, rank, sources, inside),)
        if isinstance(spec, Loop):
            inner = join_path(at, ITERATION)
            last = round_end(spec.branch, inner)
            self.flow.endings[last] = Ending(at, spec.break_on)
            depth = at.split("/").count(ITERATION)
            before = Round(spec.iterate_as, depth, sources, last)
            yield self.graph(spec.branch, inner, f"{rank}.*.", (before,), last)
            if spec.iterate_as is None:
                return (State(at),)
            return (Looped(at, spec.iterate_as, sources),)
        if isinstance(spec, Dag):
            entry = sources if spec.inputs is None else (Only(spec.inputs, sources),)
            inside = yield self.graph(spec.branch, at, f"{rank}.0.", entry)
            if spec.inputs is None and spec.outputs is None:
                return inside
            return (Scoped(at, rank, spec.outputs, sources, inside),)
        found: list[Source] = []
        for number, (label, (part, branch)) in enumerate(
            zip(getattr(spec, "branches", {}), node.graphs(), strict=True)
        ):
            inner = join_path(at, part)
            inside = yield self.graph(branch, inner, f"{rank}.{number}.", sources)
            if isinstance(spec, Conditional):
                found.append(If(path, node.name, label, inner, "success", inside))
            else:
                found.extend(inside)
        return _alternatives(found)


def _can_fail(node: Node) -> bool:
    """Whether what leaves a map may be nothing that its reducers can make."""
    reducers = node.spec.reducers.values() if isinstance(node.spec, Map) else ()
    return any(reducer not in ("list", "last") for reducer in reducers)


def _joined(spec: Map, path: str, rank: str, entered: Sources, inside: Sources) -> Joined:
    names = tuple(name for name in declared(spec.branch) if name != spec.iterate_as)
    reducers = tuple(spec.reducers.items())
    return Joined(path, rank, spec.iterate_on, spec.iterate_as, reducers, names, entered, inside)


def _sources(
    node: Node, path: str, entry: Sources, reads: dict[str, Sources], leaves: dict[str, Sources]
) -> Sources:
    """What enters a node."""
    if not node.incoming:
        return entry
    failures = [edge for edge in node.incoming if edge.outcome == "failure"]
    found: list[Source] = []
    for edge in node.incoming:
        failed = edge.outcome == "failure"
        of = reads[edge.source] if failed else leaves[edge.source]
        several = len(node.incoming) > 1 if node.join == "any" else failed and len(failures) > 1
        if several:
            at = join_path(path, segment(edge.source))
            found.append(If(path, edge.source, None, at, edge.outcome, of))
        else:
            found.extend(of)
    return _alternatives(found)


def _alternatives(found: list[Source]) -> Sources:
    """Each once; alternatives that are all the same are none."""
    bodies = {source.of for source in found if isinstance(source, If)}
    if len(bodies) == 1 and all(isinstance(source, If) for source in found):
        return bodies.pop()
    return tuple(dict.fromkeys(found))


def _leaving(
    graph: Graph, path: str, entry: Sources, of: Ends, leaves: dict[str, Sources]
) -> Sources:
    """What leaves a graph that succeeded: what its ends left, and what entered it where they may
    not have that."""
    sure = certain(graph)
    found: list[Source] = [*entry] if of.entry else []
    there = {*found, *(source for name in of.nodes if name in sure for source in leaves[name])}
    for name in of.nodes:
        if name in sure:
            found.extend(leaves[name])
        elif not there.issuperset(leaves[name]):
            at = join_path(path, segment(name))
            found.append(If(path, name, None, at, "success", leaves[name]))
    return _alternatives(found)


def round_end(body: Graph, path: str) -> str:
    """The path of the node that ends a round of a loop with this body: of its one last task, where
    that has succeeded whenever the body has; else of a control node, which is the body's own."""
    of = ends(body)
    match of.nodes:
        case [name] if isinstance(body.nodes[name].spec, Task) and not of.entry:
            return join_path(path, segment(name)) if name in certain(body) else path
    return path


def _claimants(graph: Graph, path: str, of: Mapping[int, Ends]) -> list[str] | None:
    """The tasks of which exactly one is the last to succeed when the graph does, if that is so."""
    found: list[str] = []
    stack = [(graph, path)]
    while stack:
        current, at = stack.pop()
        leaving = of[id(current)]
        if not exclusive(current, leaving):
            return None
        for name in leaving.nodes:
            node = current.nodes[name]
            inner = join_path(at, segment(name))
            if isinstance(node.spec, Task):
                found.append(inner)
            elif isinstance(node.spec, Conditional) or _unscoped(node):
                stack.extend((branch, join_path(inner, part)) for part, branch in node.graphs())
            else:
                return None
    return found


def _unscoped(node: Node) -> bool:
    spec = node.spec
    return isinstance(spec, Dag) and spec.inputs is None and spec.outputs is None


def _ends(graph: Graph) -> dict[int, Ends]:
    """The ends of a graph, and of all graphs inside it, by id."""
    order = [graph]
    for current in order:
        order.extend(inner for node in current.nodes.values() for _, inner in node.graphs())
    return {id(current): ends(current) for current in order}


def _weights(graph: Graph, of: Mapping[int, Ends]) -> dict[int, tuple[int, int]]:
    """Of each composite node and each graph, by id: how many nodes inside read what enters it, and
    how many states leave it."""
    order = [graph]
    for current in order:
        order.extend(inner for node in current.nodes.values() for _, inner in node.graphs())
    found: dict[int, tuple[int, int]] = {}
    for current in reversed(order):
        for node in current.nodes.values():
            inner = [found[id(branch)] for _, branch in node.graphs()]
            if isinstance(node.spec, Map):
                found[id(node)] = MAX_READS, MAP_WIDTH * inner[0][1]
            elif isinstance(node.spec, Loop):
                found[id(node)] = inner[0][0], 1
            elif isinstance(node.spec, Dag) and node.spec.inputs is not None:
                found[id(node)] = MAX_READS, inner[0][1]
            elif inner:
                found[id(node)] = sum(i[0] for i in inner), sum(i[1] for i in inner)
        roots = (node for node in current.nodes.values() if not node.incoming)
        found[id(current)] = (
            sum(found.get(id(node), (1, 1))[0] for node in roots),
            sum(found.get(id(current.nodes[name]), (1, 1))[1] for name in of[id(current)].nodes)
            + of[id(current)].entry,
        )
    return found


def _readers(graph: Graph, weights: Mapping[int, tuple[int, int]]) -> dict[str, int]:
    """How many nodes read what leaves each node; stubs and approvals are looked through."""
    found = dict.fromkeys(graph.nodes, 0)
    for name in reversed(graph.order()):
        node = graph.nodes[name]
        through = isinstance(node.spec, (Stub, Approval))
        reads = found[name] if through else weights.get(id(node), (1, 1))[0]
        for edge in node.incoming:
            found[edge.source] += reads
    return found


def _reading(sources: Sources, graph: str) -> Reading:
    """`sources` as they travel, for a node of `graph`."""
    if len(sources) == 1 and isinstance(sources[0], State):
        return Reading((sources[0].path,), arguments=not sources[0].path)
    asked = {alternative.path: alternative for alternative in asks(sources, None)}
    own = [ask for _, ask in sorted(asked.items()) if ask.graph == graph]
    return Reading(
        sources=tuple(encode(source) for source in sources),
        asks=tuple(Ask(ask.name, ask.label, ask.path) for ask in own),
        inherits=len(own) < len(asked),
        arguments=starts(sources),
    )
