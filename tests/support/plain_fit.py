"""Fits of n-grams as the formula says, by NumPy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from support.reference import fnv, ngrams

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["means_of_ngrams", "solve"]


def means_of_ngrams(words: Sequence[bytes], minn: int, maxn: int, buckets: int) -> np.ndarray:
    """The matrix that takes the rows of the buckets to their means, one for each word."""
    matrix = np.zeros((len(words), buckets))
    for row, word in zip(matrix, words, strict=True):
        found = list(ngrams(word, minn, maxn))
        for ngram in found:
            row[fnv(ngram) % buckets] += 1 / len(found)
    return matrix


def solve(matrix: np.ndarray, vectors: np.ndarray, weights: np.ndarray, ridge: float) -> np.ndarray:
    """The rows of the buckets, by the singular values of the matrix."""
    roots = np.sqrt(weights)[:, None]
    damped = np.concatenate([matrix * roots, np.sqrt(ridge) * np.eye(matrix.shape[1])])
    targets = np.concatenate([vectors * roots, np.zeros((matrix.shape[1], vectors.shape[1]))])
    return np.linalg.lstsq(damped, targets, rcond=None)[0]
