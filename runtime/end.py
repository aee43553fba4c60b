"""Closes a run: what the engine knows of its failures goes into the records, and how it ended into
the run log. An engine calls this when all is over; it never fails the run that it closes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from .alternatives import Records
from .attempt import complain, iso, now
from .context import Context, parsed, write_run
from .documents import read_document
from .entries import State, described
from .errors import ArgosyError, NodeError, TaskError, UnreadableError
from .layout import end_key, record_key, record_prefix, run_key, steps_prefix
from .state import Reader
from .step import holds_objects
from .values import dump


class Leaving(NamedTuple):
    """What a run that succeeded leaves: values by name, and what it is by catalog name."""

    parameters: dict[str, Any]
    catalog: dict[str, Any]


STATUSES = {"Succeeded": "succeeded", "Failed": "failed", "Error": "failed"}
NO_LIST = re.compile(
    r"withParam value could not be parsed as a JSON list: (.*): invalid .*", re.DOTALL
)
"""What Argo says of a map that was handed the reason why it cannot run."""
EXIT_CODE = re.compile(r"exit code (\d+)")
SHOWN = 32 * 1024
"""Bytes of JSON up to which a value is in the end of a run where not all of them fit."""
NOTHING = Leaving({}, {})
LOST = "ended without a word, and the engine says nothing of it; it went with its node, perhaps"


def end(environment: Mapping[str, str]) -> int:
    """Writes end/<n>.json. Its own faults are printed; the exit status is 0 all the same."""
    try:
        context = Context.from_environment(environment)
        ending = parsed(environment, "ARGOSY_FINAL")
        said = failures_in(environment.get("ARGOSY_FAILURES", ""))
        if ending.get("engine"):
            record_engines_own(context)
        close(context, status_of(environment), said, ending.get("from", []))
    except Exception as error:  # a handler that fails would fail the run
        complain(f"the end of the run is not recorded: {type(error).__name__}: {error}")
    return 0


def status_of(environment: Mapping[str, str]) -> str:
    status = environment.get("ARGOSY_STATUS", "")
    if status not in STATUSES:
        raise NodeError(f"ARGOSY_STATUS is '{status}'; it is one of {', '.join(STATUSES)}")
    return STATUSES[status]


def record_engines_own(context: Context) -> None:
    """Records the steps that no pod of ours ran, as the engine's Workflow tells of them."""
    from .cluster import Pod  # few pipelines have such steps
    from .workflow import fetch, steps_without_pods

    try:
        workflow = fetch(Pod(), context.origin["workflow"])
        for step, node in steps_without_pods(workflow):
            if record := record_of(step, node):
                _record(context, record)
    except ArgosyError as error:
        complain(f"of what Argo itself ran there are no records: {error}")


def record_of(step: str, node: Mapping[str, Any]) -> dict[str, Any] | None:
    """The record of a node of the engine's; None where it did not run."""
    from datetime import datetime

    from .workflow import pod_name

    began, phase = node.get("startedAt"), node.get("phase", "")
    if not began or node.get("type") == "Skipped":
        return None
    milliseconds = int(datetime.fromisoformat(began.replace("Z", "+00:00")).timestamp() * 1000)
    status = STATUSES.get(phase, "failed")
    found = {
        "step": step,
        "attempt": f"{milliseconds:013d}-{node['id'].rpartition('-')[2]}",
        "status": status,
        "started": began,
        "ended": node.get("finishedAt") or now(),
        "exit_status": 0 if status == "succeeded" else 1,
        "pod": pod_name(node),
    }
    message = node.get("message") or (
        f"it was {phase} when the run ended" if phase not in STATUSES else ""
    )
    return {**found, "message": message} if message else found


def _record(context: Context, record: Mapping[str, Any]) -> None:
    """Writes a record, unless a pod of ours has said how the step ended: of an approval that nobody
    gave in time."""
    store, prefix = context.run_log_store, record_prefix(context.run, record["step"])
    key = record_key(context.run, record["step"], record["attempt"])
    others = (other for other in store.list(prefix) if other.endswith(".json") and other != key)
    if all(json.loads(store.get(other) or b"{}").get("control") for other in others):
        store.put(key, json.dumps(record).encode())


def close(
    context: Context, status: str, said: Sequence[Mapping[str, Any]], sources: Sequence[Any]
) -> None:
    """Records how a run ended. `said` is the failures that the engine tells of."""
    store = context.run_log_store
    failures: list[dict[str, Any]] = []
    if said or status != "succeeded":
        failures = joined(context, said)
    if status == "failed" and (ended_with_it := _stopped(said, failures)):
        status = "cancelled"
        failures = [one for one in failures if one["pod"] not in ended_with_it]
    if context.origin and store.get(run_key(context.run)) is None:
        with suppress(NodeError):  # of an argument: the step that read it has said so
            write_run(context)
    leaving = NOTHING
    if status == "succeeded":
        try:
            leaving = final(context, sources)
        except (NodeError, TaskError) as error:  # a reducer of the user's: as where a step reads it
            status = "failed"
            failures.append({"step": "", "message": str(error), "phase": "Error", "pod": ""})
    if status == "succeeded":  # whatever failed, the run went on after it
        failures = [{**failure, "handled": True} for failure in failures]
    write_end(context, status, failures, leaving, {})


