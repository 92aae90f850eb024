"""Sentence vectors as weighted means: smooth inverse frequency."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.labels.sentences import SentenceEmbedder
from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.parallel import run_over
from fasttext_lite.reduction import principal_directions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from fasttext_lite.model import Model
    from fasttext_lite.texts import TextOptions

__all__ = ["SIF"]

# `fit` reads this many texts at a time.
_TEXTS = 1 << 16


class SIF:
    """Smooth inverse frequency: a mean in which frequent words count less.

    The weight of a word is ``a / (a + p)``, where p is its share of the training text by the counts
    in the file; unknown words have weight 1. `fit` finds the directions that its texts share most,
    and `vectors` removes them. Arora, Liang and Ma 2017, "A simple but tough-to-beat baseline for
    sentence embeddings". It pickles as its model, its options and the directions.

    Parameters
    ----------
    model : Model
    a : float
        Above 0; the paper finds 1e-4 to 1e-3 best.
    components : int
        Number of directions that `fit` finds and `vectors` removes.

    Raises
    ------
    InputTypeError
        `a` is not a number, or `components` is not a whole number.
    InputValueError
        `a` or `components` is out of range, or the file has no counts.

    Examples
    --------
    >>> import fasttext_lite as ftl
    >>> sif = ftl.SIF(ftl.load("sample"))
    >>> _ = sif.fit(["the war was long", "peace at last", "the price of bread"])
    >>> sif.vectors(["a war"]).shape
    (1, 40)
    """

    def __init__(self, model: Model, a: float = 1e-3, components: int = 1) -> None:
        if isinstance(a, bool) or not isinstance(a, (int, float, np.integer, np.floating)):
            raise InputTypeError(f"a must be a number, not {type(a).__name__}")
        if isinstance(components, bool) or not isinstance(components, (int, np.integer)):
            raise InputTypeError(f"components must be int, not {type(components).__name__}")
        a, components = float(a), int(components)
        if not 0 < a < np.inf:
            raise InputValueError(f"a must be above 0 and finite, not {a}")
        if not 0 <= components <= model.dim:
            raise InputValueError(f"components must be from 0 to {model.dim}, not {components}")
        total = int(model.counts.sum())
        if total <= 0:
            raise InputValueError("the file holds no word counts, which the weights are based on")
        weights = (a / (a + model.counts / total)).astype(np.float32)
        self._model = model
        self._a = a
        self._sentences = SentenceEmbedder(model._embedder, weights)
        self._components = components
        self._common = np.empty((0, model.dim), np.float32)

    def __reduce__(self) -> tuple[Any, ...]:
        return SIF.fitted, (self._model, self._a, self._components, self._common)

    @staticmethod
    def fitted(model: Model, a: float, components: int, common: NDArray[np.float32]) -> SIF:
        """Return an object with the directions that `fit` found before.

        Parameters
        ----------
        model, a, components
            As of the class.
        common : ndarray
            float32, shape (components, dim): the directions, as the attribute `common` has them.
        """
        sif = SIF(model, a, components)
        sif._common = common
        return sif

    @property
    def model(self) -> Model:
        """The model."""
        return self._model

    @property
    def common(self) -> NDArray[np.float32]:
        """The directions that `vectors` removes: float32, shape (components, dim), unit vectors."""
        return self._common

    def fit(
        self,
        texts: Iterable[str | bytes],
        threads: int | None = None,
        **options: Unpack[TextOptions],
    ) -> SIF:
        """Find the directions that these texts share most; `vectors` then removes them.

        Parameters
        ----------
        texts : iterable of str or bytes
            Each text is one line, without a newline. A generator is read in blocks.
        threads : int, optional
            Number of threads; by default one per core available to this process.
        missing, newlines, errors
            As for `Model.sentence_vectors`.

        Returns
        -------
        SIF
            This object.

        Raises
        ------
        InputTypeError, InputValueError
            A text is neither str nor bytes, or holds a newline, `threads` is not a positive int, or
            an option is unknown.
        """
        products = np.zeros((self._dim, self._dim))
        for batch in _batches(texts, options):
            exact = self._means(batch, threads).astype(np.float64)
            products += exact.T @ exact
        _, directions = principal_directions(products, self._components)
        self._common = np.ascontiguousarray(directions.T, np.float32)
        return self

    def vectors(
        self,
        texts: Iterable[str | bytes],
        threads: int | None = None,
        **options: Unpack[TextOptions],
    ) -> NDArray[np.float32]:
        """Return the vectors of texts.

        Parameters
        ----------
        texts : iterable of str or bytes
            Each text is one line, without a newline.
        threads : int, optional
            Number of threads; by default one per core available to this process.
        missing, newlines, errors
            As for `Model.sentence_vectors`.

        Returns
        -------
        ndarray
            float32, shape (n, dim); zero for a text without words, and for a missing one.

        Raises
        ------
        InputTypeError, InputValueError
            As for `fit`.
        """
        means = self._means(WordBatch(texts, "text", **options), threads)
        means -= means @ self._common.T @ self._common
        return means

    @property
    def _dim(self) -> int:
        return self._common.shape[1]

    def _means(self, batch: WordBatch, threads: int | None) -> NDArray[np.float32]:
        """Return the weighted means of texts: float32, shape (n, dim)."""
        out = np.empty((len(batch), self._dim), np.float32)
        run_over(lambda start, stop: self._sentences.fill(batch, start, stop, out), batch, threads)
        return out


def _batches(texts: Iterable[str | bytes], options: TextOptions) -> Iterator[WordBatch]:
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__next__"):
        yield WordBatch(texts, "text", **options)
        return
    source = iter(texts)
    first = 0
    while block := list(islice(source, _TEXTS)):
        yield WordBatch(block, "text", first=first, **options)
        first += len(block)
