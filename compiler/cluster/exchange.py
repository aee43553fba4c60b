"""Requests and what comes back: sent again where that is worth it, with errors that say the way
out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from argosy.runtime.cluster import Api, Response, Stream
from argosy.runtime.errors import ServiceError
from argosy.runtime.retry import Pauses, TryAgainError, retry

from ..render import as_json
from .errors import Asked, NoClusterError, error_of

Json = dict[str, Any]

PATIENCE = 3.0
"""Seconds in which a server that does not answer is asked again: somebody waits for it."""
LOST = 60.0
"""The same of a watch, which may go on for hours."""
SILENT = 75.0
"""Seconds without a word after which a watch's connection counts as dead."""
PLAIN = {"Content-Type": "application/json"}


def exchange(
    api: Api,
    asked: Asked,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] = PLAIN,
) -> Json:
    """The document that a request is answered with. Raises ClusterError."""
    # Server-side apply reads YAML.
    data = None if body is None else as_json(body).encode()

    def call() -> Response:
        answer = api.send(method, path, data, headers)
        _check(asked, answer)
        return answer

    # What was sent to be created may have been, though no answer came.
    patience = 0.0 if method == "POST" else PATIENCE
    try:
        answer = retry(call, f"cannot {asked.verb} {asked}", patience)
    except ServiceError as error:
        raise NoClusterError(str(error)) from error
    found: Json = json.loads(answer.body or b"{}")
    return found


def lines(api: Api, asked: Asked, path: str, silent: float | None = None) -> Iterator[bytes]:
    """The lines of an answer, as they come. Raises ClusterError, and TryAgainError where the
    connection breaks or has been `silent` for so many seconds."""
    answer: Stream = api.stream(path, silent)
    if answer.status >= 400:
        _check(asked, Response(answer.status, answer.headers, b"".join(answer.chunks)))
    yield from answer.lines()


def watching(asked: Asked, once: Callable[[], Iterator[Json]]) -> Iterator[Json]:
    """What `once` gives, which is called again whenever it ends or its connection breaks."""
    pauses = Pauses(LOST)
    while True:
        try:
            for found in once():
                pauses = Pauses(LOST)
                yield found
        except (TryAgainError, NoClusterError) as fault:
            wait = pauses.next()
            if wait is None:
                raise NoClusterError(f"cannot watch {asked}: {fault}") from fault
            time.sleep(wait)


def _check(asked: Asked, answer: Response) -> None:
    """Raises TryAgainError where the server is not well, and ClusterError where it refuses."""
    if answer.status == 429 or answer.status >= 500:
        after = answer.headers.get("Retry-After", "")
        reason = f"status {answer.status}: {answer.body[:300].decode(errors='replace').strip()}"
        raise TryAgainError(reason, float(after) if after.isdigit() else None)
    if answer.status >= 400:
        raise error_of(asked, answer)
