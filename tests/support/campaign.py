"""A long comparison of the executors with the reference.

    cd tests && ../.venv/bin/python -m support.campaign --count 20000 --seed 0

generates so many definitions, runs each on every executor without processes, and prints how many
agree and, for each kind of disagreement, how often it came up and a small definition that shows it.
`--processes` says how many run at once, `--depth` and `--size` how large definitions are, and
`--seconds` when to stop. The exit status is 1 where anything disagrees.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from argosy.compiler.errors import DefinitionError
from support.code import Code
from support.comparison import disagreements, may_be_refused
from support.generator import definitions
from support.reference import Json

SHARD = 100
"""Definitions that one process generates from one seed."""
CODES = st.builds(Code, st.integers(0, 1000), st.sampled_from([0, 0, 20, 50]))


@dataclass
class Tally:
    """What came of many definitions: the kinds of disagreement, and the smallest of each."""

    compared: int = 0
    refused: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    smallest: dict[str, tuple[Json, Code]] = field(default_factory=dict)

    def add(self, definition: Json, code: Code) -> None:
        report = outcome(definition, code)
        if report is None:
            self.refused += 1
            return
        self.compared += 1
        if report:
            kind = kind_of(report)
            self.kinds[kind] += 1
            self.keep(kind, (definition, code))

    def keep(self, kind: str, example: tuple[Json, Code]) -> None:
        known = self.smallest.get(kind)
        if known is None or len(str(example)) < len(str(known)):
            self.smallest[kind] = example

    def update(self, other: Tally) -> None:
        self.compared += other.compared
        self.refused += other.refused
        self.kinds += other.kinds
        for kind, example in other.smallest.items():
            self.keep(kind, example)


def outcome(definition: Json, code: Code) -> str | None:
    """The report of a definition, empty where all agree; None where it is refused for a mistake
    that generated definitions have."""
    try:
        return disagreements(definition, code)
    except DefinitionError as error:
        return None if may_be_refused(error) else f"refused: {error}"
    except Exception as error:  # of whatever kind: it is what the campaign is there to find
        return f"{type(error).__name__}: {error}"


def kind_of(report: str) -> str:
    """The kind of a disagreement: its first line, without the names of steps."""
    return report.splitlines()[0].partition(" of ")[0][:60]


def shard(number: int, count: int, depth: int, size: int) -> Tally:
    """Compares the definitions of one seed."""
    tally = Tally()

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(definitions(depth, size), CODES)
    def compare(definition: Json, code: Code) -> None:
        tally.add(definition, code)

    compare()
    return tally


def shrunk(definition: Json, code: Code, seconds: float = 60) -> tuple[Json, Code]:
    """A smaller definition that disagrees in the same way."""
    kind = kind_of(outcome(definition, code) or "")
    until = time.monotonic() + seconds
    smaller = True
    while smaller and time.monotonic() < until:
        smaller = False
        for candidate in without_one_part(definition):
            report = candidate["dag"].get("steps") and outcome(candidate, code)
            if report and kind_of(report) == kind:
                definition, smaller = candidate, True
                break
    return definition, code


def without_one_part(definition: Json) -> Iterator[Json]:
    """The definition without each of its parts in turn, the largest first, or with a part of a part
    in its place."""
    places = sorted(paths(definition), key=lambda path: -len(str(at(definition, path))))
    for path in places:
        candidate = copy.deepcopy(definition)
        holder = at(candidate, path[:-1])
        if path[-1] not in ("type", "name", "dag", "steps"):
            del holder[path[-1]]
            yield candidate
    for path in places:
        part = at(definition, path)
        if isinstance(part, dict) and "type" in part and part["type"] not in ("task", "stub"):
            candidate = copy.deepcopy(definition)
            edges = {n: part[n] for n in ("next", "on_failure", "depends_on") if n in part}
            at(candidate, path[:-1])[path[-1]] = {"type": "stub", **edges}
            yield candidate


def paths(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = part.items() if isinstance(part, dict) else enumerate(part)
    for name, inner in items:
        yield (*path, name)
        if isinstance(inner, dict | list):
            yield from paths(inner, (*path, name))


def at(part: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        part = part[name]
    return part


def silence() -> None:
    """Drop what failing steps say on this process's standard error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--size", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3600)
    chosen = parser.parse_args()
    until = time.monotonic() + chosen.seconds
    total = Tally()
    shards = [
        (chosen.seed + number, min(SHARD, chosen.count - first), chosen.depth, chosen.size)
        for number, first in enumerate(range(0, chosen.count, SHARD))
    ]
    with multiprocessing.Pool(chosen.processes, initializer=silence) as pool:
        waiting = [pool.apply_async(shard, one) for one in shards]
        for one in waiting:
            with contextlib.suppress(multiprocessing.TimeoutError):
                total.update(one.get(max(0, until - time.monotonic())))
                print(f"\r{total.compared} compared", end="", file=sys.stderr)
        pool.terminate()
    print(f"\n{total.compared} definitions compared, {total.refused} refused")
    print(f"{sum(total.kinds.values())} disagree", flush=True)
    silence()
    for kind, times in total.kinds.most_common():
        print(f"\n{kind} ({times} times)")
        print(outcome(*shrunk(*total.smallest[kind])), flush=True)
    return 1 if total.kinds else 0


if __name__ == "__main__":
    sys.exit(main())
