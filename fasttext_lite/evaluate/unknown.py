"""A model that knows words by their n-grams only, to measure these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.lookup.embed import Embedder
from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.errors import InputValueError, ModelKindError
from fasttext_lite.model import Model
from fasttext_lite.parallel import run_in_chunks
from fasttext_lite.parts import Matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["as_unknown"]


def as_unknown(model: Model, ids: NDArray[np.int64]) -> Model:
    """Return a model in which words have the vectors that they would have as unknown words.

    Parameters
    ----------
    model : Model
    ids : ndarray
        int64: ids of the words that will be asked for; the vectors of the others are zero.

    Raises
    ------
    ModelKindError
        The model is supervised.
    InputValueError
        The model has no n-grams.
    """
    parts = model._parts
    if parts.info.kind == "supervised":
        raise ModelKindError(f"{parts.info.path}: as_unknown is not for a supervised model")
    if parts.closed or not parts.subwords.has_ngrams:
        raise InputValueError(
            f"{parts.info.path}: as_unknown needs n-grams, and this model has none; "
            "fit_ngrams (fasttext-lite fit-ngrams) makes some"
        )
    nothing = np.empty(0, np.int64)
    words = Vocabulary.stored(memoryview(b""), np.zeros(1, np.uint64), nothing, 0, 0)
    embedder = Embedder(words, parts.subwords, parts.input.rows)
    # Pages of zeros that are never written to take no memory.
    vectors = np.zeros((len(model), model.dim), np.float32)

    def fill(start: int, stop: int) -> None:
        some = ids[start:stop]
        batch = WordBatch([parts.vocabulary.bytes(i) for i in some.tolist()])
        found = np.empty((len(some), model.dim), np.float32)
        embedder.fill(batch, 0, len(some), found)
        vectors[some] = found

    run_in_chunks(fill, len(ids), None)
    rows = DenseRows(vectors.data.cast("B"), *vectors.shape)
    return Model(parts.replace(vectors=Matrix(rows, vectors), norms=None, codes=None, graph=None))
