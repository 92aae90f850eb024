"""Many ranges of a file at once: of a web server, an fsspec file system, or an object store."""

from __future__ import annotations

import errno
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol

from fasttext_lite.errors import FastTextLiteError, FileError
from fasttext_lite.hub.transport import check_status, request, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from fasttext_lite.hub.transport import Reply

__all__ = ["FileSystemRanges", "RangeSource", "StoreRanges", "WebRanges"]

# Begin and end of a range, and its bytes.
Part: TypeAlias = "tuple[int, bytes]"

# Servers refuse headers that are longer than 8 KB.
_LONGEST_HEADER = 7900
_CONNECTIONS = 8
_BOUNDARY = re.compile(r'multipart/byteranges;.*boundary="?([^";]+)"?', re.IGNORECASE)
_CONTENT_RANGE = re.compile(
    rb"content-range:\s*bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.IGNORECASE
)
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)


def _listed(wanted: tuple[int, int]) -> str:
    begin, end = wanted
    return f"{begin}-{end - 1}"


class RangeSource(Protocol):
    """A file whose ranges can be read.

    Attributes
    ----------
    size : int
        Of the file in bytes.
    requests : int
        Number of requests so far.
    """

    size: int
    requests: int

    def read(self, ranges: Sequence[tuple[int, int]]) -> list[Part]:
        """Return the bytes of ranges [begin, end), each with its offset, in any order."""


class WebRanges:
    """A file of a web server.

    Several ranges are asked for by one request, as RFC 9110 has it. A server that does not send
    several gets a request for each, over a few connections.

    Parameters
    ----------
    url : str
    token : str, optional
    begin : int
        Number of bytes to read at once; they are `first`.

    Raises
    ------
    MissingFileError, FileError
        The server does not have the file, cannot be reached, or sends no ranges.
    """

    def __init__(self, url: str, token: str | None = None, begin: int = 1 << 16) -> None:
        self._url = url
        self._token = token
        self._several = True
        self.requests = 1
        with request(url, end=begin, token=token) as reply:
            check_status(reply, "file")
            self._identity = reply.identity
            if reply.status != 206 or reply.begin or self._identity.size is None:
                raise self._error("the server sends no ranges: download the file by `load`")
            self.size = self._identity.size
            self.first = self._body(reply, min(begin, self.size))

    def _error(self, reason: str) -> FileError:
        return FileError(reason, without_secrets(self._url), errno.EIO)

    def _body(self, reply: Reply, size: int) -> bytes:
        """Read a body of a known size."""
        blocks, left = [], size
        try:
            while left and (block := reply.read(left)):
                blocks.append(block)
                left -= len(block)
        except ConnectionError:
            left = max(left, 1)
        if left:
            raise ConnectionError
        return b"".join(blocks)

    def read(self, ranges: Sequence[tuple[int, int]]) -> list[Part]:
        """Return the bytes of ranges, see `RangeSource`.

        Raises
        ------
        FileError
            The server fails, or its file has changed.
        """
        found: list[Part] = []
        left = list(ranges)
        while self._several and len(left) > 1:
            lengths = accumulate(len(_listed(one)) + 1 for one in left)
            count = sum(length < _LONGEST_HEADER for length in lengths)
            parts = self._read_several(left[:count])
            if parts is None:
                self._several = False
                break
            found += parts
            left = left[count:]
        if len(left) > 1:
            with ThreadPoolExecutor(min(_CONNECTIONS, len(left))) as threads:
                found += threads.map(self._read_one, left)
        elif left:
            found.append(self._read_one(left[0]))
        return found

    def _ask(self, header: str) -> Reply:
        self.requests += 1
        # The range is a header, since it may have several parts.
        return request(self._url, headers={"Range": header}, token=self._token)

    def _check(self, reply: Reply) -> None:
        size, tag = reply.identity.size, reply.identity.tag
        if tag != self._identity.tag or size not in (None, self.size):
            raise self._error("the file has changed since it was opened: open it again")

    def _read_one(self, wanted: tuple[int, int]) -> Part:
        begin, end = wanted
        for last in (False, False, True):
            with self._ask(f"bytes={begin}-{end - 1}") as reply:
                check_status(reply, "file")
                self._check(reply)
                if reply.status != 206 or reply.begin != begin:
                    raise self._error(f"the server sends bytes from {reply.begin}, not {begin}")
                try:
                    return begin, self._body(reply, end - begin)
                except ConnectionError:
                    if last:
                        raise self._error("the server breaks off again and again") from None
        raise AssertionError

    def _read_several(self, ranges: Sequence[tuple[int, int]]) -> list[Part] | None:
        """Return the parts, or None if the server does not send several."""
        listed = ",".join(map(_listed, ranges))
        wanted = sum(end - begin for begin, end in ranges)
        try:
            with self._ask(f"bytes={listed}") as reply:
                kind = _BOUNDARY.match(reply.headers.get("Content-Type", ""))
                if reply.status != 206 or not kind:
                    return None
                self._check(reply)
                told = reply.headers.get("Content-Length", "")
                length = int(told) if _LENGTH.fullmatch(told) else 0
                # Each part has a head of its own.
                if not 0 < length <= wanted + 1000 * (len(ranges) + 1):
                    return None
                return self._parts(self._body(reply, length), kind[1].encode())
        except ConnectionError:
            return None

    def _parts(self, body: bytes, boundary: bytes) -> list[Part]:
        parts, at = [], 0
        while (start := body.find(b"--" + boundary, at)) >= 0:
            stop = body.find(b"\r\n\r\n", start)
            found = _CONTENT_RANGE.search(body, start, stop) if stop >= 0 else None
            if not found:
                break
            begin, last, size = map(int, found.groups())
            if size != self.size:
                raise self._error("the file has changed since it was opened: open it again")
            if not begin <= last < size:
                raise self._error(f"the server sends a part from {begin} to {last} of {size}")
            at = stop + 4 + last + 1 - begin
            parts.append((begin, body[stop + 4 : at]))
        return parts


