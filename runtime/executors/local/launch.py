"""The loop that runs a plan: it starts what the schedule has ready, passes on what the steps say,
tries again what may succeed, and ends them all when it is told to stop.

One thread waits in one place for everything: the steps' pipes, the signals (which Python writes to
a pipe, too) and the parent's pipe, whose end means that nobody waits for this run any more.
"""

from __future__ import annotations

import heapq
import os
import selectors
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from argosy.runtime import signals
from argosy.runtime.errors import ArgosyError
from argosy.runtime.layout import leaves
from argosy.runtime.signals import STOPPING

from .approvals import Approvals, Open, Verdict
from .process import CHUNK, Child
from .protocol import Steps
from .report import Report
from .schedule import Schedule, Work
from .scopes import FAILED, SUCCEEDED
from .turns import Files

GRACE = 15.0
"""Seconds between telling a step to end and killing it; longer than what a step's own process
gives to the user's code, so that this ends first and can be recorded."""
TAIL = 10
"""So many lines of a failed step's output are said again at the end."""
LOOKAHEAD = 100
"""So many steps at most wait for others that touch the same files, while more are looked for."""
LONGEST_LINE = 1 << 16
TRIED_AGAIN = frozenset((1, 3, 124))


class Failure(NamedTuple):
    """A step that failed for good: `name` is what a person calls it, `phase` as Argo has it, `tail`
    the last lines it printed; `handled` where the run went on after it."""

    step: str
    name: str
    message: str
    phase: str
    tail: tuple[str, ...] = ()
    handled: bool = False


class Ready(NamedTuple):
    """Work that a process can be started for: the number of the attempt, the files it touches."""

    work: Work
    number: int
    files: Files


