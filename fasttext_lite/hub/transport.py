"""Requests over HTTP: redirects, tokens, retries, and ranges of a file.

Only ``http`` and ``https`` are followed, and never from ``https`` to ``http``. A token is sent to
the host that it belongs to, and to no other that a redirect names. Everything that a server says
is checked: what it sends is the range that was asked for, of the file as it was at the beginning.
"""

from __future__ import annotations

import errno
import http.client
import re
import ssl
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from fasttext_lite.errors import FileError, MissingFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message
    from typing import IO, Any

    from typing_extensions import Self

__all__ = ["Identity", "Reply", "check_status", "request", "without_secrets"]

# Seconds without a byte after which a server is given up.
TIMEOUT = 30.0
# Pauses before the next attempts, in seconds; a server may ask for longer, up to the last number.
PAUSES = (0.5, 1.0, 2.0, 4.0)
LONGEST_PAUSE = 60.0
_MOST_REDIRECTS = 8
# Answers after which the same request may succeed.
_TEMPORARY = {408, 429, 500, 502, 503, 504}
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True)
class Identity:
    """What a server says of a file: its size in bytes, and its ETag or date; None if unknown."""

    size: int | None
    tag: str | None


class Reply:
    """The answer to a request, to be read and closed.

    Attributes
    ----------
    url : str
        The address that answered, after redirects.
    status : int
    headers : Message
    begin : int
        Offset of its first byte in the file.
    identity : Identity
        Of the whole file.
    """

    def __init__(self, url: str, status: int, headers: Message, body: IO[bytes]) -> None:
        self.url = url
        self.status = status
        self.headers = headers
        self._body = body
        self.begin = 0
        size = headers.get("Content-Length", "")
        total = int(size) if _LENGTH.fullmatch(size) and status != 206 else None
        several = headers.get("Content-Type", "").lower().startswith("multipart/byteranges")
        if status == 206 and not several:
            found = _RANGE.fullmatch(headers.get("Content-Range", ""))
            if not found or not int(found[1]) <= int(found[2]) < int(found[3]):
                raise FileError(
                    f"the server sent a part with Content-Range {headers.get('Content-Range')!r}",
                    without_secrets(url),
                    errno.EIO,
                )
            self.begin, total = int(found[1]), int(found[3])
        tag = headers.get("ETag") or headers.get("Last-Modified")
        self.identity = Identity(total, tag)

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes; none at the end.

        Raises
        ------
        ConnectionError
            The connection was cut: another request may continue.
        """
        try:
            return self._body.read(size)
        except (http.client.HTTPException, OSError) as error:
            raise ConnectionError(str(error) or type(error).__name__) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._body.close()


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects without taking a token to another host, or leaving encryption."""

    max_redirections = _MOST_REDIRECTS

    def __init__(self, stop_at: str | None) -> None:
        self._stop_at = stop_at

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            old, new = urlsplit(req.full_url), urlsplit(newurl)
        except ValueError:
            raise FileError(
                "the server leads to what is no address", without_secrets(req.full_url), errno.EIO
            ) from None
        if new.scheme not in ("http", "https") or (old.scheme, new.scheme) == ("https", "http"):
            raise FileError(
                f"the server leads from {old.scheme} to {new.scheme or newurl!r}, which is not "
                "followed",
                without_secrets(req.full_url),
                errno.EIO,
            )
        same = (old.scheme, old.netloc) == (new.scheme, new.netloc)
        if self._stop_at and (not same or self._stop_at in headers):
            return None
        # That of the standard library would turn HEAD into GET.
        kept = {
            name: value
            for name, value in req.header_items()
            if same or name.lower() not in ("authorization", "cookie", "host")
        }
        return urllib.request.Request(  # noqa: S310 - the scheme is checked above
            urljoin(req.full_url, newurl), headers=kept, method=req.get_method()
        )


def without_secrets(url: str) -> str:
    """Return an address for messages: without a password, and without its query."""
    parts = urlsplit(url)
    query = "?…" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{query}"


