"""Differences as a person reads them: an object a line, and under it what changed.

~ WorkflowTemplate churn (version 1f0a -> 93bc)
    spec.templates[main].dag.tasks[train].arguments.parameters[node].value.command
      - churn.train
      + churn.train_all
+ CronWorkflow churn
- PersistentVolumeClaim churn-runs
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from ..manifests.names import VERSION
from .fields import ABSENT, Change, decoded
from .objects import Difference

SIGNS = {"added": "+", "removed": "-", "changed": "~"}
LABEL = f'.labels["{VERSION}"]'
WIDTH = 160
"""Characters of a value that are shown; `-o json` has all of them."""
NAMES = 3
"""Templates that are named where they have a change in common."""


def lines(differences: Iterable[Difference]) -> Iterator[str]:
    for difference in differences:
        version = _version(difference)
        title = f"{SIGNS[difference.action]} {difference.key}"
        yield f"{title} (version {version.old} -> {version.new})" if version else title
        for change in _together(difference.changes):
            if not (version and change.place.endswith(LABEL) and change[1:] == version[1:]):
                yield f"    {change.place}"
                yield from (f"      {line}" for line in _values(change))


def _together(changes: Iterable[Change]) -> Iterator[Change]:
    """The changes, and what several templates of a workflow have in common as one: what is said for
    all pods is in the template of each kind of pod."""
    found: dict[Any, list[Change]] = {}
    for change in changes:
        path = change.path
        shared = (*path[:2], *path[3:]) if path[1:2] == (".templates",) else path
        found.setdefault((shared, repr(change.old), repr(change.new)), []).append(change)
    for first, *others in found.values():
        if not others:
            yield first
            continue
        names = [one.path[2].strip("[]") for one in (first, *others)]
        shown = names if len(names) <= NAMES else [*names[: NAMES - 1], f"{len(others) - 1} more"]
        path = (*first.path[:2], f"[{', '.join(shown)}]", *first.path[3:])
        yield first._replace(path=path)


def _version(difference: Difference) -> Change | None:
    """The change of the object's version, which pods and workflows have too and is said once."""
    found = (change for change in difference.changes if change.place == f"metadata{LABEL}")
    return next((change for change in found if ABSENT not in change[1:]), None)


def as_json(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """[{kind, group, namespace, name, action, changes: [{path, old, new}]}]; a field that was added
    has no old value, one that was removed no new one."""
    found = []
    for key, action, changes in differences:
        fields = [
            {
                "path": change.place,
                **({} if change.old is ABSENT else {"old": change.old}),
                **({} if change.new is ABSENT else {"new": change.new}),
            }
            for change in changes
        ]
        found.append({**key._asdict(), "action": action, "changes": fields})
    return found


def _values(change: Change) -> Iterator[str]:
    old, new = _shown(change.old), _shown(change.new)
    if len(old) <= 1 and len(new) <= 1:
        start = _start("".join(old), "".join(new))
        yield from (f"- {_clipped(line, start)}" for line in old)
        yield from (f"+ {_clipped(line, start)}" for line in new)
        return
    for line in list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]:
        yield line if line.startswith("@@") else f"{line[0]} {_clipped(line[1:])}"


def _shown(value: Any) -> list[str]:
    """The lines of a value: text as it is where it can be taken for nothing else."""
    if value is ABSENT:
        return []
    if isinstance(value, str) and all(line.isprintable() for line in value.split("\n")):
        try:
            json.loads(value)
        except ValueError:
            return value.split("\n") if value else ['""']
    return [json.dumps(_opened(value), ensure_ascii=False)]


def _start(old: str, new: str) -> int:
    """Where to begin to show two lines, so that what differs is seen."""
    if max(len(old), len(new)) <= WIDTH or not (old and new):
        return 0
    same = next(at for at, pair in enumerate(zip_longest(old, new)) if pair[0] != pair[1])
    return max(0, same - WIDTH // 4)


def _opened(value: Any) -> Any:
    """`value` with what is JSON in its texts as what it is."""
    if isinstance(value, str):
        value = decoded(value)[0]
    if isinstance(value, dict):
        return {key: _opened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_opened(item) for item in value]
    return value


def _clipped(line: str, start: int = 0) -> str:
    shown = f"...{line[start:]}" if start else line
    return shown if len(shown) <= WIDTH else f"{shown[: WIDTH - 3]}..."
