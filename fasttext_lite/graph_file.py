"""A file of nearest neighbors that grows while they are searched, so that a search can go on."""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from fasttext_lite.errors import FileError, FormatError, InputValueError
from fasttext_lite.formats.atomic import check_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from numpy.typing import NDArray

__all__ = ["GraphFile"]

# The head: this mark, the number of rows and of neighbors, and a hash of all that they depend on.
_MARK = b"fasttext-lite nearest graph 1\n\0\0"
_HEAD = struct.Struct("<32sQQ32s")
# Each block: its number of rows and the CRC-32 of the ids (int32) and cosines (float32) after it.
_BLOCK = struct.Struct("<II")


class GraphFile:
    """The neighbors of the first rows, block after block, each with a checksum.

    A file that is not of this kind, or belongs to other vectors, is never written to.

    Parameters
    ----------
    path : str
    ids, cosines : ndarray
        int32 and float32, shape (n, k): receive what the file holds.
    fingerprint : bytes
        32 bytes that tell these neighbors from others.

    Attributes
    ----------
    done : int
        The number of rows that the file holds.

    Raises
    ------
    FormatError
        The file is of another kind.
    InputValueError
        The file belongs to other vectors or another search.
    FileError
        The file cannot be read or written.
    """

    def __init__(
        self,
        path: str,
        ids: NDArray[np.int32],
        cosines: NDArray[np.float32],
        fingerprint: bytes,
    ) -> None:
        self._path = path
        self._head = _HEAD.pack(_MARK, *ids.shape, fingerprint)
        self.done = 0
        self._end = 0
        check_target("", path)
        with self._errors():
            if os.path.exists(path):  # noqa: PTH110 - a path as the caller wrote it
                with open(path, "rb") as file:  # noqa: PTH123 - as above
                    self._read(file, ids, cosines)
            # Opened now, so that an unwritable file is known before the search.
            self._file = open(path, "r+b" if self._end else "wb")  # noqa: PTH123, SIM115
            self._file.truncate(self._end)
            self._file.seek(self._end)
            if not self._end:
                self._file.write(self._head)

    def _read(self, file: BinaryIO, ids: NDArray[np.int32], cosines: NDArray[np.float32]) -> None:
        head = file.read(_HEAD.size)
        if not head:
            return
        if not head.startswith(_MARK):
            raise FormatError(
                "mark", 0, "this is not a file of a search that can go on: name another", self._path
            )
        if head != self._head:
            raise InputValueError(
                f"{self._path} belongs to other vectors or to a search with other options: delete "
                "it, or name another file"
            )
        self._end = _HEAD.size
        count, k = ids.shape
        while self.done < count:
            size, checksum = _BLOCK.unpack(file.read(_BLOCK.size).ljust(_BLOCK.size, b"\0"))
            if not 0 < size <= count - self.done:
                return
            data = file.read(8 * size * k)
            if len(data) < 8 * size * k or crc32(data) != checksum:
                return
            numbers = np.frombuffer(data, np.int32).reshape(2, size, k)
            if (numbers[0] < -1).any() or (numbers[0] >= count).any():
                return
            rows = slice(self.done, self.done + size)
            ids[rows], cosines[rows] = numbers[0], numbers[1].view(np.float32)
            self.done += size
            self._end = file.tell()

    def add(self, ids: NDArray[np.int32], cosines: NDArray[np.float32]) -> None:
        """Add the neighbors of the next rows."""
        data = np.ascontiguousarray(ids).tobytes() + np.ascontiguousarray(cosines).tobytes()
        with self._errors():
            self._file.write(_BLOCK.pack(len(ids), crc32(data)) + data)
            # What a process has handed over to the system outlives it.
            self._file.flush()
        self.done += len(ids)

    def close(self) -> None:
        """Close the file."""
        with self._errors():
            self._file.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except FileError:
            raise
        except OSError as error:
            raise FileError.from_os(error, self._path) from None
