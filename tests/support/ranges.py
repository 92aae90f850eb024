"""A server of files on the loopback device, which answers requests for ranges."""

from __future__ import annotations

import re
import threading
import time
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript"}


@dataclass
class Answer:
    """What is sent: the status, the headers and the bytes of the body.

    The connection is closed after `cut` bytes of the body, if that is given.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    cut: int | None = None


@dataclass
class Files:
    """The files of a server and the requests for them.

    Attributes
    ----------
    content : dict of str to bytes
        By path, with the slash.
    ranges : bool
        Whether ranges are sent, or the whole file.
    several : bool
        Whether several ranges are sent by one answer.
    delay : float
        Seconds before each answer.
    change : callable or None
        Receives the number of the request and its answer, and may change it.
    routes : dict of str to Answer
        Answers for other paths.
    requests : list of (path, range, size of the body)
    headers : list of dict
        The headers of each request.
    """

    content: dict[str, bytes]
    ranges: bool = True
    several: bool = True
    delay: float = 0
    change: Callable[[int, Answer], None] | None = None
    routes: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, str | None, int]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    address: str = ""

    def answer(self, path: str, wanted: str | None, condition: str | None) -> Answer:
        """Return the answer to a request for a range, if the file has still this ETag."""
        if path in self.routes:
            return replace(self.routes[path])
        data = self.content.get(path)
        if data is None:
            return Answer(404, {}, b"no such file")
        suffix = path[path.rfind(".") :]
        headers = {
            "ETag": f'"{zlib.crc32(data)}"',
            "Content-Type": TYPES.get(suffix, "application/octet-stream"),
        }
        several = re.fullmatch(r"bytes=(\d+-\d+(?:, ?\d+-\d+)+)", wanted or "")
        if several and self.ranges and self.several:
            return self.parts(data, several[1], headers)
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted or "")
        if not (found and self.ranges) or condition not in (None, headers["ETag"]):
            return Answer(200, headers, data)
        begin, end = int(found[1]), min(int(found[2] or len(data)), len(data) - 1)
        if begin >= len(data):
            return Answer(416, {"Content-Range": f"bytes */{len(data)}"}, b"")
        headers["Content-Range"] = f"bytes {begin}-{end}/{len(data)}"
        return Answer(206, headers, data[begin : end + 1])

    def parts(self, data: bytes, ranges: str, headers: dict[str, str]) -> Answer:
        """Return an answer with several ranges."""
        headers["Content-Type"] = "multipart/byteranges; boundary=next"
        body = b""
        for one in ranges.split(","):
            begin, last = map(int, one.split("-"))
            part = data[begin : last + 1]
            head = f"Content-Range: bytes {begin}-{begin + len(part) - 1}/{len(data)}"
            body += f"\r\n--next\r\nContent-Type: text/plain\r\n{head}\r\n\r\n".encode() + part
        return Answer(206, headers, body + b"\r\n--next--\r\n")


@contextmanager
def served(files: Files) -> Iterator[Files]:
    """Serve files while the block runs; their `address` is that of the server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(files.delay)
            path, wanted = self.path, self.headers["Range"]
            if path not in files.routes:
                path = path.partition("?")[0]
            answer = files.answer(path, wanted, self.headers["If-Range"])
            if files.change:
                files.change(len(files.requests), answer)
            files.requests.append((path, wanted, len(answer.body)))
            files.headers.append(dict(self.headers))
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                if value is not None:
                    self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(answer.body[: answer.cut])
            if answer.cut is not None:
                self.close_connection = True

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    files.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield files
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
