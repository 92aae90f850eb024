"""A model as what another file is made from: its words, vectors and rows, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fasttext_lite._core.lookup.embed import Embedder
from fasttext_lite.errors import InputValueError
from fasttext_lite.parallel import chunks_with_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from fasttext_lite.parts import Parts

__all__ = ["Entries", "Source"]

T = TypeVar("T")

# Bytes of float32 rows, and entries of the vocabulary, that are worked on at a time.
_CHUNK = 1 << 21
_ENTRIES = 1 << 16


@dataclass(frozen=True, slots=True)
class Entries:
    """Some entries of a vocabulary.

    Attributes
    ----------
    text : bytes
        Their texts, end to end.
    offsets : ndarray
        uint64, shape (n + 1,): where each begins in `text`, and where the last one ends.
    counts : ndarray
        int64, shape (n,)
    """

    text: bytes
    offsets: NDArray[np.uint64]
    counts: NDArray[np.int64]

    def with_tails(self, tails: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the bytes of each text followed by its row of `tails`, uint8 of shape (n, k)."""
        count, width = tails.shape
        lengths = np.diff(self.offsets).astype(np.int64)
        places = np.arange(len(self.text)) + width * np.repeat(np.arange(count), lengths)
        is_text = np.zeros(len(self.text) + tails.size, bool)
        is_text[places] = True
        made = np.empty(len(is_text), np.uint8)
        made[is_text] = np.frombuffer(self.text, np.uint8)
        made[~is_text] = tails.reshape(-1)
        return made


class Source:
    """What writers take from a model.

    Parameters
    ----------
    parts : Parts
    threads : int or None
    progress : bool
        Show a bar on stderr for what takes over a second, if that is a terminal.
    """

    def __init__(self, parts: Parts, threads: int | None, *, progress: bool) -> None:
        parts.check_unchanged()
        self.parts = parts
        self.vocabulary = parts.vocabulary
        self.dim = parts.info.parameters.dim
        self.word_count = parts.info.word_count
        self.supervised = parts.info.kind == "supervised"
        self.threads = threads
        self._progress = progress
        vectors = parts.vectors.rows if parts.vectors else None
        self._embedder = Embedder(
            self.vocabulary, parts.subwords, parts.input.rows, vectors, parts.closed
        )

    def blocks(self, title: str, work: Callable[[int, int], T], count: int) -> Iterator[T]:
        """Yield what ``work(start, stop)`` gives for all rows, in their order.

        Raises
        ------
        FileError
            The file of the model changes its size meanwhile.
        """
        chunk = max(_CHUNK // (4 * self.dim), 1)
        for result in chunks_with_bar(work, count, self.threads, chunk, title, self._progress):
            self.parts.check_unchanged()
            yield result

    def entries(self, ids: NDArray[np.int32]) -> Entries:
        """Return words or labels by their ids."""
        text, offsets, counts = self.vocabulary.pack(ids)
        return Entries(text, np.asarray(offsets), np.asarray(counts))

    def entry_blocks(self, ids: NDArray[np.int32]) -> Iterator[Entries]:
        """Yield many words or labels, some at a time."""
        for start in range(0, len(ids), _ENTRIES):
            yield self.entries(ids[start : start + _ENTRIES])

    def check_words(self, banned: bytes, name: str) -> None:
        """Make sure that a format can hold each word.

        Parameters
        ----------
        banned : bytes
            What must not be in it; with a space among them it must not be empty either.
        name : str
            Of the format.

        Raises
        ------
        InputValueError
            It can't; the word is named.
        """
        table = np.zeros(256, bool)
        table[list(banned)] = True
        for block in self.entry_blocks(np.arange(self.word_count, dtype=np.int32)):
            places = np.flatnonzero(table[np.frombuffer(block.text, np.uint8)])
            wrong = (np.searchsorted(block.offsets, places[:1], "right") - 1).tolist()
            if b" " in banned:
                wrong += np.flatnonzero(np.diff(block.offsets) == 0)[:1].tolist()
            if wrong:
                first = min(wrong)
                word = block.text[int(block.offsets[first]) : int(block.offsets[first + 1])]
                raise InputValueError(
                    f"the word {word.decode('utf-8', 'surrogateescape')!r} cannot stand in a file "
                    f"of the format {name}, which could not tell where it ends; leave it out with "
                    "convert(words=…) first, or choose another format"
                )

    def vectors(self, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the vectors of words, shape (n, dim)."""
        out = np.empty((len(ids), self.dim), np.float32)
        self._embedder.fill_entries(ids, out)
        return out

    def rows(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return rows of the input matrix, shape (n, dim); an id of -1 gives zeros."""
        out = np.zeros((len(ids), self.dim), np.float32)
        there = ids >= 0
        if there.all():
            self.parts.input.rows.take(ids, out)
        else:
            found = np.empty((int(there.sum()), self.dim), np.float32)
            self.parts.input.rows.take(ids[there], found)
            out[there] = found
        return out
