"""Vectors and labels of columns of texts, as Arrow arrays that any data frame reads.

>>> import fasttext_lite as ftl
>>> model = ftl.load("sample")
>>> column = ftl.columns.vectors(model, ["king", None, "queen"])
>>> column
<Column of 3: list<float32>[40]>
>>> column.to_numpy().shape
(3, 40)

No other library is needed to make a column; pyarrow, Polars, pandas 3, nanoarrow and others read
it without a copy (``pyarrow.array(column)``, ``polars.Series(column)``).

The texts and words may be in any iterable, in an array of NumPy, or in a column of any library
with the Arrow C data interface: chunked, sliced, dictionary-encoded, large or view. A missing item
(null, None, NaN, NA) is null in the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite import arrays
from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite._core.text.columns import read_schema
from fasttext_lite.arguments import flag, real
from fasttext_lite.errors import InputTypeError
from fasttext_lite.model import Model
from fasttext_lite.parallel import run_over
from fasttext_lite.predictions import Evidence, check_bias, predict_batch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal

    from numpy.typing import NDArray

    from fasttext_lite._core.text.columns import Array
    from fasttext_lite.classifier import Classifier
    from fasttext_lite.predictions import Labels, PredictOptions
    from fasttext_lite.texts import TextOptions

    class SentenceOptions(TextOptions, total=False):
        """The options of sentence vectors; see `sentence_vectors`."""

        threads: int | None

    class LabelOptions(PredictOptions, total=False):
        """The options of labels; see `labels`."""

        strip_prefix: bool
        dictionary: bool


__all__ = ["Column", "labels", "sentence_vectors", "vectors"]


class Column:
    """An Arrow array, which other libraries take over without a copy.

    It has the Arrow PyCapsule interface (``__arrow_c_array__``). A consumer keeps the memory as
    long as it needs it, also when the column and the model are gone.

    Parameters
    ----------
    array : Array
        The buffers.
    """

    __slots__ = ("_array",)

    def __init__(self, array: Array) -> None:
        self._array = array

    def __len__(self) -> int:
        return self._array.length

    def __repr__(self) -> str:
        return f"<Column of {len(self)}: {arrays.type_name(self._array)}>"

    @property
    def null_count(self) -> int:
        """Number of items that are null."""
        return self._array.null_count

    def to_numpy(self) -> NDArray[Any]:
        """Return the items as a NumPy array.

        Returns
        -------
        ndarray
            Of vectors: float32, shape (n, dim), a read-only view of the column, and likewise of
            numbers: float32 or int64, shape (n,). Of strings and lists: objects, None for a null.
            Of structs: a structured array. Numbers of nulls are NaN, or 0 if they are int64.
        """
        return arrays.as_numpy(self._array)

    def __arrow_c_schema__(self) -> object:
        """Return a capsule with the type of the column."""
        return self._array.schema_capsule()

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Return capsules with the type and the array.

        Parameters
        ----------
        requested_schema : capsule, optional
            The type that the consumer would like. Labels are decoded if plain strings are asked
            for; otherwise the column has its own type.

        Raises
        ------
        InputTypeError
            `requested_schema` is not a capsule with a schema.
        InputValueError
            `requested_schema` is a type of other values.
        """
        array = self._array
        if requested_schema is not None:
            array = arrays.negotiated(array, read_schema(requested_schema))
        return array.schema_capsule(), array.array_capsule()


def vectors(model: Model, words: Iterable[str | bytes], *, threads: int | None = None) -> Column:
    """Return the vectors of a column of words.

    Parameters
    ----------
    model : Model
    words : iterable of str or bytes, or array of strings
    threads : int, optional
        As for `Model.vectors`.

    Returns
    -------
    Column
        FixedSizeList<float32>[dim], with the vectors of `Model.vectors`; a missing word is null.

    Raises
    ------
    InputTypeError
        An item is neither str nor bytes, or `model` is no `Model`.
    UnknownWordError
        A word is unknown, and the file has no n-grams to compute its vector from.
    """
    batch = WordBatch(words, "word", missing="empty")
    return Column(vectors_of(_checked(model), batch, batch.present(), threads))


def sentence_vectors(
    model: Model,
    texts: Iterable[str | bytes],
    *,
    threads: int | None = None,
    missing: Literal["raise", "empty"] = "empty",
    newlines: Literal["raise", "space"] = "raise",
    errors: Literal["strict", "replace"] = "strict",
) -> Column:
    """Return the vectors of a column of texts.

    Parameters
    ----------
    model : Model
    texts : iterable of str or bytes, or array of strings
    threads, newlines, errors
        As for `Model.sentence_vectors`.
    missing : {"empty", "raise"}
        What to do with missing texts: their vectors are null, or an error is raised.

    Returns
    -------
    Column
        FixedSizeList<float32>[dim], with the vectors of `Model.sentence_vectors`.

    Raises
    ------
    InputTypeError, InputValueError
        As for `Model.sentence_vectors`, or `model` is no `Model`.

    Examples
    --------
    >>> import fasttext_lite as ftl
    >>> model = ftl.load("sample")
    >>> ftl.columns.sentence_vectors(model, ["the king and the queen", None]).null_count
    1
    """
    batch = WordBatch(texts, "text", missing=missing, newlines=newlines, errors=errors)
    return Column(sentence_vectors_of(_checked(model), batch, batch.present(), threads))


