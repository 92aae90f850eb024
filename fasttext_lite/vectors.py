"""The words of a model and their vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from fasttext_lite._core.lookup.embed import Embedder, Lookup
from fasttext_lite._core.text.batch import WordBatch, to_bytes
from fasttext_lite.arguments import check_out, decode, flag, whole
from fasttext_lite.errors import FastTextLiteError, InputValueError
from fasttext_lite.once import once
from fasttext_lite.parallel import run_in_chunks, run_over
from fasttext_lite.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.vocabulary import Vocabulary
    from fasttext_lite.parts import Info, Matrix, Parts

    Vectors: TypeAlias = NDArray[np.float32]

__all__ = ["WordVectors"]

T = TypeVar("T")

# Rows of a word for which there is room at first; words and bytes that are looked up in one go.
_ROWS = 16
_MORE = 1 << 10
_WORDS = 1 << 12
_BYTES = 1 << 16


class WordVectors(Lookup):
    """The words of a model and their vectors, which every file holds.

    ``vectors[word]`` is the vector of a word, known or not, and ``vectors[words]`` are those of
    many. ``word in vectors``, ``len(vectors)`` and iteration cover the known words.

    Parameters
    ----------
    parts : Parts
        The parts of the model, as a file format reads them.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @once
    def _embedder(self) -> Embedder:
        parts = self._parts
        vectors = parts.vectors.rows if parts.vectors else None
        return Embedder(self._vocabulary, parts.subwords, parts.input.rows, vectors, parts.closed)

    @once
    def _counts(self) -> NDArray[np.int64]:
        counts = np.frombuffer(self._vocabulary.counts(0, len(self._vocabulary)), np.int64)
        counts.flags.writeable = False
        return counts

    @property
    def _vocabulary(self) -> Vocabulary:
        return self._parts.vocabulary

    @property
    def info(self) -> Info:
        """Kind, sizes, parameters and sections of the model, from the head of the file."""
        return self._parts.info

    @property
    def dim(self) -> int:
        """Number of dimensions of a vector."""
        return self.info.parameters.dim

    @property
    def words(self) -> Words:
        """The words in the order of their ids: a sequence of str, decoded on access."""
        parts = self._parts
        return Words(lambda: parts.vocabulary, range(parts.info.word_count))

    @property
    def labels(self) -> Words:
        """The labels in the order of their ids, with their prefix: a sequence like `words`."""
        parts, count = self._parts, self.info.word_count
        return Words(lambda: parts.vocabulary, range(count, count + parts.info.label_count))

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each word occurs in the training text: int64, shape (words,), read-only."""
        return self._counts[: self.info.word_count]

    @property
    def label_counts(self) -> NDArray[np.int64]:
        """How often each label occurs in the training text: int64, shape (labels,), read-only."""
        return self._counts[self.info.word_count :]

    @property
    def holds_vectors(self) -> bool:
        """Whether the file holds the vectors of its words, rather than rows to sum for each."""
        return self._parts.vectors is not None

    @property
    def unknown_words(self) -> str:
        """``"subwords"`` if unknown words get vectors from n-grams, ``"error"`` if they raise."""
        return "error" if self._parts.closed else "subwords"

    @property
    def input_matrix(self) -> Vectors:
        """The rows of words and n-grams: float32, shape (rows, dim), a read-only view of the file.

        It is usually not aligned: NumPy copies it in operations that need alignment. Raises
        `FastTextLiteError` if the matrix is quantised, float16, int8 or mapped, or if the file
        holds the vectors of its words instead of word rows.
        """
        held = None if self.holds_vectors else self._parts.input
        return _view("input", held, "the vectors of its words, not word rows: no input matrix")

    @property
    def word_matrix(self) -> Vectors:
        """The vectors of the words: float32, shape (words, dim), a read-only view of the file.

        Raises `FastTextLiteError` if the file holds rows to sum for each word instead, or if the
        vectors are float16, int8 or mapped: `word_vectors` computes them.
        """
        missing = "rows to sum for each word: use word_vectors(), or convert the model"
        return _view("word", self._parts.vectors, missing)

    @property
    def output_matrix(self) -> Vectors:
        """The rows of labels, or of words if not supervised: float32, shape (rows, dim), a view.

        Raises `FastTextLiteError` if the matrix is quantised, float16, int8 or mapped, or not in
        the file.
        """
        return _view("output", self._parts.output, "no output matrix")

    def __len__(self) -> int:
        return self.info.word_count

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: object) -> bool:
        try:
            return isinstance(word, (str, bytes)) and self.word_id(word) >= 0
        except InputValueError:
            # A str with a lone surrogate that represents no byte is not a word of any file.
            return False

    def word_id(self, word: str | bytes) -> int:
        """Return the id of a word, or -1 if it is not in the vocabulary.

        If a ``.bin`` or ``.ftz`` file holds a word twice, this is the last id. Of word vectors
        without subwords only the first row of a word is read.
        """
        i = self._vocabulary.id(word)
        return i if i < self.info.word_count else -1

    def label_id(self, label: str | bytes) -> int:
        """Return the id of a label, given with its prefix, or -1 if it is unknown."""
        return max(self._vocabulary.id(label) - self.info.word_count, -1)

    def subwords(self, word: str | bytes) -> list[tuple[str, int]]:
        """List the rows whose mean is the vector of a word.

        Parameters
        ----------
        word : str or bytes

        Returns
        -------
        list of (str, int)
            The word with its word row, if it has one, then its n-grams with their rows, ordered by
            start and length, without those that pruning dropped. In a floret model an n-gram has
            several rows, and is listed with each.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> [text for text, row in ftl.load("sample").subwords("war")]
        ['war', '<wa', '<war', '<war>', 'war', 'war>', 'ar>']
        """
        text = to_bytes(word)
        row = self._embedder.word_row(text)
        found = [(decode(text), row)] if row >= 0 else []
        return found + self._with_rows(self._parts.subwords.ngrams(text))

    def ngrams(self, words: Iterable[str | bytes]) -> list[tuple[str, int]]:
        """List the distinct n-grams of many words, in first-seen order.

        Returns
        -------
        list of (str, int)
            Each n-gram once, with its row; different n-grams may share a row. In a floret model an
            n-gram is listed with each of its rows.
        """
        from fasttext_lite._core.lookup.ngrams import NgramSet

        distinct = NgramSet(self._parts.subwords)
        distinct.add(WordBatch(words))
        return self._with_rows(distinct.items())

    def _with_rows(self, ngrams: list[tuple[bytes, int]]) -> list[tuple[str, int]]:
        """Decode n-grams, and number their rows as in a fastText file, words first."""
        shift = self._parts.first_row
        return [(decode(ngram), row + shift) for ngram, row in ngrams]

    @overload
    def get(self, word: str | bytes) -> Vectors | None: ...
    @overload
    def get(self, word: str | bytes, default: T) -> Vectors | T: ...
    def get(self, word: str | bytes, default: Any = None) -> Any:
        """Return the vector of a word, or `default` for an unknown word without any n-gram row.

        ``model[word]`` returns zeros for such a word, or raises `UnknownWordError` if the file has
        no n-grams at all.
        """
        embedder = self._embedder
        return embedder.vector(word) if embedder.knows(word) else default

    def vectors(
        self, words: Iterable[str | bytes], *, out: Vectors | None = None,
        threads: int | None = None,
    ) -> Vectors:  # fmt: skip
        """Return the vectors of many words.

        Parameters
        ----------
        words : iterable of str or bytes, or array of strings
            An array may be a NumPy array, or one of any library with the Arrow C data interface
            (utf8, binary, their large forms and views), whose UTF-8 is read in place.
        out : ndarray, optional
            float32, C-contiguous, shape (n, dim): filled and returned.
        threads : int, optional
            Number of threads; by default one per core available to this process. A few hundred
            words use one thread.

        Returns
        -------
        ndarray
            float32, shape (n, dim). The vector of an unknown word is the mean of its n-grams, or
            zeros if it has none.

        Raises
        ------
        InputTypeError
            `words` is a single word, or an item is neither str nor bytes.
        InputValueError
            `out` has another shape or dtype, or an array holds nulls or is not one-dimensional.
        UnknownWordError
            A word is unknown, and the file has no n-grams to compute its vector from.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> ftl.load("sample").vectors(["war", "peace"]).shape
        (2, 40)
        """
        batch = WordBatch(words)
        target, embedder = self._target(len(batch), out), self._embedder
        run_over(lambda start, stop: embedder.fill(batch, start, stop, target), batch, threads)
        return target

    def bags(self, words: Iterable[str | bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows whose mean is the vector of each of many words, as for an `EmbeddingBag`.

        Rows are numbered as in a fastText file, words first: those below ``len(self)`` are rows of
        words, the others of n-grams. If the file holds the vectors of its words, a known word has
        one row, its vector. A word that no row belongs to has an empty bag.

        Parameters
        ----------
        words : iterable of str or bytes, or array of strings
            As for `vectors`.

        Returns
        -------
        rows, offsets : ndarray
            int64, shape (rows of all words,) and (words + 1,): those of word ``i`` are
            ``rows[offsets[i]:offsets[i + 1]]``.

        Raises
        ------
        InputTypeError, InputValueError, UnknownWordError
            As for `vectors`.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> rows, offsets = ftl.load("sample").bags(["war", "warish"])
        >>> offsets.tolist()
        [0, 7, 25]
        """
        from fasttext_lite._core.lookup.ngrams import place_rows

        batch, embedder = WordBatch(words), self._embedder
        offsets = np.zeros(len(batch) + 1, np.int64)
        rows = np.empty(_ROWS * len(batch), np.int64)
        # Ranges are short, so that interrupts are handled.
        for start, stop in batch.ranges(_WORDS, _BYTES):
            while (start := place_rows(embedder, batch, start, stop, offsets, rows)) < stop:
                more = np.empty(2 * len(rows) + _MORE, np.int64)
                rows = np.concatenate([rows[: offsets[start]], more])
        return rows[: offsets[-1]].copy(), offsets

    def word_vectors(self, *, out: Vectors | None = None, threads: int | None = None) -> Vectors:
        """Return the vectors of all words: float32, shape (words, dim), in the order of `words`.

        `out` and `threads` are as for `vectors`. No str is created for any word.
        """
        target, embedder = self._target(len(self), out), self._embedder

        def fill(start: int, stop: int) -> None:
            embedder.fill_entries(np.arange(start, stop, dtype=np.int32), target[start:stop])

        run_in_chunks(fill, len(self), threads)
        return target

    def verify(self, *, full: bool = False, threads: int | None = None) -> bool:
        """Check that the file is still as it was when the model was opened.

        Reading a mapped file that another program has truncated ends the process, and writes to
        the file change the results. No check can help during a read: if other programs may modify
        the file, load it with ``mmap=False``.

        Parameters
        ----------
        full : bool
            Also read the whole file, and check that its dictionary is intact and its numbers are
            finite.
        threads : int, optional
            Number of threads for `full`; by default one per core available to this process.

        Returns
        -------
        bool
            Whether the path still leads to this file, unchanged. False if the file was replaced,
            deleted or, with ``mmap=False``, modified; the model then still uses the old bytes.

        Raises
        ------
        FileError
            The size or modification time of the mapped file has changed since it was opened.
        FormatError
            With `full`: the dictionary is damaged, or a number is not finite.
        """
        full = flag("full", full)
        self._parts.check_unchanged()
        if full:
            from fasttext_lite.verify import check_numbers

            check_numbers(self._parts, threads)
        file = self._parts.file
        return file is not None and file.is_current()

    def _target(self, count: int, out: Vectors | None) -> Vectors:
        shape = count, self.dim
        return np.empty(shape, np.float32) if out is None else check_out(out, shape)

    def row(self, index: int) -> Vectors:
        """Return a copy of one row of the input matrix, decoded: float32, shape (dim,).

        `index` is a row number, as returned by `subwords` or `ngrams`. Raises `InputValueError` if
        the file has no such row.
        """
        parts, words = self._parts, self.info.word_count
        row = whole("index", index) - parts.first_row
        if not 0 <= row < parts.input.rows.count:
            if parts.vectors and 0 <= index < words:
                raise InputValueError(
                    f"row {index}: this file holds the vectors of its words, not word rows"
                )
            raise InputValueError(f"row {index} is outside the matrix")
        out = np.zeros(self.dim, np.float32)
        parts.input.rows.sum(np.array([row], np.int64), out)
        return out


def _view(name: str, matrix: Matrix | None, missing: str) -> Vectors:
    if matrix is None:
        raise FastTextLiteError(f"this file holds {missing}")
    if matrix.view is None:
        raise FastTextLiteError(
            f"the {name} matrix is quantised, float16, int8 or mapped: "
            "it has no float32 numbers to view"
        )
    return matrix.view
