"""How a run begins in the run log, or goes on where a pod that is gone had begun it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from argosy.runtime.attempt import complain, now
from argosy.runtime.context import Context, write_run
from argosy.runtime.documents import read_document
from argosy.runtime.end import ended_by, records
from argosy.runtime.errors import UnreadableError
from argosy.runtime.layout import end_prefix, graph_key, run_key

LOST = "its pod is gone: evicted, deleted, or out of memory"


def begin(context: Context, graphs: Mapping[str, Any]) -> None:
    """Writes run.json, and graph.json for who looks at the run. Of an engine's run that is there
    already, another pod before this one had a part: what that left open is closed, and how it
    ended is taken back."""
    store = context.run_log_store
    context.started = now()
    if context.origin and store.get(run_key(context.run)) is not None:
        context.continued = True
        context.started = _began(context) or context.started
        for key, record in records(context):
            if record["status"] == "running":
                record.update(ended_by(LOST, None))
                store.put(key, json.dumps(record).encode())
        for key in store.list(end_prefix(context.run)):
            store.put(key, json.dumps({"status": "running"}).encode())
    write_run(context)
    document = {"steps": paths(graphs)}
    store.put(graph_key(context.run), json.dumps(document, separators=(",", ":")).encode())
    # Once and for all steps, which are forks of this process.
    _, arguments = context.blobs.arguments(context.arguments)
    for entry in arguments.values():
        context.blobs.keep(entry)


def paths(graphs: Mapping[str, Any]) -> list[str]:
    """The paths of all steps of a plan, in the order of the definition."""
    found = []
    stack = [iter(graphs[""]["nodes"])]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
            continue
        found.append(node["path"])
        inner = [one for _, path in node.get("graphs", ()) for one in graphs[path]["nodes"]]
        stack.append(iter(inner))
    return found


def _began(context: Context) -> str:
    """When the pod before this one began the run."""
    try:
        document = read_document(context.run_log_store, run_key(context.run)) or {}
    except UnreadableError as error:
        complain(str(error))
        return ""
    return str(document.get("started") or "")
