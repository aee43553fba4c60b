"""What a step prints: passed on as it comes, kept in chunks, secrets masked in both."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterable

from .errors import ServiceError, writable
from .retry import in_a_hurry

MASK = b"***"
SHORTEST_LINE = 8
"""Bytes from which a line of a secret of several lines is a secret too: a key is often printed
with something before each line."""

INTERVAL = 2.0
"""Seconds after which what was printed is kept."""

SILENCE = 60.0
"""Seconds after which an empty chunk says that the attempt is alive."""

LARGEST = 1 << 19
"""Bytes that are kept at once, whatever the time: not every store takes more than 1 MiB."""

TAIL = 4096
"""Bytes of the end that are remembered."""


class Masker:
    """Masks secrets in a stream, wherever it is cut. Holds back only what may be the beginning of
    one.

    >>> masker = Masker(["secret"])
    >>> masker.feed(b"a sec"), masker.feed(b"ret, a sec"), masker.end()
    (b'a ', b'***, a ', b'sec')
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._patterns = patterns(secrets)
        longest_first = sorted(self._patterns, key=len, reverse=True)
        # The lookahead finds matches that overlap; of those that begin together, the longest.
        alternatives = b"|".join(map(re.escape, longest_first))
        self._matches = re.compile(b"(?=(" + alternatives + b"))") if longest_first else None
        self._held = b""
        self._covered = 0
        """So many of the first bytes held are of a secret whose mask is out already."""

    def feed(self, data: bytes) -> bytes:
        """What can be shown after `data`."""
        if self._matches is None:
            return data
        data = self._held + data
        return self._release(data, len(data) - self._beginning(data))

    def end(self) -> bytes:
        """What was held back to the end."""
        return self._release(self._held, len(self._held))

    def text(self, text: str) -> str:
        """A whole text, masked."""
        if self._matches is None:
            return text
        whole = text.encode(errors="surrogateescape")
        return self._masked(whole, len(whole), 0)[0].decode(errors="replace")

    def _release(self, data: bytes, end: int) -> bytes:
        shown, self._covered = self._masked(data, end, self._covered)
        self._held = data[end:]
        return shown

    def _beginning(self, data: bytes) -> int:
        """The length of the longest end of `data` that a secret begins with, but is not whole."""
        lengths = [0]
        for pattern in self._patterns:
            longest = min(len(pattern) - 1, len(data))
            lengths += [n for n in range(longest, lengths[-1], -1) if data.endswith(pattern[:n])][
                :1
            ]
        return max(lengths)

    def _masked(self, data: bytes, end: int, covered: int) -> tuple[bytes, int]:
        """`data` up to `end`, and how many bytes after it are of a secret that is masked before."""
        shown, at = [], min(covered, end)
        reach = covered
        for start, stop in self._found(data):
            if start >= end:
                break
            if start >= reach:
                shown += [data[at:start], MASK]
            reach = max(reach, stop)
            at = min(reach, end)
        shown.append(data[at:end])
        return b"".join(shown), max(0, reach - end)

    def _found(self, data: bytes) -> Iterable[tuple[int, int]]:
        """Where secrets are, overlapping ones too, in order."""
        if self._matches is None or not any(pattern in data for pattern in self._patterns):
            return ()
        return (match.span(1) for match in self._matches.finditer(data))


def patterns(secrets: Iterable[str]) -> list[bytes]:
    """What must not be seen: each secret without the blanks around it, its longer lines, and how
    JSON writes it."""
    found: dict[bytes, None] = {}
    for secret in secrets:
        text = secret.strip()
        lines = [line.strip() for line in text.splitlines()] if "\n" in text else []
        kept = [text, *(line for line in lines if len(line) >= SHORTEST_LINE)]
        for one in kept:
            for form in (one, json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1]):
                found.setdefault(form.encode(errors="surrogateescape"))
    found.pop(b"", None)
    return list(found)


class Output:
    """A step's two streams. `keep` gets each chunk, with the milliseconds since the start."""

    def __init__(
        self,
        keep: Callable[[int, bytes], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._maskers = {1: Masker(()), 2: Masker(())}
        self._keep = keep
        self._clock = clock
        self._started = clock()
        self._kept_at = self._started
        self._last = -1
        self._chunk: list[bytes] = []
        self._size = 0
        self._shown = {1, 2}
        self._tail = b""

    def hide(self, secrets: Iterable[str]) -> None:
        """From here on masks these secrets."""
        secrets = tuple(secrets)
        self._maskers = {1: Masker(secrets), 2: Masker(secrets)}

    def feed(self, stream: int, data: bytes) -> None:
        """What the step wrote to standard output (1) or standard error (2)."""
        self._pass(stream, self._maskers[stream].feed(data))

    def say(self, text: str) -> None:
        """A line of the runtime's own, on standard error."""
        line = self.mask(writable(text)).encode() + b"\n"
        self._pass(2, self._maskers[2].end() + line)

    def mask(self, text: str) -> str:
        return self._maskers[2].text(text)

    def tail(self) -> str:
        """The end of what was printed."""
        return self._tail.decode(errors="replace")

    def tick(self) -> float:
        """Keeps what is due, and gives the seconds until more is."""
        waited = self._clock() - self._kept_at
        limit = INTERVAL if self._chunk else SILENCE
        if waited >= limit or self._size >= LARGEST:
            try:
                with in_a_hurry():
                    self._write()
            except ServiceError:
                self._kept_at = self._clock()  # and again, when the store may be back
            return INTERVAL
        return limit - waited

    def close(self) -> None:
        """Keeps the rest. Raises ServiceError where the store has failed for good."""
        for stream, masker in self._maskers.items():
            self._pass(stream, masker.end())
        if self._chunk:
            self._write()

    def _write(self) -> None:
        data = b"".join(self._chunk)
        for start in range(0, len(data) or 1, LARGEST):
            number = max(int((self._clock() - self._started) * 1000), self._last + 1)
            end = start + LARGEST
            self._keep(number, data[start:end])
            self._last = number
            self._chunk, self._size = [data[end:]], max(0, len(data) - end)
        self._kept_at = self._clock()
        self._chunk = []

    def _pass(self, stream: int, data: bytes) -> None:
        if not data:
            return
        self._chunk.append(data)
        self._tail = (self._tail + data)[-TAIL:]
        self._size += len(data)
        if stream in self._shown:
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(stream, view) :]
            except OSError:  # nobody looks any more; the run log still does
                self._shown.discard(stream)
