"""Connections of uvicorn with limits on time, on the size of a head, and on their number.

uvicorn waits without an end for a request that has begun, and for a client that does not read its
answer.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from fasttext_lite.integrations.serving.application import HEAD, error_json

if TYPE_CHECKING:
    import asyncio

__all__ = ["MOST", "SECONDS", "Connection"]

# Connections of a process.
MOST = 512
# The longest time in which a request has to arrive, from its first byte to its last, and in which
# a client has to read some of its answer.
SECONDS = 10.0


class Connection(AutoHTTPProtocol):  # type: ignore[misc,valid-type,unused-ignore]
    """A connection that is closed if the other side is slow."""

    transport: asyncio.Transport

    def connection_made(self, transport: Any) -> None:
        """Begin to watch the time, or refuse a connection too many."""
        super().connection_made(transport)
        # When a request began, or when the connection was made without one.
        self._since: float | None = self.loop.time()
        self._head = 0
        self._unread = 0
        self._watch: asyncio.TimerHandle | None = None
        if len(self.connections) > MOST:
            self._refuse(503, "this server has too many connections: try again")
            return
        self._watch = self.loop.call_later(SECONDS / 2, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to watch the time."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note what is complete."""
        if self._since is None:
            self._since = self.loop.time()
        before = self.cycle
        super().data_received(data)
        cycle = self.cycle
        if cycle is not before or (cycle is not None and cycle.more_body):
            self._head = 0
        else:
            self._head += len(data)
        if self._is_answering() and not cycle.more_body:
            self._since = None
        elif self._head > HEAD:
            self._refuse(431, f"the address and the headers may have {HEAD:,} bytes together")

    def eof_received(self) -> bool:
        """Let a client close its side when it has asked, and wait for the answer."""
        if not self._is_answering() or self.cycle.more_body:
            return False
        self.cycle.keep_alive = False
        return True

    def send_400_response(self, msg: str) -> None:
        """Answer to what is no HTTP."""
        self._refuse(400, msg)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _check(self) -> None:
        """Close the connection if nothing moves."""
        unread = self.transport.get_write_buffer_size()
        late = self._since is not None and self.loop.time() - self._since > SECONDS
        begun = self._is_answering() and self.cycle.response_started
        if (unread and unread >= self._unread > 0) or (late and begun):
            self.transport.abort()
        elif late:
            self._refuse(408, f"the request did not arrive within {SECONDS:.0f} seconds")
        self._unread = unread
        self._watch = self.loop.call_later(SECONDS / 2, self._check)

    def _refuse(self, status: int, message: str) -> None:
        """Answer without the application, and close the connection."""
        if self.transport.is_closing():
            return
        body = error_json(status, message)
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