@contextmanager
def _failures(path: str) -> Iterator[None]:
    """Convert what a file system or a store raises, which may be anything."""
    try:
        yield
    except FastTextLiteError:
        raise
    except OSError as error:
        raise FileError.from_os(error, path) from None
    except Exception as error:
        raise FileError(f"{type(error).__name__}: {error}", path, errno.EIO) from None


class _WatchedRanges:
    """A file whose size and version are asked for by `_look`, and ranges by `_get`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.requests = 1
        with _failures(path):
            self._seen = self._look()
            self.size = int(self._seen[0])

    def _look(self) -> tuple[Any, ...]:
        """Return the size of the file, and what changes with its content."""
        raise NotImplementedError

    def _get(self, begins: list[int], ends: list[int]) -> Sequence[Any]:
        """Return the bytes of ranges."""
        raise NotImplementedError

    def read(self, ranges: Sequence[tuple[int, int]]) -> list[Part]:
        """Return the bytes of ranges, see `RangeSource`."""
        self.requests += len(ranges)
        begins, ends = [begin for begin, _ in ranges], [end for _, end in ranges]
        with _failures(self._path):
            found = self._get(begins, ends)
            if self._look() != self._seen:
                raise FileError("the file has changed since it was opened", self._path)
        return [(begin, bytes(part)) for begin, part in zip(begins, found, strict=True)]


class FileSystemRanges(_WatchedRanges):
    """A file of an fsspec file system.

    Parameters
    ----------
    system : fsspec.AbstractFileSystem
    path : str
    """

    def __init__(self, system: Any, path: str) -> None:
        self._system = system
        super().__init__(path)

    def _look(self) -> tuple[Any, ...]:
        found = self._system.info(self._path)
        times = ("LastModified", "mtime", "last_modified", "created", "updated")
        return tuple(found.get(name) for name in ("size", "ETag", "etag", *times))

    def _get(self, begins: list[int], ends: list[int]) -> Sequence[Any]:
        paths = [self._path] * len(begins)
        found: Sequence[Any] = self._system.cat_ranges(paths, begins, ends, on_error="raise")
        return found


class StoreRanges(_WatchedRanges):
    """An object of an object store with the functions of ``obstore``.

    Parameters
    ----------
    store : object with ``head`` and ``get_ranges``
    path : str
    """

    def __init__(self, store: Any, path: str) -> None:
        self._store = store
        super().__init__(path)

    def _look(self) -> tuple[Any, ...]:
        found = self._store.head(self._path)
        return found["size"], found.get("e_tag"), found.get("last_modified")

    def _get(self, begins: list[int], ends: list[int]) -> Sequence[Any]:
        found: Sequence[Any] = self._store.get_ranges(self._path, starts=begins, ends=ends)
        return found
