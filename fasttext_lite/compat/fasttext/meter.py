"""The meter of the official package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.errors import InputValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fasttext_lite.evaluate.labels import Meter

__all__ = ["BindingMeter", "_Meter"]


class _Meter:
    """Precision and recall of a model on a file, at every score.

    ``model.get_meter`` returns one.

    Parameters
    ----------
    fasttext_model : _FastText
    meter : Meter
    """

    def __init__(self, fasttext_model: Any, meter: Meter) -> None:
        self.f = fasttext_model
        self.m = meter

    def _id(self, label: str | bytes | None) -> int | None:
        """Return the id of a label; None means all labels."""
        if not label:
            return None
        found: int = self.f.get_label_id(label)
        if found < 0:
            raise InputValueError(f"{label!r} is not a label of this model; see model.labels")
        return found

    def score_vs_true(self, label: str | bytes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the scores of a label, ascending, and whether each text has the label (1 or 0).

        Both are float64 arrays of the same length. A text whose label was not predicted has the
        score -1.
        """
        scores, true = self.m.score_vs_true(self._id(label))
        return scores.astype(np.float64), true.astype(np.float64)

    def precision_recall_curve(
        self, label: str | bytes | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return precision and recall, from the highest score down, of a label or of all labels."""
        return self.m.curve(self._id(label))

    def precision_at_recall(self, recall: float, label: str | bytes | None = None) -> float:
        """Return the best precision at which recall is at least `recall`; 0 if it never is."""
        return self.m.precision_at_recall(recall, self._id(label))

    def recall_at_precision(self, precision: float, label: str | bytes | None = None) -> float:
        """Return the best recall at which precision is at least `precision`; 0 if it never is."""
        return self.m.recall_at_precision(precision, self._id(label))


class BindingMeter:
    """Predictions compared with true labels, under the names of the compiled class.

    Parameters
    ----------
    meter : Meter
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def scoreVsTrue(self, label: int, /) -> list[tuple[float, float]]:
        """Return (score, 1 if correct, else 0) for a label, ascending."""
        return _pairs(*self._meter.score_vs_true(label))

    def precisionRecallCurve(self) -> list[tuple[float, float]]:
        """Return (precision, recall) of all labels, from the highest score down."""
        return _pairs(*self._meter.curve())

    def precisionRecallCurveLabel(self, label: int, /) -> list[tuple[float, float]]:
        """Return (precision, recall) of a label, from the highest score down."""
        return _pairs(*self._meter.curve(label))

    def precisionAtRecall(self, recall: float, /) -> float:
        """Return the best precision with at least this recall, or 0."""
        return self._meter.precision_at_recall(recall)

    def precisionAtRecallLabel(self, label: int, recall: float, /) -> float:
        """Return the best precision of a label with at least this recall, or 0."""
        return self._meter.precision_at_recall(recall, label)

    def recallAtPrecision(self, precision: float, /) -> float:
        """Return the best recall with at least this precision, or 0."""
        return self._meter.recall_at_precision(precision)

    def recallAtPrecisionLabel(self, label: int, precision: float, /) -> float:
        """Return the best recall of a label with at least this precision, or 0."""
        return self._meter.recall_at_precision(precision, label)


def _pairs(left: NDArray[Any], right: NDArray[Any]) -> list[tuple[float, float]]:
    return list(zip(left.astype(float).tolist(), right.astype(float).tolist(), strict=True))
