"""The ASGI application: a page, and answers as JSON."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from fasttext_lite import __version__
from fasttext_lite.errors import (
    FastTextLiteError,
    FileError,
    FormatError,
    InputTypeError,
    InputValueError,
    ModelKindError,
    UnknownWordError,
)
from fasttext_lite.integrations.serving.answers import IndexAnswers, ModelAnswers, as_json
from fasttext_lite.integrations.serving.parameters import (
    Endpoint,
    Limits,
    Query,
    Refusal,
    read_body,
    read_query,
)
from fasttext_lite.model import Model
from fasttext_lite.text_index import TextIndex, opened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from typing import TypeAlias

    from starlette.types import ASGIApp, Receive, Scope, Send

    from fasttext_lite.arguments import PathType
    from fasttext_lite.integrations.serving.answers import Answers

    Handler: TypeAlias = Callable[[Request], Awaitable[Response]]

__all__ = ["HEAD", "application", "error_json"]

_LOG = logging.getLogger("fasttext_lite.serving")

# Bytes of a request line and its headers.
HEAD = 1 << 15
# Calls that take longer go to a thread, so that others do not wait for them.
_SHORT = 1e-3
_SHORT_BODY = 1 << 14
# So many calls wait for a thread at most.
_WAITING = 64
# So much of a body that is too long is read, since many programs look for an answer only then.
_DRAINED = 1 << 25
_NAMES = ("search", "vectors", "predict", "neighbors")
_HEADERS = {
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_RAW_HEADERS = [
    (name.encode(), value.encode())
    for name, value in (_HEADERS | {"content-type": "application/json"}).items()
]


def application(
    target: TextIndex | Model | PathType,
    *,
    hosts: Iterable[str] | None = None,
    limits: Limits | None = None,
) -> Starlette:
    """Return an ASGI application that answers with an index of texts, or with a model.

    Parameters
    ----------
    target : TextIndex, Model, str, bytes or os.PathLike
        An index or a model, or the path of one.
    hosts : iterable of str, optional
        The names that requests may have in the header ``Host``, without a port: a page of another
        site whose name was made to point to this machine has its own. By default all names.
    limits : Limits, optional
        The most that a request may ask for.

    Returns
    -------
    starlette.applications.Starlette
        Mount it below a path that ends with a slash, or run it by any server for ASGI.

    Raises
    ------
    FileError, FormatError
        As for `TextIndex.open` and `fasttext_lite.load`.

    Examples
    --------
    >>> from starlette.applications import Starlette
    >>> from starlette.routing import Mount
    >>> app = Starlette(routes=[Mount("/words", application("sample"))])
    """
    found = target if isinstance(target, (TextIndex, Model)) else opened(target)
    answers = IndexAnswers(found) if isinstance(found, TextIndex) else ModelAnswers(found)
    service = _Service(answers, limits or Limits())
    known = None if hosts is None else frozenset(host.lower() for host in hosts)
    app = Starlette(
        routes=service.routes(),
        middleware=[Middleware(_Guard, hosts=known)],
        exception_handlers={
            HTTPException: _http_error,
            Refusal: _refused,
            FastTextLiteError: _failed,
            ClientDisconnect: _left,
            Exception: _broken,
        },
    )
    app.router.redirect_slashes = False
    return app


def error_json(status: int, message: str, field: str | None = None) -> bytes:
    """Return the body of an answer that is an error."""
    return as_json(
        {"error": message, "status": status} | ({} if field is None else {"field": field})
    ).encode()


class _Service:
    """The handlers of requests."""

    def __init__(self, answers: Answers, limits: Limits) -> None:
        self._answers = answers
        self._limits = limits
        self._threads = _Threads()
        page = files(__package__).joinpath("page.html").read_bytes()
        self._page = Response(page, headers=_HEADERS | _policy(page), media_type="text/html")

    def routes(self) -> list[Route]:
        routes = []
        for name in _NAMES:
            endpoint = self._answers.endpoints.get(name)
            handler = self._handler(endpoint) if endpoint else self._without(name)
            routes.append(Route(f"/{name}", handler, methods=["GET", "POST"], name=name))
        return [
            *routes,
            Route("/", self._show, methods=["GET"]),
            Route("/health", self._health, methods=["GET"]),
            Route("/info", self._info, methods=["GET"]),
        ]

    async def _show(self, request: Request) -> Response:
        del request
        return self._page

    async def _health(self, request: Request) -> Response:
        del request
        return _answer('{"status": "ok"}')

    async def _info(self, request: Request) -> Response:
        del request
        known = {
            "name": Path(self._answers.path or "texts").name,
            **self._answers.info(),
            "endpoints": [f"/{name}" for name in _NAMES if name in self._answers.endpoints],
            "limits": vars(self._limits),
            "version": __version__,
        }
        return _answer(as_json(known))

    def _without(self, name: str) -> Handler:
        async def refuse(request: Request) -> Response:
            del request
            raise Refusal(404, self._answers.lacking[name])

        return refuse

    def _handler(self, endpoint: Endpoint) -> Handler:
        pace = _Pace()

        async def handle(request: Request) -> Response:
            if request.method == "POST":
                body = await _body(request, self._limits.body)
                # A long one would keep others waiting.
                query = (
                    read_body(body, endpoint, self._limits)
                    if len(body) < _SHORT_BODY
                    else await self._threads.run(read_body, body, endpoint, self._limits)
                )
            else:
                query = read_query(request.scope["query_string"], endpoint, self._limits)
            found = (
                pace.run(endpoint, query)
                if pace.is_short(query)
                else await self._threads.run(pace.run, endpoint, query)
            )
            if request.method == "POST":
                return _answer(f'{{"results": [{", ".join(found)}]}}')
            return _answer(found[0])

        return handle


class _Pace:
    """How long a call takes for each text: rises after two slow calls, falls slowly.

    A single slow one may have waited for a processor, which a thread would not help.
    """

    def __init__(self) -> None:
        self._each: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def is_short(self, query: Query) -> bool:
        each = self._each.get(query.kind)
        return each is not None and each * len(query.values) < _SHORT

    def run(self, endpoint: Endpoint, query: Query) -> list[str]:
        begin = time.perf_counter()
        found = endpoint.answers[query.kind](query.values, **query.options)
        if query.values:
            each = (time.perf_counter() - begin) / len(query.values)
            before = self._each.get(query.kind, each)
            least = min(each, self._last.get(query.kind, each))
            self._each[query.kind] = max(least, 0.9 * before + 0.1 * least)
            self._last[query.kind] = each
        return found


class _Threads:
    """Runs long calls, one for each core at a time."""

    def __init__(self) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self._pool = ThreadPoolExecutor(cores or 1, "fasttext-lite")
        self._waiting = 0

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function.

        Raises
        ------
        Refusal
            Too many calls are waiting.
        """
        if self._waiting >= _WAITING:
            raise Refusal(
                503, "too many requests are waiting: try again", headers={"retry-after": "1"}
            )
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, function, *arguments)
        finally:
            self._waiting -= 1


