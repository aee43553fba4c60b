"""An API server that answers what a test says, over HTTP on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Sent(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    text: str = ""


Answer = tuple[int, Any]
"""A status, and a document; a list of documents is a stream of lines, bytes are as they are."""


class ApiServer:
    """`answer` is asked for each request; `sent` has them all."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sent: list[Sent] = []
        self.answer: Callable[[Sent], Answer] = lambda sent: (404, b"404 page not found\n")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def api_server() -> Iterator[ApiServer]:
    found = ApiServer(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length).decode()
            body = json.loads(text) if length else None
            headers = {name.lower(): value for name, value in self.headers.items()}
            sent = Sent(self.command, url.path, dict(parse_qsl(url.query)), body, headers, text)
            found.sent.append(sent)
            status, document = found.answer(sent)
            if isinstance(document, list):
                data = b"".join(json.dumps(one).encode() + b"\n" for one in document)
            else:
                data = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kubeconfig(path: Path, url: str, namespace: str = "team") -> Path:
    """Writes a kubeconfig with a context `here` that leads to the URL."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": url}}],
        "users": [{"name": "me", "user": {"token": "t0ken"}}],
        "contexts": [
            {"name": "here", "context": {"cluster": "here", "user": "me", "namespace": namespace}}
        ],
    }
    path.write_text(json.dumps(document))
    return path
