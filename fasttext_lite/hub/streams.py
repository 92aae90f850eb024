"""A file of a server as a stream, which goes on where the connection was cut."""

from __future__ import annotations

import errno
import hashlib
import time
from typing import TYPE_CHECKING

from fasttext_lite.errors import FileError, FormatError
from fasttext_lite.hub import transport
from fasttext_lite.hub.transport import check_status, request, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from fasttext_lite.hub.fetching import Wanted
    from fasttext_lite.hub.transport import Reply

__all__ = ["RemoteStream"]

_BLOCK = 1 << 20


class RemoteStream:
    """The bytes of a file in order, to be closed.

    Parameters
    ----------
    wanted : Wanted
    advance : callable
        Is called with the number of bytes that came.

    Attributes
    ----------
    size : int
        Size of the file in bytes.
    """

    def __init__(self, wanted: Wanted, advance: Callable[[int], object]) -> None:
        self._wanted = wanted
        self._advance = advance
        self._at = 0
        self._digest = hashlib.sha256()
        self._reply = self._ask()
        self._identity = self._reply.identity
        size = self._identity.size
        if size is None or wanted.size not in (None, size):
            self.close()
            raise FileError(
                f"the server says that the file has {size} bytes, not {wanted.size}",
                without_secrets(wanted.url),
            )
        self.size = size

    @property
    def tag(self) -> str | None:
        """The ETag or date of the file."""
        return self._identity.tag

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was read; empty unless that is all."""
        return self._digest.hexdigest() if self._at == self.size else ""

    def _ask(self) -> Reply:
        tag = self._identity.tag if self._at else None
        headers = {"If-Range": tag} if tag else {}
        reply = request(self._wanted.url, begin=self._at, headers=headers, token=self._wanted.token)
        try:
            check_status(reply, self._wanted.name)
            same = tag is not None and reply.identity == self._identity
            if self._at and (reply.begin != self._at or not same):
                raise FileError(
                    "the connection was cut, and the rest that the server sends is of another file",
                    without_secrets(self._wanted.url),
                    errno.ECONNRESET,
                )
        except BaseException:
            reply.__exit__()
            raise
        return reply

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes; none at the end.

        Raises
        ------
        FileError
            The server breaks off again and again.
        """
        failures = 0
        size = min(_BLOCK, size) if size >= 0 else _BLOCK
        while True:
            problem = "the server sends less than it announced"
            try:
                block = self._reply.read(size)
            except ConnectionError as error:
                block, problem = b"", str(error)
            if block or self._at == self.size:
                break
            if failures > len(transport.PAUSES):
                raise FileError(
                    f"the download breaks off at byte {self._at} of {self.size}: {problem}",
                    without_secrets(self._wanted.url),
                    errno.ECONNRESET,
                )
            time.sleep(transport.PAUSES[min(failures, len(transport.PAUSES) - 1)])
            failures += 1
            self.close()
            self._reply = self._ask()
        self._at += len(block)
        if self._at > self.size:
            raise FileError(
                "the server sends more than it announced", without_secrets(self._wanted.url)
            )
        self._digest.update(block)
        self._advance(len(block))
        return block

    def check(self) -> None:
        """Read the rest, and check the SHA-256 if it is known.

        Raises
        ------
        FormatError
        """
        if self._wanted.sha256 is None:
            return
        while self.read():
            pass
        found = self._digest.hexdigest()
        if found != self._wanted.sha256:
            raise FormatError(
                "sha256",
                0,
                f"the file has the SHA-256 {found}, not {self._wanted.sha256}; nothing was kept",
                without_secrets(self._wanted.url),
            )

    def close(self) -> None:
        """Close the connection."""
        self._reply.__exit__()
