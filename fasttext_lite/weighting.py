"""Sentence vectors as weighted means: smooth inverse frequency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.text.batch import to_bytes
from fasttext_lite.errors import InputTypeError, InputValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from fasttext_lite.model import Model

__all__ = ["SIF"]

# Texts whose word vectors are in memory at a time.
_TEXTS = 1024


class SIF:
    """Smooth inverse frequency: a mean in which frequent words count less.

    The weight of a word is ``a / (a + p)``, p its share of the training text by the counts in the
    file; an unknown word weighs 1. From the vector of a text the directions are taken out that the
    texts given to `fit` share most. Arora, Liang and Ma 2017, "A simple but tough-to-beat baseline
    for sentence embeddings".

    Parameters
    ----------
    model : Model
    a : float
        Above 0; the paper finds 1e-4 to 1e-3 best.
    components : int
        How many directions `fit` takes out; 0 for none.

    Raises
    ------
    InputTypeError, InputValueError
        `a` or `components` makes no sense, or the file has no counts.

    Examples
    --------
    >>> import fasttext_lite as ftl
    >>> sif = ftl.SIF(ftl.load("sample"))
    >>> _ = sif.fit(["the war was long", "peace at last", "the price of bread"])
    >>> sif.vectors(["a war"]).shape
    (1, 40)
    """

    def __init__(self, model: Model, a: float = 1e-3, components: int = 1) -> None:
        if not isinstance(a, (int, float)) or not isinstance(components, int):
            raise InputTypeError("a must be a number and components an int")
        if not 0 < a < np.inf or not 0 <= components <= model.dim:
            raise InputValueError(
                f"a must be above 0 and components between 0 and {model.dim}, not {a} and "
                f"{components}"
            )
        total = int(model.counts.sum())
        if total <= 0:
            raise InputValueError("the file does not say how often its words occurred")
        self._model = model
        self._weights = (a / (a + model.counts / total)).astype(np.float32)
        self._components = components
        self._common = np.empty((0, model.dim), np.float32)

    @property
    def common(self) -> NDArray[np.float32]:
        """The directions that are taken out: float32, shape (components, dim), unit vectors."""
        return self._common

    def fit(self, texts: Iterable[str | bytes]) -> SIF:
        """Find the directions that these texts share most, and take them out from now on.

        Parameters
        ----------
        texts : iterable of str or bytes

        Returns
        -------
        SIF
            This object.
        """
        products = np.zeros((self._model.dim, self._model.dim))
        for block in self._means(texts):
            exact = block.astype(np.float64)
            products += exact.T @ exact
        _, vectors = np.linalg.eigh(products)
        self._common = vectors[:, ::-1][:, : self._components].T.astype(np.float32)
        return self

    def vectors(self, texts: Iterable[str | bytes]) -> NDArray[np.float32]:
        """Return the vectors of texts: float32, shape (n, dim); zeros for one without words."""
        blocks = [block - block @ self._common.T @ self._common for block in self._means(texts)]
        return np.concatenate([np.empty((0, self._model.dim), np.float32), *blocks])

    def _means(self, texts: Iterable[str | bytes]) -> Iterable[NDArray[np.float32]]:
        """Yield the weighted means of texts, some at a time."""
        if isinstance(texts, (str, bytes)):
            raise InputTypeError("expected many texts, got a single one; put it into a list")
        block: list[list[bytes]] = []
        for text in texts:
            block.append(to_bytes(text).split())
            if len(block) == _TEXTS:
                yield self._mean(block)
                block = []
        if block:
            yield self._mean(block)

    def _mean(self, texts: list[list[bytes]]) -> NDArray[np.float32]:
        places: dict[bytes, int] = {}
        flat = [places.setdefault(word, len(places)) for words in texts for word in words]
        known = np.array([self._model.word_id(word) for word in places], np.int64)
        weights = np.ones(len(known), np.float32)
        weights[known >= 0] = self._weights[known[known >= 0]]
        weighted = self._model.vectors(places) * weights[:, None]
        out = np.zeros((len(texts), self._model.dim), np.float32)
        lengths = np.array([len(words) for words in texts])
        there = lengths > 0
        if flat:
            starts = (np.cumsum(lengths) - lengths)[there]
            out[there] = np.add.reduceat(weighted[flat], starts, axis=0) / lengths[there, None]
        return out
