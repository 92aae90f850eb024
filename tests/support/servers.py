"""Servers of models in processes of their own, and requests as bytes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

# Changes to limits come before the command line.
START = "import sys; {}; from fasttext_lite.cli import main; sys.exit(main())"
CONNECTIONS = "from fasttext_lite.integrations.serving import connections"


class Server(NamedTuple):
    """A server that runs."""

    process: subprocess.Popen[bytes]
    address: str

    def connect(self, seconds: float = 20) -> socket.socket:
        place = urlsplit(self.address)
        return socket.create_connection((place.hostname, place.port), seconds)

    def ask(self, request: bytes, seconds: float = 20) -> Answer:
        """Send bytes, and read the answer until the server closes the connection."""
        with self.connect(seconds) as one:
            one.sendall(request)
            return Answer.of(read_all(one))

    def get(self, path: str, *lines: str, method: str = "GET") -> Answer:
        host = urlsplit(self.address).netloc
        lines = (f"{method} {path} HTTP/1.1", f"host: {host}", "connection: close", *lines)
        return self.ask("".join(f"{line}\r\n" for line in (*lines, "")).encode())

    def processes(self) -> list[int]:
        """The ids of the server and of its workers."""
        return [self.process.pid, *self.workers()]

    def workers(self) -> list[int]:
        """The ids of the processes that answer, if they are others."""
        found = subprocess.run(
            ["/bin/ps", "-A", "-ww", "-o", "pid=,ppid=,args="],
            capture_output=True,
            text=True,
            check=True,
        )
        lines = [line.split(None, 2) for line in found.stdout.splitlines()]
        parent = str(self.process.pid)
        return [int(line[0]) for line in lines if line[1] == parent and "spawn_main" in line[-1]]

    def resident(self) -> int:
        """Bytes of memory of the server, on Linux."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Answer(NamedTuple):
    """The first answer in what a server sent."""

    status: int
    headers: dict[str, str]
    body: bytes
    rest: bytes

    @classmethod
    def of(cls, received: bytes) -> Answer:
        head, _, rest = received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        size = int(headers["content-length"])
        return cls(int(first.split()[1]), headers, rest[:size], rest[size:])

    def json(self) -> Any:
        return json.loads(self.body)


def alive(processes: list[int]) -> list[int]:
    """Those of the processes that run."""
    found = subprocess.run(
        ["/bin/ps", "-o", "pid=,stat=", "-p", ",".join(map(str, processes))],
        capture_output=True,
        text=True,
        check=False,
    )
    pairs = [line.split() for line in found.stdout.splitlines()]
    return [int(pid) for pid, state in pairs if not state.startswith("Z")]


def read_all(one: socket.socket) -> bytes:
    received = b""
    while more := one.recv(1 << 16):
        received += more
    return received


def post(path: str, body: bytes, *lines: str) -> bytes:
    """A request with a body, as bytes."""
    head = [f"POST {path} HTTP/1.1", "host: localhost", f"content-length: {len(body)}"]
    head += ["connection: close", *lines]
    return "".join(f"{line}\r\n" for line in (*head, "")).encode() + body


@contextmanager
def serving(target: object, *options: str, changes: str = "pass") -> Iterator[Server]:
    """Run ``fasttext-lite serve``; in the end it stops, and has written no error.

    `changes` is Python code that runs before it.
    """
    command = [sys.executable, "-I", "-W", "error", "-c", START.format(changes)]
    command += ["serve", "--json", "--port", "0", *options, str(target)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # A group of its own, to which a terminal would send Ctrl+C.
    with subprocess.Popen(command, **pipes, start_new_session=True) as process:
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read().decode()
            server = Server(process, json.loads(line)["address"])
            yield server
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert not (left := re.sub(rb"fasttext-lite: .*\n", b"", errors)), left.decode()
    if os.name == "posix":
        assert process.returncode in (0, 130)
