"""Compressed files: detection of the compression, and reading of the content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fasttext_lite.errors import FastTextLiteError

if TYPE_CHECKING:
    import io
    from typing import BinaryIO

__all__ = ["compression", "decompressed"]

_MAGIC = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"))


def compression(begin: bytes) -> str:
    """Return the name of the compression of a file that begins like this; empty for none."""
    return next((name for magic, name in _MAGIC if begin.startswith(magic)), "")


def decompressed(
    stream: BinaryIO, kind: str, name: str
) -> tuple[io.BufferedIOBase, tuple[type[Exception], ...]]:
    """Open the content of a compressed file.

    Parameters
    ----------
    stream : file object
    kind : {"gzip", "bzip2", "xz"}
    name : str
        Name of the file, for errors.

    Returns
    -------
    file object
    tuple of exception types
        Raised by reads if the data is damaged. An OSError without an errno is about the data, one
        with an errno comes from the operating system.

    Raises
    ------
    FastTextLiteError
        This Python was built without the compression.
    """
    try:
        if kind == "gzip":
            import gzip
            import zlib

            errors = (EOFError, gzip.BadGzipFile, zlib.error)
            return gzip.GzipFile(fileobj=stream, mode="rb"), errors
        if kind == "bzip2":
            import bz2

            return bz2.BZ2File(stream), (EOFError, OSError)
        import lzma

        return lzma.LZMAFile(stream), (EOFError, lzma.LZMAError)
    except ImportError as error:
        raise FastTextLiteError(
            f"{name}: this Python cannot read {kind} ({error}): decompress the file first"
        ) from None
