"""Predictions for texts: their types, and the computation for many texts on several threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np

from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.arguments import check_out, flag, whole
from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.parallel import run_over

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from fasttext_lite._core.labels.predict import Predictor
    from fasttext_lite.texts import TextOptions

    Labels: TypeAlias = Iterable[str | bytes | int]

    class PredictOptions(TextOptions, total=False):
        """The options of a prediction; see `Classifier.predict`."""

        labels: Labels | None
        renormalize: bool
        official_bias: bool
        threads: int | None


__all__ = [
    "Contribution",
    "Evidence",
    "PredictOptions",
    "Prediction",
    "Predictions",
    "check_bias",
    "predict_batch",
    "predict_ids",
    "predict_many",
    "predict_matrix",
]

# Largest size of a chunk of a batch: predicted numbers, texts, and bytes of the texts.
_CHUNK_NUMBERS = 1 << 20
_CHUNK_TEXTS = 1024
_CHUNK_BYTES = 1 << 15
# And products of the output layer, which take most of the time if it is large.
_CHUNK_PRODUCTS = 1 << 28


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
        `weight` times the dot product of the row and the direction of the label.
    row : int
        The row of the input matrix, as `Model.row` accepts it; different n-grams may share one.
    weight : float
        The share of the row in the mean of all rows: 1 / their number.
    """

    token: str
    feature: str
    score: float
    row: int
    weight: float


class Evidence(NamedTuple):
    """How much of each text a model knows.

    Attributes
    ----------
    words : ndarray
        int64, shape (n,): number of tokens that are known words.
    features : ndarray
        int64, shape (n,): number of rows whose mean is the vector of the text: of known words,
        n-grams and word n-grams.
    """

    words: NDArray[np.int64]
    features: NDArray[np.int64]


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


def label_list(labels: Labels) -> list[str | bytes | int]:
    """Return labels, given as names or ids, as a list.

    Raises
    ------
    InputTypeError, InputValueError
        This is one name, no label, or an item is neither a name nor an id.
    """
    if isinstance(labels, (str, bytes)):
        raise InputTypeError(
            f"expected many labels, got the single {type(labels).__name__} {labels!a:.60}; "
            "pass it in a list"
        )
    try:
        given = list(labels)
    except TypeError:
        raise InputTypeError(
            f"labels must be an iterable of str, bytes or int, not {type(labels).__name__}"
        ) from None
    if not given:
        raise InputValueError("labels is empty: name at least one")
    found: list[str | bytes | int] = []
    for i, label in enumerate(given):
        if isinstance(label, (str, bytes)):
            found.append(label)
        elif isinstance(label, (int, np.integer)):
            found.append(whole(f"labels[{i}]", label, 0))
        else:
            raise InputTypeError(
                f"labels[{i}] must be str, bytes or int, not {type(label).__name__}"
            )
    return found


def check_bias(official_bias: object, renormalize: object) -> tuple[bool, bool]:
    """Return both options as bool.

    Raises
    ------
    InputTypeError
        One of them is not a truth value.
    InputValueError
        Both are true: the bias belongs to the probabilities among all labels.
    """
    biased, renormalized = flag("official_bias", official_bias), flag("renormalize", renormalize)
    if biased and renormalized:
        raise InputValueError("official_bias and renormalize exclude each other: pass one of them")
    return biased, renormalized


def predict_many(
    predictor: Predictor[Prediction],
    texts: Iterable[str | bytes],
    k: int,
    threshold: float,
    *,
    labels: NDArray[np.int32] | None = None,
    renormalize: bool = False,
    official_bias: bool = False,
    threads: int | None = None,
    **options: Unpack[TextOptions],
) -> Predictions:
    """Predict the labels of many texts: see `Classifier.predict`; `labels` are ids."""
    batch = WordBatch(texts, "text", **options)
    columns = predictor.max_labels(k, labels)
    offsets = np.zeros(len(batch) + 1, np.int64)
    pieces: dict[int, tuple[NDArray[np.int32], NDArray[np.float32]]] = {}

    def work(start: int, stop: int) -> None:
        ids = np.empty((stop - start, columns), np.int32)
        numbers = np.empty((stop - start, columns), np.float32)
        predictor.fill(
            batch,
            start,
            columns,
            threshold,
            official_bias,
            ids,
            numbers,
            labels=labels,
            renormalize=renormalize,
        )
        found = ids >= 0
        found.sum(axis=1, out=offsets[start + 1 : stop + 1])
        pieces[start] = ids[found], numbers[found]

    run_over(work, batch, threads, _chunk(predictor, columns), _CHUNK_BYTES)
    ordered = [pieces[start] for start in sorted(pieces)]
    return Predictions(
        predictor.names,
        np.cumsum(offsets),
        np.concatenate([np.empty(0, np.int32), *(ids for ids, _ in ordered)]),
        np.concatenate([np.empty(0, np.float32), *(numbers for _, numbers in ordered)]),
    )


