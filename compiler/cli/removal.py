"""Deletes runs, and the data that no other run names.

While a run is in progress no data goes: it may be about to name what is there. What only deleted
runs have named is then listed in the run log, below `garbage/`, for the next time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import click

from argosy.runtime import layout
from argosy.runtime.blobs import Blobs, named
from argosy.runtime.documents import read_document
from argosy.runtime.errors import UnreadableError
from argosy.runtime.service import Catalog, RunLogStore

from . import history

GARBAGE = "garbage/"


class Data(NamedTuple):
    """Hashes of what runs name: blobs, in the run log; files, in the catalog."""

    blobs: set[str]
    files: set[str]


def choose(
    runs: Sequence[history.Run], older_than: float | None, keep: int | None
) -> list[history.Run]:
    """Of `runs`, newest first, those that started more than `older_than` seconds ago and are not
    among the newest `keep`; but none that is in progress, or that one in progress resumes."""
    before = time.time() - (older_than or 0.0)
    needed = resumed(runs)
    return [
        run
        for run in runs[keep or 0 :]
        if run.status != "running"
        and run.id not in needed
        and (older_than is None or (run.started or 0.0) < before)
    ]


def check(doomed: Collection[str], runs: Sequence[history.Run]) -> None:
    """Raise ClickException where a run that is to go is in progress, or is needed by one."""
    needed = resumed(runs)
    for run in runs:
        if run.id in doomed and run.status == "running":
            raise click.ClickException(f"{run.id} is running; delete it when it has ended")
        if run.id in doomed and run.id in needed:
            raise click.ClickException(
                f"{needed[run.id]} is running and resumes {run.id}; delete it when that has ended"
            )


def resumed(runs: Iterable[history.Run]) -> dict[str, str]:
    """The runs that others in progress resume, with one of those."""
    return {
        str(run.document["resumes"]): run.id
        for run in runs
        if run.status == "running" and run.document.get("resumes")
    }


def remove(
    store: RunLogStore, catalog: Catalog, doomed: Collection[str], runs: Sequence[history.Run]
) -> None:
    """Delete the runs `doomed`, and what only they and runs before them have named."""
    running = [run.id for run in runs if run.status == "running"]
    data = _named(store, doomed)
    lists = store.list(GARBAGE)
    for key in lists:
        before = _read(store, key)
        data.blobs.update(before.get("blobs", ()))
        data.files.update(before.get("files", ()))
    if running and (data.blobs or data.files):
        found = {kind: sorted(hashes) for kind, hashes in data._asdict().items()}
        key = f"{GARBAGE}{time.time_ns() // 1_000_000:013d}-{os.urandom(2).hex()}.json"
        store.put(key, json.dumps(found).encode())
    elif not running:
        others = _named(store, [run.id for run in runs if run.id not in doomed])
        for sha in sorted(data.files - others.files):
            catalog.delete(sha)
        for sha in sorted(data.blobs - others.blobs):
            store.delete(layout.blob_key(sha))
    for key in lists:
        store.delete(key)
    for run_id in sorted(doomed):
        for key in store.list(layout.run_prefix(run_id)):
            store.delete(key)
        click.echo(f"{run_id}: deleted", err=True)
    if running and (data.blobs or data.files):
        click.echo(
            f"{running[0]} is running, so files and large values stay for now; "
            "the next `argosy runs rm` deletes them",
            err=True,
        )


def _read(store: RunLogStore, key: str) -> dict[str, Any]:
    """A document that belongs to no run; empty, with a warning, where it cannot be read."""
    try:
        return read_document(store, key) or {}
    except UnreadableError as error:
        click.echo(f"warning: {error}; it is ignored", err=True)
        return {}


def _named(store: RunLogStore, runs: Iterable[str]) -> Data:
    found, blobs = Data(set(), set()), Blobs(store, patience=())
    for run in runs:
        for key in store.list(f"{layout.run_prefix(run)}state/"):
            states = [history.read_json(store, key)]
            for part in set(states[0].get("parts", ())) - found.blobs:
                found.blobs.add(part)
                states.append(_read(store, layout.blob_key(part)))
            for state in states:
                entries = [*state.get("parameters", {}).values(), *state.get("items", {}).values()]
                found.blobs.update(named(entries, blobs))
                found.files.update(entry["sha256"] for entry in state.get("catalog", {}).values())
    return found
