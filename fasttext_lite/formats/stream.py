"""A buffer over a stream, for data that is read once, in order."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fasttext_lite.errors import FastTextLiteError, FileError, FormatError, InputTypeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Readable(Protocol):
        """An object with ``read``, as for the constructor of `StreamBuffer`."""

        def read(self, size: int, /) -> Any:
            """Return up to `size` bytes; none at the end."""


__all__ = ["StreamBuffer"]

# Default size of a read in bytes.
_BLOCK = 1 << 20

# What the modules of the standard library, and the extra, raise for damaged data.
_DAMAGES = (
    ("gzip", "BadGzipFile"),
    ("zlib", "error"),
    ("lzma", "LZMAError"),
    ("zipfile", "BadZipFile"),
    ("tarfile", "TarError"),
    ("compression.zstd", "ZstdError"),
    ("backports.zstd", "ZstdError"),
    ("http.client", "IncompleteRead"),
)


def _is_damage(error: Exception) -> bool:
    """Return whether an exception of a stream is about its data."""
    if isinstance(error, EOFError):
        return True
    # bz2 has no class of its own for this.
    if type(error) is OSError and error.errno is None and str(error) == "Invalid data stream":
        return True
    # A module that is not imported has raised nothing.
    kinds = (getattr(sys.modules.get(module), name, None) for module, name in _DAMAGES)
    return any(kind is not None and isinstance(error, kind) for kind in kinds)


class StreamBuffer:
    """The next bytes of a stream, in a buffer that grows as needed.

    Parameters
    ----------
    source : object with ``read(size)``
        It returns up to `size` bytes, as bytes, bytearray or memoryview, and none at the end.
    name : str
        Name of the file, for errors.
    compression : str
        Name of the compression, for errors; empty for none.
    most : callable, optional
        Returns the number of bytes that the stream may hold.

    Attributes
    ----------
    length : int
        Number of bytes that were read and not dropped.
    ended : bool
        Whether the stream has ended.
    total : int
        Number of bytes that were read.
    """

    def __init__(
        self,
        source: Readable,
        name: str,
        compression: str = "",
        most: Callable[[], int] | None = None,
    ) -> None:
        self.length = 0
        self.ended = False
        self.total = 0
        self._source = source
        self._name = name
        self._compression = compression
        self._most = most
        self._buffer = bytearray()
        self._start = 0

    @property
    def view(self) -> memoryview:
        """The bytes that were read and not dropped."""
        return memoryview(self._buffer)[self._start : self._start + self.length]

    def peek(self, size: int) -> bytes:
        """Return a copy of the first `size` bytes of `view`."""
        return bytes(self.view[:size])

    def drop(self, count: int) -> None:
        """Drop the first `count` bytes."""
        self._start += count
        self.length -= count

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes and drop them; none at the end."""
        if not self.length:
            return b"" if self.ended else bytes(self._next(size))
        block = self.peek(size)
        self.drop(len(block))
        return block

    def rest(self, step: Callable[[], object]) -> memoryview:
        """Return all bytes up to the end, and call `step` after each block."""
        # Memory grows as bytes arrive, whatever a size in the data says.
        data = bytearray(self.view)
        self.length = 0
        while not self.ended:
            data += self._next(_BLOCK)
            step()
        return memoryview(data).toreadonly()

    def fill(self, size: int | None = None) -> None:
        """Read until the buffer holds `size` bytes, or the stream ends.

        By default 1 MB, or twice what the buffer holds: a row that is parsed again from its
        beginning after each call then takes linear time, however few bytes a read returns.
        """
        size = max(_BLOCK, 2 * self.length) if size is None else size
        if self._start:
            self._buffer[: self.length] = self._buffer[self._start : self._start + self.length]
            self._start = 0
        while self.length < size and not self.ended:
            block = self._next(size - self.length)
            stop = self.length + len(block)
            self._buffer[self.length : stop] = block
            self.length = stop

    def _next(self, size: int) -> bytes | memoryview:
        """Read up to `size` bytes from the source."""
        try:
            block = self._source.read(size)
        except FastTextLiteError:
            raise
        except Exception as error:
            if _is_damage(error):
                raise self._damaged(error) from None
            if isinstance(error, OSError):
                raise FileError.from_os(error, self._name) from None
            raise
        try:
            view = memoryview(block)
        except TypeError:
            raise InputTypeError(
                f"{self._name} returns {type(block).__name__}, not bytes: open the file with mode "
                "'rb', or pass an object whose read(n) returns bytes"
            ) from None
        self.ended = not view.nbytes
        self.total += view.nbytes
        if self._most is not None and self.total > self._most():
            raise FormatError(
                f"{self._compression} data",
                self.total,
                f"the {self._compression} data has more content than a model can have in a file of "
                "this size: unpack it first if you trust it",
                self._name,
            )
        return view.cast("B") if view.nbytes and view.c_contiguous else view.tobytes()

    def _damaged(self, error: Exception) -> FormatError:
        kind = f"{self._compression} data" if self._compression else "data"
        why = str(error) or type(error).__name__
        return FormatError(
            kind,
            self.total,
            f"the {kind} is truncated or damaged ({why}); download or copy it again",
            self._name,
        )
