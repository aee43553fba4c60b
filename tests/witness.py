"""Writes down what stores are given and acknowledge, and kills who writes.

A test's sitecustomize imports it. It is told by the variable WITNESS, the JSON of {"ledger": FILE,
"classes": ["module:Class"], "budget": SECONDS, "kill": [N, HOW]}: at the N-th write, when `half` of
it is done, or `after` it.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from argosy.runtime import files, retry

CHECKED = 1 << 20


def install(settings: Mapping[str, Any]) -> None:
    retry.BUDGET = settings.get("budget", retry.BUDGET)
    for place in settings["classes"]:
        module, _, name = place.partition(":")
        found = getattr(import_module(module), name)
        found.put = watched(found.put, settings)


def watched(put: Callable[..., None], settings: Mapping[str, Any]) -> Callable[..., None]:
    at, how = settings.get("kill") or (0, "")

    def write(self: Any, key: str, content: Any) -> None:
        is_file = isinstance(content, str)
        sha = key if is_file else hashlib.sha256(content).hexdigest()
        name = f"{self.service_type} {f'blobs/{key}' if is_file else key} {sha}"
        fatal = tell(settings["ledger"], f"begin {name}") == at
        if fatal and how == "half":
            break_off()
        put(self, key, content)
        tell(settings["ledger"], f"done {name}")
        if fatal:
            kill()

    return write


def tell(ledger: str, line: str) -> int:
    """Adds a line, which is there whatever happens next; how many writes have begun."""
    descriptor = os.open(ledger, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{line}\n".encode())
    text = os.pread(descriptor, CHECKED, 0).decode()
    os.close(descriptor)
    return sum(line.startswith("begin ") for line in text.splitlines())


def break_off() -> None:
    """Has the next bytes that are written, to a file or a server, be half of them, and the last."""

    def write_half(descriptor: int, data: bytes) -> None:
        os.write(descriptor, memoryview(data)[: len(data) // 2])
        kill()

    send = http.client.HTTPConnection.send

    def send_half(self: Any, data: Any) -> None:
        if bytes(data[:4]) == b"PUT ":  # its head; the body is what follows
            send(self, data)
            return
        send(self, memoryview(data)[: len(data) // 2])
        kill()

    files.write_all = write_half
    http.client.HTTPConnection.send = send_half  # type: ignore[method-assign]


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def writes(ledger: Path) -> list[tuple[bool, str, str, str]]:
    """What it has seen, in order: whether it is an acknowledgement, the kind of the store, the key,
    the hash of the content."""
    found = []
    for line in ledger.read_text().splitlines():
        word, kind, key, sha = line.split(" ")
        found.append((word == "done", kind, key, sha))
    return found


if "WITNESS" in os.environ:
    install(json.loads(os.environ["WITNESS"]))
