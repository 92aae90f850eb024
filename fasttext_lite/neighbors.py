"""The nearest words to vectors, by exact cosines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fasttext_lite._core.search.codes import Codes, encode_directions, norms, row_width
from fasttext_lite._core.search.queries import Queries
from fasttext_lite._core.search.scan import Search
from fasttext_lite.parallel import chunks_with_bar, run_in_chunks
from fasttext_lite.parts import Once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.embed import Embedder
    from fasttext_lite.parts import Parts

__all__ = ["Neighbor", "NeighborSearch"]

# Queries that share a pass over the words, and the scores that they may keep together.
_TOGETHER = 64
_KEPT = 1 << 22
# Words that a thread goes through at a time: at least, at most, and chunks in all.
_SHORTEST, _LONGEST, _CHUNKS = 4096, 65536, 32
# Words whose vectors are computed at a time; above so many words one is told what takes long.
_CODED = 2048
_MANY = 100_000
# So many queries look at more rows for want of bits in the codes of a file than they are spared.
_MANY_QUERIES = 6


class Neighbor(NamedTuple):
    """A word and how near it is."""

    word: str
    score: float


class NeighborSearch:
    """Exact search over the vectors of all words of a model.

    What finds those that may be the nearest is, in this order: codes in the file, the rows of the
    file where it holds the vectors of its words, or codes that are made at the first search. The
    nearest of them are found by the vectors themselves.

    Parameters
    ----------
    embedder : Embedder
        Gives the vectors.
    parts : Parts
        Has the norms and codes, if the file does.
    """

    def __init__(self, embedder: Embedder, parts: Parts) -> None:
        self._embedder = embedder
        self._path = parts.info.path
        stored = parts.norms
        self._norms = Once(self._measure if stored is None else lambda: stored)
        self._stored = parts.codes
        # By the number of words that have codes.
        self._made: dict[int, Once[Codes]] = {}

    def nearest(
        self,
        queries: NDArray[np.float32],
        banned: Sequence[Sequence[int]],
        k: int,
        *,
        first: int | None = None,
        ids: NDArray[np.int32] | None = None,
        threads: int | None = None,
        progress: bool = False,
    ) -> list[tuple[NDArray[np.int32], NDArray[np.float64]]]:
        """Find the nearest words of each query.

        Parameters
        ----------
        queries : ndarray
            float32, shape (n, dim).
        banned : sequence of sequence of int, length n
            The words to leave out of each answer.
        k : int
        first : int, optional
            Search so many words from the first on.
        ids : ndarray, optional
            Search these words alone: int32, each but once.
        threads : int, optional
            By default the cores that this process may use.
        progress : bool
            Show a bar on stderr for what is made at the first search, if that is a terminal.

        Returns
        -------
        list of (ndarray, ndarray)
            Ids (int32) and cosines (float64), best first, ties by id. A query whose norm is below
            1e-8 is not divided by it, as in the official program; a word whose vector is zeros has
            the score 0; what is no number is left out, and so are all words for a query with an
            infinite number or NaN.
        """
        empty = np.empty(0, np.int32), np.empty(0, np.float64)
        answers = [empty] * len(queries)
        asked = np.flatnonzero(np.isfinite(queries).all(axis=1))
        count = self._embedder.vocabulary.word_count if ids is None else len(ids)
        count = count if first is None else min(first, count)
        k = min(k, count)
        if not count or not len(asked):
            return answers
        packed, scan = self._way(count, len(asked), ids, progress=progress)
        lengths = None
        if ids is None and self._embedder.vectors is not None:
            lengths = self._norms.get()
        chunk = min(max(count // _CHUNKS, _SHORTEST), _LONGEST)
        together = min(max(_KEPT // k, 1), _TOGETHER)
        for start in range(0, len(asked), together):
            group = asked[start : start + together]
            prepared = Queries(queries[group], packed, [banned[i] for i in group])
            # A thread goes on with a search that is idle; there are no more than threads.
            idle: list[Search] = []

            def work(
                start: int, stop: int, prepared: Queries = prepared, idle: list[Search] = idle
            ) -> None:
                try:
                    search = idle.pop()
                except IndexError:
                    search = Search(self._embedder, prepared, k, lengths)
                scan(search, start, stop)
                idle.append(search)

            run_in_chunks(work, count, threads, chunk)
            search, *others = idle
            search.finish(others)
            for place, i in enumerate(group):
                answers[i] = search.nearest.best(place)
        return answers

    def _way(
        self, count: int, asked: int, ids: NDArray[np.int32] | None, *, progress: bool
    ) -> tuple[bool, Callable[[Search, int, int], None]]:
        """Choose how to search: whether the codes are packed, and what scans a range."""
        if ids is not None:
            return False, lambda search, start, stop: search.scan_ids(ids, start, stop)
        many = asked >= _MANY_QUERIES
        if self._embedder.vectors is not None and (self._stored is None or many):
            return False, lambda search, start, stop: search.scan_rows(start, stop)
        codes = self._stored or self._make_codes(count, progress=progress)
        return codes.packed, lambda search, start, stop: search.scan_codes(codes, start, stop)

    def _vectors(self, start: int, stop: int) -> NDArray[np.float32]:
        vectors = np.empty((stop - start, self._embedder.rows.dim), np.float32)
        self._embedder.fill_entries(np.arange(start, stop, dtype=np.int32), vectors)
        return vectors

    def _measure(self) -> NDArray[np.float32]:
        """Compute the norms that the file does not have."""
        found = np.empty(self._embedder.vocabulary.word_count, np.float32)

        def fill(start: int, stop: int) -> None:
            found[start:stop] = norms(self._vectors(start, stop))

        run_in_chunks(fill, len(found), None)
        return found

    def _make_codes(self, count: int, *, progress: bool) -> Codes:
        """Return codes of the first words, `count` or more, which are made once and kept."""
        for made in list(self._made.values()):
            if made.made and made.get().count >= count:
                return made.get()
        wanted = self._made.setdefault(
            count, Once(lambda: self._compute_codes(count, progress=progress))
        )
        codes = wanted.get()
        for fewer in [number for number in list(self._made) if number < count]:
            self._made.pop(fewer, None)
        return codes

    def _compute_codes(self, count: int, *, progress: bool) -> Codes:
        """Compute the vectors of the first words, and return their codes."""
        dim = self._embedder.rows.dim
        if progress and count > _MANY:
            print(
                f"{self._path}: the vectors of {count:,} words are computed once for this process; "
                "a file made by `fasttext-lite convert --neighbors-index` has what is needed",
                file=sys.stderr,
            )
        codes = np.empty((count, row_width(dim, packed=False)), np.uint8)
        scales, errors = np.empty((2, count), np.float32)

        def fill(start: int, stop: int) -> None:
            rows = slice(start, stop)
            codes[rows], scales[rows], errors[rows] = encode_directions(
                self._vectors(start, stop), packed=False
            )

        for _ in chunks_with_bar(fill, count, None, _CODED, "vectors", progress):
            pass
        return Codes(codes.reshape(-1), scales, errors, dim, packed=False)
