"""What the run log costs a step on each store, and a step that reads a map of a thousand.

S3 is the server that ARGOSY_TEST_S3_ENDPOINT names; what has no server here is left out.
"""

from __future__ import annotations

import json
import os
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from argosy.runtime.context import Context
from argosy.runtime.execute import execute
from argosy.runtime.layout import state_key
from argosy.runtime.node import from_json
from argosy.runtime.service import RunLogStore
from argosy.runtime.state import Reader

from .measure import compare
from .row import Row

STEPS = 30
ITERATIONS = 1_000
FIRST: dict[str, Any] = {"step": "first", "rank": "0", "from": [""], "type": "control"}
NEXT: dict[str, Any] = {"step": "next", "rank": "1", "from": ["first"], "command": "nothing.at_all"}
MAP: dict[str, Any] = {
    **{"map": "m", "rank": "1", "on": "xs", "as": "x", "names": ["y"]},
    **{"in": [""], "out": ["m/*/a"], "reduce": {}},
}


class Bench(NamedTuple):
    """A store, what it has been asked for over a network, and its goals: milliseconds a step,
    requests a step, seconds a fan-in."""

    name: str
    log: RunLogStore
    requests: list[str]
    step: str
    fan_in: str


class Timed(RunLogStore):
    """The same store, and how long it has been at work."""

    def __init__(self, inner: RunLogStore) -> None:
        self.config = inner.config
        self.inner = inner
        self.seconds = 0.0
        self.calls = 0

    def put(self, key: str, data: bytes) -> None:
        self._timed(lambda: self.inner.put(key, data))

    def get(self, key: str) -> bytes | None:
        found: bytes | None = self._timed(lambda: self.inner.get(key))
        return found

    def list(self, prefix: str) -> list[str]:
        raise NotImplementedError("a step lists nothing")

    def _timed(self, call: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        try:
            return call()
        finally:
            self.seconds += time.perf_counter() - began
            self.calls += 1


def stores(folder: Path) -> Iterator[Row]:
    (folder / "nothing.py").write_text("def at_all():\n    print('nothing')\n")
    yield from opening_s3(folder)
    with working_in(folder):
        for open_one in (files, sqlite, s3):
            for bench in open_one(folder):
                yield from step(bench)
                yield from fan_in(bench)


def step(bench: Bench) -> Iterator[Row]:
    """A step with one predecessor that prints a line: what it waits for the run log."""
    costs, requests, calls = [], [], []
    for number in range(STEPS):
        log = Timed(bench.log)
        run(FIRST, f"step-{number}", log)
        log.seconds, log.calls = 0.0, 0
        bench.requests.clear()
        run(NEXT, f"step-{number}", log)
        costs.append(log.seconds * 1000)
        requests.append(len(bench.requests))
        calls.append(log.calls)
        if "ListObjectsV2" in bench.requests:
            raise ValueError("a step lists nothing")
    asked = max(requests) or max(calls)
    what = f"run log of a step with one predecessor, {bench.name}"
    measured = f"{statistics.median(costs):.1f} ms, {asked} requests, no listing"
    yield Row(what, measured, bench.step)


def fan_in(bench: Bench) -> Iterator[Row]:
    """What a step after a map reads."""
    entry = {"value": 1, "by": "m/0/a", "rank": "1.0.0"}
    state = {"attempt": "a", "parameters": {"y": entry}, "catalog": {}}
    for index in range(ITERATIONS):
        entry.update(by=f"m/{index}/a", rank=f"1.{index}.0")
        bench.log.put(state_key("fan-in", f"m/{index}/a"), json.dumps(state).encode())
    xs = {"xs": list(range(ITERATIONS))}
    seconds = []
    for _ in range(3):
        reader = Reader(bench.log, "fan-in", xs, lambda *_: True)
        began = time.perf_counter()
        found = reader.read([MAP], ())
        seconds.append(time.perf_counter() - began)
        if found.parameters["y"]["value"] != [1] * ITERATIONS:
            raise ValueError("the fan-in has lost something")
    what = f"fan-in of {ITERATIONS:,}, {bench.name}"
    yield Row(what, f"{statistics.median(seconds):.2f} s", bench.fan_in)


def run(node: dict[str, Any], name: str, log: RunLogStore) -> None:
    context = Context(name, {"executor": "local"}, {})
    context.run_log_store = log
    quiet = os.open(os.devnull, os.O_WRONLY)
    stdout = os.dup(1)
    os.dup2(quiet, 1)
    try:
        with redirect_stdout(StringIO()):
            status = execute(from_json(dict(node)), "", "", context)
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
        os.close(quiet)
    if status:
        raise ValueError(f"the step exited with status {status}")


def opening_s3(folder: Path) -> Iterator[Row]:
    """What a process pays that uses S3: the import of the library, and a client."""
    declared = "from argosy.runtime.run_logs.s3 import S3RunLog as S3; s3 = S3({'bucket': 'b'})"
    programs = (declared, f"{declared}; import botocore.session", f"{declared}; s3.client")
    commands = [[sys.executable, "-c", program] for program in programs]
    bare, imported, client = compare(
        7,
        *commands,
        cwd=folder,
        env={"AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"},
    )
    first, second = imported.seconds - bare.seconds, client.seconds - imported.seconds
    yield Row(
        "S3 in a process that uses it",
        f"{first * 1000:.0f} ms to import, {second * 1000:.0f} ms for a client",
        "",
    )


def files(folder: Path) -> Iterator[Bench]:
    from argosy.runtime.run_logs.file_system import FileSystemRunLog

    log = FileSystemRunLog({"location": str(folder / "log")})
    yield Bench("files", log, [], "3 ms", "2 s")


def sqlite(folder: Path) -> Iterator[Bench]:
    from argosy.runtime.run_logs.db import DatabaseRunLog

    log = DatabaseRunLog({"url": f"sqlite:///{folder}/runs.db"})
    yield Bench("SQLite", log, [], "", "")


def s3(folder: Path) -> Iterator[Bench]:
    address = os.environ.get("ARGOSY_TEST_S3_ENDPOINT")
    if not address:
        return
    from argosy.runtime.run_logs.s3 import S3RunLog

    os.environ["AWS_ACCESS_KEY_ID"] = os.environ["ARGOSY_TEST_S3_KEY"]
    os.environ["AWS_SECRET_ACCESS_KEY"] = os.environ["ARGOSY_TEST_S3_SECRET"]
    bucket = f"argosy-bench-{secrets.token_hex(3)}"
    log = S3RunLog({"bucket": bucket, "region": "us-east-1", "endpoint_url": address})
    log.client.create_bucket(Bucket=bucket)
    requests: list[str] = []
    log.client.meta.events.register(
        "before-send.s3", lambda event_name, **_: requests.append(event_name.rpartition(".")[2])
    )
    try:
        yield Bench("S3", log, requests, "6 requests", "5 s")
    finally:
        for key in log.list(""):
            log.delete(key)
        log.client.delete_bucket(Bucket=bucket)


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
