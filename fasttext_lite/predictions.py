"""Predictions for texts: their types, and the computation for many texts on several threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypedDict, overload

import numpy as np

from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.arguments import flag
from fasttext_lite.parallel import run_over

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from numpy.typing import NDArray

    from fasttext_lite._core.labels.predict import Predictor

__all__ = [
    "Contribution",
    "PredictOptions",
    "Prediction",
    "Predictions",
    "predict_ids",
    "predict_many",
]

# Largest size of a chunk of a batch: predicted numbers, texts, and bytes of the texts.
_CHUNK_NUMBERS = 1 << 20
_CHUNK_TEXTS = 1024
_CHUNK_BYTES = 1 << 15


class PredictOptions(TypedDict, total=False):
    """The options of a prediction; see `Classifier.predict`."""

    threads: int | None
    official_bias: bool


class Prediction(NamedTuple):
    """The labels of one text, best first.

    Attributes
    ----------
    labels : tuple of str
    probabilities : ndarray
        float32, shape (labels,).
    """

    labels: tuple[str, ...]
    probabilities: NDArray[np.float32]


class Contribution(NamedTuple):
    """The contribution of one row of a text to the score of a label.

    Attributes
    ----------
    token : str
        The word of the text, or the words of a word n-gram, separated by spaces.
    feature : str
        The word itself, one of its n-grams (with ``<`` and ``>`` at the ends of the word), or the
        word n-gram.
    score : float
    """

    token: str
    feature: str
    score: float


class Predictions(Sequence[Prediction]):
    """The predictions for many texts: a sequence over three arrays.

    An item is created on access, and a slice is another such sequence. Pickles and copies hold the
    arrays and the names of the labels in them, not the model.

    Parameters
    ----------
    names : sequence of str or mapping of int to str
        The name of each label id.
    offsets, label_ids, probabilities : ndarray
        The attributes.

    Attributes
    ----------
    offsets : ndarray
        int64, shape (n + 1,): the labels of text ``i`` are ``[offsets[i]:offsets[i + 1]]`` of the
        two other arrays.
    label_ids : ndarray
        int32, shape (labels of all texts,): indices into ``model.labels``.
    probabilities : ndarray
        float32, of the same shape.
    """

    __slots__ = ("_names", "label_ids", "offsets", "probabilities")

    def __init__(
        self,
        names: Sequence[str] | Mapping[int, str],
        offsets: NDArray[np.int64],
        label_ids: NDArray[np.int32],
        probabilities: NDArray[np.float32],
    ) -> None:
        self._names = names
        self.offsets = offsets
        self.label_ids = label_ids
        self.probabilities = probabilities

    def __reduce__(self) -> tuple[type[Predictions], tuple[Any, ...]]:
        names = {i: self._names[i] for i in np.unique(self.label_ids).tolist()}
        return Predictions, (names, self.offsets, self.label_ids, self.probabilities)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> Prediction: ...
    @overload
    def __getitem__(self, index: slice) -> Predictions: ...
    def __getitem__(self, index: int | slice) -> Prediction | Predictions:
        if isinstance(index, slice):
            picked = np.arange(len(self), dtype=np.int64)[index]
            lengths = np.diff(self.offsets)[picked]
            offsets = np.zeros(len(picked) + 1, np.int64)
            np.cumsum(lengths, out=offsets[1:])
            where = np.arange(offsets[-1], dtype=np.int64)
            where += np.repeat(self.offsets[picked] - offsets[:-1], lengths)
            return Predictions(
                self._names, offsets, self.label_ids[where], self.probabilities[where]
            )
        place = range(len(self))[index]
        start, stop = self.offsets[place], self.offsets[place + 1]
        labels = tuple([self._names[i] for i in self.label_ids[start:stop].tolist()])
        return Prediction(labels, self.probabilities[start:stop])

    def __repr__(self) -> str:
        return f"<Predictions for {len(self)} texts: {len(self.label_ids)} labels>"


def predict_many(
    predictor: Predictor[Prediction],
    texts: Iterable[str | bytes],
    k: int,
    threshold: float,
    *,
    threads: int | None,
    official_bias: bool,
) -> Predictions:
    """Predict the labels of many texts: see `Classifier.predict`."""
    official_bias = flag("official_bias", official_bias)
    batch = WordBatch(texts, "text")
    max_labels = predictor.max_labels(k)
    offsets = np.zeros(len(batch) + 1, np.int64)
    pieces: dict[int, tuple[NDArray[np.int32], NDArray[np.float32]]] = {}

    def work(start: int, stop: int) -> None:
        labels = np.empty((stop - start, max_labels), np.int32)
        probabilities = np.empty((stop - start, max_labels), np.float32)
        predictor.fill(batch, start, max_labels, threshold, official_bias, labels, probabilities)
        found = labels >= 0
        found.sum(axis=1, out=offsets[start + 1 : stop + 1])
        pieces[start] = labels[found], probabilities[found]

    run_over(work, batch, threads, _chunk(max_labels), _CHUNK_BYTES)
    ordered = [pieces[start] for start in sorted(pieces)]
    return Predictions(
        predictor.names,
        np.cumsum(offsets),
        np.concatenate([np.empty(0, np.int32), *(labels for labels, _ in ordered)]),
        np.concatenate([np.empty(0, np.float32), *(numbers for _, numbers in ordered)]),
    )


def predict_ids(
    predictor: Predictor[Prediction],
    texts: Iterable[str | bytes],
    k: int = 1,
    threshold: float = 0.0,
    *,
    threads: int | None = None,
    official_bias: bool = True,
    known: NDArray[np.uint8] | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Predict the labels of many texts, as two arrays: see `Classifier.predict_ids`.

    `known`, shape (n,), is set to 1 for each text with a known feature, and to 0 for the others.
    """
    official_bias = flag("official_bias", official_bias)
    batch = WordBatch(texts, "text")
    max_labels = predictor.max_labels(k)
    labels = np.empty((len(batch), max_labels), np.int32)
    probabilities = np.empty((len(batch), max_labels), np.float32)

    def work(start: int, stop: int) -> None:
        predictor.fill(
            batch,
            start,
            max_labels,
            threshold,
            official_bias,
            labels[start:stop],
            probabilities[start:stop],
            None if known is None else known[start:stop],
        )

    run_over(work, batch, threads, _chunk(max_labels), _CHUNK_BYTES)
    return labels, probabilities


def _chunk(columns: int) -> int:
    return max(1, min(_CHUNK_TEXTS, _CHUNK_NUMBERS // max(columns, 1)))
