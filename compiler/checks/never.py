"""No step waits for what cannot be: that another has both succeeded and failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import NamedTuple

from ..errors import Problem
from ..graph import Edge, Graph, Node


class Facts(NamedTuple):
    """What is so whenever a step runs: which steps have succeeded, and which have failed.

    Sets of bits, one for each step with a handler (of no other does it matter), so that a chain of
    10,000 handlers is judged in a moment.
    """

    succeeded: int = 0
    failed: int = 0

    def both(self, other: Facts) -> Facts:
        return Facts(self.succeeded | other.succeeded, self.failed | other.failed)

    def either(self, other: Facts) -> Facts:
        return Facts(self.succeeded & other.succeeded, self.failed & other.failed)


def never(graph: Graph) -> Iterator[Problem]:
    """A problem for each step that can never run, but not for those that only follow such a one."""
    handled = [name for name, node in graph.nodes.items() if node.handler]
    bits = {name: 1 << place for place, name in enumerate(handled)}
    facts: dict[str, Facts | None] = {}
    for name in graph.order() if handled else ():
        node = graph.nodes[name]
        found = _entering(node, [_after(edge, bits, facts[edge.source]) for edge in node.incoming])
        contradiction = found.succeeded & found.failed if found is not None else 0
        facts[name] = None if contradiction else found
        if contradiction:
            yield _problem(node, handled[contradiction.bit_length() - 1])


def _after(edge: Edge, bits: dict[str, int], before: Facts | None) -> Facts | None:
    """What is so when the edge has fired; None: it never does. `before`: of its source."""
    if before is None:
        return None
    bit = bits.get(edge.source, 0)
    return before.both(Facts(succeeded=bit) if edge.outcome == "success" else Facts(failed=bit))


def _entering(node: Node, after: list[Facts | None]) -> Facts | None:
    """What is so when the node runs; None: it never does. `after`: what is so after each edge."""
    if node.join == "any":
        return _one_of(after) if after else Facts()
    found = Facts()
    failures: list[Facts | None] = []
    for edge, facts in zip(node.incoming, after, strict=True):
        if edge.outcome == "failure":
            failures.append(facts)
        elif facts is None:
            return None
        else:
            found = found.both(facts)
    if not failures:
        return found
    ways = [found.both(facts) for facts in failures if facts is not None]
    return _one_of([way for way in ways if not way.succeeded & way.failed] or ways[:1])


def _one_of(ways: Sequence[Facts | None]) -> Facts | None:
    """What is so whichever of several ways was gone."""
    possible = [facts for facts in ways if facts is not None]
    return reduce(Facts.either, possible) if possible else None


def _problem(node: Node, other: str) -> Problem:
    return Problem(
        f"step '{node.name}' can never run: it waits for '{other}' both to succeed and to fail",
        node.at,
        "depends_on: {any: [...]} waits for one of several",
    )
