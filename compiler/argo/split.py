"""Long graphs in parts: a DAG of more tasks than an engine takes becomes several, one in another.

A part is a set of nodes that becomes one task. It waits for what its first nodes wait for, and what
comes after it waits for all of it; so it may hold only what waits so anyway:

- *series*: nodes that follow each other and have no other way in or out;
- *parallel*: nodes that wait for the same, and that the same nodes wait for;
- *components*: what has nothing to do with the rest;
- *tails*: all that comes after some place, where the first of it wait for the same.

Where other nodes come after a part, it succeeds if and only if its last nodes do: nobody handles
the failure of any of them. A tail and a component may hold anything, for nothing comes after them.
Nodes of which one asks how the other ended, or takes what it hands over, stay in one DAG.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from ..graph import Edge, Fail, Graph, Node, Spec, Stub

MAX_TASKS = 200
"""Tasks of a DAG that the full CRDs of Argo 4 take."""
END = ""
"""In ties: the end of the graph."""


class Part(NamedTuple):
    """What a node is that stands for several."""

    graph: Graph


class Item(NamedTuple):
    """A node, or a part: `inside` is what that holds, `leaves` the graph's own nodes in it, in
    their order. `tasks`: how many tasks it is; `flat`: how many it would be without the part."""

    name: str
    leaves: tuple[str, ...]
    tasks: int
    flat: int
    inside: tuple[Item, ...] = ()


Ties = Mapping[str, set[str]]
"""By node, those that must be in the same DAG, both ways."""


def split(graph: Graph, tasks: Mapping[str, int], ties: Ties) -> Graph:
    """The graph in parts, so that no DAG has more than MAX_TASKS, as far as that can be.

    `tasks`: how many each node is; nodes that are none are left out. A part is a node whose spec is
    a Part, and its name is no name of a step.
    """
    whole = _Whole(graph, ties)
    items = whole.fit([Item(name, (name,), count, count) for name, count in tasks.items()])
    return whole.build(items)


class _Whole:
    """The graph that is split. `most`: tasks of a DAG, beside the one that says that all went
    well."""

    def __init__(self, graph: Graph, ties: Ties) -> None:
        self.graph = graph
        self.ties = ties
        self.most = MAX_TASKS - 1
        self.place = {name: place for place, name in enumerate(graph.nodes)}

    def fit(self, items: list[Item]) -> list[Item]:
        """The same in fewer items, while there are too many and a way to have fewer."""
        while sum(item.tasks for item in items) > self.most:
            view = _View(self, items)
            ways = (view.series, view.parallel, view.components, view.tails)
            found = next(filter(None, (way() for way in ways)), None)
            if found is None:
                break
            items = found
        return items

    def merge(self, items: Sequence[Item]) -> Item:
        """One part of several items: of what is in their own parts, where that is little enough."""
        leaves = [leaf for item in items for leaf in item.leaves]
        leaves.sort(key=self.place.__getitem__)
        inside = tuple(items)
        if sum(item.flat for item in items) <= self.most:
            inside = tuple(inner for item in items for inner in item.inside or (item,))
        flat = sum(item.tasks for item in inside)
        return Item(f"from {leaves[0]}\n", tuple(leaves), 1, flat, inside)

    def build(self, items: Iterable[Item]) -> Graph:
        """The items as a graph; edges from elsewhere are left out."""
        several = list(items)
        nodes = self.outline(several)
        for item in several:
            if item.inside:
                spec = cast(Spec, Part(self.build(item.inside)))
                nodes[item.name] = nodes[item.name]._replace(spec=spec)
        return self.graph._replace(nodes=nodes)

    def outline(self, items: Iterable[Item]) -> dict[str, Node]:
        """The same without what is inside of parts."""
        several = list(items)
        owner = {leaf: item.name for item in several for leaf in item.leaves}
        return {item.name: self._node(item, owner) for item in several}

    def _node(self, item: Item, owner: Mapping[str, str]) -> Node:
        """An item as a node: a part waits for what its first node waits for."""
        first = self.graph.nodes[self._first(item) if item.inside else item.name]
        incoming = first.incoming
        if any(owner.get(edge.source) != edge.source for edge in incoming):
            edges = (edge for edge in incoming if edge.source in owner)
            incoming = tuple(dict.fromkeys(Edge(owner[e.source], e.outcome) for e in edges))
        if item.inside:
            return Node(item.name, Stub(), first.at, incoming, first.join)
        return first if incoming is first.incoming else first._replace(incoming=incoming)

    def _first(self, item: Item) -> str:
        """A node of the item that waits for none of the others."""
        own = set(item.leaves)
        return next(
            leaf
            for leaf in item.leaves
            if own.isdisjoint(edge.source for edge in self.graph.nodes[leaf].incoming)
        )


class _View:
    """The items of one DAG. `after`: the nodes that wait for each."""

    def __init__(self, whole: _Whole, items: list[Item]) -> None:
        self.whole = whole
        self.items = {item.name: item for item in items}
        self.nodes = whole.outline(items)
        self.after: dict[str, list[str]] = {name: [] for name in self.items}
        self.handled: set[str] = set()
        for name, node in self.nodes.items():
            for edge in node.incoming:
                self.after[edge.source].append(name)
                if edge.outcome == "failure":
                    self.handled.add(edge.source)
        self.ties = {name: whole.ties.get(name, set()) for name in self.items}

    def series(self) -> list[Item] | None:
        """Runs of nodes, each the only one that waits for the one before, and for no other."""
        following = {}
        for name, after in self.after.items():
            alone = len(after) == 1 and len(self.nodes[after[0]].incoming) == 1
            if alone and self._plain(name) and self._plain(after[0]):
                following[name] = after[0]
        targets = set(following.values())
        runs = []
        for name in following:
            if name not in targets:
                runs.append([name])
                while runs[-1][-1] in following:
                    runs[-1].append(following[runs[-1][-1]])
        return self._merged(piece for run in runs for piece in self._pieces(run))

    def _pieces(self, run: list[str]) -> list[list[list[Item]]]:
        """A run without the nodes that are tied to others; what is tied in it is one unit."""
        whole = set(run)
        groups = {name: self._tied(name) for name in run if self.ties[name]}
        pieces: list[list[list[Item]]] = [[]]
        ahead: set[str] = set()
        for name in run:
            group = groups.get(name, {name})
            if not group <= whole:
                pieces.append([])
                continue
            if not ahead:
                pieces[-1].append([])
            pieces[-1][-1].append(self.items[name])
            ahead = (ahead | group) - {item.name for item in pieces[-1][-1]}
        return pieces

    def _tied(self, name: str) -> set[str]:
        """All that must be in the same DAG as a node."""
        found, waiting = {name}, [name]
        while waiting:
            new = self.ties.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    def parallel(self) -> list[Item] | None:
        """Nodes that wait for the same, and that the same nodes wait for."""
        twins: dict[object, list[list[Item]]] = {}
        for name, after in self.after.items():
            if self._plain(name) and not self.ties[name] and all(map(self._needs_all, after)):
                key = self._reason(name), frozenset(after)
                twins.setdefault(key, []).append([self.items[name]])
        return self._merged(twins.values())

    def components(self) -> list[Item] | None:
        """What has nothing to do with the rest; small ones together."""
        home = {name: name for name in self.items}

        def find(name: str) -> str:
            while home[name] != name:
                home[name] = home[home[name]]
                name = home[name]
            return name

        for name, after in self.after.items():
            for other in (*after, *(self.ties[name] - {END})):
                home[find(name)] = find(other)
        found: dict[str, list[Item]] = {}
        for name, item in self.items.items():
            found.setdefault(find(name), []).append(item)
        if len(found) == 1:
            return None
        units = []
        for unit in found.values():
            if not any(END in self.ties[item.name] for item in unit):
                large = sum(item.flat for item in unit) > self.whole.most
                units.append([self.whole.merge(self.whole.fit(unit))] if large else unit)
        return self._merged([units])

    def tails(self) -> list[Item] | None:
        """What comes after a place, in that what comes after a later place, and so on."""
        order = self.whole.graph._replace(nodes=self.nodes).order()
        ends = [*self._cuts(order), len(order)]
        begins, tasks = [0], 0
        for begin, end in zip([0, *ends], ends, strict=False):
            more = sum(self.items[name].tasks for name in order[begin:end])
            if begin and tasks + more >= self.whole.most:  # with the tail's own task
                begins.append(begin)
                tasks = 0
            tasks += more
        rest: list[Item] = []
        for begin, end in reversed([*zip(begins, [*begins[1:], len(order)], strict=True)]):
            items = [*(self.items[name] for name in order[begin:end]), *rest]
            rest = [self.whole.merge(self.whole.fit(items))] if begin else items
        return rest if len(begins) > 1 else None

    def _cuts(self, order: list[str]) -> Iterator[int]:
        """How many nodes come before each place after which all that is left waits for the same: it
        is open, or comes after what is. At least two nodes are left, and none is tied to one
        before; a `fail` node is not among the first, for it would need a pod there."""
        before = sum(not node.incoming for node in self.nodes.values())
        before += sum(END in ties for ties in self.ties.values())
        unmet: dict[str, int] = {}
        reasons: Counter[object] = Counter()
        ahead: set[str] = set()
        seen = {END}
        blocked = 0
        for place, name in enumerate(order[:-2], 1):
            seen.add(name)
            ahead = (ahead | self.ties[name]) - seen if ahead or self.ties[name] else ahead
            before -= (not self.nodes[name].incoming) + (END in self.ties[name])
            if name in unmet:
                del unmet[name]
                reason = self._reason(name)
                reasons[reason] -= 1
                if not reasons[reason]:
                    del reasons[reason]
                blocked -= self._fails(name)
            for after in self.after[name]:
                if after not in unmet:
                    unmet[after] = len(self.nodes[after].incoming)
                    reasons[self._reason(after)] += 1
                    blocked += 1 + self._fails(after)
                unmet[after] -= 1
                blocked -= not unmet[after]
            if len(reasons) == 1 and not (before or blocked or ahead):
                yield place

    def _reason(self, name: str) -> object:
        """What a node waits for."""
        node = self.nodes[name]
        return frozenset(node.incoming), self._needs_all(name)

    def _fails(self, name: str) -> bool:
        return isinstance(self.nodes[name].spec, Fail)

    def _plain(self, name: str) -> bool:
        """Whether nobody handles the node's failure, and it can succeed."""
        return name not in self.handled and not self._fails(name)

    def _needs_all(self, name: str) -> bool:
        node = self.nodes[name]
        return node.join == "all" or len(node.incoming) == 1

    def _merged(self, groups: Iterable[list[list[Item]]]) -> list[Item] | None:
        """The items, of the neighbours in each group as many in one part as it takes; None where
        there is nothing to merge. Those of one unit stay together."""
        several = [units for units in groups if sum(map(len, units)) > 1]
        sizes: tuple[Callable[[Item], int], ...] = (lambda one: one.flat, lambda one: one.tasks)
        for size in sizes:
            filled = (_filled(units, size, self.whole.most) for units in several)
            parts = [self.whole.merge(part) for found in filled for part in found if len(part) > 1]
            if parts:
                gone = {leaf for part in parts for leaf in part.leaves}
                kept = [item for item in self.items.values() if item.leaves[0] not in gone]
                place = self.whole.place
                return sorted([*kept, *parts], key=lambda item: place[item.leaves[0]])
        return None


def _filled(
    units: Iterable[list[Item]], size: Callable[[Item], int], most: int
) -> Iterator[list[Item]]:
    """Units that follow each other, together as long as they fit."""
    part: list[Item] = []
    tasks = 0
    for unit in units:
        more = sum(map(size, unit))
        if part and tasks + more > most:
            yield part
            part, tasks = [], 0
        part, tasks = [*part, *unit], tasks + more
    if part:
        yield part
