"""Bytes that come in parts, as lines."""

from __future__ import annotations


class Lines:
    """Put lines together, in time that grows with their length: what has come of a line is not
    looked at again with each part."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """The lines, without their ends, that `data` completes."""
        if b"\n" not in data:
            self._parts.append(data)
            return []
        first, *others = data.split(b"\n")
        found = [b"".join([*self._parts, first]), *others]
        self._parts = [found.pop()]
        return found

    def rest(self) -> bytes:
        """What has come of a line without an end."""
        return b"".join(self._parts)
