"""Rules for comparing answers with those of the official package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Largest difference of sums in another order, or in float64, from the official ones.
ROUNDING = 1e-6
# Largest difference of a probability by rounding, amplified by an exponential.
PROBABILITY_ROUNDING = 1e-5
# Smallest cosine of a vector and its rounding to float16, and largest change of a cosine by it.
LEAST_COSINE = 0.99999
COSINE_ROUNDING = 1e-3
# Largest share of lines whose best two labels are so close that rounding decides.
TIES = 1e-3

PREDICTION = np.dtype([("label", "U40"), ("probability", "f8")])
NEIGHBOR = np.dtype([("id", "i8"), ("score", "f8")])


@dataclass(frozen=True)
class Verdict:
    """Whether answers agree with the official ones, and in words how closely."""

    agrees: bool
    words: str


Rule = Callable[[NDArray[Any], NDArray[Any]], Verdict]


def bits(own: NDArray[np.float32], reference: NDArray[np.float32]) -> Verdict:
    """Require vectors equal in every bit; report rounding errors, which do not agree."""
    if own.shape != reference.shape:
        return _other_shape(own, reference)
    if np.array_equal(own.view(np.uint32), reference.view(np.uint32)):
        return Verdict(agrees=True, words="equal bit for bit")
    verdict = close(own, reference)
    return Verdict(agrees=False, words=verdict.words)


def close(own: NDArray[np.float32], reference: NDArray[np.float32]) -> Verdict:
    """Require vectors equal except for rounding."""
    if own.shape != reference.shape:
        return _other_shape(own, reference)
    difference = float(np.abs(own.astype(np.float64) - reference).max(initial=0))
    if difference <= ROUNDING:
        return Verdict(True, f"equal but for rounding (at most {difference:.1e})")
    return Verdict(False, f"DIFFERENT (by up to {difference:.1e})")


def halves(own: NDArray[np.float32], reference: NDArray[np.float32]) -> Verdict:
    """Require vectors of the same direction, to the precision of float16."""
    if own.shape != reference.shape:
        return _other_shape(own, reference)
    a, b = own.astype(np.float64), reference.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    worst = float((np.einsum("ij,ij->i", a, b) / norms).min(initial=1))
    if worst >= LEAST_COSINE:
        return Verdict(True, f"equal to the precision of float16 (cosines of {worst:.7f} and more)")
    return Verdict(False, f"DIFFERENT (a cosine of {worst:.7f})")


def predictions(own: NDArray[Any], reference: NDArray[Any]) -> Verdict:
    """Require the same probabilities, and the same labels except for ties."""
    if own.shape != reference.shape:
        return _other_shape(own, reference)
    difference = float(np.abs(own["probability"] - reference["probability"]).max(initial=0))
    others = int((own["label"] != reference["label"]).sum())
    if difference > PROBABILITY_ROUNDING or others > TIES * len(own):
        return Verdict(
            False, f"DIFFERENT ({others} labels, probabilities by up to {difference:.1e})"
        )
    ties = f" except for {others} equally probable ones" if others else ""
    return Verdict(True, f"the same labels{ties}, probabilities within {difference:.1e}")


def labels(own: NDArray[np.str_], reference: NDArray[np.str_]) -> Verdict:
    """Require the same labels except for ties, which are rare."""
    if own.shape != reference.shape:
        return _other_shape(own, reference)
    others = int((own != reference).sum())
    words = f"{others} of {len(own):,} labels differ" if others else "the same labels"
    return Verdict(
        others <= TIES * len(own), words if others <= TIES * len(own) else "DIFFERENT: " + words
    )


def neighbors(own: NDArray[Any], reference: NDArray[Any]) -> Verdict:
    """Require the same neighbours, except where rounding changes their order.

    Rows are queries; scores fall along a row. A neighbour that the official answer lacks must
    have the score of its last one.
    """
    if own.shape != reference.shape:
        return _other_shape(own, reference)
    difference = float(np.abs(own["score"] - reference["score"]).max(initial=0))
    wrong = 0
    others = 0
    for mine, theirs in zip(own, reference, strict=True):
        score_of = dict(zip(theirs["id"].tolist(), theirs["score"].tolist(), strict=True))
        last = float(theirs["score"][-1])
        for i, score in zip(mine["id"].tolist(), mine["score"].tolist(), strict=True):
            others += i not in score_of
            wrong += abs(score - score_of.get(i, last)) > COSINE_ROUNDING
    if wrong or difference > COSINE_ROUNDING:
        return Verdict(False, f"DIFFERENT ({wrong} neighbours, scores by up to {difference:.1e})")
    ties = f" except for {others} of equal scores" if others else ""
    return Verdict(True, f"the same neighbours{ties}, scores within {difference:.1e}")


def _other_shape(own: NDArray[Any], reference: NDArray[Any]) -> Verdict:
    return Verdict(False, f"DIFFERENT (shape {own.shape}, not {reference.shape})")
