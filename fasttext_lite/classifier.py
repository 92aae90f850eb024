"""Classification of texts: predictions, tests, and the contributions of the parts of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import numpy as np

from fasttext_lite._core.labels.predict import Predictor
from fasttext_lite._core.labels.tokens import Tokenizer
from fasttext_lite._core.text.batch import to_bytes
from fasttext_lite.arguments import decode, flag
from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.predictions import (
    Contribution,
    Prediction,
    Predictions,
    predict_ids,
    predict_many,
)
from fasttext_lite.words import LABEL_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from fasttext_lite._core.labels.line import LineReader
    from fasttext_lite._core.labels.losses import Loss
    from fasttext_lite.arguments import PathType
    from fasttext_lite.evaluate.labels import Scores
    from fasttext_lite.predictions import PredictOptions

__all__ = ["Classifier"]


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
        threads: int | None = None,
        official_bias: bool = True,
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
        threads : int, optional
            Number of threads for many texts; by default one per core available to this process.
        official_bias : bool
            Return exp(log(p + 1e-5)) as the official program does (up to 1.00001, and more for
            hierarchical softmax). False returns the probability p itself, in the same order.

        Returns
        -------
        Prediction or Predictions
            Labels and probabilities (float32), best first; for many texts a sequence of
            predictions. A text without any known feature has no labels.

        Raises
        ------
        InputTypeError
            A text is neither str nor bytes, or an option has the wrong type.
        InputValueError
            A text holds a newline, or an option is out of range.
        NotANumberError
            The model holds NaN, and the result depends on it.
        """
        if isinstance(texts, (str, bytes)):
            return self._predictor.predict(texts, k, threshold, official_bias)
        return predict_many(
            self._predictor, texts, k, threshold, threads=threads, official_bias=official_bias
        )

    def predict_ids(
        self,
        texts: Iterable[str | bytes],
        k: int = 1,
        threshold: float = 0.0,
        *,
        threads: int | None = None,
        official_bias: bool = True,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the most probable labels of many texts as two arrays.

        Parameters
        ----------
        texts : iterable of str or bytes
        k, threshold, threads, official_bias
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
        return predict_ids(
            self._predictor, texts, k, threshold, threads=threads, official_bias=official_bias
        )

    def explain(self, text: str | bytes, label: str | bytes | None = None) -> list[Contribution]:
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
        best, _ = predict_ids(self._predictor, [text], threshold=-1.0)
        label_id = -1 if label is None else self._label_id(label)
        if not (best >= 0).any():
            return []
        direction = np.empty(self._reader.rows.dim, np.float32)
        self._loss.direction(int(best[0, 0]) if label is None else label_id, direction)
        found = self._reader.features(to_bytes(text))
        rows = np.array([row for _, _, row in found], np.int64)
        return [
            Contribution(decode(token), decode(feature), score / len(found))
            for (token, feature, _), score in zip(
                found, self._reader.rows.dots(rows, direction), strict=True
            )
        ]

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

    def _label_id(self, label: str | bytes) -> int:
        vocabulary = self._reader.tokens.vocabulary
        # Accept a label as in predictions, without the prefix, or as in the file.
        for prefix in (self._stripped, b""):
            found = vocabulary.id(prefix + to_bytes(label)) - vocabulary.word_count
            if found >= 0:
                return found
        raise InputValueError(f"{label!r} is not a label of this model; see model.labels")