async def _body(request: Request, most: int) -> bytes:
    """Return the body of a request.

    Raises
    ------
    Refusal
        It is longer than `most` bytes, or compressed.
    """
    headers = request.headers
    coding = headers.get("content-encoding", "identity").lower()
    if coding != "identity":
        raise Refusal(415, f"the body must not be compressed, and this one is: {coding:.40}")
    # Servers check that it is a number, and that it is right.
    declared = int(headers.get("content-length", 0))
    found = bytearray()
    size = 0
    # A client that asks whether to send its body sends none.
    if declared <= most or "expect" not in headers:
        async for chunk in request.stream():
            size += len(chunk)
            if max(size, declared) > most:
                found.clear()
                if size > _DRAINED:
                    break
            else:
                found += chunk
    if max(size, declared) > most:
        raise Refusal(
            413,
            f"a body may have {most:,} bytes at most: send fewer texts at a time",
            headers={"connection": "close"},
        )
    return bytes(found)


class _Guard:
    """Checks the head of each request before all else."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refusal = self._refusal(scope)
            if refusal is not None:
                await _refusal_answer(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        size = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        hosts = []
        framing = set()
        for name, value in scope["headers"]:
            size += len(name) + len(value) + 4
            if name == b"host":
                hosts.append(value)
            elif name in (b"content-length", b"transfer-encoding"):
                framing.add(name)
        closing = {"connection": "close"}
        if size > HEAD:
            return Refusal(
                431,
                f"the address and the headers may have {HEAD:,} bytes together: send long texts "
                "by POST",
                headers=closing,
            )
        if len(framing) > 1:
            # A proxy may see another end of the body than this server.
            return Refusal(400, "a body has a length or chunks, not both", headers=closing)
        if self._hosts is None or (len(hosts) == 1 and _host_name(hosts[0]) in self._hosts):
            return None
        return Refusal(
            403,
            "this server does not answer to the name in the header Host: start it with "
            "--allow-host NAME if it should",
        )


def _host_name(header: bytes) -> str:
    """Return the name in a header, without a port.

    Examples
    --------
    >>> _host_name(b"LocalHost:80"), _host_name(b"[::1]:80"), _host_name(b"[::1]")
    ('localhost', '::1', '::1')
    """
    name = header.decode("latin-1").lower()
    found = re.fullmatch(r"\[([0-9a-f:.]+)\](:\d*)?|([^:]*)(:\d*)?", name)
    return "" if found is None else found[1] or found[3] or ""


def _policy(page: bytes) -> dict[str, str]:
    """Return headers that let a page run its own script, ask this server, and nothing else."""
    hashes = {}
    for name in ("script", "style"):
        inner = page.split(f"<{name}>".encode())[1].split(f"</{name}>".encode())[0]
        hashes[name] = base64.b64encode(hashlib.sha256(inner).digest()).decode()
    return {
        "content-security-policy": "default-src 'none'; connect-src 'self'; img-src data:; "
        f"script-src 'sha256-{hashes['script']}'; style-src 'sha256-{hashes['style']}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
    }


class _Answer(Response):
    """JSON, with headers that were encoded once."""

    media_type = "application/json"

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        del headers
        self.raw_headers = [*_RAW_HEADERS, (b"content-length", b"%d" % len(self.body))]


def _answer(text: str) -> Response:
    return _Answer(text.encode())


def _refusal_answer(refusal: Refusal) -> Response:
    return Response(
        error_json(refusal.status, refusal.message, refusal.field),
        refusal.status,
        headers={**_HEADERS, **(refusal.headers or {})},
        media_type="application/json",
    )


async def _refused(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, Refusal)  # noqa: S101 - for mypy
    return _refusal_answer(error)


async def _http_error(request: Request, error: Exception) -> Response:
    """Answer to requests for which there is no handler."""
    assert isinstance(error, HTTPException)  # noqa: S101 - for mypy
    messages = {
        404: f"there is nothing at {request.url.path:.100}: /info lists what there is",
        405: f"{request.method:.20} is not possible here",
    }
    message = messages.get(error.status_code, error.detail)
    return _refusal_answer(Refusal(error.status_code, message, headers=error.headers))


async def _failed(request: Request, error: Exception) -> Response:
    """Answer with the message of an error of this package."""
    del request
    if isinstance(error, (InputTypeError, InputValueError, ModelKindError, UnknownWordError)):
        return _refusal_answer(Refusal(422, str(error)))
    _LOG.error("%s", error)
    # The path of the file is nobody's business.
    reasons = {FormatError: "reason", FileError: "strerror"}
    message = next(
        (getattr(error, name) for kind, name in reasons.items() if isinstance(error, kind)),
        str(error),
    )
    return _refusal_answer(Refusal(500, message))


async def _left(request: Request, error: Exception) -> Response:
    """Nobody waits for this answer."""
    del request, error
    return Response(status_code=400)


async def _broken(request: Request, error: Exception) -> Response:
    """Answer for an error that nobody expected; the server writes it to its log."""
    del request, error
    return _refusal_answer(Refusal(500, "this is an error in the server"))
