"""Reads a file of the user's that can be of any kind, without waiting or reading for ever."""

from __future__ import annotations

import errno
import os
import stat
import time

WAIT = 0.5
"""How many seconds a named pipe may be without anybody who writes to it."""


def read(path: str, most: int) -> bytes:
    """What is in the file at `path`. Raises OSError: with EFBIG where that is more than `most`
    bytes, and for a pipe that nobody writes to as well."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        first = _first_byte(descriptor) if pipe else b""
        os.set_blocking(descriptor, True)
        data = first + file.read(most + 1 - len(first))
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes, the limit")
    return data


def _first_byte(descriptor: int) -> bytes:
    """The first byte of a pipe, or nothing where it is still to come. Raises OSError where nobody
    writes: such a pipe is at its end, or has not been opened at its other end yet."""
    until = time.monotonic() + WAIT
    while True:
        try:
            if data := os.read(descriptor, 1):
                return data
        except BlockingIOError:
            return b""
        if time.monotonic() > until:
            raise OSError(None, "it is a pipe, and nobody writes to it")
        time.sleep(0.01)
