"""Cosines between the rows of two matrices, and their summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["CosineSummary", "Cosines", "cosines", "squares", "unit"]


@dataclass(frozen=True, slots=True)
class Cosines:
    """How close the vectors of words in one model are to those in another.

    Attributes
    ----------
    words : int
        Number of compared words.
    mean, percentile_1, worst : float
        Mean, first percentile and minimum of the cosines.
    worst_word : str
        The first word with the smallest cosine.
    """

    words: int
    mean: float
    percentile_1: float
    worst: float
    worst_word: str


class CosineSummary:
    """Collects cosines block by block and summarizes them."""

    def __init__(self) -> None:
        self._blocks: list[NDArray[np.floating]] = []
        self._worst = np.inf
        self._worst_word = ""

    def add(self, block: NDArray[np.floating], word: Callable[[int], str]) -> None:
        """Add the cosines of some words.

        Parameters
        ----------
        block : ndarray
            Floating point, shape (n,).
        word : callable
            Returns the word at a position of the block.
        """
        if not len(block):
            return
        worst = int(np.argmin(block))
        if block[worst] < self._worst:
            self._worst, self._worst_word = float(block[worst]), word(worst)
        self._blocks.append(block)

    def result(self) -> Cosines | None:
        """Return the summary; None if there are no cosines."""
        if not self._blocks:
            return None
        found = np.concatenate(self._blocks)
        return Cosines(
            words=len(found),
            mean=float(found.mean(dtype=np.float64)),
            percentile_1=float(np.percentile(found, 1)),
            worst=self._worst,
            worst_word=self._worst_word,
        )


def cosines(
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    squares_a: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the cosine of each row of `a` with the same row of `b`.

    Parameters
    ----------
    a, b : ndarray
        float32, shape (n, dim).
    squares_a : ndarray, optional
        ``squares(a)``, if already computed.

    Returns
    -------
    ndarray
        float64, shape (n,): 1 if both rows are zero, 0 if one of them is, NaN if a number is
        infinite or NaN.
    """
    x = squares(a) if squares_a is None else squares_a
    y = squares(b)
    with np.errstate(over="ignore", invalid="ignore"):
        # The root of the product makes the cosine of equal rows exactly 1.
        product = x * y
        found = np.where(x + y == 0, 1.0, 0.0)
        np.divide(_dots(a, b), np.sqrt(product), out=found, where=product != 0)
        found[~np.isfinite(product)] = np.nan
    return found


def squares(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the square of the Euclidean norm of each row, shape (n,)."""
    return _dots(rows, rows)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide each row by its norm; zero rows stay unchanged."""
    lengths = np.sqrt(squares(rows))[:, None]
    directions = np.zeros(rows.shape, np.float32)
    np.divide(rows, lengths, out=directions, where=lengths > 0, casting="same_kind")
    return directions


def _dots(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the dot products of rows in float64, which can hold the square of any float32."""
    with np.errstate(over="ignore", invalid="ignore"):
        dots: NDArray[np.float64] = np.einsum("ij,ij->i", a, b, dtype=np.float64)
    return dots
