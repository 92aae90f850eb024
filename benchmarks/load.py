"""Requests to a server on many connections, at a fixed rate or as fast as it answers.

It is a client in one thread of Python: about 50 µs for a request.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Load:
    """What came of the requests.

    Attributes
    ----------
    seconds : float
        From the first request to the last answer.
    waited : list of float
        Seconds from when each request was due to its answer.
    failed : int
        Requests without an answer of status 200.
    """

    seconds: float = 0.0
    waited: list[float] = field(default_factory=list)
    failed: int = 0

    def quantile(self, share: float) -> float:
        """Return the time within which this share of the answers came."""
        ordered = sorted(self.waited)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class _Connection(asyncio.Protocol):
    """A connection on which one request waits for its answer at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._waiting: asyncio.Future[bool] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def ask(self, request: bytes) -> asyncio.Future[bool]:
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)  # type: ignore[attr-defined]
        return self._waiting

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) >= length and self._waiting is not None:
            self._received = body[length:]
            self._finish(head.startswith(b"HTTP/1.1 200 "))

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(False)

    def _finish(self, good: bool) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(good)

    def close(self) -> None:
        self._transport.close()


def run(
    host: str, port: int, requests: Sequence[bytes], count: int, connections: int, rate: float = 0
) -> Load:
    """Send so many requests, in turn those given.

    Parameters
    ----------
    host, port : str, int
        Where the server listens.
    requests : sequence of bytes
    count : int
        Number of requests.
    connections : int
        Number of connections, each with one request at a time.
    rate : float
        Requests per second. They are due at this rate however slow the answers are, and the time
        counts from then. 0 sends each one when a connection is free.

    Returns
    -------
    Load
    """
    return asyncio.run(_run(host, port, requests, count, connections, rate))


async def _run(
    host: str, port: int, requests: Sequence[bytes], count: int, connections: int, rate: float
) -> Load:
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(_Connection, host, port))[1] for _ in range(connections)
    ]
    numbers = iter(range(count))
    load = Load()
    begin = time.perf_counter()

    async def send_in_turn(connection: _Connection) -> None:
        for number in numbers:
            due = begin + number / rate if rate else time.perf_counter()
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            good = await connection.ask(requests[number % len(requests)])
            load.waited.append(time.perf_counter() - due)
            load.failed += not good

    await asyncio.gather(*map(send_in_turn, opened))
    load.seconds = time.perf_counter() - begin
    for connection in opened:
        connection.close()
    return load
