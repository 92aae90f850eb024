"""The layers of a supervised model: lines to rows, and the mean of rows to labels."""

from __future__ import annotations

import weakref
from _thread import allocate_lock  # `threading` takes milliseconds to import
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.labels.features import take_known
from fasttext_lite._core.labels.flat import Sigmoid, Softmax
from fasttext_lite._core.labels.huffman import HierarchicalSoftmax
from fasttext_lite._core.labels.line import LineReader
from fasttext_lite._core.labels.tokens import Tokenizer
from fasttext_lite._core.lookup.mapped import MappedRows
from fasttext_lite._core.lookup.rows import DenseRows, QuantizedRows
from fasttext_lite._core.text.batch import to_bytes
from fasttext_lite.errors import ModelKindError
from fasttext_lite.words import LABEL_PREFIX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fasttext_lite._core.labels.losses import Loss
    from fasttext_lite._core.lookup.rows import Rows
    from fasttext_lite.parts import Parts

__all__ = ["make_loss", "make_reader"]

# The largest size in bytes of a table that speeds up predictions, and of those of all models.
_TABLE_SIZE = 1 << 23
_ALL_TABLES = 1 << 24


class Tables:
    """Tables that speed up the reader of a model, made when it has read enough to repay them.

    They are the decoded rows of a product-quantised matrix, and the rows of all known words. Each
    takes at most 8 MB, and those of all models of the process take at most 16 MB.

    Parameters
    ----------
    rows : Rows
    word_count : int
    known_ngrams : bool
        Whether the n-gram rows of known words are looked up.
    """

    def __init__(self, rows: Rows, word_count: int, known_ngrams: bool) -> None:
        decoded = rows.count * rows.dim * 4 if isinstance(rows, QuantizedRows) else 0
        self._decoded_size = decoded if decoded <= _TABLE_SIZE else 0
        self._known_ngrams = known_ngrams and 4 * word_count <= _TABLE_SIZE
        self._sizes: list[int] = []
        self._making = allocate_lock()
        self._rows: Rows | None = None
        self._known: tuple[NDArray[np.int32], NDArray[np.int64]] | None = None
        # Decoding all rows, or looking up all words, takes about as long as reading that many.
        self.worth = rows.count if self._decoded_size else 16 * word_count
        self.useful = self._decoded_size > 0 or self._known_ngrams
        _alive.add(self)

    def __call__(self, reader: LineReader) -> LineReader | None:
        """Return a reader with tables; None if those of other models leave no room now."""
        if not self._making.acquire(blocking=False):
            return None
        try:
            if self._decoded_size and self._rows is None and self._reserve(self._decoded_size):
                self._rows = _decoded(reader.rows)
            if self._known_ngrams and self._known is None and self._reserve(_TABLE_SIZE):
                self._known = _take_known(reader)
                self._sizes[-1] = sum(table.nbytes for table in self._known or ())
                self._known_ngrams = self._known is not None
        finally:
            self._making.release()
        if self._rows is None and self._known is None:
            return None
        return reader.with_tables(self._rows, *(self._known or (None, None)))

    def _reserve(self, size: int) -> bool:
        """Claim memory; False if it is more than all tables may take."""
        self._sizes.append(size)
        # Two threads that claim at once may both be refused, but cannot both exceed the limit.
        if sum(sum(tables._sizes) for tables in list(_alive)) <= _ALL_TABLES:
            return True
        self._sizes.pop()
        return False


# Those of all models that are alive.
_alive: weakref.WeakSet[Tables] = weakref.WeakSet()


def make_reader(parts: Parts) -> LineReader:
    """Return the layer that turns a line into the mean of its rows."""
    vocabulary = parts.vocabulary
    rows = parts.input.rows
    parameters = parts.info.parameters
    # The official program compares maxn with 0 here, and ignores minn.
    known_ngrams = parameters.maxn > 0
    tokens = Tokenizer(vocabulary, to_bytes(LABEL_PREFIX))
    tables = Tables(rows, vocabulary.word_count, known_ngrams and parts.subwords.has_ngrams)
    return LineReader(
        tokens,
        parts.subwords,
        rows,
        parameters.word_ngrams,
        known_ngrams,
        tables=tables if tables.useful else None,
    )


def make_loss(parts: Parts) -> Loss:
    """Return the output layer, which turns the mean of the rows into labels.

    Raises
    ------
    ModelKindError
        The model is not supervised, or its file has no output layer.
    """
    if parts.info.kind != "supervised":
        raise ModelKindError(
            f"this model is {parts.info.kind}: it has no labels to predict; "
            "the model needs to be supervised for prediction"
        )
    if parts.output is None:
        raise ModelKindError("the file of this model has no output layer, which predictions need")
    output = parts.output.rows
    if isinstance(output, MappedRows):
        # Otherwise the map would be applied to each row for each text.
        output = _dense(output)
    labels = parts.info.label_count
    loss = parts.info.parameters.loss
    if loss == "hs":
        vocabulary = parts.vocabulary
        counts = vocabulary.counts(vocabulary.word_count, len(vocabulary))
        return HierarchicalSoftmax(output, labels, counts)
    return Softmax(output, labels) if loss == "softmax" else Sigmoid(output, labels)


def _decoded(rows: Rows) -> Rows:
    """Decode product-quantised rows to float32."""
    return _dense(rows)


def _dense(rows: Rows) -> DenseRows:
    numbers = np.empty((rows.count, rows.dim), np.float32)
    rows.take(np.arange(rows.count, dtype=np.int64), numbers)
    return DenseRows(numbers.reshape(-1).view(np.uint8).data, *numbers.shape)


def _take_known(reader: LineReader) -> tuple[NDArray[np.int32], NDArray[np.int64]] | None:
    """Return the rows of all known words and where those of each begin; None if there are many."""
    rows = np.empty(_TABLE_SIZE // 4, np.int32)
    starts = np.empty(reader.tokens.vocabulary.word_count + 1, np.int64)
    total = take_known(reader, rows, starts)
    return None if total < 0 else (rows[:total].copy(), starts)
