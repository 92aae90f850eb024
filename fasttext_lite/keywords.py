"""The words and n-grams that speak most for a label."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fasttext_lite._core.lookup.ngrams import first_ngrams, mark_entry_rows
from fasttext_lite.arguments import decode, whole
from fasttext_lite.parallel import run_in_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fasttext_lite._core.labels.line import LineReader

__all__ = ["Keyword", "find_keywords"]

# Words or rows per block, so that an interrupt is handled soon.
_BLOCK = 1 << 14


class Keyword(NamedTuple):
    """A word or an n-gram, and how much its row speaks for a label.

    Attributes
    ----------
    feature : str
        A word, or an n-gram with ``<`` and ``>`` at the ends of a word.
    score : float
        The dot product of the row and the direction of the label.
    row : int
        The row of the input matrix, as `Model.row` accepts it.
    is_word : bool
        Whether it is the row of a word, not of an n-gram.
    """

    feature: str
    score: float
    row: int
    is_word: bool


def find_keywords(reader: LineReader, direction: NDArray[np.float32], k: int) -> list[Keyword]:
    """Return the rows with the largest dot products: see `Classifier.keywords`.

    Parameters
    ----------
    reader : LineReader
    direction : ndarray
        float32, shape (dim,).
    k : int
    """
    k = whole("k", k, 1)
    vocabulary, subwords, rows = reader.tokens.vocabulary, reader.subwords, reader.rows
    words = vocabulary.word_count
    scores = np.empty(rows.count, np.float32)

    def work(start: int, stop: int) -> None:
        scores[start:stop] = rows.dots(np.arange(start, stop, dtype=np.int64), direction)

    run_in_chunks(work, rows.count, None, _BLOCK)
    marks = np.zeros(rows.count - words, np.uint8)
    if reader.known_ngrams:
        for block in _blocks(words):
            mark_entry_rows(subwords, vocabulary, block, marks)
    eligible = np.concatenate([np.ones(words, bool), marks.astype(bool)])
    end = vocabulary.id(b"</s>")
    if 0 <= end < words:
        eligible[end] = False
    candidates = np.flatnonzero(eligible & ~np.isnan(scores))
    best = candidates[np.argsort(-scores[candidates], kind="stable")[:k]]
    marks[:] = 0
    marks[best[best >= words] - words] = 1
    named: dict[int, bytes] = {}
    for block in _blocks(words if marks.any() else 0):
        named.update(first_ngrams(subwords, vocabulary, block, marks))
    return [
        Keyword(
            decode(vocabulary.bytes(row) if row < words else named[row]),
            float(scores[row]),
            row,
            row < words,
        )
        for row in best.tolist()
    ]


def _blocks(words: int) -> Iterator[NDArray[np.int32]]:
    for start in range(0, words, _BLOCK):
        yield np.arange(start, min(start + _BLOCK, words), dtype=np.int32)
