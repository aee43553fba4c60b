"""A container task in a pod of its own: the user's container runs beside this one.

Before both, `prepare` runs in an init container: it puts the parameters where the user's container
finds them. Kubernetes gives a container variables from a ConfigMap, and starts it with `$(NAME)` of
them. So that ConfigMap, called as the pod is, has the words of its command line too: no engine
reads what belongs to the user. How the container ended, and what it printed, the API server knows.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from argosy.runtime.cluster import SILENCE, Pod, RefusedError, fault
from argosy.runtime.entries import State
from argosy.runtime.errors import NodeError, ServiceError
from argosy.runtime.files import write_all
from argosy.runtime.retry import TryAgainError, retry

from . import container
from .container import Running
from .contract import ARGUMENT, CONTAINER, ROOT

if TYPE_CHECKING:
    from argosy.runtime.attempt import Attempt
    from argosy.runtime.step import Step

NEEDS = "configmaps: create, patch; pods, pods/log: get"
NOTHING_TO_DO = "/var/run/argo/argoexec", "help"
"""A program that is in every container of a pod of Argo's, and changes nothing."""
WHAT = "hand over the parameters"
EXISTS = 409
JSON = {"Content-Type": "application/json"}
MERGE = {"Content-Type": "application/merge-patch+json"}
ENGINES_OWN = re.compile(
    rb'(time="?\d{4}-\S+ level=\w+ msg=.* argo=true( .*)?'
    rb'|\{"(argo":true|time":"[^"]*","level":"\w+","msg":.*"argo":true).*)\n'
)
"""A line of the program that the engine starts the container with: as text or JSON, of 3 or 4."""
SHORTEST, LONGEST = 0.1, 2.0
"""Seconds between two looks at a container that is about to start, or to be known as ended."""


def prepare(attempt: Attempt, entering: State) -> None:
    """What the init container does."""
    node, context = attempt.node, attempt.context
    secrets = {wanted: context.secrets.get(wanted) for wanted in node.secrets}
    container.lay_out(attempt, entering, ROOT, secrets)
    found = container.variables(attempt, entering)
    argv = container.expanded(node.argv, found)
    if attempt.done_before() is not None:  # nothing keeps the user's container from starting
        argv = [*NOTHING_TO_DO, *argv[2:]][: len(argv)]
    found.update((f"{ARGUMENT}{number}", word) for number, word in enumerate(argv))
    owner = {"apiVersion": "v1", "kind": "Pod", "name": context.pod, "uid": context.pod_uid}
    metadata = {"name": context.pod, "ownerReferences": [owner]}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": found}
    api, data = Pod(), json.dumps(body).encode()
    path = f"/api/v1/namespaces/{api.namespace}/configmaps"
    # Not server-side apply: that reads YAML, which takes no pair of surrogates for one character.
    if not _ask(api, WHAT, "POST", path, data, JSON, unless=EXISTS):
        _ask(api, WHAT, "PATCH", f"{path}/{context.pod}", data, MERGE)


class InPod:
    """The user's container beside this one, which has been prepared for."""

    @contextmanager
    def container(
        self, attempt: Attempt, entering: State, secrets: Mapping[str, str]
    ) -> Iterator[Running]:
        pod = attempt.context.pod
        yield Running(ROOT, partial(_told, follow, pod), partial(_told, await_start, pod))


def _told(act: Callable[[Pod, str], int], pod: str, step: Step) -> int:
    """What `act` gives; what it raises is told to the step."""
    try:
        return act(Pod(), pod)
    except (NodeError, ServiceError) as error:
        step.fail(str(error), error.exit_status)
        return error.exit_status


def await_start(api: Pod, pod: str) -> int:
    """Returns when the user's container has started; says what it waits for."""
    said, pause = "", SHORTEST
    while True:
        state = _state(api, pod)
        if "running" in state or "terminated" in state:
            return 0
        waiting = state.get("waiting", {})
        if waiting.get("message") and waiting["reason"] != said:
            said = waiting["reason"]
            print(f"argosy: waiting for the container: {said}: {waiting['message']}", flush=True)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST)


def follow(api: Pod, pod: str) -> int:
    """Prints what the user's container prints, until it has ended. Gives its exit status."""
    printed = Printed(api, f"{_path(api, pod)}/log?container={CONTAINER}&follow=true")
    pause = SHORTEST
    while True:
        ended = _state(api, pod).get("terminated")
        if ended is None or not printed.whole:
            printed.more()
        if ended is not None:
            printed.end()
            return _status(ended)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST)


class Printed:
    """What the container has printed, of which each byte is printed here once. `whole`: it has been
    passed on to where the container, or what follows it, ended."""

    def __init__(self, api: Pod, path: str) -> None:
        self._api = api
        self._path = path
        self._seen = 0
        self._line = b""
        self._refused = False
        self.whole = False

    def more(self) -> None:
        """Passes on what there is until it ends, or the connection does."""
        skip, self.whole = self._seen, False
        try:
            for data in self._api.stream(self._path, SILENCE).body(NEEDS):
                new = data[skip:]
                skip = max(0, skip - len(data))
                self._seen += len(new)
                self._pass(new)
            self.whole = True
        except TryAgainError:  # or it has ended, which the next look at the pod shows
            return
        except RefusedError as error:  # it may be that there is no log yet
            if self._refused:
                return
            self._refused = True
            print(f"argosy: cannot follow the container's output: {error}", flush=True)

    def _pass(self, data: bytes) -> None:
        """Whole lines: the engine's log has no other before the container has ended."""
        lines = (self._line + data).splitlines(keepends=True)
        self._line = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        write_all(1, b"".join(line for line in lines if not ENGINES_OWN.fullmatch(line)))

    def end(self) -> None:
        write_all(1, self._line)


def _path(api: Pod, pod: str) -> str:
    return f"/api/v1/namespaces/{api.namespace}/pods/{pod}"


def _state(api: Pod, pod: str) -> dict[str, Any]:
    """The state of the user's container in a pod: {waiting | running | terminated: {...}}."""
    body = _ask(api, "look at the pod", "GET", _path(api, pod))
    for one in json.loads(body).get("status", {}).get("containerStatuses", ()):
        if one["name"] == CONTAINER:
            found: dict[str, Any] = one.get("state", {})
            return found
    return {}


def _status(terminated: Mapping[str, Any]) -> int:
    """The exit status of what has ended; why, where that is more than the status says."""
    if terminated.get("reason") not in (None, "Completed", "Error"):
        print(f"argosy: the container ended: {terminated['reason']}", file=sys.stderr, flush=True)
    return int(terminated["exitCode"])


def _ask(
    api: Pod,
    what: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] = {},
    unless: int = 0,
) -> bytes:
    """The body of an answer; none where its status is `unless`. Raises ServiceError with the way
    out for any other that is no success."""

    def call() -> bytes:
        answer = api.send(method, path, body, headers)
        if answer.status == unless:
            return b""
        if answer.status >= 400:
            raise fault(answer, NEEDS)
        return answer.body

    whole = f"cannot {what}"
    try:
        return retry(call, whole)
    except RefusedError as error:
        raise ServiceError(f"{whole}: {error}") from error
