"""Models with the methods of the official Python class, and the functions of its module."""  # noqa: N999

from __future__ import annotations

import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, overload

import numpy as np

from fasttext_lite._core.labels.tokens import Tokenizer
from fasttext_lite._core.lookup.subwords import fnv1a
from fasttext_lite._core.text.batch import to_bytes
from fasttext_lite.arguments import flag, path_name
from fasttext_lite.compat.fasttext.meter import _Meter
from fasttext_lite.compat.fasttext.text import (
    BOW,
    EOS,
    EOW,
    check_word,
    decode_as,
    split_line,
    tokenize,
)
from fasttext_lite.compat.fasttext.training import (
    cbow,
    loss_name,
    model_name,
    refuse_training,
    skipgram,
    supervised,
    train_supervised,
    train_unsupervised,
)
from fasttext_lite.errors import (
    FastTextLiteError,
    FileError,
    InputTypeError,
    InputValueError,
    UnsupportedError,
)
from fasttext_lite.exporting import export
from fasttext_lite.loading import load
from fasttext_lite.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.evaluate.labels import Scores
    from fasttext_lite.neighbors import Neighbor

__all__ = [
    "BOW",
    "EOS",
    "EOW",
    "cbow",
    "load_model",
    "loss_name",
    "model_name",
    "refuse_training",
    "skipgram",
    "supervised",
    "tokenize",
    "train_supervised",
    "train_unsupervised",
]

_LABEL_PREFIX = b"__label__"
# Attributes of a trained model that its file stores, and their names in `Parameters`.
_KEPT = {
    "dim": "dim",
    "ws": "ws",
    "epoch": "epoch",
    "minCount": "min_count",
    "minn": "minn",
    "maxn": "maxn",
    "neg": "neg",
    "wordNgrams": "word_ngrams",
    "bucket": "bucket",
    "lrUpdateRate": "lr_update_rate",
    "t": "t",
}
_ARGUMENTS = (
    *_KEPT, "loss", "lr", "minCountLabel", "thread", "label", "verbose", "pretrainedVectors",
)  # fmt: skip


