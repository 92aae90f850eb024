"""Approximate search of the rows nearest to vectors, by a graph that a file holds.

It needs no more than rows of numbers and their norms, so it serves any matrix, not only the words
of a model.
"""

from __future__ import annotations

import math
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.search.graph import Graph
from fasttext_lite._core.search.nearest import Nearest
from fasttext_lite._core.search.walk import GraphSearch
from fasttext_lite.errors import FormatError, InputValueError
from fasttext_lite.parallel import run_in_chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.rows import DenseRows
    from fasttext_lite._core.search.codes import Codes
    from fasttext_lite.parts import GraphArrays

__all__ = ["ACCURACY", "MEASURED", "GraphIndex", "fingerprint"]

# The accuracy of ``approximate=True``.
ACCURACY = 0.95
# The number of neighbors for which a file records how many of them an effort finds.
MEASURED = 10
# Rows whose bytes are the fingerprint.
_SAMPLED = 64
# Rows that are scored for each row whose neighbors are looked at, on average.
_NEW = 16
# Queries of a chunk, and those that share the memory for results.
_CHUNK, _TOGETHER = 16, 1024


def fingerprint(rows: DenseRows) -> NDArray[np.uint8]:
    """Return a hash of some rows of a matrix, which tells it from another one.

    Parameters
    ----------
    rows : DenseRows

    Returns
    -------
    ndarray
        uint8, shape (32,).
    """
    data, count = rows.data, rows.count
    found = sha256(count.to_bytes(8, "little") + rows.dim.to_bytes(8, "little"))
    for i in range(_SAMPLED if count else 0):
        row = i * (count - 1) // (_SAMPLED - 1)
        found.update(data[row * len(data) // count : (row + 1) * len(data) // count])
    return np.frombuffer(found.digest(), np.uint8)


class GraphIndex:
    """A graph over the rows of a matrix, and its searches.

    Parameters
    ----------
    rows : DenseRows
        The matrix.
    norms : ndarray
        float32, shape (rows,): the norms of the rows.
    arrays : GraphArrays
        The graph; it is checked.
    codes : Codes, optional
        Codes of the directions of the rows, by which a search is about twice as fast.
    place : tuple of str, int and str
        Name and byte offset of ``arrays.neighbors``, and the path of the file, for errors.

    Raises
    ------
    FormatError
        The graph does not belong to the matrix, or contradicts itself.
    """

    def __init__(
        self,
        rows: DenseRows,
        norms: NDArray[np.float32],
        arrays: GraphArrays,
        codes: Codes | None = None,
        place: tuple[str, int, str] = ("neighbors", 0, ""),
    ) -> None:
        self._place = place
        if not np.array_equal(arrays.fingerprint, fingerprint(rows)):
            raise self._error(0, "the graph was made of other rows than the file holds")
        efforts = arrays.accuracy[:, 0]
        if not (np.diff(efforts, prepend=0) > 0).all() or not (efforts < 2**31).all():
            raise self._error(0, "the efforts of the graph are no ascending positive numbers")
        self._accuracy = [(int(effort), float(found)) for effort, found in arrays.accuracy]
        try:
            # Entries are checked once, so they are copied out of a file that may change.
            entries = arrays.entries.copy()
            self._graph = Graph(rows, norms, arrays.neighbors, entries, codes)
        except InputValueError as problem:
            raise self._error(0, str(problem)) from None
        # The memory of searches that no thread is using.
        self._idle: list[GraphSearch] = []

    def _error(self, row: int, reason: str) -> FormatError:
        field, offset, path = self._place
        degree = self._graph.degree if row else 0
        return FormatError(
            field, offset + row * degree * 4, f"{reason}: make the graph again", path or None
        )

    def effort(self, accuracy: float, k: int, allowed: int) -> int | None:
        """Return the effort that finds a share of the nearest rows.

        Parameters
        ----------
        accuracy : float
            Above 0, at most 1.
        k : int
            Number of rows to find. The file records the efforts for ten of them; more rows need
            an effort in proportion.
        allowed : int
            Number of rows that may be in the result.

        Returns
        -------
        int or None
            None if an exact search is the better choice: the graph does not reach this accuracy,
            or scoring the allowed rows takes less work.
        """
        for effort, found in self._accuracy:
            if found >= accuracy:
                effort = math.ceil(effort * max(k / MEASURED, 1))
                worth = effort * _NEW * self._graph.count < allowed * allowed
                return effort if worth else None
        return None

    def search(
        self,
        queries: NDArray[np.float32],
        excluded: Sequence[Sequence[int]],
        k: int,
        effort: int,
        *,
        allowed: NDArray[np.bool_] | None = None,
        threads: int | None = None,
    ) -> list[tuple[NDArray[np.int32], NDArray[np.float64]]]:
        """Find rows near to each query: most of the nearest ones, but not always all.

        Parameters
        ----------
        queries : ndarray
            float32, shape (n, dim), all finite.
        excluded : sequence of sequence of int, length n
            Rows to leave out of each result.
        k : int
            Number of rows per query, at most.
        effort : int
            Number of best rows to keep during the search, raised to `k`. With at least as many as
            there are rows the result is that of an exact search of all rows that the graph leads
            to.
        allowed : ndarray, optional
            bool, shape (rows,): the rows that may be in the results.
        threads : int, optional
            Number of threads; by default one per core available to this process.

        Returns
        -------
        list of (ndarray, ndarray)
            Rows (int32) and cosines (float64), best first, ties by row. The cosines are those of
            an exact search.

        Raises
        ------
        FormatError
            The graph leads to a row that does not exist.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        bits = None if allowed is None else np.packbits(allowed, bitorder="little")
        answers = []
        for first in range(0, len(queries), _TOGETHER):
            group = queries[first : first + _TOGETHER]
            starts, flat = _flattened(excluded[first : first + _TOGETHER])
            nearest = Nearest(len(group), k)

            def work(
                start: int,
                stop: int,
                group: NDArray[np.float32] = group,
                nearest: Nearest = nearest,
                flat: NDArray[np.int32] = flat,
                starts: NDArray[np.int64] = starts,
            ) -> None:
                try:
                    one = self._idle.pop()
                except IndexError:
                    one = GraphSearch(self._graph)
                wrong = one.search(group, start, stop, nearest, max(effort, k), flat, starts, bits)
                self._idle.append(one)
                if wrong >= 0:
                    raise self._error(wrong, f"row {wrong} has a neighbor that does not exist")

            run_in_chunks(work, len(group), threads, _CHUNK)
            answers += [nearest.best(i) for i in range(len(group))]
        return answers


def _flattened(
    excluded: Sequence[Sequence[int]],
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return where the rows to leave out of each result begin, and all of them with a 0 after."""
    if not any(map(len, excluded)):
        return np.zeros(len(excluded) + 1, np.int64), np.zeros(1, np.int32)
    banned = [np.unique(np.asarray(one, np.int32)) for one in excluded]
    starts = np.cumsum([0, *map(len, banned)], dtype=np.int64)
    return starts, np.concatenate([*banned, np.zeros(1, np.int32)])
