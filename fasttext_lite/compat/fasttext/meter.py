"""The meter of the official package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.errors import InputValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fasttext_lite.evaluate.labels import Meter

__all__ = ["_Meter"]


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