def predict_ids(
    predictor: Predictor[Prediction],
    texts: Iterable[str | bytes],
    k: int = 1,
    threshold: float = 0.0,
    *,
    labels: NDArray[np.int32] | None = None,
    renormalize: bool = False,
    official_bias: bool = False,
    threads: int | None = None,
    known: NDArray[np.uint8] | None = None,
    **options: Unpack[TextOptions],
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Predict the labels of many texts, as two arrays: see `Classifier.predict_ids`.

    `labels` are ids. `known`, shape (n,), is set to 1 for each text with a known feature, and to 0
    for the others.
    """
    return predict_batch(
        predictor,
        WordBatch(texts, "text", **options),
        k,
        threshold,
        labels=labels,
        renormalize=renormalize,
        official_bias=official_bias,
        threads=threads,
        known=known,
    )


def predict_batch(
    predictor: Predictor[Prediction],
    batch: WordBatch,
    k: int,
    threshold: float,
    *,
    labels: NDArray[np.int32] | None = None,
    renormalize: bool = False,
    official_bias: bool = False,
    threads: int | None = None,
    known: NDArray[np.uint8] | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Predict the labels of texts that were gathered: see `predict_ids`."""
    columns = predictor.max_labels(k, labels)
    ids = np.empty((len(batch), columns), np.int32)
    probabilities = np.empty((len(batch), columns), np.float32)

    def work(start: int, stop: int) -> None:
        predictor.fill(
            batch,
            start,
            columns,
            threshold,
            official_bias,
            ids[start:stop],
            probabilities[start:stop],
            labels=labels,
            renormalize=renormalize,
            known=None if known is None else known[start:stop],
        )

    run_over(work, batch, threads, _chunk(predictor, columns), _CHUNK_BYTES)
    return ids, probabilities


def predict_matrix(
    predictor: Predictor[Prediction],
    texts: Iterable[str | bytes],
    labels: NDArray[np.int32] | None,
    *,
    renormalize: bool = False,
    out: NDArray[np.float32] | None = None,
    threads: int | None = None,
    **options: Unpack[TextOptions],
) -> NDArray[np.float32]:
    """Return the probabilities of texts and labels: see `Classifier.probabilities`."""
    batch = WordBatch(texts, "text", **options)
    every = len(predictor.names)
    shape = len(batch), every if labels is None else len(labels)
    matrix = np.empty(shape, np.float32) if out is None else check_out(out, shape)
    ids = np.arange(every, dtype=np.int32) if renormalize and labels is None else labels
    # A label that is given twice has two equal columns.
    distinct, columns = np.unique([] if ids is None else ids, return_inverse=True)
    repeats = ids is not None and len(distinct) < len(ids)

    def work(start: int, stop: int) -> None:
        if not repeats:
            predictor.fill_matrix(batch, start, matrix[start:stop], ids, renormalize)
            return
        block = np.empty((stop - start, len(distinct)), np.float32)
        predictor.fill_matrix(batch, start, block, distinct.astype(np.int32), renormalize)
        matrix[start:stop] = block[:, columns]

    run_over(work, batch, threads, _chunk(predictor, every), _CHUNK_BYTES)
    return matrix


def _chunk(predictor: Predictor[Prediction], columns: int) -> int:
    output = predictor.loss.output
    most = _CHUNK_PRODUCTS // max(output.count * output.dim, 1)
    return max(1, min(_CHUNK_TEXTS, _CHUNK_NUMBERS // max(columns, 1), most))
