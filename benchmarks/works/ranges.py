"""Vectors of a compact file on a server that sends ranges, each answer after a pause."""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.libraries import OURS
from benchmarks.work import Figure, Outcome, Task, Unit, Work
from benchmarks.works.compact import ensure_compact

if TYPE_CHECKING:
    from collections.abc import Iterator

PAUSE = 0.02
WORDS = 1000


class _Handler(BaseHTTPRequestHandler):
    """Send ranges of one file: one by one, or several as RFC 9110 has it."""

    protocol_version = "HTTP/1.1"
    path_of_file = Path()

    def do_GET(self) -> None:
        time.sleep(PAUSE)
        size = self.path_of_file.stat().st_size
        asked = re.findall(r"(\d+)-(\d+)", self.headers["Range"] or f"0-{size - 1}")
        with self.path_of_file.open("rb") as file:
            parts = []
            for begin, last in ((int(b), min(int(e), size - 1)) for b, e in asked):
                file.seek(begin)
                parts.append((f"bytes {begin}-{last}/{size}", file.read(last + 1 - begin)))
        headers = {"ETag": '"1"'}
        if len(parts) == 1:
            headers["Content-Range"], body = parts[0]
        else:
            headers["Content-Type"] = "multipart/byteranges; boundary=next"
            body = b"".join(
                f"\r\n--next\r\nContent-Range: {place}\r\n\r\n".encode() + data
                for place, data in parts
            )
            body += b"\r\n--next--\r\n"
        self.send_response(206)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Print nothing."""


@contextmanager
def _served(path: str) -> Iterator[str]:
    handler = type("Handler", (_Handler,), {"path_of_file": Path(path)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/model"
    finally:
        server.shutdown()
        server.server_close()


def _ours(task: Task) -> Outcome:
    ftl = import_module("fasttext_lite")
    path = ensure_compact(task.model, "float16")
    local = ftl.load(path)
    values = {}
    asked = {
        "known": task.known[:1],
        "unknown": task.unknown[:1],
        "many": task.known[:WORDS],
        "mixed": [*task.known[: WORDS // 2], *task.unknown[: WORDS // 2]],
    }
    with _served(path) as address:
        for name, words in asked.items():
            start = perf_counter()
            remote = ftl.open_remote(address)
            found = remote.vectors(words)
            values[f"{name}_seconds"] = perf_counter() - start
            values[f"{name}_bytes"] = float(remote.fetched)
            values[f"{name}_requests"] = float(remote.requests)
            if found.tobytes() != local.vectors(words).tobytes():
                raise ValueError(f"the vectors of {name} words differ from those of the file")
    return Outcome(values)


WORK = Work(
    title="Reading by ranges, each answer after 20 ms",
    figures=tuple(
        figure
        for name, title, requests, most in (
            ("known", "first known word", 5, 200_000),
            ("unknown", "first unknown word", None, None),
            ("many", "1,000 known words", 40, None),
            ("mixed", "500 known and 500 unknown words", None, None),
        )
        for figure in (
            Figure(f"{name}_seconds", title, Unit.SECONDS, compared=False),
            Figure(f"{name}_bytes", f"{title}: read", Unit.BYTES, compared=False, ceiling=most),
            Figure(
                f"{name}_requests", f"{title}: requests", Unit.REQUESTS, compared=False,
                ceiling=requests,
            ),
        )
    ),
    libraries={OURS: _ours},
)  # fmt: skip
