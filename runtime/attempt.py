"""One attempt at one node: its names, what it reads, and what the run log says about it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from . import code_files
from .alternatives import GOOD, by_statuses
from .blobs import named
from .context import Context, write_run
from .documents import read_document
from .entries import STORED, Entry, State, is_true, item_texts, map_variable
from .errors import ArgosyError, NodeError, TaskError, UnreadableError
from .files import write_all
from .layout import (
    blob_key,
    fill,
    indexes,
    log_key,
    new_attempt,
    readable,
    record_key,
    state_key,
    with_items,
)
from .node import Node
from .output import Output
from .patterns import filled
from .state import Reader, write
from .values import brief, dump, keys

NUMBER = "ARGOSY_ATTEMPT"
"""Which attempt it is: said to the user's process, and by a launcher to `exec`."""
SHOWN = 5
"""So many files that have changed are named."""


class Attempt:
    """`record` is what the run log says; `output` what the step prints."""

    def __init__(
        self,
        node: Node,
        key: str,
        ended: Mapping[str, str],
        context: Context,
        number: int = 1,
    ) -> None:
        self.node = node
        self.number = number
        self.context = context
        self.key = indexes(key)
        self.instance = fill(node.step, self.key)
        self.rank = fill(node.rank, self.key, ".")
        self.id = new_attempt(context.pod_uid)
        self.ended = ended
        self.output = Output(self._keep)
        self.record: dict[str, Any] = {
            "step": self.instance,
            "attempt": self.id,
            "status": "running",
            "started": now(),
        }
        if context.pod:
            self.record["pod"] = context.pod
        if node.type == "control":
            self.record["control"] = True

    @property
    def name(self) -> str:
        """The instance, with the items of the iterations that it is in."""
        return str(self.record.get("name", self.instance))

    @cached_property
    def reader(self) -> Reader:
        context = self.context
        decide = by_statuses(self.ended)
        return Reader(
            context.run_log_store, context.run, context.arguments, decide, blobs=context.blobs
        )

    def read(self) -> State:
        """What enters the node. Who reads the run's arguments on an engine writes run.json too."""
        entering = self.reader.read(self.node.sources, self.key)
        if "" in self.reader.reads and self.context.origin and not self.context.begun:
            write_run(self.context)
        self.record["digest"] = self.node.digest()
        self.record["reads"] = self.reader.reads
        if self.reader.reduced:
            self.record["reduced"] = short_digest(self.reader.reduced)
        if items := map_variable(entering, recorded):
            self.record["item"] = items
            self.record["name"] = with_items(self.node.step, self.key, item_texts(entering))
        if self.context.outputs:
            self.record["outputs"] = short_digest(self.context.outputs)
        return entering

    def patterns(self, entering: State) -> tuple[list[str], list[str]]:
        """The patterns of `get` and of `put`, with the items that the node is in. Raises
        NodeError."""
        items = map_variable(entering, self.reader.value)
        return filled(self.node.get, items), filled(self.node.put, items)

    def start(self) -> None:
        """The last that is written before the step's own code runs, for however long."""
        self._write_record()
        self.context.run_log_store.release()

    def succeed(self, leaving: State) -> None:
        """Hands over, then writes what the next steps read, and last of all that it is there."""
        self.output.close()
        self.hand_over(leaving)
        write(self.reader, self._places(leaving), self.id, leaving)
        self._end("succeeded", 0)

    def fail(self, error: ArgosyError) -> None:
        """Says why, in the run log too, as far as that can be reached."""
        self.output.say(f"argosy: {readable(self.name)}: {error}")
        self.record["message"] = self.output.mask(str(error))
        try:
            self.output.close()
            self._end("failed", error.exit_status)
        except Exception as second:  # a plugin's store can raise anything
            complain(f"{self.instance}: and the run log does not have it: {second}")

    def resumed(self) -> bool:
        """Whether the step is done already. Its state is then this step's, under the attempt that
        wrote it."""
        found = self.done_before()
        if found is None:
            return False
        (run, document), context = found, self.context
        leaving = self.reader.state(document)
        self.hand_over(leaving)
        if run == context.run:  # it is there
            return True
        entries = (*leaving.parameters.values(), *leaving.items.values())
        kept = {*document.get("parts", ()), *named(entries, self.reader.blobs)}
        context.run_log_store.keep(map(blob_key, sorted(kept)))
        for place in self._places(leaving):
            context.run_log_store.put(state_key(context.run, place), dump(document).encode())
        self.id = self.record["attempt"] = document["attempt"]
        self.record["resumed"] = {"run": run, "attempt": self.id}
        self._end("skipped", 0)
        return True

    def done_before(self) -> tuple[str, dict[str, Any]] | None:
        """The run that has done this step with all the same, and the state that it left: this run,
        before its pod was lost, or the one that it goes on from."""
        store = self.context.run_log_store
        for run in self.context.earlier if self.node.type != "fail" else ():
            try:
                state = read_document(store, state_key(run, self.instance))
                if state is None or not all(isinstance(state.get(n), dict) for n in STORED):
                    continue
                attempt = str(state.get("attempt"))
                record = read_document(store, record_key(run, self.instance, attempt))
            except UnreadableError as error:
                complain(f"{error}; it is ignored")
                continue
            if record and self._same(record):
                if "code" in record:
                    self.record["code"] = record["code"]
                return run, state
        return None

    def _same(self, old: Mapping[str, Any]) -> bool:
        if old.get("status") not in GOOD or self.context.by_name or self.node.kept:
            return old.get("status") in GOOD
        compared = ("digest", "item", "reads", "reduced", "outputs")
        if any(old.get(name) != self.record.get(name) for name in compared):
            return False
        edited = [] if self.context.ignore_code else code_files.changed(old.get("code") or {})
        if edited:
            names = ", ".join(edited[:SHOWN]) + (", ..." if len(edited) > SHOWN else "")
            self.output.say(f"argosy: {readable(self.instance)}: runs again, as {names} changed")
        return not edited

    def hand_over(self, leaving: State) -> None:
        """Writes what the engine wants of the new state, each to its file."""
        for number, hand in enumerate(self.node.hands):
            text = handed(hand, leaving, self.reader)
            if not self.context.hands:
                raise NodeError("NODE has hands, and ARGOSY_HANDS names no folder for them")
            try:
                os.makedirs(self.context.hands, exist_ok=True)
                with open(f"{self.context.hands}/{number}", "w", encoding="utf-8") as file:
                    file.write(text)
            except OSError as error:
                raise NodeError(f"cannot write to ARGOSY_HANDS: {error}") from error

    def _places(self, leaving: State) -> list[str]:
        """The instances whose state this is: the round that stops writes its loop's."""
        paths = [*self.node.also]
        if self.node.ends and is_true(self.node.ends["on"], leaving):
            paths.append(self.node.ends["loop"])
        return [self.instance, *(fill(path, self.key) for path in paths)]

    def _end(self, status: str, exit_status: int) -> None:
        self.record.update(status=status, ended=now(), exit_status=exit_status)
        self._write_record()

    def _write_record(self) -> None:
        key = record_key(self.context.run, self.instance, self.id)
        self.context.run_log_store.put(key, json.dumps(self.record).encode())

    def _keep(self, milliseconds: int, data: bytes) -> None:
        key = log_key(self.context.run, self.instance, self.id, milliseconds)
        self.context.run_log_store.put(key, data)
        self.context.run_log_store.release()