def labels(
    model: Model,
    texts: Iterable[str | bytes],
    k: int = 1,
    threshold: float = 0.0,
    *,
    labels: Labels | None = None,
    renormalize: bool = False,
    official_bias: bool = False,
    strip_prefix: bool = False,
    dictionary: bool = True,
    threads: int | None = None,
    missing: Literal["raise", "empty"] = "empty",
    newlines: Literal["raise", "space"] = "raise",
    errors: Literal["strict", "replace"] = "strict",
) -> Column:
    """Return the most probable labels of a column of texts, with their probabilities.

    Parameters
    ----------
    model : Model
    texts : iterable of str or bytes, or array of strings
    k, threshold, labels, renormalize, official_bias, threads, newlines, errors
        As for `Classifier.predict`.
    strip_prefix : bool
        Remove ``__label__`` from the labels.
    dictionary : bool
        Dictionary-encode the labels. False returns plain strings, for readers that need these.
    missing : {"empty", "raise"}
        What to do with missing texts: their answers are null, or an error is raised.

    Returns
    -------
    Column
        For ``k=1`` struct<label: dictionary<int32, string>, probability: float32>, null where a
        text is missing or has no label. Otherwise a list of such structs, best first; null where a
        text is missing, and empty where it has no label. Bytes of labels that are not UTF-8 become
        U+FFFD, since Arrow allows no others.

    Raises
    ------
    InputTypeError, InputValueError, NotANumberError
        As for `Classifier.predict`, or `model` is no `Model`.
    ModelKindError
        The model is not supervised, or its file has no output layer.
    """
    batch = WordBatch(texts, "text", missing=missing, newlines=newlines, errors=errors)
    loaded, dictionary = _checked(model), flag("dictionary", dictionary)
    classifier = loaded._stripped if flag("strip_prefix", strip_prefix) else loaded._classifier
    found = PredictedLabels(
        classifier, batch, k, threshold, labels=labels, renormalize=renormalize,
        official_bias=official_bias, threads=threads,
    )  # fmt: skip
    names = found.names() if dictionary else arrays.decoded(found.names())
    fields = {"label": names, "probability": found.probabilities()}
    return Column(found.shaped(arrays.struct(fields, len(found.ids), found.labelled)))


def _checked(model: object) -> Model:
    if not isinstance(model, Model):
        raise InputTypeError(f"model must be a Model, not {type(model).__name__}")
    return model


class PredictedLabels:
    """The labels of a batch of texts, whose parts are arrays.

    Parameters
    ----------
    classifier : Classifier
    batch : WordBatch
    k, threshold, labels, renormalize, official_bias, threads
        As for `Classifier.predict`.

    Attributes
    ----------
    ids : ndarray
        int32, shape (m,): the index of the string of each label. For ``k=1`` of one per text, of
        any number if it has no label.
    labelled : ndarray or None
        For ``k=1``: which texts have a label; None for all, and for other `k`.
    """

    def __init__(
        self,
        classifier: Classifier,
        batch: WordBatch,
        k: int,
        threshold: float,
        *,
        labels: Labels | None,
        renormalize: bool,
        official_bias: bool,
        threads: int | None,
    ) -> None:
        biased, renormalized = check_bias(official_bias, renormalize)
        threshold = real("threshold", threshold)
        ids, numbers = predict_batch(
            classifier._predictor,
            batch,
            k,
            threshold,
            labels=classifier._choice(labels, renormalized),
            renormalize=renormalized,
            official_bias=biased,
            threads=threads,
        )
        found = ids >= 0
        self._strings, index = classifier._label_strings
        self.labelled: NDArray[np.bool_] | None = None
        self._lengths: NDArray[np.int64] | None = None
        if k == 1:
            if not ids.shape[1]:  # The model has no labels.
                ids, numbers = np.full(len(batch), -1, np.int32), np.zeros(len(batch), np.float32)
                found = ids >= 0
            self.labelled = None if found.all() else found.reshape(-1)
            ids, self._numbers = ids.reshape(-1), numbers.reshape(-1)
        else:
            self._lengths, self._present = found.sum(axis=1, dtype=np.int64), batch.present()
            ids, self._numbers = ids[found], numbers[found]
        self.ids = index[ids] if len(index) else ids

    def names(self) -> Array:
        """Return the names of the labels, dictionary-encoded."""
        return arrays.indices(self.ids, self._strings, self.labelled)

    def probabilities(self) -> Array:
        """Return the probabilities of the labels."""
        return arrays.floats(self._numbers, self.labelled)

    def shaped(self, parts: Array) -> Array:
        """Return an item per text: the part itself for ``k=1``, otherwise a list of parts."""
        if self._lengths is None:
            return parts
        return arrays.lists(self._lengths, parts, self._present)


def vectors_of(
    model: Model, batch: WordBatch, present: NDArray[np.bool_] | None, threads: int | None
) -> Array:
    """Return the vectors of a batch of words; `present` are those that are not missing."""
    target, embedder = np.empty((len(batch), model.dim), np.float32), model._embedder
    run_over(lambda start, stop: embedder.fill(batch, start, stop, target), batch, threads)
    return arrays.rows(target, present)


def sentence_vectors_of(
    model: Model, batch: WordBatch, present: NDArray[np.bool_] | None, threads: int | None
) -> Array:
    """Return the vectors of a batch of texts; `present` are those that are not missing."""
    target, sentences = np.empty((len(batch), model.dim), np.float32), model._sentences
    run_over(lambda start, stop: sentences.fill(batch, start, stop, target), batch, threads)
    return arrays.rows(target, present)


def evidence_of(model: Model, batch: WordBatch, threads: int | None) -> Evidence:
    """Count what a model knows of a batch of texts: see `Model.evidence`."""
    found = Evidence(np.zeros(len(batch), np.int64), np.zeros(len(batch), np.int64))
    sentences = model._sentences
    run_over(lambda start, stop: sentences.count(batch, start, stop, *found), batch, threads)
    return found