class Attempt:
    """A child that runs now, and what of its output is not a whole line yet."""

    def __init__(self, ready: Ready, child: Child, started: float, name: str) -> None:
        self.work, self.number, self.files = ready
        self.child = child
        self.started = started
        self.step = name
        self.part = b""
        self.tail: deque[bytes] = deque(maxlen=TAIL)

    def lines(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes."""
        *lines, self.part = (self.part + data).split(b"\n")
        if len(self.part) > LONGEST_LINE:
            lines.append(self.part)
            self.part = b""
        self.tail.extend(lines)
        return lines


class Launcher:
    """Runs one schedule to its end. `failures`, `stopped_by` and `counts` say afterwards how it
    went. `tell` says something to who started it: what is to be approved. `not_for_steps` are
    descriptors that no step may hold open."""

    def __init__(
        self,
        schedule: Schedule,
        steps: Steps,
        report: Report,
        workers: int,
        tell: Callable[[Mapping[str, Any]], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        not_for_steps: Iterable[int] = (),
    ) -> None:
        self.failures: list[Failure] = []
        self.stopped_by: int | None = None
        self._statuses: dict[str, str] = {}
        """Of the steps that had a process, or were to be approved."""
        self._failed_work: list[Work] = []
        self._schedule = schedule
        self._steps = steps
        self._report = report
        self._workers = workers
        self._not_for_steps = tuple(not_for_steps)
        self._clock = clock
        self._approvals = Approvals(tell)
        self._attempts: dict[int, Attempt] = {}
        self._retries: list[tuple[float, int, Ready]] = []
        self._deferred: list[Ready] = []
        self._waits_said = False
        self._retries_made = 0
        self._kill_at: float | None = None
        self._selector = selectors.DefaultSelector()
        self._signals, self._wakeup = os.pipe()

    def run(self, parent: int | None = None) -> bool:
        """Whether the pipeline succeeded. `parent` is a pipe that ends when the parent does."""
        restore = self._listen(parent)
        statuses = self._schedule.statuses
        for path, step in statuses.steps.items():  # stubs that the pipeline begins with
            self._left(path, step["status"], step.get("reason", ""))
        statuses.tell = self._left
        try:
            self._fill()
            while self._attempts or ((self._retries or self._approvals) and not self.stopped_by):
                running = [(x.step, x.started) for x in self._attempts.values()]
                self._report.running([] if self._approvals else running)
                self._wait()
                self._fill()
        finally:
            self._kill()  # where an error of our own ends this, no step goes on unheard
            self._report.close()
            restore()
        if self.stopped_by:
            self._schedule.stopped()
        self.failures = [
            failure._replace(handled=work.handled)
            for failure, work in zip(self.failures, self._failed_work, strict=True)
        ]
        return self._schedule.status == SUCCEEDED and not self.stopped_by

    def counts(self) -> Counter[str]:
        """How many steps had each status in the end; of the composites only those are counted that
        failed themselves: a conditional without a branch for its value, a loop that never ended."""
        known = {path: step["status"] for path, step in self._schedule.statuses.steps.items()}
        known |= self._statuses
        failed = {failure.step for failure in self.failures}
        return Counter(known[path] for path in {*leaves(known), *(failed & known.keys())})

    # Starting

    def _fill(self) -> None:
        """Starts what is ready, as far as there are workers for it."""
        while not self.stopped_by and len(self._attempts) < self._workers:
            ready = self._next()
            if ready is None:
                return
            self._start(ready)

    def _next(self) -> Ready | None:
        """What can start now: what waited for its turn, what is tried again, what is new."""
        for position, waiting in enumerate(self._deferred):
            if self._meets(waiting.files) is None:
                return self._deferred.pop(position)
        while len(self._deferred) < LOOKAHEAD:
            if self._retries and self._retries[0][0] <= self._clock():
                ready = heapq.heappop(self._retries)[2]
            elif work := self._schedule.next():
                if work.kind != "run":
                    self._decide(work)
                    continue
                ready = Ready(work, 1, self._steps.files(work))
            else:
                break
            other = self._meets(ready.files)
            if other is None:
                return ready
            self._say_waits(ready, other)
            self._deferred.append(ready)
        return None

    def _meets(self, files: Files) -> Attempt | None:
        """A step that runs now and touches these files."""
        if not files.any:
            return None
        return next((one for one in self._attempts.values() if one.files.meet(files)), None)

    def _say_waits(self, ready: Ready, other: Attempt) -> None:
        """Says, once in a run, that a shared working directory keeps steps from running."""
        if not self._waits_said:
            self._waits_said = True
            step = self._steps.name(ready.work.path)
            self._report.say(
                f"{step} waits for {other.step}: their catalog patterns overlap in the shared "
                "working directory; with workdir: isolated they run at the same time"
            )

    def _decide(self, work: Work) -> None:
        """Opens a map, takes a conditional's branch, ends a round of a loop, or asks someone."""
        try:
            if work.kind == "ask":
                self._ask(work)
            elif work.kind == "count":
                self._schedule.opened(work, self._steps.count(work))
            elif work.kind == "judge":
                self._schedule.judged(work, self._steps.done(work))
            else:
                self._schedule.chosen(work, self._steps.choose(work))
        except ArgosyError as error:
            self._fail(work, str(error))
            self._schedule.ended(work, FAILED, str(error))

    def _start(self, ready: Ready) -> None:
        # A child must not hold what others wait on: an open end keeps a pipe from ending.
        ours = [*self._not_for_steps, self._signals, self._wakeup, self._selector.fileno()]
        ours += self._attempts
        try:
            child = self._steps.start(ready.work, ready.number, ours)
        except (OSError, ArgosyError) as error:
            reason = f"could not start: {getattr(error, 'strerror', error)}"
            self._fail(ready.work, reason)
            self._schedule.ended(ready.work, FAILED, reason)
            return
        self._schedule.started(ready.work)
        attempt = Attempt(ready, child, self._clock(), self._steps.name(ready.work.path))
        self._attempts[child.output] = attempt
        self._selector.register(child.output, selectors.EVENT_READ, attempt)
        if child.ends is not None:
            self._selector.register(child.ends, selectors.EVENT_READ, partial(self._poll, attempt))
        if not ready.work.control:
            attempts = _retry(ready.work)["max_attempts"]
            self._report.started(attempt.step, ready.number, attempts)

    def _left(self, path: str, status: str, reason: str) -> None:
        """A step without a process has ended, or will not run."""
        told = not reason and self._statuses.get(path) == status  # when its own process ended
        if status != "not_started" and not told:  # the end of the run has the number of those
            self._report.left(self._steps.name(path), status, reason)

    # Approvals

    def _ask(self, work: Work) -> None:
        self._schedule.started(work)
        question, verdict = self._approvals.ask(work, self._clock(), self._steps.name(work.path))
        if verdict is None:
            self._report.say(f"{self._steps.name(work.path)}: waits for someone to approve it")
        else:
            self._decided(question, verdict)

    def _decided(self, question: Open, verdict: Verdict) -> None:
        work = question.work
        how = "approved" if verdict.approved else "cancelled" if verdict.stopped else "failed"
        seconds = self._clock() - question.began
        self._steps.decided(question, verdict)
        self._report.ended(question.name, how, seconds)
        self._statuses[work.path] = "succeeded" if verdict.approved else how
        if verdict.stopped:
            return
        if not verdict.approved:
            self._fail(work, verdict.message)
        self._schedule.ended(work, SUCCEEDED if verdict.approved else FAILED)

    # Waiting

    def _listen(self, parent: int | None) -> Callable[[], None]:
        """Has signals and the parent's end arrive at the selector; gives what undoes that."""
        os.set_blocking(self._signals, False)
        os.set_blocking(self._wakeup, False)
        before = {number: signal.getsignal(number) for number in (*STOPPING, signal.SIGCHLD)}
        for number in before:
            signal.signal(number, lambda *_: None)
        wakeup = signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        self._selector.register(self._signals, selectors.EVENT_READ, self._signalled)
        if parent is not None:
            self._selector.register(parent, selectors.EVENT_READ, self._told)

        def restore() -> None:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            os.close(self._signals)
            os.close(self._wakeup)

        return restore

    def _wait(self) -> None:
        """Waits for something to happen, and deals with all that has."""
        now = self._clock()
        dues = [now + 1.0]  # by then the line that says what runs is out of date
        if self._retries and len(self._attempts) < self._workers:
            dues.append(self._retries[0][0])
        if self._kill_at is not None:
            dues.append(self._kill_at)
        if (due := self._approvals.due()) is not None:
            dues.append(due)
        for key, _ in self._selector.select(max(0.0, min(dues) - now)):
            if not isinstance(key.data, Attempt):
                key.data(key.fd)
            elif self._runs(key.data):
                self._read(key.data)
        for question, verdict in self._approvals.overdue(self._clock()):
            self._decided(question, verdict)
        if self._kill_at is not None and self._clock() >= self._kill_at:
            self._kill()

    def _runs(self, attempt: Attempt) -> bool:
        """Whether it has not ended just now, while others were dealt with."""
        return self._attempts.get(attempt.child.output) is attempt

    def _read(self, attempt: Attempt) -> None:
        """Passes on what a step has said since."""
        data = attempt.child.read()
        if data:
            self._pass(attempt, data)
        elif data is not None:
            # The step has closed its output and may run on: its end is told by something else.
            self._selector.unregister(attempt.child.output)

    def _pass(self, attempt: Attempt, data: bytes) -> None:
        for line in attempt.lines(data):
            self._report.line(attempt.step, line)

    def _signalled(self, descriptor: int) -> None:
        try:
            numbers = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return
        for number in numbers:
            if number in STOPPING:
                self._stop(number)
        for attempt in list(self._attempts.values()):
            self._poll(attempt)

    def _poll(self, attempt: Attempt, _: int | None = None) -> None:
        if self._runs(attempt):
            status = attempt.child.poll()
            if status is not None:
                self._ended(attempt, status)

    def _told(self, descriptor: int) -> None:
        """The parent has answered, or is gone."""
        data = os.read(descriptor, CHUNK)
        for question, verdict in self._approvals.heard(data):
            self._decided(question, verdict)
        if not data:
            self._selector.unregister(descriptor)
            self._stop(signal.SIGTERM)

    # Ending

    def _ended(self, attempt: Attempt, status: int) -> None:
        for data in attempt.child.rest():
            self._pass(attempt, data)
        if attempt.part:
            self._pass(attempt, b"\n")
        for descriptor in (attempt.child.output, attempt.child.ends):
            with suppress(KeyError, ValueError):
                self._selector.unregister(descriptor)  # type: ignore[arg-type]
        del self._attempts[attempt.child.output]
        attempt.child.close()
        seconds = self._clock() - attempt.started
        if status == 0:
            self._succeeded(attempt, seconds)
        else:
            self._failed(attempt, status, seconds)

    def _succeeded(self, attempt: Attempt, seconds: float) -> None:
        if not attempt.work.control:
            try:
                how = self._steps.success(attempt.work)
            except ArgosyError:  # its word is only for show
                how = "succeeded"
            self._report.ended(attempt.step, how, seconds)
            self._statuses[attempt.work.path] = how
        self._schedule.ended(attempt.work, SUCCEEDED)

    def _failed(self, attempt: Attempt, status: int, seconds: float) -> None:
        work, policy = attempt.work, _retry(attempt.work)
        message = self._explain(work, status)
        cancelled = self.stopped_by is not None and status >= 128
        if not work.control:
            self._report.ended(attempt.step, "cancelled" if cancelled else "failed", seconds)
        if cancelled:  # to the schedule it goes on: what waits for it has not started
            if not work.control:
                self._statuses[work.path] = "cancelled"
            return
        again = status in TRIED_AGAIN or status >= 128
        if again and attempt.number < policy["max_attempts"] and not self.stopped_by:
            pause = min(
                policy["backoff"] * policy["factor"] ** (attempt.number - 1), policy["max_backoff"]
            )
            self._retries_made += 1
            due = self._clock() + pause
            ready = Ready(work, attempt.number + 1, attempt.files)
            heapq.heappush(self._retries, (due, self._retries_made, ready))
            return
        self._fail(work, message, _without(message, attempt.tail))
        self._schedule.ended(work, FAILED)

    def _explain(self, work: Work, status: int) -> str:
        try:
            return self._steps.explain(work, status)
        except ArgosyError as error:
            return f"exit status {status}; {error}"

    def _fail(self, work: Work, message: str, tail: Iterable[bytes] = ()) -> None:
        lines = tuple(line.decode(errors="replace") for line in tail)
        self.failures.append(
            Failure(work.path, self._steps.name(work.path), message, FAILED, lines)
        )
        self._failed_work.append(work)
        if not work.control:
            self._statuses[work.path] = "failed"

    def _stop(self, number: int) -> None:
        """Tells the steps to end; told a second time, ends them."""
        if self.stopped_by:
            self._kill()
            return
        self.stopped_by = number
        self._kill_at = self._clock() + GRACE
        self._report.say(f"stopping: {signal.Signals(number).name}; once more kills what runs")
        why = f"stopped by {signals.name(number)}"
        for question, verdict in self._approvals.dropped(why, 128 + number):
            self._decided(question, verdict)
        for attempt in self._attempts.values():
            attempt.child.send(number)

    def _kill(self) -> None:
        self._kill_at = None
        for attempt in self._attempts.values():
            attempt.child.send(signal.SIGKILL)


def _without(message: str, tail: Iterable[bytes]) -> list[bytes]:
    """The last lines of a step without those that say its message."""
    first, *more = message.encode().split(b"\n")
    return [
        line
        for line in tail
        if line not in more and not (line.startswith(b"argosy: ") and line.endswith(b": " + first))
    ]


def _retry(work: Work) -> Mapping[str, Any]:
    """The retry policy of a step; what the runtime does for itself is tried once."""
    policy = {"max_attempts": 1, "backoff": 0.0, "factor": 2.0, "max_backoff": 300.0}
    return policy if work.control else {**policy, **(work.lnode.get("retry") or {})}