def _stopped(said: Iterable[Mapping[str, Any]], failures: Iterable[Mapping[str, Any]]) -> set[str]:
    """The pods that ended because the workflow was stopped: those that Argo says it of, and whose
    own records, where they have any, do not say otherwise."""
    from .workflow import stopped

    messages = {one["pod"]: one["message"] for one in failures}
    found = set()
    for one in said:
        pod, message = one.get("podName", ""), one.get("message") or ""
        own = messages.get(pod, "")
        if stopped(message) and (own in ("", message) or own.startswith("stopped by ")):
            found.add(pod)
    return found


def write_end(
    context: Context,
    status: str,
    failures: Iterable[Mapping[str, Any]],
    leaving: Leaving,
    steps: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """Writes the end of the run, as far as the store takes it; gives what is in it. `steps` is the
    statuses of those that have no record."""
    # On an engine the time, so that of several ends the newest counts.
    number = time.time_ns() // 1_000 if context.origin else 1
    failures = list(failures)
    # Not every store takes an object so large; the states and the records have most of it.
    small = {name: v for name, v in leaving.parameters.items() if len(dump(v)) <= SHOWN}
    left_out = ", ".join(sorted(leaving.parameters.keys() - small.keys()))
    less = leaving._replace(parameters=small)
    try:
        return _put_end(context, number, status, failures, leaving, steps)
    except NodeError as error:
        complain(f"the end of the run is recorded without {left_out or 'all steps'}: {error}")
        with suppress(NodeError):
            return _put_end(context, number, status, failures, less, steps)
    return _put_end(context, number, status, failures, less, {})


def _put_end(
    context: Context,
    number: int,
    status: str,
    failures: Sequence[Mapping[str, Any]],
    leaving: Leaving,
    steps: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    document = {
        "status": status,
        "ended": now(),
        "failures": failures,
        "parameters": leaving.parameters,
        "catalog": leaving.catalog,
        "steps": steps,
    }
    text = json.dumps(document, indent=1)
    context.run_log_store.put(end_key(context.run, number), text.encode())
    return document


def final(context: Context, sources: Sequence[Any]) -> Leaving:
    """The run's parameters and catalog at its end: of the exits that there are."""
    store = context.run_log_store
    records = Records(store, context.run)
    reader = Reader(store, context.run, context.arguments, records.says, patience=())
    records.reader = reader
    state = State({}, {})
    found = [source for source in sources if there(records, source)]
    if found:
        state = reader.read(found, ())
    return leaving_of(state, reader)


def leaving_of(state: State, reader: Reader) -> Leaving:
    """What is shown of a final state; an object is for code to get."""
    parameters = {
        name: reader.value(entry)
        for name, entry in sorted(state.parameters.items())
        if not holds_objects(entry)
    }
    return Leaving(parameters, described(state.catalog))


def there(records: Records, source: Any) -> bool:
    with suppress(ArgosyError):
        return records.readable([source], ())
    return False


def failures_in(path: str) -> list[dict[str, Any]]:
    """The failures in the engine's file: the JSON of a list in a JSON string, `null` for none."""
    if not path:
        return []
    with open(path, encoding="utf-8") as file:
        text = file.read().strip()
    found: Any = text
    while isinstance(found, str):
        found = json.loads(found) if found else None
    return [one for one in found or [] if isinstance(one, dict)]


def joined(context: Context, said: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The failures with the instances that they are of. A record that still says that its attempt
    runs is made to say how it ended."""
    by_pod = {one.get("podName"): one for one in said}
    instances: dict[str, str] = {}
    messages: dict[str, str] = {}
    for key, record in records(context):
        pod = record.get("pod", "")
        instances[pod] = record["step"]
        if record["status"] == "running":
            found = by_pod.get(pod, {})
            record.update(ended_by(found.get("message") or LOST, found.get("finishedAt")))
            context.run_log_store.put(key, json.dumps(record).encode())
        if record["status"] == "failed":
            messages[pod] = record.get("message", "")
    return [
        {
            "step": instances.get(one.get("podName", ""), one.get("displayName", "")),
            "message": messages.get(one.get("podName", ""))
            or NO_LIST.sub(r"\1", one.get("message") or ""),
            "phase": one.get("phase", ""),
            "pod": one.get("podName", ""),
        }
        for one in said
        # After an error the root of the workflow's nodes is among them, and says no more.
        if one.get("message") or one.get("podName") != context.origin.get("workflow")
    ]


def records(context: Context) -> Iterable[tuple[str, dict[str, Any]]]:
    store = context.run_log_store
    for key in store.list(steps_prefix(context.run)):
        if key.endswith(".json"):
            try:
                record = read_document(store, key)
            except UnreadableError as error:
                complain(str(error))
                continue
            if record:
                yield key, record


def ended_by(message: str, finished: str | None) -> dict[str, Any]:
    """The end of a record that its own attempt could not write."""
    code = EXIT_CODE.search(message)
    return {
        "status": "failed",
        "ended": finished or iso(time.time_ns() // 1_000_000),
        "exit_status": int(code[1]) if code else None,
        "message": message,
    }
