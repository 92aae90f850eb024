"""Objects of gensim with the keys and vectors of those of this package."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.errors import MissingExtraError
from fasttext_lite.formats.fasttext_writer import Plan
from fasttext_lite.source import Source

if TYPE_CHECKING:
    from fasttext_lite.compat.gensim.lookup import Lookup
    from fasttext_lite.model import Model

__all__ = ["fasttext_keyed_vectors", "keyed_vectors"]


def keyed_vectors(vectors: Lookup) -> Any:
    """Return a ``gensim.models.KeyedVectors`` with copies of keys, vectors and counts."""
    made = _gensim("gensim.models.keyedvectors").KeyedVectors(vectors.vector_size)
    made.add_vectors(list(vectors.index_to_key), vectors.vectors)
    made.expandos.update({name: values.copy() for name, values in vectors.expandos.items()})
    return made


def fasttext_keyed_vectors(vectors: Any, model: Model) -> Any:
    """Return a ``gensim.models.fasttext.FastTextKeyedVectors`` with the rows of a model.

    Parameters
    ----------
    vectors : FastTextKeyedVectors
    model : Model
        The model of `vectors`.
    """
    module = _gensim("gensim.models.fasttext")
    made = module.FastTextKeyedVectors(
        vectors.vector_size, vectors.min_n, vectors.max_n, vectors.bucket
    )
    plan = Plan(Source(model._parts, None, progress=False), dense=True)
    rows = np.empty((plan.row_count, vectors.vector_size), np.float32)
    start = 0
    for block in plan.row_blocks("vectors"):
        rows[start : start + len(block)] = block
        start += len(block)
    made.index_to_key = list(vectors.index_to_key)
    made.key_to_index = {key: index for index, key in enumerate(made.index_to_key)}
    made.expandos = {name: values.copy() for name, values in vectors.expandos.items()}
    made.vectors_vocab = rows[: len(vectors)]
    made.vectors_ngrams = rows[len(vectors) : len(vectors) + vectors.bucket]
    # One number for all rows, as in gensim.
    for name in ("vectors", "vectors_vocab", "vectors_ngrams"):
        setattr(made, f"{name}_lockf", np.ones(1, np.float32))
    made.recalc_char_ngram_buckets()
    if model.holds_vectors and vectors.bucket:
        for index, _ in vectors._spelling.respelled(model):
            # The rows of these words are solved for with other n-grams than gensim adds to them.
            ngrams = made.vectors_ngrams[made.buckets_word[index]]
            total = vectors.vectors[index] * (len(ngrams) + 1)
            made.vectors_vocab[index] = total - ngrams.sum(axis=0)
    made.adjust_vectors()
    return made


def _gensim(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise MissingExtraError("gensim", "gensim") from None
