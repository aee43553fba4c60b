"""One step's container as the launcher's loop sees it: descriptors to wait on, and its end."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from argosy.runtime.errors import ServiceError
from argosy.runtime.executors.local.process import CHUNK

HEADER = 8
"""Bytes before each frame of the engine's stream: its stream, three zeros, its length."""
LAST_WORDS = 2.0
"""Seconds of silence after which an ended container's stream is taken to have ended too."""


class Frames:
    """Takes the engine's stream apart, which has both of a container's in frames.

    >>> frames = Frames()
    >>> frames.feed(b"\\x01\\0\\0\\0\\0\\0\\0\\x05he")
    b'he'
    >>> frames.feed(b"llo\\x02\\0\\0\\0\\0\\0\\0\\x01!")
    b'llo!'
    """

    def __init__(self) -> None:
        self._header = b""
        self._left = 0

    def feed(self, data: bytes) -> bytes:
        """What the container has printed, of that in `data`."""
        found = []
        while data:
            if self._left:
                found.append(data[: self._left])
                data, self._left = data[self._left :], max(0, self._left - len(data))
                continue
            taken = HEADER - len(self._header)
            self._header, data = self._header + data[:taken], data[taken:]
            if len(self._header) == HEADER:
                self._left = int.from_bytes(self._header[4:], "big")
                self._header = b""
        return b"".join(found)


class Container:
    """A created container, started here. `client` is the engine's, `tidy` is called at the end.

    `lost` says in the end what the engine alone knows of why it ended.
    """

    def __init__(self, client: Any, name: str, tidy: Callable[[], None]) -> None:
        self.lost = ""
        self._client = client
        self._name = name
        self._tidy = tidy
        self._frames = Frames()
        # Before it starts, so that neither its first word nor its end is missed.
        asked = {"stdout": 1, "stderr": 1, "stream": 1}
        self._stream = client.attach_socket(name, params=asked)
        self._end = client.post(
            f"{client.base_url}/v{client.api_version}/containers/{name}/wait",
            params={"condition": "next-exit"},
            stream=True,
            timeout=None,
        )
        self._end.raise_for_status()
        self.output: int = self._stream.fileno()
        self._news: int = self._end.raw.fileno()
        self.ends: int | None = self._news
        os.set_blocking(self.output, False)
        client.start(name)

    def read(self) -> bytes | None:
        try:
            data = os.read(self.output, CHUNK)
        except BlockingIOError:
            return None
        except OSError:  # the engine has gone
            return b""
        return self._frames.feed(data) or None if data else b""

    def rest(self) -> Iterable[bytes]:
        # The engine sends the last of it beside the news of its end, maybe later.
        waiting = select.poll()
        waiting.register(self.output, select.POLLIN)
        while waiting.poll(LAST_WORDS * 1000):
            data = self.read()
            if data == b"":
                return
            yield data or b""

    def poll(self) -> int | None:
        """Only asked when there is an end to read, or a signal came."""
        if not select.select([self._news], [], [], 0)[0]:
            return None
        try:
            status = int(self._end.json()["StatusCode"])
        except (OSError, ValueError, KeyError):
            self.lost = "the engine, or the connection to it, broke off"
            return ServiceError.exit_status
        if status == 128 + signal.SIGKILL:
            self.lost = self._killed()
        return status

    def send(self, number: int) -> None:
        with suppress(OSError):  # it has ended, or the engine has
            self._client.kill(self._name, signal=number)

    def close(self) -> None:
        self._stream.close()
        self._end.close()
        with suppress(OSError):  # the next run removes it
            self._client.remove_container(self._name, force=True, v=True)
        self._tidy()

    def _killed(self) -> str:
        """Whether it was memory."""
        try:
            found = self._client.inspect_container(self._name)
        except OSError:
            return ""
        if not found["State"].get("OOMKilled"):
            return ""
        limit = found["HostConfig"].get("Memory") or 0
        had = f"its limit of {limit / (1 << 20):g} MiB" if limit else "what the machine has"
        return f"took more memory than {had}; resources: {{memory: ...}} of the step sets it"
