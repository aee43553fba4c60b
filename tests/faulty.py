"""A pipeline whose stores have faults: how it is run, and what must be in its stores afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import witness
from argosy.runtime.context import Context
from argosy.runtime.execute import execute
from argosy.runtime.layout import state_key
from argosy.runtime.node import from_json
from argosy.runtime.service import Catalog, RunLogStore

DEFINITION = """
name: demo
parameters: {rate: 2}
dag:
  steps:
    first:
      type: task
      command: jobs.first
      returns: [rows, large]
      catalog: {put: [kept.csv]}
    last:
      type: task
      command: jobs.last
      depends_on: [first]
      returns: [total]
      catalog: {get: [kept.csv]}
"""
JOBS = """
from argosy.runtime import get_object, put_object

def first(rate):
    print("rows are", rate)
    put_object("kept", {"a": (1, 2)})
    with open("kept.csv", "w") as file:
        file.write("1,2\\n" * 5000)
    return {"rows": [rate] * 3, "large": "x" * 40000}

def last(rows, large):
    print("the last step")
    assert get_object("kept") == {"a": (1, 2)}
    return {"total": sum(rows) + len(large) + len(open("kept.csv").readlines())}
"""
TOTAL = 6 + 40000 + 5000
FILE = hashlib.sha256(b"1,2\n" * 5000).hexdigest()
RATE = {"rate": 2}

FIRST = {
    "step": "first",
    "rank": "0",
    "from": [""],
    "command": "jobs.first",
    "returns": ["rows", "large"],
    "put": ["kept.csv"],
}
LAST = {
    "step": "last",
    "rank": "1",
    "from": ["first"],
    "command": "jobs.last",
    "returns": ["total"],
    "get": ["kept.csv"],
}


class Stores(NamedTuple):
    """Both stores of a run, newly opened."""

    log: RunLogStore
    catalog: Catalog


class Ended(NamedTuple):
    status: int
    said: str


class Nodes:
    """Runs single nodes, each in a process of its own, as an engine does."""

    def __init__(self, folder: Path, opened: Callable[[], Stores]) -> None:
        self.folder = folder
        self.ledger = folder / "ledger"
        self.ledger.touch()
        self._opened = opened
        folder.joinpath("jobs.py").write_text(JOBS)

    def run(self, node: Mapping[str, Any], run: str, budget: float, resume: str = "") -> Ended:
        """How the node ended, and what it said."""
        said = self.folder / "said"
        pid = os.fork()
        if pid == 0:
            status = 70
            try:
                with said.open("wb") as file:
                    os.dup2(file.fileno(), 1)
                    os.dup2(file.fileno(), 2)
                status = self._act(node, run, budget, resume)
            except BaseException:
                traceback.print_exc(file=sys.__stderr__)
            finally:
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        return Ended(os.waitstatus_to_exitcode(status), said.read_text())

    def _act(self, node: Mapping[str, Any], run: str, budget: float, resume: str) -> int:
        os.chdir(self.folder)
        sys.path.insert(0, "")
        stores = self._opened()
        classes = [f"{type(one).__module__}:{type(one).__qualname__}" for one in stores]
        witness.install({"ledger": str(self.ledger), "classes": classes, "budget": budget})
        context = Context(run, {"executor": "local"}, RATE, resume=resume or None)
        context.run_log_store, context.catalog = stores
        return execute(from_json(dict(node)), "", "", context)

    def total(self, run: str) -> Any:
        """What the last step has left behind."""
        data = self._opened().log.get(state_key(run, "last"))
        return json.loads(data or b"{}")["parameters"]["total"]["value"]

    def lost(self, runs: str) -> list[str]:
        return lost(self._opened(), self.ledger, runs)


def lost(stores: Stores, ledger: Path, runs: str = "") -> list[str]:
    """What was acknowledged and is not there any more, and what is there by half; `runs` is what
    the ids of the runs begin with."""
    may_be: dict[tuple[str, str], set[str]] = {}
    for acknowledged, kind, key, sha in witness.writes(ledger):
        # What was begun after the last acknowledgement may or may not have replaced it.
        if acknowledged or (kind, key) in may_be:
            may_be.setdefault((kind, key), set()).add(sha)
        if acknowledged:
            may_be[kind, key] = {sha}
    there = [("run_log_store", key) for key in stores.log.list(f"runs/{runs}")]
    found = {place: kept(stores, *place) for place in dict.fromkeys([*there, *may_be])}
    missing = [
        f"lost: {' '.join(place)}"
        for place, shas in may_be.items()
        if hashlib.sha256(found.get(place) or b"").hexdigest() not in shas
    ]
    return missing + [f"half: {key}" for key in halves(found.items())]


def halves(objects: Iterable[tuple[tuple[str, str], bytes | None]]) -> list[str]:
    """Objects that cannot be what was written, whoever wrote them."""
    return [key for (_, key), data in objects if data is not None and not whole(key, data)]


def whole(key: str, data: bytes) -> bool:
    if key.startswith("blobs/"):
        return hashlib.sha256(data).hexdigest() == key.rpartition("/")[2]
    if not key.endswith(".json"):
        return True  # a chunk of output: any text is one
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def kept(stores: Stores, kind: str, key: str) -> bytes | None:
    """What a store has."""
    if kind == "run_log_store":
        return stores.log.get(key)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "brought"
        stores.catalog.get(key.rpartition("/")[2], str(target))
        return target.read_bytes()
