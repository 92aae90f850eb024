"""The rows of n-grams, fitted block by block of columns, and the choice of the ridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.cosines import cosines, squares
from fasttext_lite.ngram_fitting.least_squares import Equations, list_ngrams, means
from fasttext_lite.parallel import run_in_chunks
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.subwords import Subwords
    from fasttext_lite.progress import Advance
    from fasttext_lite.source import Source

    Floats: TypeAlias = NDArray[np.float32]

__all__ = ["Fitter", "loss"]

# Columns of a block: rows are read at random, so they should fill cache lines, and six blocks are
# in memory, four with a row for each n-gram and two with one for each word.
_COLUMNS = 32
# The ridge is chosen for this many columns, among the powers of the square root of ten: from the
# first power on in the direction in which the cosines of the held-out words rise.
_SAMPLE = 16
_FIRST = -2
_LEAST, _GREATEST = -14, 8


class Fitter:
    """Fits the rows of n-grams to the vectors of words.

    Parameters
    ----------
    source : Source
    subwords : Subwords
        The n-grams that have a row; row 0 is that of the first.
    ids : ndarray
        int32, shape (n,): ids of the words.
    weights : ndarray
        float64, shape (n,).
    held : ndarray
        int64, ascending: the places in `ids` of the words that are held out.
    scale : float
        A power of two by which vectors are divided, so that the squares of their numbers are within
        float32.
    tolerance : float
    most : int
        As for `Equations.solve`.
    progress : bool

    Attributes
    ----------
    done : int
        Number of columns that are fitted.
    passes : float
        Number of iterations, as a mean over the columns.
    predicted, own : ndarray
        float32, shape (held-out words, dim): the fitted vectors of the held-out words and their
        own, divided by `scale`, in the columns that are fitted.
    """

    def __init__(
        self,
        source: Source,
        subwords: Subwords,
        ids: NDArray[np.int32],
        weights: NDArray[np.float64],
        held: NDArray[np.int64],
        scale: float,
        *,
        tolerance: float,
        most: int,
        progress: bool,
    ) -> None:
        self._source, self._ids, self._held = source, ids, held
        self._weights = weights.astype(np.float32)
        self._scale = np.float32(scale)
        self._tolerance, self._most, self._progress = tolerance, most, progress
        vocabulary, threads = source.vocabulary, source.threads
        ngrams = list_ngrams(subwords, vocabulary, ids, threads)
        self._rows = ngrams.width
        self._held_ngrams = list_ngrams(subwords, vocabulary, ids[held], threads)
        self._equations = Equations(ngrams, self._weights, threads)
        self.done = 0
        self.passes = 0.0
        self.predicted = np.zeros((len(held), source.dim), np.float32)
        self.own = np.zeros_like(self.predicted)

    def choose_ridge(self) -> float:
        """Return the ridge with which the held-out words have the greatest mean cosine."""
        columns = np.unique(np.linspace(0, self._source.dim - 1, _SAMPLE).astype(np.int64))
        vectors = self._read(columns)
        own = vectors[self._held]
        self._weigh(held_out=True)
        found: dict[int, float] = {}

        def cosine(power: int) -> float:
            if power not in found:
                # Each fit begins with zeros: one that went on from the last would be more exact.
                ridge = 10 ** (power / 2)
                rows = np.zeros((self._rows, len(columns)), np.float32)
                self._solve(vectors, ridge, rows)
                fitted = means(self._held_ngrams, rows, self._source.threads)
                found[power] = float(cosines(fitted, own).mean())
                advance(1, f"{ridge:.2g}: held-out cosine {found[power]:.4f}")
            return found[power]

        with progress_bar("ridge", None, "fits", show=self._progress) as advance:
            step = -1 if cosine(_FIRST - 1) > cosine(_FIRST) else 1
            best = _FIRST
            while _LEAST < best < _GREATEST and cosine(best + step) > cosine(best):
                best += step
        return float(10 ** (best / 2))

    def fit(
        self, ridge: float, out: Floats, places: NDArray[np.int32] | slice, *, refit: bool
    ) -> None:
        """Fit the columns that are not fitted yet.

        After a KeyboardInterrupt, `out` has what was reached in the current block, too.

        Parameters
        ----------
        ridge : float
        out : ndarray
            float32, shape (rows, dim).
        places : ndarray or slice
            The rows of `out` to write.
        refit : bool
            Fit the rows to the held-out words, too, after these were predicted.
        """
        dim = self._source.dim
        with progress_bar("n-grams", dim, "columns", show=self._progress) as advance:
            while self.done < dim:
                start, stop = self.done, min(self.done + _COLUMNS, dim)
                rows = np.zeros((self._rows, stop - start), np.float32)
                ended = False
                try:
                    self._fit_block(rows, start, stop, ridge, refit, advance)
                    ended = True
                finally:
                    if ended or rows.any():
                        out[places, start:stop] = rows * self._scale
                        self.done = stop
                advance(stop - start)

    def _fit_block(
        self, rows: Floats, start: int, stop: int, ridge: float, refit: bool, advance: Advance
    ) -> None:
        """Fit the rows, which are zeros, in the columns from `start` to `stop`."""
        vectors = self._read(slice(start, stop))
        own = self.own[:, start:stop] = vectors[self._held]

        def predict() -> None:
            fitted = means(self._held_ngrams, rows, self._source.threads)
            self.predicted[:, start:stop] = fitted
            if len(own):
                advance(0, f"held-out loss {loss(fitted, own):.4f}")

        self._weigh(held_out=True)
        self._solve(vectors, ridge, rows, predict)
        if refit and len(own):
            self._weigh(held_out=False)
            self._solve(vectors, ridge, rows)

    def hurry(self) -> None:
        """Let `fit` take one iteration for each column that is left."""
        self._most = 1

    def _read(self, columns: NDArray[np.int64] | slice) -> Floats:
        """Return these columns of the vectors, divided by the scale."""
        width = len(np.arange(self._source.dim)[columns])
        vectors = np.empty((len(self._ids), width), np.float32)

        def read(start: int, stop: int) -> None:
            found = self._source.vectors(self._ids[start:stop])[:, columns]
            np.divide(found, self._scale, out=vectors[start:stop])

        run_in_chunks(read, len(vectors), self._source.threads)
        return vectors

    def _weigh(self, *, held_out: bool) -> None:
        weights = self._weights
        if held_out:
            weights = weights.copy()
            weights[self._held] = 0
        self._equations.weigh(weights)

    def _solve(
        self,
        vectors: Floats,
        ridge: float,
        rows: Floats,
        watch: Callable[[], object] = lambda: None,
    ) -> None:
        done = self._equations.solve(
            vectors, ridge, rows, tolerance=self._tolerance, most=self._most, watch=watch
        )
        self.passes += done * rows.shape[1] / self._source.dim


def loss(predicted: Floats, own: Floats) -> float:
    """Return the squared error of vectors as a share of their squares."""
    total = float(squares(own).sum())
    return float(squares(predicted - own).sum()) / total if total else 0.0
