"""The nearest words to a vector, by cosine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fasttext_lite.parallel import run_in_chunks
from fasttext_lite.parts import Once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fasttext_lite._core.embed import Embedder

__all__ = ["Neighbor", "NeighborSearch"]

# Rows whose scores are in memory at a time.
_BLOCK = 1 << 16


class Neighbor(NamedTuple):
    """A word and how near it is."""

    word: str
    score: float


class NeighborSearch:
    """Exact search over the vectors of all words of a vocabulary.

    Parameters
    ----------
    embedder : Embedder
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._directions = Once(self._accumulate)

    def _accumulate(self) -> NDArray[np.float32]:
        """Compute the vectors of all words, each divided by its norm; zeros stay zeros."""
        embedder = self._embedder
        count = embedder.vocabulary.word_count
        vectors = np.empty((count, embedder.rows.dim), np.float32)

        def fill(start: int, stop: int) -> None:
            block = vectors[start:stop]
            embedder.fill_entries(np.arange(start, stop, dtype=np.int32), block)
            norms = np.linalg.norm(block, axis=1, keepdims=True)
            np.divide(block, norms, out=block, where=norms > 0)

        run_in_chunks(fill, count, None)
        return vectors

    def nearest(
        self, queries: NDArray[np.float32], banned: Sequence[int], k: int
    ) -> list[list[tuple[int, float]]]:
        """Find the nearest words of each query.

        Parameters
        ----------
        queries : ndarray
            float32, shape (n, dim).
        banned : sequence of int, length n
            The word to leave out of each answer, -1 for none.
        k : int

        Returns
        -------
        list of list of (int, float)
            Ids and cosines, best first, ties by id. A query whose norm is below 1e-8 is not
            divided by it, as in the official program.
        """
        directions = self._directions.get()
        norms = np.linalg.norm(queries, axis=1)
        norms[norms < 1e-8] = 1
        best: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = [
            (np.empty(0, np.int64), np.empty(0, np.float32)) for _ in queries
        ]
        for start in range(0, len(directions), _BLOCK):
            block = directions[start : start + _BLOCK]
            scores = (block @ queries.T) / norms
            for i, (ids, kept) in enumerate(best):
                column = scores[:, i]
                if start <= banned[i] < start + len(block):
                    column[banned[i] - start] = -np.inf
                ids = np.concatenate([ids, np.arange(start, start + len(block))])
                kept = np.concatenate([kept, column])
                if len(kept) > k:
                    # All that tie with the last one stay, so that the ids decide.
                    least = np.partition(kept, len(kept) - k)[len(kept) - k]
                    ids, kept = ids[kept >= least], kept[kept >= least]
                best[i] = ids, kept
        return [self._sorted(ids, scores, k) for ids, scores in best]

    @staticmethod
    def _sorted(
        ids: NDArray[np.int64], scores: NDArray[np.float32], k: int
    ) -> list[tuple[int, float]]:
        order = np.lexsort((ids, -scores))[:k]
        return [(int(ids[i]), float(scores[i])) for i in order if scores[i] != -np.inf]
