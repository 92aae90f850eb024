"""Compressed data: detection of the compression, and reading of the content."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fasttext_lite.errors import FastTextLiteError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from fasttext_lite.formats.stream import Readable, StreamBuffer

    class Decoder(Protocol):
        """The interface of the decompressors of bz2, lzma and zstd."""

        @property
        def eof(self) -> bool:
            """Whether the stream has ended."""

        @property
        def needs_input(self) -> bool:
            """Whether there is no more content without more data."""

        @property
        def unused_data(self) -> bytes:
            """The data after the end of the stream."""

        def decompress(self, data: bytes, max_length: int = -1) -> bytes:
            """Return up to `max_length` bytes of content."""


__all__ = ["compression", "decompressed"]

_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_BLOCK = 1 << 18
# The dictionary of a stream is allocated at the size that the stream declares. This is enough for
# every preset of xz, and is the limit of zstd.
_MOST_MEMORY = 1 << 27


def compression(begin: bytes) -> str:
    """Return the name of the compression of a file that begins like this; empty for none."""
    return next((name for magic, name in _MAGIC if begin.startswith(magic)), "")


def decompressed(source: StreamBuffer, kind: str, name: str) -> Readable:
    """Open the content of compressed data.

    Parameters
    ----------
    source : StreamBuffer
    kind : {"gzip", "bzip2", "xz", "zstd"}
    name : str
        Name of the file, for errors.

    Returns
    -------
    object with ``read(size)``
        It raises the exceptions of its library if the data is damaged.

    Raises
    ------
    MissingExtraError
        zstd before Python 3.14 requires ``pip install 'fasttext-lite[zstd]'``.
    FastTextLiteError
        This Python was built without the compression.
    """
    try:
        if kind == "gzip":
            import gzip

            return gzip.GzipFile(fileobj=source, mode="rb")  # type: ignore[call-overload,no-any-return]
        return _Unpacked(source, _decoder(kind))
    except MissingExtraError:
        raise
    except ImportError as error:
        raise FastTextLiteError(
            f"{name}: this Python cannot read {kind} ({error}): decompress the file first"
        ) from None


def _decoder(kind: str) -> Callable[[], Decoder]:
    """Return a function that makes a decompressor."""
    if kind == "bzip2":
        import bz2

        return bz2.BZ2Decompressor
    if kind == "xz":
        import lzma

        return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY)
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        try:
            from backports import zstd
        except ImportError:
            raise MissingExtraError("backports.zstd", "zstd") from None
    return zstd.ZstdDecompressor  # type: ignore[no-any-return,unused-ignore]


class _Unpacked:
    """The content of one or more compressed streams, which zeros may follow.

    The file classes of bz2 and lzma do not limit the memory, and ignore damage at the begin of a
    second stream.
    """

    def __init__(self, source: StreamBuffer, make: Callable[[], Decoder]) -> None:
        self._source = source
        self._make = make
        self._decoder = make()

    def read(self, size: int) -> bytes:
        block = b""
        while not block:
            if self._decoder.eof:
                packed = self._decoder.unused_data.lstrip(b"\0")
                while not packed:
                    more = self._source.read(_BLOCK)
                    if not more:
                        return b""
                    packed = more.lstrip(b"\0")
                self._decoder = self._make()
            elif self._decoder.needs_input:
                packed = self._source.read(_BLOCK)
                if not packed:
                    raise EOFError("it ends too early")
            else:
                packed = b""
            block = self._decoder.decompress(packed, size)
        return block
