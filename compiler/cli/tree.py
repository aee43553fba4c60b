"""Steps as a tree of the names in their paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from argosy.runtime.layout import readable

T = TypeVar("T")


class Branch(Generic[T]):
    """A place in the tree: what stands there, and what is below."""

    def __init__(self, label: str = "") -> None:
        self.label = label
        """What it is called where that is more than the name in the path: an iteration's item."""
        self.steps: list[T] = []
        self.below: dict[str, Branch[T]] = {}

    def at(self, path: str) -> Branch[T]:
        """The place at a path that is in the tree."""
        place = self
        for name in path.split("/"):
            place = place.below[name]
        return place


class Placed(Protocol):
    @property
    def path(self) -> str: ...

    @property
    def label(self) -> str:
        """The path with the items of iterations; empty where it is no different."""


P = TypeVar("P", bound=Placed)


def grow(steps: Iterable[P]) -> Branch[P]:
    """The tree of the steps; its root has no name."""
    root: Branch[P] = Branch()
    for step in steps:
        place = root
        names = step.path.split("/")
        labels = step.label.split("/") if step.label else names
        for name, label in zip(names, labels, strict=True):
            place = place.below.setdefault(name, Branch())
            if label != name:
                place.label = label
        place.steps.append(step)
    return root


def rows(
    root: Branch[T], below: Callable[[Branch[T]], Mapping[str, Branch[T]]]
) -> Iterator[tuple[str, str, Branch[T]]]:
    """Each branch below `root`, as far as `below` goes: the lines that lead to it, its name, and
    itself. A stack, for trees of any depth."""
    stack = [(name, branch, "", "") for name, branch in reversed(ordered(root.below))]
    while stack:
        name, branch, twig, stem = stack.pop()
        yield twig, readable(branch.label or name), branch
        for position, (inner, found) in enumerate(reversed(ordered(below(branch)))):
            fork, line = ("├─ ", "│  ") if position else ("└─ ", "   ")
            stack.append((inner, found, f"{stem}{fork}", f"{stem}{line}"))


def ordered(below: Mapping[str, Branch[T]]) -> list[tuple[str, Branch[T]]]:
    """As they came, but the iterations of a map by their index."""
    if all(name.isdigit() for name in below):
        return sorted(below.items(), key=lambda item: int(item[0]))
    return list(below.items())
