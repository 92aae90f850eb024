"""The layers of a supervised model: lines to rows, and the mean of rows to labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.labels.huffman import HierarchicalSoftmax
from fasttext_lite._core.labels.line import LineReader
from fasttext_lite._core.labels.losses import Sigmoid, Softmax
from fasttext_lite._core.labels.tokens import Tokenizer
from fasttext_lite._core.lookup.mapped import MappedRows
from fasttext_lite._core.lookup.rows import DenseRows, QuantizedRows
from fasttext_lite._core.text.batch import to_bytes
from fasttext_lite.errors import ModelKindError
from fasttext_lite.words import LABEL_PREFIX

if TYPE_CHECKING:
    from fasttext_lite._core.labels.losses import Loss
    from fasttext_lite._core.lookup.rows import Rows
    from fasttext_lite.parts import Parts

__all__ = ["make_loss", "make_reader"]

# Tables that speed up predictions are built if they take at most this many bytes.
_TABLE_SIZE = 1 << 23


def make_reader(parts: Parts) -> LineReader:
    """Return the layer that turns a line into the mean of its rows.

    A product-quantised input matrix is decoded, and the n-gram rows of known words are looked up
    in advance, if the resulting table takes at most 8 MB.
    """
    vocabulary = parts.vocabulary
    rows = _decoded(parts.input.rows)
    parameters = parts.info.parameters
    # The official program compares maxn with 0 here, and ignores minn.
    known_ngrams = parameters.maxn > 0
    tokens = Tokenizer(vocabulary, to_bytes(LABEL_PREFIX))
    reader = LineReader(tokens, parts.subwords, rows, parameters.word_ngrams, known_ngrams)
    if not known_ngrams or not parts.subwords.has_ngrams or vocabulary.word_count * 4 > _TABLE_SIZE:
        return reader
    known_rows = np.empty(_TABLE_SIZE // 4, np.int32)
    starts = np.empty(vocabulary.word_count + 1, np.int64)
    total = reader.take_known(known_rows, starts)
    return reader if total < 0 else reader.with_known(known_rows[:total].copy(), starts)


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
    """Decode product-quantised rows to float32, if that takes little memory."""
    if not isinstance(rows, QuantizedRows) or rows.count * rows.dim * 4 > _TABLE_SIZE:
        return rows
    return _dense(rows)


def _dense(rows: Rows) -> DenseRows:
    numbers = np.empty((rows.count, rows.dim), np.float32)
    rows.take(np.arange(rows.count, dtype=np.int64), numbers)
    return DenseRows(numbers.reshape(-1).view(np.uint8).data, *numbers.shape)
