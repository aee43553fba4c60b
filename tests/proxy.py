"""A TCP proxy on loopback that does to what passes through it what a test says."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import NamedTuple

RECEIVED = 1 << 16
NEVER = 1 << 62


class Fault(NamedTuple):
    """`kind` is one of
    wait: the message is passed on after `value` seconds;
    reset: the connection is reset;
    cut: the message is passed on, and of what is answered the first `value` bytes;
    silence: the message is not passed on, and nothing happens;
    half: half of the message is passed on, and the connection closed;
    refuse: the connection is reset, and no other accepted until `up`; with a value, for so many
    seconds;
    answer: it is HTTP, and answered with the status `value`."""

    kind: str
    value: float = 0


class Proxy:
    """`fault` is asked for the n-th message that clients send, from 1: a message is what arrives at
    once, a request or a part of one. `messages` counts them,
    and `faults` those that a fault befell."""

    def __init__(self, host: str, port: int) -> None:
        self.fault: Callable[[int], Fault | None] = no_fault
        self.messages = self.faults = 0
        self._target = (host, port)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = 0
        self.up()

    def up(self) -> None:
        """Accepts connections, on the same port as before."""
        if self._listener is not None:
            return
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self.accept(self._listener)

    def accept(self, listener: socket.socket) -> None:
        """Accepts the connections of a listener, until that is shut down."""
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def down(self) -> None:
        """Refuses connections, and resets those that are open."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)  # else `accept` keeps the port open
            listener.close()
        with self._lock:
            for one in self._open:
                reset(one)

    def begin(self, fault: Callable[[int], Fault | None]) -> None:
        """Counts from the start, with another fault."""
        self.messages = self.faults = 0
        self.fault = fault

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            link = Link(self, client, server)
            for pump in (link.ask, link.answer):
                threading.Thread(target=pump, daemon=True).start()

    def count(self) -> Fault | None:
        with self._lock:
            self.messages += 1
            found = self.fault(self.messages)
            self.faults += found is not None
            return found

    def opened(self, one: socket.socket) -> None:
        with self._lock:
            self._open.add(one)

    def closed(self, one: socket.socket) -> None:
        with self._lock:
            self._open.discard(one)
        one.close()


class Link:
    """One connection of a client's, and the one to the server that is for it."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._left = NEVER
        proxy.opened(client)

    def ask(self) -> None:
        """Passes on what the client sends."""
        with contextlib.suppress(OSError):
            while data := self._client.recv(RECEIVED):
                fault = self._proxy.count()
                if fault is None:
                    self._server.sendall(data)
                elif not self._befallen(fault, data):
                    break
        shut(self._server)

    def _befallen(self, fault: Fault, data: bytes) -> bool:
        """Whether the connection goes on."""
        if fault.kind == "wait":
            time.sleep(fault.value)
            self._server.sendall(data)
            return True
        if fault.kind == "silence":
            return True
        if fault.kind == "cut":
            self._left = int(fault.value)
            self._server.sendall(data)
            return True
        if fault.kind == "half":
            self._server.sendall(data[: len(data) // 2])
        elif fault.kind == "reset":
            reset(self._client)
        elif fault.kind == "refuse":
            self._proxy.down()
            if fault.value:
                threading.Timer(fault.value, self._proxy.up).start()
        else:
            self._client.sendall(refusal(int(fault.value)))
            self._client.shutdown(socket.SHUT_WR)
            self._client.settimeout(1)
            while self._client.recv(RECEIVED):
                pass  # else what is left of the request would reset the connection
        return False

    def answer(self) -> None:
        """Passes on what the server says."""
        with contextlib.suppress(OSError):
            while self._left > 0 and (data := self._server.recv(RECEIVED)):
                self._client.sendall(data[: self._left])
                self._left -= len(data) if self._left < NEVER else 0
        shut(self._client)
        shut(self._server)
        self._proxy.closed(self._client)
        self._server.close()


def no_fault(number: int) -> Fault | None:
    return None


def always(fault: Fault) -> Callable[[int], Fault | None]:
    return lambda number: fault


def now_and_then(share: float, fault: Fault) -> Callable[[int], Fault | None]:
    """The fault for that share of the messages, in no rhythm: a client that begins anew after each
    fault, with as many messages as lie between two, would never get on."""
    dice = Random(7)  # noqa: S311 (the same at each run of the tests)
    return lambda number: fault if dice.random() < share else None


def since(first: int, fault: Fault) -> Callable[[int], Fault | None]:
    """The fault from the message `first` on."""
    return lambda number: fault if number >= first else None


@contextmanager
def to(host: str, port: int) -> Iterator[Proxy]:
    found = Proxy(host, port)
    try:
        yield found
    finally:
        found.down()


def reset(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.shutdown(socket.SHUT_RD)  # wakes who waits for it
        one.close()


def shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


def refusal(status: int) -> bytes:
    """What a gateway in front of a server answers: no XML, and no JSON."""
    text = b"the gateway has a fault"
    head = f"HTTP/1.1 {status} Fault\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + text
