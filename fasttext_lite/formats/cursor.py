"""Sequential reading of the fields of a binary file."""

from __future__ import annotations

import struct

from fasttext_lite.errors import FormatError

__all__ = ["Cursor", "largest_dim"]

_SIZES = {"u1": "B", "i4": "i", "i8": "q", "f8": "d"}


def largest_dim(size: int) -> int:
    """Return the largest number of dimensions to accept from a file of `size` bytes.

    A row takes at least one byte per dimension. A file without rows could declare any number, and
    every vector would then be larger than the file.
    """
    return max(size, 1 << 16)


class Cursor:
    """Reads the fields of a file one after another; errors name the field and its byte.

    Parameters
    ----------
    data : memoryview
        The bytes of the file.
    path : str
        Path of the file, for errors.
    at : int
        Offset of the first byte to read.
    """

    __slots__ = ("at", "data", "path")

    def __init__(self, data: memoryview, path: str, at: int = 0) -> None:
        self.data = data
        self.path = path
        self.at = at

    def error(self, field: str, reason: str, at: int | None = None) -> FormatError:
        """Return an error about a field; by default the field begins at the next byte."""
        return FormatError(field, self.at if at is None else at, reason, self.path)

    def take(self, field: str, size: int) -> memoryview:
        """Return the next `size` bytes and move past them."""
        left = len(self.data) - self.at
        if size > left:
            raise self.error(
                field,
                f"the file is truncated: {field} takes {size} bytes, but {max(left, 0)} are left; "
                "download or copy it again",
            )
        self.at += size
        return self.data[self.at - size : self.at]

    def integer(self, field: str, kind: str) -> int:
        """Read one little-endian number: u1, i4 or i8."""
        (value,) = self.unpack(field, kind)
        return int(value)

    def unpack(self, field: str, *kinds: str) -> tuple[int | float, ...]:
        """Read several little-endian numbers: u1, i4, i8 or f8."""
        layout = struct.Struct("<" + "".join(_SIZES[kind] for kind in kinds))
        return layout.unpack(self.take(field, layout.size))
