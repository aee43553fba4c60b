"""What the launcher asks of the runtime: to run a node in a process, what a map iterates over,
which branch a conditional takes, and why a step failed."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterable
from functools import cache
from typing import Any

from argosy.runtime import layout, signals
from argosy.runtime.alternatives import by_statuses, statuses
from argosy.runtime.attempt import NUMBER, now
from argosy.runtime.context import Context
from argosy.runtime.entries import State, is_true, map_variable
from argosy.runtime.errors import ArgosyError
from argosy.runtime.execute import execute
from argosy.runtime.node import encode, from_json
from argosy.runtime.patterns import filled, items_named, with_any_item
from argosy.runtime.state import Reader
from argosy.runtime.values import item_text
from argosy.runtime.workdir.base import SharedWorkdirs

from .approvals import Open, Verdict
from .process import Child, Forked, Spawned
from .schedule import Work
from .turns import Files


class RuntimeSteps:
    """Steps of one run, each run by `execute`: in a fork of this process where there are any."""

    def __init__(self, context: Context, fork: bool = hasattr(os, "fork")) -> None:
        self._context = context
        self._fork = fork
        self._items: dict[str, list[str]] = {}
        """By the instance of a map, its items as people are shown them."""

    def start(self, work: Work, number: int, not_for_it: Iterable[int]) -> Child:
        key = "/".join(work.key)
        # A pod that was lost made attempts too, which only the run log has.
        number = 0 if self._context.continued else number
        if not self._fork:
            environment = {**os.environ, **as_environment(self._context), NUMBER: str(number)}
            program = (sys.executable, "-m", "argosy.runtime", "exec")
            return Spawned((*program, encode(work.node), key, work.ended), environment)
        return Forked(
            lambda: execute(from_json(work.node), key, work.ended, self._context, number),
            not_for_it,
        )

    def files(self, work: Work) -> Files:
        if self._context.workdirs.kind != SharedWorkdirs.kind:
            return Files((), (), dict)  # each step has its own

        reader = self._reader(work)

        @cache
        def entering() -> State:
            return reader.read(work.node.get("from", ()), work.key)

        def contents() -> dict[str, str]:
            return {name: entry["sha256"] for name, entry in entering().catalog.items()}

        get, put = work.node.get("get", ()), work.node.get("put", ())
        if any(map(items_named, (*get, *put))):
            try:
                items = map_variable(entering(), reader.value)
                get, put = filled(get, items), filled(put, items)
            except ArgosyError:  # the step itself will say so
                get, put = map(with_any_item, get), map(with_any_item, put)
        return Files(get, put, contents)

    def name(self, path: str) -> str:
        above, pattern = "", []
        key: list[str] = []
        items: dict[int, str] = {}
        for part in path.split("/"):
            if above in self._items:
                items[len(key)] = self._items[above][int(part)]
                key.append(part)
                pattern.append(layout.ITERATION)
            else:
                pattern.append(part)
            above = f"{above}/{part}" if above else part
        return layout.readable(layout.with_items("/".join(pattern), tuple(key), items))

    def count(self, work: Work) -> int:
        lnode, reader = work.lnode, self._reader(work)
        items = reader.items(lnode["items"], reader.read(lnode["reads"]["from"], work.key))
        self._items[work.path] = [item_text(lnode.get("item", ""), item) for item in items]
        return len(items)

    def choose(self, work: Work) -> str | None:
        lnode, reader = work.lnode, self._reader(work)
        entering = reader.read(lnode["reads"]["from"], work.key)
        return reader.choice(lnode["parameter"], lnode["values"], lnode.get("default"), entering)

    def done(self, work: Work) -> bool:
        left = self._reader(work).read(work.lnode["reads"]["from"], work.key)
        return is_true(work.lnode["until"], left)

    def _reader(self, work: Work) -> Reader:
        context, says = self._context, by_statuses(statuses(work.ended))
        return Reader(
            context.run_log_store, context.run, context.arguments, says, blobs=context.blobs
        )

    def decided(self, question: Open, verdict: Verdict) -> None:
        path = question.work.path
        record: dict[str, Any] = {
            "step": path,
            "attempt": layout.new_attempt(),
            "status": "succeeded" if verdict.approved else "failed",
            "started": question.started,
            "ended": now(),
            "exit_status": 0 if verdict.approved else verdict.stopped or 1,
        }
        if verdict.by:
            record["approval"] = {"by": verdict.by, "how": verdict.how}
        if verdict.message:
            record["message"] = verdict.message
        key = layout.record_key(self._context.run, path, record["attempt"])
        self._context.run_log_store.put(key, json.dumps(record).encode())

    def success(self, work: Work) -> str:
        # Without a run to go on from, nothing is skipped, and the record need not be read.
        if not self._context.earlier:
            return "succeeded"
        key, record = self._record(work)
        ours = not self._context.continued or key.endswith(f"-{self._context.pod_uid}.json")
        return str(record["status"]) if ours else "skipped"

    def explain(self, work: Work, status: int) -> str:
        key, record = self._record(work)
        if record.get("status") == "running":
            # The process that should have written its end was killed.
            ended = {"status": "failed", "ended": now(), "exit_status": status}
            record |= {**ended, "message": self.describe(work, status, begun=True)}
            self._context.run_log_store.put(key, json.dumps(record).encode())
        return str(record.get("message") or self.describe(work, status, begun=bool(record)))

    def describe(self, work: Work, status: int, begun: bool) -> str:
        """Why a process ended that did not say so itself; `begun`: it has a record."""
        return (
            f"killed by {signals.name(status - 128)}" if status > 128 else f"exit status {status}"
        )

    def _record(self, work: Work) -> tuple[str, dict[str, Any]]:
        """The key and the record of the newest attempt; empty where none got so far."""
        store = self._context.run_log_store
        prefix = layout.record_prefix(self._context.run, work.path)
        keys = [key for key in store.list(prefix) if "/" not in key[len(prefix) :]]
        return (keys[-1], json.loads(store.get(keys[-1]) or b"{}")) if keys else ("", {})

    def close(self) -> None:
        """Nothing is left: the launcher has seen the end of every process."""


def as_environment(context: Context) -> dict[str, str]:
    """The environment in which `exec` finds the same run, and arguments of the same types."""
    found = context.environment()
    types = dict.fromkeys(context.arguments, "json")
    texts = {name: json.dumps(value) for name, value in context.arguments.items()}
    found["ARGOSY_CONFIG"] = json.dumps(
        {**json.loads(found["ARGOSY_CONFIG"]), "arguments": types}, separators=(",", ":")
    )
    found["ARGOSY_ARGUMENTS"] = base64.b64encode(json.dumps(texts).encode()).decode()
    return found
