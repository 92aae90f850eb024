"""A sparse copy of a file on a server, into which blocks are read when they are needed."""

from __future__ import annotations

import mmap
import tempfile
import threading
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.errors import FileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fasttext_lite.hub.ranges import RangeSource

__all__ = ["SparseFile"]

_BLOCK = 1 << 10
# Blocks between two ranges that are read with them, rather than apart.
_GAP = 16


class SparseFile:
    """A sparse copy of a file, into which blocks are read when they are needed.

    Parameters
    ----------
    source : RangeSource

    Attributes
    ----------
    data : memoryview
        All bytes of the file; zeros where nothing was read.
    fetched : int
        Number of bytes that were read.
    """

    def __init__(self, source: RangeSource) -> None:
        self.source = source
        self.fetched = 0
        self._lock = threading.Lock()
        try:
            with tempfile.TemporaryFile(prefix="fasttext-lite-") as file:
                file.truncate(source.size)
                self._map = mmap.mmap(file.fileno(), source.size)
        except (OSError, ValueError, OverflowError, MemoryError) as error:
            raise FileError(
                f"a temporary file of {source.size} bytes, as large as the server says that the "
                f"file is, cannot be made: {error}",
                tempfile.gettempdir(),
            ) from None
        self.data = memoryview(self._map).toreadonly()
        self._there = np.zeros(-(-source.size // _BLOCK) + 1, bool)

    def put(self, begin: int, data: bytes) -> None:
        """Store bytes that were read; blocks that they cover are there."""
        self._map[begin : begin + len(data)] = data
        end = begin + len(data)
        stop = self.source.size if end == self.source.size else end
        last = -(-stop // _BLOCK) if stop == self.source.size else stop // _BLOCK
        self._there[-(-begin // _BLOCK) : last] = True
        self.fetched += len(data)

    def need(self, begins: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        """Read what is missing of some ranges.

        Raises
        ------
        FileError
            The source fails, or has changed.
        """
        with self._lock:
            firsts, stops = begins // _BLOCK, -(-ends // _BLOCK)
            counts = np.where(ends > begins, stops - firsts, 0)
            # The numbers of all blocks of all ranges, one after the other.
            steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            blocks = np.unique(np.repeat(firsts, counts) + steps)
            missing = blocks[~self._there[blocks]]
            if not len(missing):
                return
            breaks = np.flatnonzero(np.diff(missing) > _GAP)
            firsts = missing[np.concatenate([[0], breaks + 1])]
            lasts = missing[np.concatenate([breaks, [len(missing) - 1]])]
            size = self.source.size
            ranges = [
                (int(first) * _BLOCK, min((int(last) + 1) * _BLOCK, size))
                for first, last in zip(firsts, lasts, strict=True)
            ]
            for begin, data in self.source.read(ranges):
                self.put(begin, data)
            if not self._there[missing].all():
                raise FileError("the server left out a part of what it was asked for", "ranges")
