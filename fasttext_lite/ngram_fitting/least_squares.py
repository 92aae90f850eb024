"""Least squares over the n-grams of words, by conjugate gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.lookup.incidence import Incidence, advance, damp, turn
from fasttext_lite.parallel import run_in_chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.subwords import Subwords
    from fasttext_lite._core.lookup.vocabulary import Vocabulary

__all__ = ["Equations", "list_ngrams", "means"]

# Rows of a matrix that a thread works on at a time. Sums are added block by block, so their
# rounding does not depend on the threads.
_ROWS = 2048


def list_ngrams(
    subwords: Subwords, vocabulary: Vocabulary, ids: NDArray[np.int32], threads: int | None
) -> Incidence:
    """List the n-gram rows of words as a sparse matrix.

    Parameters
    ----------
    subwords : Subwords
        Its first row must be 0.
    vocabulary : Vocabulary
    ids : ndarray
        int32, shape (n,): ids of the words.
    threads : int or None

    Returns
    -------
    Incidence
        A row for each word, a column for each row of an n-gram.
    """
    width = subwords.bucket if subwords.prune is None else subwords.prune.size
    found = Incidence(len(ids), width)
    run_in_chunks(lambda a, b: found.tally(subwords, vocabulary, ids, a, b), len(ids), threads)
    found.allocate()
    run_in_chunks(lambda a, b: found.fill(subwords, vocabulary, ids, a, b), len(ids), threads)
    return found


def means(ngrams: Incidence, rows: NDArray[np.float32], threads: int | None) -> NDArray[np.float32]:
    """Return the mean of the rows of the n-grams of each word: float32, shape (words, columns).

    The mean of a word without n-grams is zero.
    """
    out = np.empty((ngrams.count, rows.shape[1]), np.float32)
    shares = _shares(ngrams)
    _run_in_blocks(lambda _, a, b: ngrams.gather(rows, shares, out, a, b), len(out), threads)
    return out


class Equations:
    """The equations that the mean of the rows of the n-grams of each word is its vector.

    With the rows z_g of the n-grams, the n-grams G(w) of a word (one that occurs twice counts
    twice), its weight c_w and its vector v_w, `solve` minimises ::

        sum over w: c_w |v_w - mean over g in G(w): z_g|² + ridge · sum over g: |z_g|²

    This is the objective of Zhao, Mudgal and Liang 2018, "Generalizing Word Embeddings using Bag of
    Subwords", with weights and a ridge. It is linear least squares with the same sparse matrix for
    all columns. Conjugate gradients solve the normal equations, preconditioned by their diagonal
    (Saad 2003, "Iterative Methods for Sparse Linear Systems", algorithm 9.1); each column has its
    own step lengths. An iteration multiplies by the sparse matrix and by its transpose, each of
    which sums rows of a dense matrix, so no thread adds to the numbers of another.

    Parameters
    ----------
    ngrams : Incidence
        A row for each word, a column for each row of an n-gram.
    weights : ndarray
        float32, shape (words,), not negative. Words with the weight 0 do not take part.
    threads : int or None
    """

    def __init__(
        self, ngrams: Incidence, weights: NDArray[np.float32], threads: int | None
    ) -> None:
        self._ngrams = ngrams
        self._words = ngrams.transposed()
        self._shares = _shares(ngrams)
        self._threads = threads
        self.weigh(weights)

    def weigh(self, weights: NDArray[np.float32]) -> None:
        """Replace the weights of the words."""
        self._factors = weights * self._shares
        self._squares = self._factors * self._shares
        diagonal = np.empty((self._words.count, 1), np.float32)
        column = self._squares[:, None]
        self._each_row(lambda _, a, b: self._words.gather(column, None, diagonal, a, b))
        self._diagonal = diagonal[:, 0]

    def solve(
        self,
        vectors: NDArray[np.float32],
        ridge: float,
        rows: NDArray[np.float32],
        *,
        tolerance: float,
        most: int,
        watch: Callable[[], object] = lambda: None,
    ) -> int:
        """Solve for some columns.

        Parameters
        ----------
        vectors : ndarray
            float32, shape (words, k): these columns of the vectors.
        ridge : float
        rows : ndarray
            float32, shape (rows of n-grams, k): where to start, such as zeros. After each iteration
            it is a better solution.
        tolerance : float
            End when the residual of the normal equations, in the norm of the preconditioner, is
            this small beside that of zeros, in each column.
        most : int
            End after this many iterations.
        watch : callable
            Called after each iteration.

        Returns
        -------
        int
            Number of iterations.
        """
        ridge = float(np.float32(ridge))
        inverse = self._diagonal + np.float32(ridge)
        np.divide(1, inverse, out=inverse, where=inverse > 0)
        between = vectors * self._factors[:, None]
        residual, image, direction = (np.empty_like(rows) for _ in range(3))
        self._each_row(lambda _, a, b: self._words.gather(between, None, residual, a, b))
        none = np.zeros(rows.shape[1], np.float32)

        def go(lengths: NDArray[np.float32]) -> NDArray[np.float64]:
            """Go along the direction, and return the squared norms of the new residual."""
            return self._sums(
                lambda sums, a, b: advance(
                    lengths, direction, image, inverse, rows, residual, sums, a, b
                ),
                len(none),
            )

        def multiply() -> NDArray[np.float64]:
            """Multiply the direction by the matrix, and return their dot products."""
            return self._multiply(direction, ridge, between, image)

        image[:] = direction[:] = 0
        zeros = go(none)
        squared = zeros
        if rows.any():
            direction[:] = rows
            multiply()
            residual -= image
            squared = go(none)

        def turn_by(kept: NDArray[np.float32]) -> None:
            """Keep a share of the direction, and add that of the residual."""
            self._each_row(lambda _, a, b: turn(kept, residual, inverse, direction, a, b))

        turn_by(none)
        for done in range(most):
            if (squared <= tolerance**2 * zeros).all():
                return done
            lengths = _ratio(squared, multiply())
            before, squared = squared, go(lengths)
            turn_by(_ratio(squared, before))
            watch()
        return most

    def _multiply(
        self,
        direction: NDArray[np.float32],
        ridge: float,
        between: NDArray[np.float32],
        image: NDArray[np.float32],
    ) -> NDArray[np.float64]:
        """Multiply a block by the matrix of the normal equations; `between` is work space."""

        def back(sums: NDArray[np.float64], start: int, stop: int) -> None:
            self._words.gather(between, None, image, start, stop)
            damp(direction, ridge, image, sums, start, stop)

        _run_in_blocks(
            lambda _, a, b: self._ngrams.gather(direction, self._squares, between, a, b),
            len(between),
            self._threads,
        )
        return self._sums(back, direction.shape[1])

    def _each_row(self, work: Callable[[int, int, int], None]) -> None:
        _run_in_blocks(work, self._words.count, self._threads)

    def _sums(
        self, work: Callable[[NDArray[np.float64], int, int], None], columns: int
    ) -> NDArray[np.float64]:
        """Return the sum of what the work writes for each block of n-gram rows."""
        parts = np.zeros((-(-self._words.count // _ROWS), columns))
        self._each_row(lambda block, a, b: work(parts[block], a, b))
        total: NDArray[np.float64] = parts.sum(axis=0)
        return total


def _shares(ngrams: Incidence) -> NDArray[np.float32]:
    """Return 1 / the number of n-grams of each word, rounded as for an unknown word."""
    counts = np.diff(ngrams.offsets)
    shares = np.zeros(len(counts), np.float32)
    np.divide(1, counts, out=shares, where=counts > 0, casting="same_kind")
    return shares


def _ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float32]:
    """Divide; 0 where a column is solved exactly, so that both are 0."""
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0).astype(np.float32)


def _run_in_blocks(work: Callable[[int, int, int], None], count: int, threads: int | None) -> None:
    """Call ``work(block, start, stop)`` for blocks of rows that cover ``range(count)``."""

    def some(first: int, last: int) -> None:
        for block in range(first, last):
            work(block, block * _ROWS, min((block + 1) * _ROWS, count))

    run_in_chunks(some, -(-count // _ROWS), threads, chunk=1)
