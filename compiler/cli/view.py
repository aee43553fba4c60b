"""A run's graph as lines of text: composites folded when they are done, iterations into counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import click

from argosy.runtime.executors.local.report import duration
from argosy.runtime.layout import leaves

from ..cluster.engine import Execution, Instance
from . import tree
from .outcome import summary_of
from .tree import Branch, T, grow, ordered

COLORS = {
    "succeeded": "green",
    "failed": "red",
    "running": "cyan",
    "pending": "yellow",
    "lost": "red",
    "cancelled": "magenta",
}
GOING = {"running", "pending"}
LEFT = {"skipped", "omitted", "not_started"}
NAMED = 3
"""So many failed steps of a map are named, and so many that wait for a person."""
URGENCY = (
    *("failed", "lost", "cancelled", "running", "pending", "waiting"),
    *("succeeded", "skipped", "omitted", "not_started"),
)
"""What is shown first where there is no room for all."""


class Row(NamedTuple):
    """`twig` is what is drawn before the name."""

    twig: str
    name: str
    status: str
    told: str = ""


def lines(
    execution: Execution, now: float, width: int = 0, height: int = 0, color: bool = False
) -> list[str]:
    """The view of a run, `width` and `height` being those of a screen, 0 of a file."""
    tail = f" (called {execution.name} there)" if execution.name != execution.run else ""
    took = _took(execution.started, execution.ended, now)
    told = f"{took}{tail}" + (f": {execution.message}" if execution.message else "")
    found = [_line(Row("", execution.run, execution.status, told), 0, width, color)]
    body = list(rows(grow(execution.steps), now))
    below = [line for note in notes(execution) for line in _wrapped(note, width)]
    room = height - 2 - len(below) if height else len(body)
    kept, left = fit(body, max(room, 1))
    longest = max((len(row.twig + row.name) for row in kept), default=0)
    found += [_line(row, min(longest, width // 2 or longest), width, color) for row in kept]
    if left:
        counts = ", ".join(f"{count} {status}" for status, count in left.items())
        found.append(f"… and {sum(left.values())} more: {counts}"[: width or None])
    return found + below


def ending(execution: Execution) -> str:
    """How a run ended, and what its status alone would hide."""
    statuses = {step.path: step.status for step in execution.steps}
    failed = sum(statuses[path] == "failed" for path in leaves(statuses))
    handled = failed if execution.status == "succeeded" else 0
    return summary_of(execution.status, statuses, handled)


def notes(execution: Execution) -> Iterator[str]:
    """What a person should know beside the graph: what cannot be seen of it, and how what waits for
    a person goes on."""
    if execution.note:
        yield execution.note
    asked = [step for step in execution.steps if step.answer]
    for step in asked[:NAMED]:
        yield f"to go on with {step.name}: {step.answer}"
    if len(asked) > NAMED:
        yield f"and {len(asked) - NAMED} more wait for a person"


def _wrapped(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)] if width else [text]


def fit(found: Sequence[Row], room: int) -> tuple[list[Row], Counter[str]]:
    """The rows that there is room for, in their order, and the statuses of the others."""
    if len(found) <= room:
        return list(found), Counter()
    ranked = sorted(range(len(found)), key=lambda at: _urgency(found[at].status))
    kept = set(ranked[: room - 1])
    left = Counter(row.status for at, row in enumerate(found) if at not in kept)
    return [row for at, row in enumerate(found) if at in kept], left


def _urgency(status: str) -> int:
    return URGENCY.index(status) if status in URGENCY else len(URGENCY)


def rows(root: Branch[Instance], now: float) -> Iterator[Row]:
    """A row for each step that is not folded away, and for each composite."""
    for twig, name, branch in tree.rows(root, unfolded):
        if is_map(branch):
            status, told = _iterations(branch, now)
            yield Row(twig, name, status, _because(branch, told))
        elif branch.below:
            told = _summary(list(lowest(branch)), now)
            yield Row(twig, name, _status(branch), _because(branch, told))
        else:
            for step in branch.steps:
                yield Row(twig, name, step.status, _told(step, now))


def _because(branch: Branch[Instance], told: str) -> str:
    """What is told of a composite, and why it failed or was left out, where it says so itself."""
    own = " ".join(branch.steps[0].message.split()) if branch.steps else ""
    return ", ".join(part for part in (told, own) if part)


def unfolded(branch: Branch[Instance]) -> Mapping[str, Branch[Instance]]:
    """What is shown below a place: of a map what failed, or waits for a person; of another
    composite nothing once it has gone well."""
    if is_map(branch):
        return _named(branch)
    inside = list(lowest(branch))
    open_ = any(step.status == "failed" or step.answer for step in inside)
    return branch.below if open_ or _status(branch) in GOING else {}


def is_map(branch: Branch[Instance]) -> bool:
    """Whether what is below it are iterations, or the place of those that are to come."""
    return bool(branch.below) and all(name.isdigit() or name == "*" for name in branch.below)


def lowest(branch: Branch[T]) -> Iterator[T]:
    """All steps at and below a place; composites are left out."""
    stack = [branch]
    while stack:
        place = stack.pop()
        if not place.below:
            yield from place.steps
        stack += reversed(place.below.values())


def _status(branch: Branch[Instance]) -> str:
    """The status of a composite: its own, where that is known."""
    own = branch.steps[0].status if branch.steps else "waiting"
    return _of(lowest(branch)) if own == "waiting" else own


def _of(steps: Iterable[Instance]) -> str:
    return status_of(step.status for step in steps)


def status_of(of_steps: Iterable[str]) -> str:
    """The status of a composite whose steps have these."""
    statuses = set(of_steps)
    if statuses & GOING or ("waiting" in statuses and statuses - {"waiting"} - LEFT):
        return "running"
    for status in ("cancelled", "failed", "lost", "unknown"):
        if status in statuses:
            return status
    if len(statuses) == 1:
        return statuses.pop()
    if "waiting" in statuses:
        return "waiting"
    return "omitted" if statuses <= LEFT else "succeeded"


def _iterations(branch: Branch[Instance], now: float) -> tuple[str, str]:
    """The status of a map, and its iterations counted."""
    inside = list(lowest(branch))
    counts = Counter(_of(lowest(below)) for name, below in branch.below.items() if name != "*")
    if not counts:
        return _status(branch), ""
    done = counts["succeeded"] + counts["omitted"]
    parts = [f"{done} of {sum(counts.values())} done"]
    parts += [f"{counts[name]} {name}" for name in ("running", "failed", "waiting") if counts[name]]
    return _status(branch), ", ".join([*parts, _span(inside, now)])


def _named(branch: Branch[Instance]) -> dict[str, Branch[Instance]]:
    """The steps of a map that failed, and those that wait for a person, each as a place of its
    own."""
    inside = {
        f"{name}/{rest}": step
        for name, below in ordered(branch.below)
        for rest, step in _paths(below)
    }
    failed = [name for name, step in inside.items() if step.status == "failed"]
    asked = [name for name, step in inside.items() if step.answer]
    found = {
        name: _leaf(inside[name], name.count("/") + 1) for name in (*failed[:NAMED], *asked[:NAMED])
    }
    if len(failed) > NAMED:
        found["…"] = _leaf(Instance("", "failed", message=f"{len(failed) - NAMED} more"), 0)
    return found


def _paths(branch: Branch[Instance]) -> Iterator[tuple[str, Instance]]:
    stack = [("", branch)]
    while stack:
        path, place = stack.pop()
        if not place.below:
            yield from ((path, step) for step in place.steps)
        stack += reversed(
            [(f"{path}/{name}".lstrip("/"), below) for name, below in ordered(place.below)]
        )


def _leaf(step: Instance, depth: int) -> Branch[Instance]:
    """A place for a step that is so deep below the one that it is shown at."""
    found: Branch[Instance] = Branch("/".join(step.label.split("/")[-depth:]) if depth else "")
    found.steps.append(step)
    return found


def _summary(inside: Sequence[Instance], now: float) -> str:
    count = "1 step" if len(inside) == 1 else f"{len(inside)} steps"
    return ", ".join(part for part in (count, _span(inside, now)) if part)


def _span(inside: Sequence[Instance], now: float) -> str:
    """From the first start to the last end, or until now."""
    started = [step.started for step in inside if step.started is not None]
    ended = [step.ended for step in inside if step.ended is not None]
    if not started:
        return ""
    going = _of(inside) in GOING or not ended
    return _took(min(started), None if going else max(ended), now)


def _told(step: Instance, now: float) -> str:
    """How a step went, in a line."""
    parts = []
    if (step.status not in ("waiting", *LEFT) or step.answer) and step.started is not None:
        parts.append(f"{_took(step.started, step.ended, now):>8}")
    if step.attempts > 1:
        parts.append(f"{step.attempts} attempts")
    if (step.status in ("failed", *GOING, *LEFT) or step.answer) and step.message:
        parts.append(" ".join(step.message.split()))
    return "  ".join(parts)


def _took(started: float | None, ended: float | None, now: float) -> str:
    if started is None:
        return ""
    return duration(max(0.0, (ended or now) - started), whole=True)


def _line(row: Row, room: int, width: int, color: bool) -> str:
    """A row, cut to the width before it gets its colour."""
    head = f"{row.twig}{row.name}"
    if room and len(head) > room:
        head = head[: room - 1] + "…"
    head, status = f"{head:{room}}  ", f"{row.status.replace('_', ' '):9}"
    told = f"  {row.told}" if row.told else ""
    if width:
        told = told[: max(0, width - len(head) - len(status))]
    if not color:
        return f"{head}{status}{told}".rstrip()
    return (
        head
        + click.style(status, fg=COLORS.get(row.status), dim=row.status == "waiting" or None)
        + told
    )
