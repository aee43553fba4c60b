"""A server in this process that speaks as much of S3's protocol as the providers use.

It counts requests, and has faults on demand; what a real server does, the end-to-end tests see.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

CUT = "cut"
"""A fault: half of the answer, and no more."""
BEGINNING = "beginning"
"""A fault: the status and a header of the answer, and no more."""


class S3Server:
    """`objects` by bucket/key; `requests` as 'METHOD key'; `faults` are used up from the first on:
    a status to answer, seconds to wait, CUT or BEGINNING. `None` is no fault."""

    def __init__(self, port: int = 0) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.requests: list[str] = []
        self.faults: list[Any] = []
        self.lock = threading.Lock()
        handler = type("BoundHandler", (Handler,), {"state": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def kinds(self) -> list[str]:
        """The methods of all requests, with LIST for a listing."""
        return [request.split(" ")[0] for request in self.requests]


@contextmanager
def running() -> Iterator[S3Server]:
    found = S3Server()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: S3Server

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.serve()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 (http.server's names)

    def serve(self) -> None:
        parts = urlsplit(self.path)
        key = unquote(parts.path).lstrip("/")
        query = {name: found[0] for name, found in parse_qs(parts.query, True).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.state.lock:
            kind = "LIST" if "list-type" in query else self.command
            self.state.requests.append(f"{kind} {key}")
            fault = self.state.faults.pop(0) if self.state.faults else None
        if isinstance(fault, float):
            time.sleep(fault)
        elif isinstance(fault, int):
            self.answer(fault, refusal("InternalError" if fault >= 500 else "AccessDenied"))
            return
        with self.state.lock:
            status, data, headers = self.act(key, query, body)
        if fault == BEGINNING:
            self.wfile.write(f"HTTP/1.1 {status} Fine\r\nServer: x\r\nContent".encode())
            self.close_connection = True
            return
        self.answer(status, data, headers, cut=fault == CUT)

    def act(
        self, key: str, query: dict[str, str], body: bytes
    ) -> tuple[int, bytes, dict[str, str]]:
        objects, uploads = self.state.objects, self.state.uploads
        if "uploads" in query:
            name = f"upload-{len(self.state.requests)}"
            uploads[name] = {}
            return 200, xml("InitiateMultipartUploadResult", f"<UploadId>{name}</UploadId>"), {}
        if "uploadId" in query:
            return self.act_on_upload(key, query, body)
        if "list-type" in query:
            prefix = f"{key.rstrip('/')}/{query.get('prefix', '')}"
            found = [name.partition("/")[2] for name in sorted(objects) if name.startswith(prefix)]
            keys = "".join(f"<Contents><Key>{escape(name)}</Key></Contents>" for name in found)
            return 200, xml("ListBucketResult", keys), {}
        if self.command == "PUT":
            objects[key] = body
            return 200, b"", {"ETag": '"x"'}
        if self.command == "DELETE":
            objects.pop(key, None)
            return 204, b"", {}
        if key not in objects:
            return 404, refusal("NoSuchKey"), {}
        return self.part_of(objects[key])

    def act_on_upload(
        self, key: str, query: dict[str, str], body: bytes
    ) -> tuple[int, bytes, dict[str, str]]:
        uploads, name = self.state.uploads, query["uploadId"]
        if name not in uploads:
            return 404, refusal("NoSuchUpload"), {}
        if self.command == "PUT":
            uploads[name][int(query["partNumber"])] = body
            return 200, b"", {"ETag": '"x"'}
        parts = uploads.pop(name)
        if self.command == "DELETE":
            return 204, b"", {}
        self.state.objects[key] = b"".join(parts[number] for number in sorted(parts))
        return 200, xml("CompleteMultipartUploadResult", '<ETag>"x"</ETag>'), {}

    def part_of(self, data: bytes) -> tuple[int, bytes, dict[str, str]]:
        asked = self.headers.get("Range")
        headers = {"ETag": '"x"', "Accept-Ranges": "bytes"}
        if not asked:
            return 200, data, headers
        first, _, last = asked.removeprefix("bytes=").partition("-")
        end = min(int(last or len(data)), len(data) - 1)
        headers["Content-Range"] = f"bytes {first}-{end}/{len(data)}"
        return 206, data[int(first) : end + 1], headers

    def answer(
        self, status: int, data: bytes, headers: dict[str, str] | None = None, cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if cut else data)
        self.close_connection = self.close_connection or cut


def xml(name: str, content: str) -> bytes:
    return f'<?xml version="1.0"?><{name}>{content}</{name}>'.encode()


def refusal(code: str) -> bytes:
    return xml("Error", f"<Code>{code}</Code><Message>as the test wants it</Message>")
