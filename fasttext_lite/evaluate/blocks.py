"""The words of a model in blocks, and the nearest words among the blocks so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fasttext_lite.model import Model

__all__ = ["Nearest", "word_blocks"]

# Words whose vectors are in memory at a time.
_BLOCK = 8192


def word_blocks(
    model: Model, count: int, title: str, *, progress: bool
) -> Iterator[tuple[list[str], NDArray[np.int64]]]:
    """Yield the first words of a model with their ids; repeated words only at their last id.

    Parameters
    ----------
    model : Model
    count : int
        Number of words.
    title : str
        Text before the progress bar.
    progress : bool
        Show a progress bar on stderr, if stderr is a terminal.
    """
    with progress_bar(title, count, "words", show=progress) as advance:
        for start in range(0, count, _BLOCK):
            words = list(model.words[start : min(start + _BLOCK, count)])
            ids = np.array([model.word_id(word) for word in words], np.int64)
            last = ids == np.arange(start, start + len(words), dtype=np.int64)
            if not last.all():
                words = [word for word, kept in zip(words, last, strict=True) if kept]
            yield words, ids[last]
            advance(len(last))


class Nearest:
    """The nearest words of many queries, from scores that are added block by block.

    Parameters
    ----------
    queries : int
    k : int

    Attributes
    ----------
    ids : ndarray
        int64, shape (queries, k), unordered; padded with -1 if fewer than k words were added.
    """

    def __init__(self, queries: int, k: int) -> None:
        self.ids = np.full((queries, k), -1, np.int64)
        self._scores = np.full((queries, k), -np.inf, np.float32)

    def add(self, scores: NDArray[np.float32], ids: NDArray[np.int64]) -> None:
        """Add the scores of some words, shape (queries, words); -inf excludes a word."""
        least = self._scores.min(axis=1, keepdims=True)
        if np.isneginf(least).any():
            self._merge(slice(None), scores, np.broadcast_to(ids, scores.shape))
            return
        # Most blocks hold few better words for most queries. Only these are sorted.
        rows, columns = np.divmod(np.flatnonzero(scores > least), scores.shape[1])
        if not rows.size:
            return
        hit, starts, counts = np.unique(rows, return_index=True, return_counts=True)
        places = (
            np.repeat(np.arange(len(hit)), counts),
            np.arange(len(rows)) - starts.repeat(counts),
        )
        better = np.full((len(hit), counts.max()), -np.inf, np.float32)
        better_ids = np.full(better.shape, -1, np.int64)
        better[places] = scores[rows, columns]
        better_ids[places] = ids[columns]
        self._merge(hit, better, better_ids)

    def _merge(
        self,
        queries: NDArray[np.int64] | slice,
        scores: NDArray[np.float32],
        ids: NDArray[np.int64],
    ) -> None:
        """Keep the best words of these queries among the previous and the new ones."""
        k = self.ids.shape[1]
        all_scores = np.concatenate([self._scores[queries], scores], axis=1)
        all_ids = np.concatenate([self.ids[queries], ids], axis=1)
        best = np.argpartition(-all_scores, k - 1, axis=1)[:, :k]
        kept = np.take_along_axis(all_scores, best, axis=1)
        found = np.take_along_axis(all_ids, best, axis=1)
        self.ids[queries] = np.where(np.isneginf(kept), -1, found)
        self._scores[queries] = kept