def recorded(entry: Entry) -> Any:
    """An item of a map as a record has it: a large one by its hash."""
    return entry["value"] if "value" in entry else {n: entry[n] for n in ("blob", "size")}


def short_digest(value: Any) -> str:
    import hashlib  # few steps need it

    return hashlib.sha256(dump(value).encode()).hexdigest()[:16]


def attempt_number(environment: Mapping[str, str]) -> int:
    """Which attempt this process is, from 1: as the launcher says, or after the retries that the
    engine counts.

    >>> attempt_number({"ARGOSY_RETRIES": "1"}), attempt_number({})
    (2, 1)
    """
    number, retries = environment.get(NUMBER, ""), environment.get("ARGOSY_RETRIES", "")
    if number.isdecimal():
        return int(number)
    return int(retries) + 1 if retries.isdecimal() else 1


def handed(hand: Mapping[str, Any], leaving: State, reader: Reader) -> str:
    """The keys of a map's iterations, the label of the branch that a conditional takes, a parameter
    that a template of the engine's takes, or whether a loop has another round."""
    if "items" in hand:
        try:
            return json.dumps(keys(reader.items(hand["items"], leaving)))
        except NodeError as error:  # it is the map that cannot run, not this step
            return str(error)
    if "label" in hand:
        return reader.choice(hand["label"], hand["values"], hand.get("default"), leaving) or ""
    if "value" in hand:
        return text_of(hand["value"], leaving, reader)
    if "until" in hand:
        return "stop" if is_true(hand["until"], leaving) else "again"
    raise NodeError(f"a hand is {brief(hand)}, which this version of Argosy does not know")


def text_of(name: str, leaving: State, reader: Reader) -> str:
    """A parameter as the engine's text: a string as it is, anything else as JSON."""
    if name not in leaving.parameters:
        raise TaskError(f"an argument is to be parameter '{name}', which no step has set")
    value = reader.value(leaving.parameters[name])
    text = value if isinstance(value, str) else dump(value)
    if "{{" in text:
        raise TaskError(
            f"an argument is to be parameter '{name}', which has '{{{{': Argo would replace that"
        )
    return text


def now() -> str:
    """The time as ISO 8601, in UTC, to the millisecond."""
    return iso(time.time_ns() // 1_000_000)


def iso(milliseconds: int) -> str:
    """
    >>> iso(1000)
    '1970-01-01T00:00:01.000Z'
    """
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{whole}.{milliseconds % 1000:03d}Z"


def complain(text: str) -> None:
    """A line on standard error, whatever has become of `sys.stderr`."""
    try:
        write_all(2, f"argosy: {text}\n".encode(errors="backslashreplace"))
    except OSError:
        sys.exit()