def request(
    url: str,
    *,
    method: str = "GET",
    begin: int = 0,
    end: int | None = None,
    headers: Mapping[str, str] | None = None,
    token: str | None = None,
    stop_at: str | None = None,
    attempts: int = len(PAUSES) + 1,
) -> Reply:
    """Ask a server; try again after failures that may pass.

    Parameters
    ----------
    url : str
        An ``http`` or ``https`` address.
    method : {"GET", "HEAD"}
    begin, end : int, optional
        The range of bytes to ask for; all of them by default.
    headers : mapping, optional
        More headers.
    token : str, optional
        Sent to the host of `url` only.
    stop_at : str, optional
        Return an answer with this header instead of following it, and one that leads to another
        host.
    attempts : int

    Returns
    -------
    Reply
        Its status is that of the server, which may be an error.

    Raises
    ------
    FileError
        The server cannot be reached, or answers against the protocol.
    """
    sent = {"User-Agent": "fasttext-lite", "Accept-Encoding": "identity", **(headers or {})}
    if begin or end is not None:
        sent["Range"] = f"bytes={begin}-{'' if end is None else end - 1}"
    if token:
        sent["Authorization"] = f"Bearer {token}"
    # A path may hold spaces and letters of any script; what is quoted stays as it is.
    url = quote(url, safe="%/:=&?~#+!$,;'@()*[]")
    if urlsplit(url).scheme not in ("http", "https"):
        raise FileError("only http and https addresses are read", without_secrets(url))
    opener = urllib.request.build_opener(_SafeRedirects(stop_at))
    for attempt in range(attempts):
        last = attempt == attempts - 1
        try:
            asked = urllib.request.Request(url, headers=sent, method=method)  # noqa: S310
            reply = _reply(opener, asked)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, FileError):
                raise
            if last or not _may_pass(error):
                raise _unreachable(error, url) from None
        else:
            if last or reply.status not in _TEMPORARY:
                _check_encoding(reply)
                return reply
            with reply:
                time.sleep(_pause(attempt, reply.headers.get("Retry-After")))
            continue
        time.sleep(_pause(attempt, None))
    raise AssertionError  # the last attempt returns or raises


def _reply(opener: urllib.request.OpenerDirector, asked: urllib.request.Request) -> Reply:
    try:
        answer = opener.open(asked, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        return Reply(error.url or asked.full_url, error.code, error.headers, error)
    return Reply(answer.url, answer.status, answer.headers, answer)


def _check_encoding(reply: Reply) -> None:
    encoding = reply.headers.get("Content-Encoding", "identity")
    if encoding != "identity" and reply.status in (200, 206):
        raise FileError(
            f"the server sends the file with the encoding {encoding}, although it was asked not to",
            without_secrets(reply.url),
            errno.EIO,
        )


def _may_pass(error: Exception) -> bool:
    """Return whether another attempt may succeed: not if a name or a certificate is wrong."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return False
    # A host that is not known; `socket.gaierror` is not imported for it.
    return not isinstance(reason, ValueError) and type(reason).__name__ != "gaierror"


def _unreachable(error: Exception, url: str) -> FileError:
    reason = getattr(error, "reason", error)
    host = urlsplit(url).hostname
    return FileError(
        f"{host} cannot be reached ({reason}): check the network and the address, or pass the path "
        "of a file that was downloaded before",
        without_secrets(url),
        getattr(reason, "errno", None) or errno.EHOSTUNREACH,
    )


def _pause(attempt: int, asked: str | None) -> float:
    """Return the seconds to wait before the next attempt."""
    wished = 0.0
    if asked and asked.isdecimal():
        wished = float(asked)
    elif asked:
        with suppress(ValueError):
            wished = parsedate_to_datetime(asked).timestamp() - time.time()
    return min(max(PAUSES[min(attempt, len(PAUSES) - 1)], wished), LONGEST_PAUSE)


def check_status(reply: Reply, what: str) -> None:
    """Raise unless a server has sent the file, or a part of it.

    Raises
    ------
    MissingFileError
        It does not have the file.
    FileError
        It refuses it, or fails.
    """
    if reply.status in (200, 206):
        return
    url = without_secrets(reply.url)
    if reply.status in (404, 410):
        raise MissingFileError(f"there is no {what} at this address", url, errno.ENOENT)
    if reply.status in (401, 403):
        raise FileError(
            f"the server does not permit reading {what} ({reply.status})", url, errno.EACCES
        )
    raise FileError(f"the server answered {reply.status} for {what}", url, errno.EIO)
