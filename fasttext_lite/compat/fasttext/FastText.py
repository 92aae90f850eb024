"""Models with the methods of the official Python class, and the functions of its module."""  # noqa: N999

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, NoReturn, overload

import numpy as np

from fasttext_lite.arguments import flag
from fasttext_lite.compat.fasttext.binding import (
    Binding,
    QuantizedMatrixError,
    open_model,
    split_answers,
)
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
    KEPT,
    cbow,
    loss_name,
    model_name,
    refuse_training,
    skipgram,
    supervised,
    train_supervised,
    train_unsupervised,
)
from fasttext_lite.errors import InputTypeError, InputValueError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.model import Model

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

# Training arguments that the official class copies.
_ARGUMENTS = (
    *KEPT, "loss", "lr", "minCountLabel", "thread", "label", "verbose", "pretrainedVectors",
)  # fmt: skip


class _FastText:
    """A trained model, as returned by `load_model`.

    Its attributes `dim`, `ws`, `epoch`, `minCount`, `minn`, `maxn`, `neg`, `wordNgrams`, `loss`,
    `bucket`, `lrUpdateRate` and `t` are the training parameters. Words and texts may be bytes
    wherever str is expected.

    Parameters
    ----------
    model_path : path or file object
    args : object, optional
        See `set_args`.

    Attributes
    ----------
    f : Binding
        The object that the official class wraps, with the same methods.
    """

    def __init__(self, model_path: PathType | BinaryIO | None = None, args: Any = None) -> None:
        if model_path is None:
            raise InputTypeError("the path of the model file is missing: use load_model(path)")
        self.f = Binding(open_model(model_path))
        self._refresh()
        self.set_args(args)

    def _use(self, model: Model) -> None:
        """Set the model to use."""
        self.f.model = model
        self._refresh()

    def _refresh(self) -> None:
        """Set the attributes that depend on the model."""
        self._words: list[str] | None = None
        self._labels: list[str] | None = None
        parameters = self.f.model.info.parameters
        for official, ours in KEPT.items():
            setattr(self, official, getattr(parameters, ours))
        self.loss = loss_name.__members__.get(parameters.loss)

    def __getstate__(self) -> dict[str, Any]:
        # The same bytes before and after the lists are used: caches compare them.
        return vars(self) | {"_words": None, "_labels": None}

    @property
    def lite_model(self) -> Model:
        """The underlying `Model`, for methods that the official class lacks."""
        return self.f.model

    def set_args(self, args: Any = None) -> None:
        """Copy training arguments from the attributes of an object; this changes no results."""
        if args:
            for name in _ARGUMENTS:
                setattr(self, name, getattr(args, name))

    def is_quantized(self) -> bool:
        """Return whether the input matrix is product-quantised."""
        return self.f.isQuant()

    def get_dimension(self) -> int:
        """Return the number of dimensions of a vector."""
        return self.f.model.dim

    def get_word_vector(self, word: str | bytes) -> NDArray[np.float32]:
        """Return the vector of a word, known or not: float32, shape (dim,)."""
        return self.f.model[check_word(word)]

    def get_nearest_neighbors(
        self, word: str | bytes, k: int = 10, on_unicode_error: str = "strict"
    ) -> list[tuple[float, str]]:
        """Return the `k` known words nearest to a word as (cosine, word), best first.

        A negative `k` returns all other words. `on_unicode_error` decodes bytes that are not UTF-8,
        as in `bytes.decode`.
        """
        return self.f.getNN(word, k, on_unicode_error)

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
        return self.f.getAnalogies(wordA, wordB, wordC, k, on_unicode_error)

    def get_word_id(self, word: str | bytes) -> int:
        """Return the id of a word or label, or -1; the ids of labels follow those of the words."""
        return self.f.getWordId(word)

    def get_label_id(self, label: str | bytes) -> int:
        """Return the id of a label, or -1 if it is unknown."""
        return self.f.getLabelId(label)

    def get_subword_id(self, subword: str | bytes) -> int:
        """Return the row of an n-gram in the input matrix, as if the model were not pruned.

        -1 in a model of floret, where an n-gram has several rows.

        Raises
        ------
        InputValueError
            The model has no rows for n-grams.
        """
        return self.f.getSubwordId(subword)

    def get_subwords(
        self, word: str | bytes, on_unicode_error: str = "strict"
    ) -> tuple[list[str], NDArray[np.int64]]:
        """Return the word itself, if it is known, and its n-grams, with the row of each.

        The result is a list of str and an int64 array of the same length, without the n-grams that
        pruning dropped.
        """
        texts, rows = self.f.getSubwords(word, on_unicode_error)
        return texts, np.array(rows, np.int64)

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
        return self.f.model.row(row)

    def get_input_matrix(self) -> NDArray[np.float32]:
        """Return a copy of the input matrix: float32, shape (rows, dim).

        `lite_model.input_matrix` is a view of the file, which takes no memory.

        Raises
        ------
        InputValueError
            The matrix is quantised, or the file holds the vectors of its words instead.
        """
        return np.array(self.f.getInputMatrix())

    def get_output_matrix(self) -> NDArray[np.float32]:
        """Return a copy of the output matrix: float32, shape (labels, dim), or (words, dim).

        Raises
        ------
        InputValueError
            The model is quantised, or its file has no output matrix.
        """
        if self.is_quantized():
            raise QuantizedMatrixError(
                "this model is quantised: its matrices hold codes, not numbers"
            )
        return np.array(self.f.getOutputMatrix())

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
        words = [decode_as(word, on_unicode_error) for word in self.f.model.words]
        return (words, self.f.model.counts.copy()) if include_freq else words

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
        if self.f.model.info.kind != "supervised":
            return self.get_words(include_freq, on_unicode_error)
        include_freq = flag("include_freq", include_freq)
        labels = [decode_as(label, on_unicode_error) for label in self.f.model.labels]
        return (labels, self.f.model.label_counts.copy()) if include_freq else labels

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
        tokens = self.f.tokens(ends=True)
        if isinstance(text, (str, bytes)):
            return split_line(tokens, text, on_unicode_error)
        lines = [split_line(tokens, line, on_unicode_error) for line in text]
        return [words for words, _ in lines], [labels for _, labels in lines]

    def get_sentence_vector(self, text: str | bytes) -> NDArray[np.float32]:
        """Return the vector of a text of one line: float32, shape (dim,)."""
        return self.f.model.sentence_vector(text)

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
            labels, probabilities = self.f.model._predict_one(text, k, threshold, True)
            if not all(map(str.isascii, labels)):
                labels = tuple(decode_as(label, on_unicode_error) for label in labels)
            return labels, probabilities.astype(np.float64)
        answers = self.f.model.predict(text, k, threshold, official_bias=True)
        return split_answers(answers, self.f.model.labels, on_unicode_error)

    def test(self, path: PathType, k: int = 1, threshold: float = 0.0) -> tuple[int, float, float]:
        """Return the number of labelled lines of a file, and precision and recall on them.

        Raises
        ------
        InputValueError
            The file cannot be read.
        """
        return self.f.test(path, k, threshold)

    def test_label(
        self, path: PathType, k: int = 1, threshold: float = 0.0
    ) -> dict[str, dict[str, float]]:
        """Return the ``precision``, ``recall`` and ``f1score`` of each label.

        A score whose divisor is zero is NaN.
        """
        return self.f.testLabel(path, k, threshold)

    def get_meter(self, path: PathType, k: int = -1) -> _Meter:
        """Return precision and recall of predictions for the lines of a file, at every score."""
        return _Meter(self, self.f.scores(path, k, 0.0).meter)

    def save_model(self, path: PathType) -> None:
        """Write the model in the official format, as described in ``docs/export.md``.

        Raises
        ------
        InputValueError
            The file cannot be written, or the official format cannot hold this model.
        """
        self.f.saveModel(path)

    def quantize(
        self,
        input: str | None = None,  # noqa: A002 - the official name
        qout: bool = False,
        cutoff: int = 0,
        retrain: bool = False,
        epoch: int | None = None,
        lr: float | None = None,
        thread: int | None = None,
        verbose: int | None = None,
        dsub: int = 2,
        qnorm: bool = False,
    ) -> None:
        """Quantise the model in memory; `save_model` then writes it as an ``.ftz`` file.

        Words and labels stay, but for words that `cutoff` drops. The codes are those of
        `fasttext_lite.export`.

        Parameters
        ----------
        input, epoch, lr, verbose : optional
            Without effect: they concern training.
        qout : bool
            Quantise the output matrix, too.
        cutoff : int
            Number of rows to keep, those of the greatest norms; 0 for all.
        retrain : bool
            Must be False: this library does not train.
        thread : int, optional
            By default the cores that this process may use.
        dsub : int
            How many numbers share a code.
        qnorm : bool
            Code the norms of the rows separately.

        Raises
        ------
        UnsupportedError
            `retrain` is set, which needs training.
        InputTypeError, InputValueError
            The model is not supervised or already quantised, or an option is invalid.
        MissingExtraError
            It needs faiss: ``pip install 'fasttext-lite[quantize]'``.
        """
        if flag("retrain", retrain) and not input:
            raise InputValueError("retrain=True needs input, the path of the training text")
        self.f.quantize(input, qout, cutoff, retrain, epoch, lr, thread, verbose, dsub, qnorm)
        self._refresh()

    def set_matrices(self, input_matrix: Any, output_matrix: Any) -> NoReturn:
        """Raise `UnsupportedError`: a model is a read-only map of its file."""
        self.f.setMatrices(input_matrix, output_matrix)

    def __getitem__(self, word: str | bytes) -> NDArray[np.float32]:
        return self.get_word_vector(word)

    def __contains__(self, word: object) -> bool:
        return word in self.f.model


def load_model(path: PathType | BinaryIO) -> _FastText:
    """Open a model.

    Parameters
    ----------
    path : path or file object
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
