"""What to add to the definition where a step failed for a file that it did not find.

A step sees the project and what it gets. A file of another step is not there unless that puts it
and this one gets it, and the message of a program that misses it does not say so.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from argosy.runtime.layout import readable, record_key
from argosy.runtime.patterns import MAGIC, matcher

if TYPE_CHECKING:
    from argosy.runtime.attempt import Attempt
    from argosy.runtime.entries import State
    from argosy.runtime.workdir.base import Workdir

MISSING = re.compile(
    r"no such file|FileNotFoundError|not found|does ?n.t exist|cannot (open|access|stat|find|read)"
    r"|can't open|could not (open|find|read)",
    re.IGNORECASE,
)
QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"|`([^`']+)[`']|\u2018([^\u2019]+)\u2019")
WORD = re.compile(r"[^\s:;,'\"()\[\]`\u2018\u2019]+")
NOT_MAPPED = "Value too large for defined data type"
LOOKED_AT = 200
"""So many records at most are read for the step that wrote a file."""


def advice(attempt: Attempt, entering: State, message: str, workdir: Workdir) -> str:
    """What would have kept a step from failing, as far as its message and the end of its output
    tell; empty where they do not."""
    text = f"{attempt.output.tail()}\n{message}"
    if NOT_MAPPED in text and workdir.kind == "overlay":
        return (
            "the step changed a file of another group than this user's, which an overlay cannot; "
            "set workdir: copy for the local executor"
        )
    names = list(dict.fromkeys(missing(text, workdir.path)))
    if not names:
        return ""
    step = readable(attempt.node.step.rpartition("/")[2])
    for name in names:
        if found := in_catalog(name, entering):
            by = readable(entering.catalog[found]["by"])
            return f"'{found}' is in the catalog, put by {by}; {to_get(name, found, step)}"
        if reason := workdir.lacks(name):
            return reason
    return written_before(attempt, names, step)


def missing(text: str, folder: str) -> Iterator[str]:
    """The names, relative to the working directory, that may be of files which were not found: the
    last ones first, those in quotes before others."""
    lines = [line for line in text.splitlines() if MISSING.search(line)]
    for line in reversed(lines):
        quoted = ["".join(match.groups("")) for match in QUOTED.finditer(line)]
        for word in (*quoted, *WORD.findall(line)):
            name = os.path.normpath(word)
            if name.startswith(f"{folder}/"):
                name = os.path.relpath(name, folder)
            if not name.startswith(("/", "..")) and name != ".":
                yield name


def in_catalog(name: str, entering: State) -> str:
    """The file of the catalog that was meant; '' where there is none."""
    if name in entering.catalog:
        return name
    for known in sorted(entering.catalog):
        if known.startswith(f"{name}/") or known.endswith(f"/{name}"):
            return known
        if MAGIC.search(name) and matcher(name).match(known):
            return known
    return ""


def to_get(name: str, found: str, step: str) -> str:
    """The line to add. A pattern, or a directory, is brought as the step named it."""
    pattern = found if found.endswith(f"/{name}") else name
    return f"add to step '{step}': catalog: {{get: [{json.dumps(pattern)}]}}"


def written_before(attempt: Attempt, names: Iterable[str], step: str) -> str:
    """What to add where a step before this one wrote the file and did not put it."""
    wanted = list(names)
    for record in records_before(attempt):
        for written in record.get("discarded", ()):
            for name in wanted:
                if written == name or written.startswith(f"{name}/"):
                    writer = readable(record["step"].rpartition("/")[2])
                    line = json.dumps(name)
                    return (
                        f"step '{writer}' wrote '{name}' and did not put it: add to step "
                        f"'{writer}': catalog: {{put: [{line}]}}, and to step '{step}': "
                        f"catalog: {{get: [{line}]}}"
                    )
    return ""


def records_before(attempt: Attempt) -> Iterator[dict[str, Any]]:
    """The records of the steps that this one reads, directly or through others."""
    store, run = attempt.context.run_log_store, attempt.context.run
    ahead, known = list(attempt.reader.reads.items()), set[str]()
    while ahead and len(known) < LOOKED_AT:
        instance, number = ahead.pop(0)
        if not instance or instance in known:
            continue
        known.add(instance)
        data = store.get(record_key(run, instance, number))
        if data:
            record = json.loads(data)
            yield record
            ahead += record.get("reads", {}).items()
