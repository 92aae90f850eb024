"""Requests to an ASGI application without a server."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks an application; `raises` says whether its unexpected errors are raised here."""

    def __init__(self, app: Any, raises: bool = True) -> None:
        self._app = app
        self._raises = raises

    def get(self, address: str, *headers: tuple[str, str], **parameters: object) -> Response:
        if parameters:
            address += "?" + urlencode(parameters, errors="surrogateescape")
        return self.request("GET", address, b"", *headers)

    def post(self, address: str, body: object, *headers: tuple[str, str]) -> Response:
        """Send bytes, or an object as JSON."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.request("POST", address, body, *headers)

    def request(
        self, method: str, address: str, body: bytes = b"", *headers: tuple[str, str]
    ) -> Response:
        path, _, query = address.partition("?")
        sent = {"host": "localhost", "content-length": str(len(body))}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [
                (name.encode(), value.encode())
                for name, value in [
                    *(pair for pair in sent.items() if pair[0] not in dict(headers)),
                    *headers,
                ]
            ],
        }
        received: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            received.append(message)

        with suppress(*(() if self._raises else (Exception,))):
            asyncio.run(self._app(scope, receive, send))
        start, *parts = received
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        return Response(start["status"], found, b"".join(part["body"] for part in parts))
