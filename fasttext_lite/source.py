"""The source of the file writers: streams words, vectors and rows of a model in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fasttext_lite._core.lookup.embed import Embedder
from fasttext_lite.arguments import decode
from fasttext_lite.errors import InputValueError
from fasttext_lite.once import once
from fasttext_lite.parallel import chunks_with_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.rows import Rows
    from fasttext_lite.parts import Parts

__all__ = ["PackedWords", "Source"]

T = TypeVar("T")

# Bytes of float32 rows, and entries of the vocabulary, in a block.
_CHUNK = 1 << 21
_ENTRIES = 1 << 16


@dataclass(frozen=True, slots=True)
class PackedWords:
    """Words or labels in one buffer.

    Attributes
    ----------
    text : bytes
        The words, one after the other without separators.
    offsets : ndarray
        uint64, shape (n + 1,): word i is ``text[offsets[i]:offsets[i + 1]]``.
    counts : ndarray
        int64, shape (n,): number of occurrences of each word in training.
    """

    text: bytes
    offsets: NDArray[np.uint64]
    counts: NDArray[np.int64]

    def with_tails(self, tails: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the bytes of each word followed by its row of `tails`, uint8 of shape (n, k)."""
        count, width = tails.shape
        lengths = np.diff(self.offsets).astype(np.int64)
        words = np.repeat(np.arange(count, dtype=np.int64), lengths)
        places = np.arange(len(self.text), dtype=np.int64) + width * words
        is_text = np.zeros(len(self.text) + tails.size, bool)
        is_text[places] = True
        joined = np.empty(len(is_text), np.uint8)
        joined[is_text] = np.frombuffer(self.text, np.uint8)
        joined[~is_text] = tails.reshape(-1)
        return joined


class Source:
    """A model as the source of a file.

    Parameters
    ----------
    parts : Parts
    threads : int or None
        Number of threads; None for one per core available to this process.
    progress : bool
        Show a progress bar for work of over a second, if stderr is a terminal.

    Attributes
    ----------
    parts, threads
        As above.
    vocabulary : Vocabulary
    dim, word_count : int
    supervised : bool
    """

    def __init__(self, parts: Parts, threads: int | None, *, progress: bool) -> None:
        self.parts = parts
        self.threads = threads
        self._progress = progress
        self.check()
        self.vocabulary = parts.vocabulary
        self.dim = parts.info.parameters.dim
        self.word_count = parts.info.word_count
        self.supervised = parts.info.kind == "supervised"

    def check(self) -> None:
        """Check that the file of the model has not changed since it was opened.

        Raises
        ------
        FileError
            The size or modification time of the file has changed.
        """
        self.parts.check_unchanged()

    def replace(self, parts: Parts) -> Source:
        """Return a source of other parts, with the same threads and progress."""
        return Source(parts, self.threads, progress=self._progress)

    @once
    def _embedder(self) -> Embedder:
        parts = self.parts
        vectors = parts.vectors.rows if parts.vectors else None
        return Embedder(self.vocabulary, parts.subwords, parts.input.rows, vectors, parts.closed)

    def blocks(
        self, title: str, work: Callable[[int, int], T], count: int
    ) -> Generator[T, None, None]:
        """Yield the results of ``work(start, stop)`` for all rows, in order.

        Parameters
        ----------
        title : str
            Text before the progress bar.
        work : callable
            Called on several threads.
        count : int
            Number of rows.

        Raises
        ------
        FileError
            The file of the model changes during the iteration.
        """
        chunk = max(_CHUNK // (4 * self.dim), 1)
        for result in chunks_with_bar(work, count, self.threads, chunk, title, self._progress):
            self.check()
            yield result

    def packed(self, ids: NDArray[np.int32]) -> PackedWords:
        """Return words or labels by their ids."""
        return PackedWords(*self.vocabulary.pack(ids))

    def packed_blocks(self, ids: NDArray[np.int32]) -> Iterator[PackedWords]:
        """Yield the words or labels with these ids, in blocks."""
        for start in range(0, len(ids), _ENTRIES):
            yield self.packed(ids[start : start + _ENTRIES])

    def check_words(self, banned: bytes, name: str) -> None:
        """Check that a format can hold each word.

        Parameters
        ----------
        banned : bytes
            Bytes that must not occur in a word. If they include a space, a word must not be empty
            either.
        name : str
            Name of the format.

        Raises
        ------
        InputValueError
            The format cannot hold a word; the message names it.
        """
        table = np.zeros(256, bool)
        table[list(banned)] = True
        for block in self.packed_blocks(np.arange(self.word_count, dtype=np.int32)):
            places = np.flatnonzero(table[np.frombuffer(block.text, np.uint8)])
            wrong = (np.searchsorted(block.offsets, places[:1], "right") - 1).tolist()
            if b" " in banned:
                wrong += np.flatnonzero(np.diff(block.offsets) == 0)[:1].tolist()
            if wrong:
                first = min(wrong)
                word = block.text[int(block.offsets[first]) : int(block.offsets[first + 1])]
                raise InputValueError(
                    f"the word {decode(word)!r} cannot be stored in the format {name}, which would "
                    "not preserve its end; leave it out with convert(words=…) first, or choose "
                    "another format"
                )

    def vectors(self, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the vectors of words: float32, shape (n, dim)."""
        self.check()
        out = np.empty((len(ids), self.dim), np.float32)
        self._embedder.fill_entries(ids, out)
        return out

    def rows(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return rows of the input matrix: float32, shape (n, dim), zeros for an id of -1."""
        known = ids >= 0
        if known.all():
            return self._take(self.parts.input.rows, ids)
        out = np.zeros((len(ids), self.dim), np.float32)
        out[known] = self._take(self.parts.input.rows, ids[known])
        return out

    def output_rows(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return rows of the output matrix: float32, shape (n, dim).

        Raises
        ------
        InputValueError
            The model has no output matrix.
        """
        if self.parts.output is None:
            raise InputValueError("this file holds no output matrix")
        return self._take(self.parts.output.rows, ids)

    def _take(self, rows: Rows, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        self.check()
        out = np.empty((len(ids), self.dim), np.float32)
        rows.take(ids, out)
        return out
