"""Classification of texts: predictions, tests, and the contributions of the parts of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import numpy as np

from fasttext_lite._core.labels.features import list_features
from fasttext_lite._core.labels.predict import Predictor
from fasttext_lite._core.labels.tokens import Tokenizer
from fasttext_lite._core.text.batch import to_bytes
from fasttext_lite.arguments import decode, flag, whole
from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.once import once
from fasttext_lite.predictions import (
    Contribution,
    Prediction,
    Predictions,
    check_bias,
    label_list,
    predict_ids,
    predict_many,
    predict_matrix,
)
from fasttext_lite.texts import is_missing, text_option
from fasttext_lite.words import LABEL_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Literal

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from fasttext_lite._core.labels.line import LineReader
    from fasttext_lite._core.labels.losses import Loss
    from fasttext_lite._core.text.columns import Array
    from fasttext_lite.arguments import PathType
    from fasttext_lite.evaluate.labels import Scores
    from fasttext_lite.keywords import Keyword
    from fasttext_lite.predictions import Labels, PredictOptions
    from fasttext_lite.texts import TextOptions

__all__ = ["Classifier"]

# Errors name similar labels unless there are many labels, or the wrong one is long.
_MANY = 10_000
_LONG = 100


class Classifier:
    """Predicts the labels of texts, by the rules of the official program.

    `Model.classifier` returns one; ``model.predict`` and the like call the classifier with default
    options. A classifier is immutable, and safe to use from many threads at once. It pickles as
    its model and its options.

    Parameters
    ----------
    reader : LineReader
        Turns a line into rows.
    loss : Loss
        The output layer.
    label_prefix : str or bytes
        Unknown words that begin with it are labels, and are left out of a text.
    strip_prefix : bool
        Remove the prefix from predicted labels.
    make : callable, optional
        The method `classifier` of the model, which returns an equal classifier for `label_prefix`
        and `strip_prefix`; needed for pickling.
    """

    def __init__(
        self,
        reader: LineReader,
        loss: Loss,
        label_prefix: str | bytes = LABEL_PREFIX,
        strip_prefix: bool = False,
        make: Callable[[bytes, bool], Classifier] | None = None,
    ) -> None:
        if not isinstance(label_prefix, (str, bytes)):
            raise InputTypeError(
                f"label_prefix must be str or bytes, not {type(label_prefix).__name__}"
            )
        self._make = make
        self._prefix = to_bytes(label_prefix)
        self._stripped = self._prefix if flag("strip_prefix", strip_prefix) else b""
        if self._prefix != reader.tokens.label_prefix:
            reader = reader.with_tokens(Tokenizer(reader.tokens.vocabulary, self._prefix))
        self._reader = reader
        self._loss = loss
        self._predictor = Predictor(reader, loss, Prediction, len(self._stripped))

    @once
    def _label_strings(self) -> tuple[Array, NDArray[np.int32]]:
        """The distinct names of the labels as an Arrow array, and the index of each label."""
        from fasttext_lite.arrays import distinct_strings

        return distinct_strings(self._predictor.names)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._make is None:
            raise InputTypeError("only a classifier that Model.classifier returned can be pickled")
        return self._make, (self._prefix, bool(self._stripped))

    @overload
    def predict(  # type: ignore[overload-overlap]
        self,
        texts: str | bytes,
        k: int = 1,
        threshold: float = 0.0,
        **options: Unpack[PredictOptions],
    ) -> Prediction: ...
    @overload
    def predict(
        self,
        texts: Iterable[str | bytes],
        k: int = 1,
        threshold: float = 0.0,
        **options: Unpack[PredictOptions],
    ) -> Predictions: ...
    def predict(
        self,
        texts: str | bytes | Iterable[str | bytes],
        k: int = 1,
        threshold: float = 0.0,
        *,
        labels: Labels | None = None,
        renormalize: bool = False,
        official_bias: bool = False,
        threads: int | None = None,
        missing: Literal["raise", "empty"] = "raise",
        newlines: Literal["raise", "space"] = "raise",
        errors: Literal["strict", "replace"] = "strict",
    ) -> Prediction | Predictions:
        """Return the most probable labels of a text, or of many.

        Parameters
        ----------
        texts : str, bytes, or iterable of str or bytes
            One text or many, each a line without a newline. Many may also be an array of strings
            (NumPy or Arrow).
        k : int
            Largest number of labels; -1 for all.
        threshold : float
            Leave out labels that are less probable than this.
        labels : iterable of str, bytes or int, optional
            Choose among these labels only, given as in predictions, as in ``model.labels``, or by
            their ids; one that is given twice counts once. With hierarchical softmax only the
            paths to these labels are computed.
        renormalize : bool
            Return the probability of a label given that one of `labels` (by default of all) is
            right: p divided by the sum of p over `labels`. For softmax and hierarchical softmax it
            is computed from logarithms, so it is exact where p is too small for a float32. If p is
            0 for all of `labels` in a model whose labels are independent (ns, ova), exp(x) is used
            in place of p = sigmoid(x).
        official_bias : bool
            Return exp(log(p + 1e-5)) in place of the probability p, as the official program does:
            up to 1.00001, and more for hierarchical softmax. The order is the same.
        threads : int, optional
            Number of threads for many texts; by default one per core available to this process.
        missing : {"raise", "empty"}
            What to do with missing texts (None, NaN, NA, nulls): raise, or return no labels.
        newlines : {"raise", "space"}
            What to do with newlines: raise, or read them as spaces.
        errors : {"strict", "replace"}
            What to do with halves of surrogate pairs: raise, or read them as U+FFFD.

        Returns
        -------
        Prediction or Predictions
            Labels and probabilities (float32, at most 1), best first; for many texts a sequence of
            predictions. A text without any known feature has no labels. The order is the official
            one, with `labels` too.

        Raises
        ------
        InputTypeError
            A text is neither str nor bytes, or an option has the wrong type.
        InputValueError
            A text holds a newline, a label is unknown, or an option is out of range.
        NotANumberError
            The model holds NaN, and the result depends on it.
        """
        biased, renormalized = check_bias(official_bias, renormalize)
        if not isinstance(texts, (str, bytes)):
            # One missing text, or many texts.
            if not (missing != "raise" and text_option("missing", missing) and is_missing(texts)):
                return predict_many(
                    self._predictor,
                    texts,
                    k,
                    threshold,
                    labels=self._choice(labels, renormalized),
                    renormalize=renormalized,
                    official_bias=biased,
                    threads=threads,
                    missing=missing,
                    newlines=newlines,
                    errors=errors,
                )
            return Prediction((), np.empty(0, np.float32))
        text_option("missing", missing)
        choice = self._choice(labels, renormalized)
        return self._predictor.predict(
            texts, k, threshold, biased, choice, renormalized, newlines, errors
        )

    def predict_ids(
        self,
        texts: Iterable[str | bytes],
        k: int = 1,
        threshold: float = 0.0,
        *,
        labels: Labels | None = None,
        renormalize: bool = False,
        official_bias: bool = False,
        threads: int | None = None,
        **options: Unpack[TextOptions],
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the most probable labels of many texts as two arrays.

        Parameters
        ----------
        texts : iterable of str or bytes
        k, threshold, labels, renormalize, official_bias, threads, missing, newlines, errors
            As for `predict`.

        Returns
        -------
        label_ids : ndarray
            int32, shape (n, min(k, labels)), or (n, labels) for ``k=-1``: indices into
            ``model.labels``, best first, padded with -1.
        probabilities : ndarray
            float32, of the same shape, padded with 0.

        Raises
        ------
        InputTypeError, InputValueError, NotANumberError
            As for `predict`.
        """
        biased, renormalized = check_bias(official_bias, renormalize)
        return predict_ids(
            self._predictor,
            texts,
            k,
            threshold,
            labels=self._choice(labels, renormalized),
            renormalize=renormalized,
            official_bias=biased,
            threads=threads,
            **options,
        )

    def probabilities(
        self,
        texts: Iterable[str | bytes],
        labels: Labels | None = None,
        *,
        renormalize: bool = False,
        out: NDArray[np.float32] | None = None,
        threads: int | None = None,
        **options: Unpack[TextOptions],
    ) -> NDArray[np.float32]:
        """Return the probability of each label for each of many texts.

        Parameters
        ----------
        texts : iterable of str or bytes
        labels : iterable of str, bytes or int, optional
            The labels of the columns, as for `predict`; by default all, in the order of
            ``model.labels``.
        renormalize : bool
            As for `predict`: each row sums to 1.
        out : ndarray, optional
            float32, C-contiguous, shape (n, labels): filled and returned.
        threads, missing, newlines, errors
            As for `predict`.

        Returns
        -------
        ndarray
            float32, shape (n, labels), with the numbers of ``predict(texts, k=-1)``, and those
            that it leaves out. The row of a text without any known feature, or of a missing one,
            is 0.

        Raises
        ------
        InputTypeError, InputValueError, NotANumberError
            As for `predict`; or `out` has another shape or dtype.
        """
        return predict_matrix(
            self._predictor,
            texts,
            None if labels is None else self._label_ids(labels),
            renormalize=flag("renormalize", renormalize),
            out=out,
            threads=threads,
            **options,
        )

    def explain(
        self,
        text: str | bytes,
        label: str | bytes | None = None,
        *,
        newlines: Literal["raise", "space"] = "raise",
        errors: Literal["strict", "replace"] = "strict",
    ) -> list[Contribution]:
        """List what each word, n-gram and word n-gram of a text adds to the score of a label.

        The loss turns the score into a probability. The score is the dot product of the mean of
        all rows with the row of the label; with hierarchical softmax it is the sum of the log-odds
        of all branches on the path to the label. Each row therefore adds its dot product, divided
        by the number of rows.

        Parameters
        ----------
        text : str or bytes
        label : str or bytes, optional
            As in predictions; by default the most probable label.
        newlines, errors
            As for `predict`.

        Returns
        -------
        list of Contribution
            In the order of the text, word n-grams last. The scores sum to the score of the label.
            The list is empty for a text without any known feature.

        Raises
        ------
        InputTypeError, InputValueError, NotANumberError
            As for `predict`; or the model has no such label.
        """
        best = self._predictor.predict(text, 1, -1.0, newlines=newlines, errors=errors)
        if label is not None:
            label_id = self._label_id(label)
        if not best.labels:
            return []
        if label is None:
            label_id = self._predictor.names.index(best.labels[0])
        rows = self._reader.rows
        direction = np.empty(rows.dim, np.float32)
        self._loss.direction(label_id, direction)
        line = to_bytes(text, "text", text_option("errors", errors))
        found = list_features(self._reader, line)
        scores = rows.dots(np.array([row for _, _, row in found], np.int64), direction).tolist()
        weight = 1 / len(found)
        return [
            Contribution(decode(token), decode(feature), score * weight, row, weight)
            for (token, feature, row), score in zip(found, scores, strict=True)
        ]

    def keywords(self, label: str | bytes | int, k: int = 10) -> list[Keyword]:
        """List the words and n-grams that speak most for a label.

        The score of row r for label l is the dot product r · d(l), where d(l) is the row of the
        label in the output layer. With hierarchical softmax d(l) is the sum of the rows of the
        forks on the path to the label, negated where the path turns left, so that the score is the
        sum of the log-odds of all branches. A row in a text of n rows adds 1/n of its score to that
        of the label (`explain`).

        Parameters
        ----------
        label : str, bytes or int
            As in predictions, as in ``model.labels``, or an id.
        k : int
            Number of rows.

        Returns
        -------
        list of Keyword
            Highest score first. Candidates are the rows of all words except the end token, and
            those of the n-grams of these words. n-grams may share a row: the first one is named.
            Word n-grams are left out, since a file holds only their hashes.

        Raises
        ------
        InputTypeError
            `label` or `k` has the wrong type.
        InputValueError
            The model has no such label, or `k` is below 1.
        """
        from fasttext_lite.keywords import find_keywords

        direction = np.empty(self._reader.rows.dim, np.float32)
        self._loss.direction(int(self._label_ids([label])[0]), direction)
        return find_keywords(self._reader, direction, k)

    def test(
        self,
        path: PathType,
        k: int = 1,
        threshold: float = 0.0,
        *,
        threads: int | None = None,
    ) -> Scores:
        """Compare predictions with the labels in the lines of a file.

        The file is read in blocks. A line counts if it has a known label and a known feature.
        Unknown labels are ignored.

        Parameters
        ----------
        path : str, bytes or os.PathLike
            A text file with one example per line, with its labels anywhere among its words.
        k, threshold, threads
            As for `predict`.

        Returns
        -------
        Scores

        Raises
        ------
        FileError
            The file cannot be read (`MissingFileError`: it does not exist).
        InputTypeError, InputValueError, NotANumberError
            As for `predict`.
        """
        from fasttext_lite.evaluate.labels import score_file

        return score_file(self._predictor, path, k, threshold, threads)

    def _label_ids(self, labels: Labels) -> NDArray[np.int32]:
        """Return the ids of labels, given as names or ids."""
        most = self._loss.label_count - 1
        ids = []
        for i, label in enumerate(label_list(labels)):
            if isinstance(label, (str, bytes)):
                ids.append(self._label_id(label))
            else:
                ids.append(whole(f"labels[{i}]", label, 0, most))
        return np.array(ids, np.int32)

    def _choice(self, labels: Labels | None, renormalize: bool) -> NDArray[np.int32] | None:
        """Return the distinct ids of the labels among which to choose; None for all."""
        if labels is not None:
            return np.unique(self._label_ids(labels))
        return np.arange(self._loss.label_count, dtype=np.int32) if renormalize else None

    def _label_id(self, label: str | bytes) -> int:
        vocabulary = self._reader.tokens.vocabulary
        # Accept a label as in predictions, without the prefix, or as in the file.
        for prefix in (self._stripped, b""):
            found = vocabulary.id(prefix + to_bytes(label, "label")) - vocabulary.word_count
            if found >= 0:
                return found
        raise InputValueError(
            f"{label!r:.200} is not a label of this model{self._hint(label)}; see model.labels"
        )

    def _hint(self, label: str | bytes) -> str:
        """Return labels with a similar name, for an error."""
        from difflib import get_close_matches

        names = self._predictor.names
        name = decode(label) if isinstance(label, bytes) else label
        prefix = decode(self._prefix)
        if len(name) > _LONG or len(names) > _MANY:
            return ""
        # Equal prefixes would make all names similar.
        plain = {one.removeprefix(prefix).lower(): one for one in reversed(names)}
        near = get_close_matches(name.removeprefix(prefix).lower(), plain, 3)
        return f" (near ones: {', '.join(repr(plain[one]) for one in near)})" if near else ""
