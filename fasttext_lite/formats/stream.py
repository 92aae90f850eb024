"""A buffer over a stream, for data that is parsed piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fasttext_lite.errors import FileError, FormatError

if TYPE_CHECKING:
    import io
    from typing import BinaryIO

__all__ = ["StreamBuffer"]

# Initial size of the buffer, and default size of a read, in bytes.
_BLOCK = 1 << 20


class StreamBuffer:
    """The next bytes of a stream, in a buffer that grows as needed.

    Parameters
    ----------
    stream : file object
        A binary stream.
    name : str
        Name of the file, for errors.
    compression : str
        Name of the compression, for errors; empty for none.
    damages : tuple of exception types
        Exceptions that the stream raises if the compressed data is damaged.

    Attributes
    ----------
    length : int
        Number of bytes that were read and not dropped.
    ended : bool
        Whether the stream has ended.
    """

    def __init__(
        self,
        stream: BinaryIO | io.BufferedIOBase,
        name: str,
        compression: str = "",
        damages: tuple[type[Exception], ...] = (),
    ) -> None:
        self.compression = compression
        self.length = 0
        self.ended = False
        self._stream = stream
        self._name = name
        self._damages = damages
        self._buffer = bytearray(_BLOCK)
        self._read = 0

    @property
    def view(self) -> memoryview:
        """The bytes that were read and not dropped."""
        return memoryview(self._buffer)[: self.length]

    def peek(self, size: int) -> bytes:
        """Return a copy of the first `size` bytes of `view`."""
        return bytes(self.view[:size])

    def drop(self, count: int) -> None:
        """Drop the first `count` bytes."""
        self.length -= count
        self._buffer[: self.length] = self._buffer[count : count + self.length]

    def fill(self, size: int | None = None) -> None:
        """Read until the buffer holds `size` bytes, by default 1 MB, or the stream ends.

        At least one new byte is read, unless the stream ends.
        """
        size = max(_BLOCK if size is None else size, self.length + 1)
        if size > len(self._buffer):
            self._buffer.extend(bytes(max(size, 2 * len(self._buffer)) - len(self._buffer)))
        with memoryview(self._buffer) as buffer:
            while self.length < size and not self.ended:
                count = self._readinto(buffer[self.length :])
                self.ended = not count
                self.length += count
                self._read += count

    def _readinto(self, target: memoryview) -> int:
        try:
            return self._stream.readinto(target) or 0  # type: ignore[union-attr]
        except Exception as error:
            damaged = isinstance(error, self._damages)
            # Errors of the operating system have an errno, errors of the decompression do not.
            if isinstance(error, OSError) and (error.errno is not None or not damaged):
                raise FileError.from_os(error, self._name) from None
            if not damaged:
                raise
            raise FormatError(
                f"{self.compression} data",
                self._read,
                f"the {self.compression} data is truncated or damaged ({error}); download or copy "
                "it again",
                self._name,
            ) from None
