"""Argo does with our manifests what the graph says: the same tasks run, and it ends alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from argosy.compiler.errors import Position
from argosy.compiler.graph import (
    Approval,
    Conditional,
    Dag,
    Edge,
    Fail,
    Graph,
    Loop,
    Map,
    Node,
    Parallel,
    Spec,
    Stub,
    Task,
    join_path,
    segment,
)
from engine import Engine, Json
from lowered import most_tasks, order, spec

AT = Position("p.yaml", 0, 0)
ARGUMENTS = {"xs": [1, 2], "none": [], "mode": "b", "flag": False}
VALUES = {"small": 1, "two words": [2], "b": "b"}


class World:
    """What happens in one run, decided by a seed: the same whoever asks."""

    def __init__(self, seed: int, unlucky: int) -> None:
        self.seed = seed
        self.unlucky = unlucky

    def draw(self, what: str, key: str, sides: int) -> int:
        return crc32(f"{self.seed} {what} {key}".encode()) % sides

    def fails(self, path: str, key: str) -> bool:
        return self.draw(path, key, 100) < self.unlucky

    def items(self, parameter: str, key: str) -> int:
        found = ARGUMENTS.get(parameter)
        return len(found) if isinstance(found, list) else self.draw(parameter, key, 3)

    def answer(self, message: str) -> str:
        return ["yes", "yes", "no", "late"][self.draw(message, "", 4)]

    def ends(self, parameter: str, key: str) -> bool:
        return not self.draw(parameter, key, 4)

    def value(self, parameter: str, key: str) -> Any:
        if parameter in ARGUMENTS:
            return ARGUMENTS[parameter]
        return [*VALUES.values(), "other"][self.draw(parameter, key, len(VALUES) + 1)]


class Meaning:
    """What a graph means, from the words of the protocol alone."""

    def __init__(self, graph: Graph, world: World) -> None:
        self.world = world
        self.ran: set[tuple[str, str]] = set()
        self.failed: set[tuple[str, str]] = set()
        self.ended: dict[tuple[str, str], str] = {}
        self.phase = "Succeeded" if self.graph(graph, "", "") else "Failed"

    def graph(self, graph: Graph, path: str, key: str) -> bool:
        ended: dict[str, str] = {}
        good = True
        for name in graph.order():
            node, at = graph.nodes[name], join_path(path, segment(name))
            ended[name] = "Omitted"
            if self.runs(node, ended):
                ended[name] = "Succeeded" if self.node(node, at, key) else "Failed"
            if ended[name] == "Failed" and node.handler is None:
                good = False
            self.ended[at, key] = ended[name]
        return good

    def runs(self, node: Node, ended: dict[str, str]) -> bool:
        fired = {
            outcome: [
                ended[edge.source] == ("Succeeded" if outcome == "success" else "Failed")
                for edge in node.incoming
                if edge.outcome == outcome
            ]
            for outcome in ("success", "failure")
        }
        if not node.incoming:
            return True
        if node.join == "any":
            return any(fired["success"] + fired["failure"])
        return all(fired["success"]) and (not fired["failure"] or any(fired["failure"]))

    def node(self, node: Node, at: str, key: str) -> bool:
        inner = [(join_path(at, part), graph) for part, graph in node.graphs()]
        match node.spec:
            case Task():
                self.ran.add((at, key))
                return not self.world.fails(at, key)
            case Approval(message=message, timeout=timeout):
                answer = self.world.answer(message)
                if timeout is not None and answer == "late":
                    self.failed.add((at, key))
                    return False
                return answer != "no"
            case Fail():
                self.failed.add((at, key))
                return False
            case Map(iterate_on=on):
                keys = [f"{key}/{i}".strip("/") for i in range(self.world.items(on, key))]
                return False not in [self.graph(inner[0][1], inner[0][0], one) for one in keys]
            case Loop(break_on=parameter, max_iterations=most):
                for round in range(most):
                    last = f"{key}/{round}".strip("/")
                    if not self.graph(inner[0][1], inner[0][0], last):
                        return False
                    if self.world.ends(parameter, last):
                        return True
                self.failed.add((at, last))
                return False
            case Conditional(parameter=parameter, values=values, default=default):
                value = self.world.value(parameter, key)
                labels = [label for label, wanted in values.items() if wanted == value]
                chosen = labels[0] if labels else default
                self.ended.update({(path, key): "Skipped" for path, _ in inner})
                for label, (path, graph) in zip(node.spec.branches, inner, strict=True):
                    if label == chosen:
                        good = self.graph(graph, path, key)
                        self.ended[path, key] = "Succeeded" if good else "Failed"
                        return good
                self.failed.add((at, key))
                return False
        return False not in [self.graph(graph, path, key) for path, graph in inner]


class Pods:
    """What the pods of a run do, and what is seen there."""

    def __init__(self, world: World, meaning: Meaning) -> None:
        self.world = world
        self.meaning = meaning
        self.ran: list[tuple[str, str]] = []
        self.failed: set[tuple[str, str]] = set()

    def __call__(self, node: Json, key: str, ended: str, template: Json) -> tuple[bool, list[str]]:
        key = "/".join(part.partition("-")[0] for part in key.split("/"))
        self.told(node, key, dict(token.split("=") for token in ended.split()))
        hands = [self.hand(hand, key) for hand in node.get("hands", ())]
        if node.get("type") == "fail":
            self.failed.add((node["step"], key))
            return False, []
        if node.get("type") == "control":
            return True, hands
        self.ran.append((node["step"], key))
        return not self.world.fails(node["step"], key), hands

    def hand(self, hand: Json, key: str) -> str:
        if "until" in hand:
            return "stop" if self.world.ends(hand["until"], key) else "again"
        if "items" in hand:
            return str([f"{i}-x" for i in range(self.world.items(hand["items"], key))]).replace(
                "'", '"'
            )
        value = self.world.value(hand["label"], key)
        labels = [label for label, wanted in hand["values"].items() if wanted == value]
        return labels[0] if labels else str(hand.get("default", ""))

    def told(self, node: Json, key: str, ended: dict[str, str]) -> None:
        """Every status that the sources depend on is there, and right."""
        for source in parts(node.get("from", ())):
            if "if" in source:
                path = source["if"]
                inside = "/".join(key.split("/")[: path.split("/").count("*")])
                assert ended[path] == self.meaning.ended.get((path, inside), "Omitted"), (
                    node,
                    ended,
                )


def parts(sources: Any) -> Iterator[Json]:
    for source in sources:
        if isinstance(source, dict):
            yield source
            for member in ("from", "in", "out"):
                yield from parts(source.get(member, ()))


@st.composite
def graphs(draw: st.DrawFn, depth: int, size: int) -> Graph:
    """Graphs of up to `size` nodes, with others in them to this depth."""
    nodes: dict[str, Node] = {}
    names = [f"s{i}" for i in range(draw(st.integers(1, size)))]
    for place, name in enumerate(names):
        found = draw(specs(depth))
        before = [n for n in names[:place] if not isinstance(nodes[n].spec, Fail)]
        sources = draw(st.lists(st.sampled_from(before), unique=True, max_size=2)) if before else []
        edges = [Edge(source, "success") for source in sources]
        free = [n for n in before if nodes[n].handler is None and n not in sources]
        failing = [n for n in free if not isinstance(nodes[n].spec, Stub)]
        for source in (
            draw(st.lists(st.sampled_from(failing), unique=True, max_size=2)) if failing else []
        ):
            edges.append(Edge(source, "failure"))
            old = nodes[source]
            nodes[source] = Node(old.name, old.spec, AT, old.incoming, old.join, name)
        join = draw(st.sampled_from(["all", "any"]))
        nodes[name] = Node(name, found, AT, tuple(edges), join)  # type: ignore[arg-type]
    return Graph(nodes, "edge", AT)


@st.composite
def specs(draw: st.DrawFn, depth: int) -> Spec:
    kinds = ["task"] * 4 + ["stub", "approval", "fail", "fail"]
    composites = ["map", "loop", "parallel", "conditional", "dag"]
    kind = draw(st.sampled_from(kinds + composites * (depth > 0)))
    if kind == "task":
        return Task("jobs.run")
    if kind == "stub":
        return Stub()
    if kind == "approval":
        message = draw(st.sampled_from("abcdefgh"))
        return Approval(message, draw(st.sampled_from([None, 90.5])))
    if kind == "fail":
        return Fail()
    inner = graphs(depth - 1, 3)
    if kind == "map":
        on = draw(st.sampled_from(["xs", "none", "found"]))
        return Map(on, "x", draw(inner), max_parallel=draw(st.sampled_from([None, None, 2])))
    if kind == "loop":
        return Loop(
            draw(inner),
            "done",
            draw(st.sampled_from([1, 3, 10, 12])),
            draw(st.sampled_from([None, "i"])),
        )
    if kind == "parallel":
        return Parallel({"one": draw(inner), "two": draw(inner)})
    if kind == "dag":
        scoped = draw(st.booleans())
        return Dag(draw(inner), ("a",) if scoped else None, ("b",) if scoped else None)
    parameter = draw(st.sampled_from(["mode", "flag", "kind"]))
    values = {"no": False, "yes": True} if parameter == "flag" else dict(VALUES)
    default = draw(st.sampled_from([None, None, *values]))
    if default is not None:
        values.pop(default)
    labels = [*values, *([default] if default is not None else [])]
    return Conditional(parameter, {label: draw(inner) for label in labels}, values, default)


def judge(graph: Graph, seed: int, unlucky: int) -> None:
    world = World(seed, unlucky)
    meaning = Meaning(graph, world)
    pods = Pods(world, meaning)
    engine = Engine(spec(graph, parameters=ARGUMENTS), pods, answers=world.answer)
    assert engine.phase == meaning.phase
    assert sorted(pods.ran) == sorted(meaning.ran)
    assert pods.failed <= meaning.failed


SEEDS = st.integers(0, 1000)
CHANCES = st.sampled_from([0, 25, 50, 75])


HANDLER_THAT_FAILS = Graph(
    {
        "a": Node("a", Task("jobs.run"), AT, handler="h"),
        "h": Node("h", Task("jobs.run"), AT, (Edge("a", "failure"),)),
        "f": Node("f", Fail(), AT, (Edge("h", "success"),)),
    },
    "chain",
    AT,
)


@settings(max_examples=800)
@given(graphs(0, 8), SEEDS, CHANCES)
@example(HANDLER_THAT_FAILS, 4, 50)
def test_argo_runs_what_a_graph_says_and_ends_alike(graph: Graph, seed: int, unlucky: int) -> None:
    judge(graph, seed, unlucky)


@pytest.mark.parametrize(
    ("most", "last"), [(1, 0), (10, 9), (11, 10), (99, 57), (1234, 1233), (120, None)]
)
def test_every_round_runs_up_to_the_last(most: int, last: int | None) -> None:
    body = Graph({"a": Node("a", Task("jobs.run"), AT)}, "edge", AT)
    graph = Graph({"l": Node("l", Loop(body, "done", most), AT)}, "edge", AT)
    ran: list[str] = []

    def pod(node: Json, key: str, ended: str, template: Json) -> tuple[bool, list[str]]:
        ran.append(f"{node['step']} {key}")
        if node.get("type") == "fail":
            return False, []
        return True, ["stop" if key == str(last) else "again"]

    engine = Engine(spec(graph), pod)
    rounds = [f"l/*/a {number}" for number in range(most if last is None else last + 1)]
    assert ran == rounds + [f"l {most - 1}"] * (last is None)
    assert engine.phase == ("Failed" if last is None else "Succeeded")


@settings(max_examples=150)
@given(graphs(2, 5), SEEDS, CHANCES)
def test_and_what_graphs_in_graphs_say(graph: Graph, seed: int, unlucky: int) -> None:
    judge(graph, seed, unlucky)


@settings(max_examples=400)
@given(graphs(0, 10), SEEDS, CHANCES)
def test_in_parts_too_with_no_other_order(graph: Graph, seed: int, unlucky: int) -> None:
    whole = order(spec(graph, parameters=ARGUMENTS))
    for count in (3, 5):
        with most_tasks(count):
            judge(graph, seed, unlucky)
            assert order(spec(graph, parameters=ARGUMENTS)) == whole


@settings(max_examples=150)
@given(graphs(1, 7), SEEDS, CHANCES)
def test_in_parts_with_graphs_in_them(graph: Graph, seed: int, unlucky: int) -> None:
    with most_tasks(4):
        judge(graph, seed, unlucky)