class _FastText:
    """A trained model, as returned by `load_model`.

    Its attributes `dim`, `ws`, `epoch`, `minCount`, `minn`, `maxn`, `neg`, `wordNgrams`, `loss`,
    `bucket`, `lrUpdateRate` and `t` are the training parameters. Words and texts may be bytes
    wherever str is expected.

    Parameters
    ----------
    model_path : path
    args : object, optional
        See `set_args`.
    """

    def __init__(self, model_path: PathType | None = None, args: Any = None) -> None:
        if model_path is None:
            raise InputTypeError("the path of the model file is missing: use load_model(path)")
        self._use(_open(model_path))
        self.set_args(args)

    def _use(self, model: Model) -> None:
        """Set the model to use, and the attributes that depend on it."""
        self._model = model
        self._words: list[str] | None = None
        self._labels: list[str] | None = None
        parameters = model.info.parameters
        for official, ours in _KEPT.items():
            setattr(self, official, getattr(parameters, ours))
        self.loss = loss_name.__members__.get(parameters.loss)

    @property
    def lite_model(self) -> Model:
        """The underlying `Model`, for methods that the official class lacks."""
        return self._model

    def set_args(self, args: Any = None) -> None:
        """Copy training arguments from the attributes of an object; this changes no results."""
        if args:
            for name in _ARGUMENTS:
                setattr(self, name, getattr(args, name))

    def is_quantized(self) -> bool:
        """Return whether the input matrix is product-quantised."""
        return self._model.info.quantized_input

    def get_dimension(self) -> int:
        """Return the number of dimensions of a vector."""
        return self._model.dim

    def get_word_vector(self, word: str | bytes) -> NDArray[np.float32]:
        """Return the vector of a word, known or not: float32, shape (dim,)."""
        return self._model[check_word(word)]

    def get_nearest_neighbors(
        self, word: str | bytes, k: int = 10, on_unicode_error: str = "strict"
    ) -> list[tuple[float, str]]:
        """Return the `k` known words nearest to a word as (cosine, word), best first.

        A negative `k` returns all other words. `on_unicode_error` decodes bytes that are not UTF-8,
        as in `bytes.decode`.
        """
        return self._nearest(
            lambda k: self._model.neighbors(check_word(word), k), k, on_unicode_error
        )

    def get_analogies(
        self,
        wordA: str | bytes,  # noqa: N803 - the official names
        wordB: str | bytes,  # noqa: N803
        wordC: str | bytes,  # noqa: N803
        k: int = 10,
        on_unicode_error: str = "strict",
    ) -> list[tuple[float, str]]:
        """Return the known words nearest to A - B + C as (cosine, word), best first.

        Each of the three vectors is first divided by its norm, and the three words are left out.
        """
        a, b, c = (check_word(word) for word in (wordA, wordB, wordC))
        return self._nearest(lambda k: self._model.analogies(a, b, c, k), k, on_unicode_error)

    def _nearest(
        self, search: Callable[[int], list[Neighbor]], k: int, on_unicode_error: str
    ) -> list[tuple[float, str]]:
        if isinstance(k, (int, np.integer)) and k <= 0:
            k = len(self._model) if k else 0
        if k == 0:
            return []
        return [(score, decode_as(word, on_unicode_error)) for word, score in search(k)]

    def get_word_id(self, word: str | bytes) -> int:
        """Return the id of a word or label, or -1; the ids of labels follow those of the words."""
        found = self._model.word_id(word)
        if found >= 0:
            return found
        label = self.get_label_id(word)
        return label if label < 0 else len(self._model) + label

    def get_label_id(self, label: str | bytes) -> int:
        """Return the id of a label, or -1 if it is unknown."""
        labels = self._model.labels
        if not isinstance(label, (str, bytes)):
            raise InputTypeError(f"a label must be str or bytes, not {type(label).__name__}")
        return labels.index(label) if label in labels else -1

    def get_subword_id(self, subword: str | bytes) -> int:
        """Return the row of an n-gram in the input matrix, as if the model were not pruned.

        Raises
        ------
        InputValueError
            The model has no rows for n-grams.
        """
        buckets = self._model.info.parameters.bucket
        if not buckets:
            raise InputValueError("this model was trained without n-grams, so they have no rows")
        return len(self._model) + fnv1a(to_bytes(subword)) % buckets

    def get_subwords(
        self, word: str | bytes, on_unicode_error: str = "strict"
    ) -> tuple[list[str], NDArray[np.int64]]:
        """Return the word itself, if it is known, and its n-grams, with the row of each.

        The result is a list of str and an int64 array of the same length, without the n-grams that
        pruning dropped.
        """
        found = self._model.subwords(word)
        texts = [decode_as(text, on_unicode_error) for text, _ in found]
        return texts, np.array([row for _, row in found], np.int64)

    def get_input_vector(self, ind: int) -> NDArray[np.float32]:
        """Return a row of the input matrix: float32, shape (dim,).

        Raises
        ------
        InputTypeError, InputValueError
            `ind` is not a whole number, or the matrix has no such row.
        """
        try:
            row = operator.index(ind)
        except TypeError:
            raise InputTypeError(f"a row must be int, not {type(ind).__name__}") from None
        return self._model.row(row)

    def get_input_matrix(self) -> NDArray[np.float32]:
        """Return a copy of the input matrix: float32, shape (rows, dim).

        `lite_model.input_matrix` is a view of the file, which takes no memory.

        Raises
        ------
        InputValueError
            The matrix is quantised, or the file holds the vectors of its words instead.
        """
        self._check_dense()
        return _matrix(self._model, "input_matrix")

    def get_output_matrix(self) -> NDArray[np.float32]:
        """Return a copy of the output matrix: float32, shape (labels, dim), or (words, dim).

        Raises
        ------
        InputValueError
            The model is quantised, or its file has no output matrix.
        """
        self._check_dense()
        return _matrix(self._model, "output_matrix")

    def _check_dense(self) -> None:
        if self.is_quantized():
            raise InputValueError("this model is quantised: its matrices hold codes, not numbers")

    @overload
    def get_words(self, *, on_unicode_error: str = "strict") -> list[str]: ...
    @overload
    def get_words(
        self, include_freq: bool, on_unicode_error: str = "strict"
    ) -> list[str] | tuple[list[str], NDArray[np.int64]]: ...
    def get_words(
        self, include_freq: bool = False, on_unicode_error: str = "strict"
    ) -> list[str] | tuple[list[str], NDArray[np.int64]]:
        """Return all words, and with `include_freq` how often each occurred in training (int64)."""
        include_freq = flag("include_freq", include_freq)
        words = [decode_as(word, on_unicode_error) for word in self._model.words]
        return (words, self._model.counts.copy()) if include_freq else words

    @overload
    def get_labels(self, *, on_unicode_error: str = "strict") -> list[str]: ...
    @overload
    def get_labels(
        self, include_freq: bool, on_unicode_error: str = "strict"
    ) -> list[str] | tuple[list[str], NDArray[np.int64]]: ...
    def get_labels(
        self, include_freq: bool = False, on_unicode_error: str = "strict"
    ) -> list[str] | tuple[list[str], NDArray[np.int64]]:
        """Return all labels, or words if not supervised, and with `include_freq` their counts."""
        if self._model.info.kind != "supervised":
            return self.get_words(include_freq, on_unicode_error)
        include_freq = flag("include_freq", include_freq)
        labels = [decode_as(label, on_unicode_error) for label in self._model.labels]
        return (labels, self._model.label_counts.copy()) if include_freq else labels

    @property
    def words(self) -> list[str]:
        """All words; the list is created once."""
        if self._words is None:
            self._words = self.get_words()
        return self._words

    @property
    def labels(self) -> list[str]:
        """All labels, or all words if the model is not supervised; the list is created once."""
        if self._labels is None:
            self._labels = self.get_labels()
        return self._labels

    def get_line(
        self, text: str | bytes | Iterable[str | bytes], on_unicode_error: str = "strict"
    ) -> tuple[Any, Any]:
        """Split a line into its words, up to the end token, and its known labels.

        Parameters
        ----------
        text : str, bytes, or an iterable of those
        on_unicode_error : str
            As in `bytes.decode`.

        Returns
        -------
        words, labels : list of str
            For many lines, lists of such lists.

        Raises
        ------
        InputTypeError, InputValueError
            A line is neither str nor bytes, or holds a newline.
        """
        tokens = Tokenizer(self._model._vocabulary, _LABEL_PREFIX)
        if isinstance(text, (str, bytes)):
            return split_line(tokens, text, on_unicode_error)
        lines = [split_line(tokens, line, on_unicode_error) for line in text]
        return [words for words, _ in lines], [labels for _, labels in lines]

    def get_sentence_vector(self, text: str | bytes) -> NDArray[np.float32]:
        """Return the vector of a text of one line: float32, shape (dim,)."""
        return self._model.sentence_vector(text)

    def predict(
        self,
        text: str | bytes | Iterable[str | bytes],
        k: int = 1,
        threshold: float = 0.0,
        on_unicode_error: str = "strict",
    ) -> tuple[Any, Any]:
        """Return the most probable labels of a text, or of many, best first.

        Parameters
        ----------
        text : str, bytes, or an iterable of those
            Each text is one line, without a newline.
        k : int
            Largest number of labels; -1 for all.
        threshold : float
            Leave out labels that are less probable than this.
        on_unicode_error : str
            How to decode labels that are not UTF-8, as in `bytes.decode`.

        Returns
        -------
        labels : tuple of str
            For many texts, a list of lists of str.
        probabilities : ndarray
            float64, of the same length; for many texts a list of float32 arrays.

        Raises
        ------
        InputTypeError, InputValueError
            A text is neither str nor bytes or holds a newline, or `k` is invalid.
        ModelKindError
            The model is not supervised. It is a ValueError.
        """
        if isinstance(text, (str, bytes)):
            labels, probabilities = self._model._predict_one(text, k, threshold, True)
            if not all(map(str.isascii, labels)):
                labels = tuple(decode_as(label, on_unicode_error) for label in labels)
            return labels, probabilities.astype(np.float64)
        answers = self._model.predict(text, k, threshold, official_bias=True)
        ids, known = answers.label_ids.tolist(), self._model.labels
        names = {i: decode_as(known[i], on_unicode_error) for i in set(ids)}
        flat = [names[i] for i in ids]
        places = list(map(slice, answers.offsets[:-1].tolist(), answers.offsets[1:].tolist()))
        return [flat[one] for one in places], [answers.probabilities[one] for one in places]

    def test(self, path: PathType, k: int = 1, threshold: float = 0.0) -> tuple[int, float, float]:
        """Return the number of labelled lines of a file, and precision and recall on them.

        Raises
        ------
        InputValueError
            The file cannot be read.
        """
        scores = self._scores(path, k, threshold)
        return scores.examples, scores.precision, scores.recall

    def test_label(
        self, path: PathType, k: int = 1, threshold: float = 0.0
    ) -> dict[str, dict[str, float]]:
        """Return the ``precision``, ``recall`` and ``f1score`` of each label.

        A score whose divisor is zero is NaN.
        """
        scores = self._scores(path, k, threshold)
        columns = (scores.label_precision, scores.label_recall, scores.label_f1)
        return {
            label: {"precision": precision, "recall": recall, "f1score": f1}
            for label, precision, recall, f1 in zip(
                scores.labels, *(column.tolist() for column in columns), strict=True
            )
        }

    def get_meter(self, path: PathType, k: int = -1) -> _Meter:
        """Return precision and recall of predictions for the lines of a file, at every score."""
        return _Meter(self, self._scores(path, k, 0.0).meter)

    def _scores(self, path: PathType, k: int, threshold: float) -> Scores:
        try:
            return self._model.test(path, k, threshold)
        except FileError as error:
            raise InputValueError(f"{error}: the test file cannot be read") from error

    def save_model(self, path: PathType) -> None:
        """Write the model in the official format, as described in ``docs/export.md``.

        Raises
        ------
        InputValueError
            The file cannot be written, or the official format cannot hold this model.
        """
        target, source = Path(path_name(path)), self._model.info.path
        try:
            changed = type(self._model) is not Model
            if changed or not (target.exists() and target.samefile(source)):
                export(self._model, target, "ftz" if self.is_quantized() else "bin")
        except (FileError, OSError) as error:
            raise InputValueError(str(error)) from error

    def quantize(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `UnsupportedError`: quantisation is a part of training."""
        raise UnsupportedError(
            "quantize() trains a codebook, but this library only reads trained models. To make a "
            'model smaller, use fasttext_lite.convert(path, target, dtype="int8")'
        )

    def set_matrices(self, input_matrix: Any, output_matrix: Any) -> NoReturn:
        """Raise `UnsupportedError`: a model is a read-only map of its file."""
        raise UnsupportedError(
            "set_matrices() would change the model, which is a read-only map of its file, shared "
            "with other processes; use the official package to change matrices"
        )

    def __getitem__(self, word: str | bytes) -> NDArray[np.float32]:
        return self.get_word_vector(word)

    def __contains__(self, word: object) -> bool:
        return word in self._model


def load_model(path: PathType) -> _FastText:
    """Open a model.

    Parameters
    ----------
    path : path
        Any file that `fasttext_lite.load` opens.

    Returns
    -------
    _FastText

    Raises
    ------
    InputValueError, FormatError
        The file does not exist, or is not a model. Both are ValueError, as in the official package.
    """
    return _FastText(model_path=path)


def _open(path: PathType) -> Model:
    try:
        # As an absolute path it is never the name of the built-in model.
        return load(Path(path_name(path)).absolute())
    except FileError as error:
        raise InputValueError(f"{error}: it cannot be opened") from error


def _matrix(model: Model, name: str) -> NDArray[np.float32]:
    try:
        return np.array(getattr(model, name), np.float32)
    except FastTextLiteError as error:
        raise InputValueError(str(error)) from None
