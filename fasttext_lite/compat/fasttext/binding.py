"""The compiled class behind the official Python class, which other programs call as ``model.f``.

The names, the order of arguments and the results are those of ``fasttext_pybind.cc`` in version
0.9.3 of the official package. Arguments are given by position, as there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from fasttext_lite._core.labels.tokens import Tokenizer
from fasttext_lite._core.lookup.subwords import fnv1a
from fasttext_lite._core.text.batch import to_bytes
from fasttext_lite.arguments import absolute_path, flag, is_path, path_name, whole
from fasttext_lite.classifier import Classifier
from fasttext_lite.compat.fasttext.derived import DerivedModel, quantized
from fasttext_lite.compat.fasttext.meter import BindingMeter
from fasttext_lite.compat.fasttext.text import check_word, decode_as, tokenize
from fasttext_lite.compat.fasttext.training import Args
from fasttext_lite.errors import (
    FastTextLiteError,
    FileError,
    InputTypeError,
    InputValueError,
    UnsupportedError,
)
from fasttext_lite.exporting import export
from fasttext_lite.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.evaluate.labels import Scores
    from fasttext_lite.model import Model
    from fasttext_lite.neighbors import Neighbor
    from fasttext_lite.predictions import Predictions

__all__ = [
    "Binding",
    "QuantizedMatrixError",
    "Vector",
    "open_model",
    "split_answers",
]

_LABEL_PREFIX = b"__label__"


class QuantizedMatrixError(InputValueError, RuntimeError):
    """A matrix was asked for whose numbers the model holds as codes only."""


class Vector(np.ndarray[Any, Any]):
    """A float32 array of shape (dim,), zeros at first: what `Binding` writes vectors to."""

    def __new__(cls, dim: int) -> Vector:
        """Allocate it."""
        return np.zeros(whole("dim", dim, least=0), np.float32).view(cls)


def open_model(source: PathType | BinaryIO) -> Model:
    """Open a model of a path or a file object.

    Raises
    ------
    InputValueError, FormatError
        Both ValueError, as in the official package.
    """
    try:
        # As an absolute path it is never the name of the built-in model.
        return load(absolute_path(source) if is_path(source) and source == "sample" else source)
    except FileError as error:
        raise InputValueError(f"{error}: it cannot be opened") from error


class Binding:
    r"""The compiled official class, for a trained model.

    Its texts are lines that end with ``"\n"``. For a text without one, the end token is not added;
    of many lines only the first counts. Words and texts may be str or bytes.

    Parameters
    ----------
    model : Model

    Examples
    --------
    >>> from fasttext_lite import load
    >>> Binding(load("sample")).getArgs().model.name
    'skipgram'
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def loadModel(self, path: PathType | BinaryIO, /) -> None:
        """Open another model in place of this one."""
        self.model = open_model(path)

    def saveModel(self, path: PathType, /) -> None:
        """Write the model as a file of the official program.

        Raises
        ------
        InputValueError
            The file cannot be written, or the official format cannot hold this model.
        """
        target, source = Path(path_name(path)), Path(self.model.info.path)
        try:
            unchanged = not isinstance(self.model, DerivedModel)
            if unchanged and target.exists() and source.exists() and target.samefile(source):
                return
            export(self.model, target, "ftz" if self.isQuant() else "bin")
        except (FileError, OSError) as error:
            raise InputValueError(str(error)) from error

    def getArgs(self) -> Args:
        """Return a new copy of the training arguments."""
        return Args.of(self.model)

    def isQuant(self) -> bool:
        """Return whether the input matrix is product-quantised."""
        return self.model.info.quantized_input

    def getInputMatrix(self) -> NDArray[np.float32]:
        """Return a read-only view of the input matrix: float32, shape (rows, dim).

        Raises
        ------
        QuantizedMatrixError
            Both a RuntimeError and a ValueError: the matrix is quantised.
        InputValueError
            The file holds the vectors of its words instead of word rows, or other numbers.
        """
        if self.isQuant():
            raise QuantizedMatrixError(
                "this model is quantised: its matrices hold codes, not numbers"
            )
        return self._matrix("input_matrix")

    def getOutputMatrix(self) -> NDArray[np.float32]:
        """Return a read-only view of the output matrix: float32, shape (labels or words, dim).

        Raises
        ------
        QuantizedMatrixError
            Both a RuntimeError and a ValueError: the matrix is quantised.
        InputValueError
            The file has no output matrix, or not as float32.
        """
        if self.model.info.quantized_output:
            raise QuantizedMatrixError(
                "the output matrix of this model is quantised: it holds codes, not numbers"
            )
        return self._matrix("output_matrix")

    def _matrix(self, name: str) -> NDArray[np.float32]:
        try:
            view: NDArray[np.float32] = getattr(self.model, name)
        except FastTextLiteError as error:
            raise InputValueError(str(error)) from None
        return view

    def setMatrices(self, input_matrix: Any, output_matrix: Any, /) -> NoReturn:
        """Refuse: a model is a read-only map of its file, shared with other processes."""
        raise UnsupportedError(
            "set_matrices() would change the model, which is a read-only map of its file, shared "
            "with every process that has it open; the official package can change matrices"
        )

    def quantize(
        self, input: str | None, qout: bool, cutoff: int, retrain: bool, epoch: Any, lr: Any,  # noqa: A002 - the official name
        thread: int | None, verbose: Any, dsub: int, qnorm: bool, /,
    ) -> None:  # fmt: skip
        """Quantise the model: see ``quantize`` of the official class for the arguments.

        Raises
        ------
        UnsupportedError
            `retrain` is set.
        InputTypeError, InputValueError
            The model is not supervised or already quantised, or an option is invalid.
        MissingExtraError
            It needs faiss: ``pip install 'fasttext-lite[quantize]'``.
        """
        qout, qnorm = flag("qout", qout), flag("qnorm", qnorm)
        if flag("retrain", retrain):
            raise UnsupportedError(
                "quantize(retrain=True) trains the rows that cutoff keeps, and this library reads "
                "trained models: leave retrain out, or quantise with the official package"
            )
        if self.model.info.kind != "supervised":
            raise InputValueError(
                f"this model is {self.model.info.kind}, and the official quantize() takes "
                'supervised models only; fasttext_lite.export(model, "model.ftz") quantises others'
            )
        if self.isQuant():
            raise InputValueError("this model is quantised already")
        kept = whole("cutoff", cutoff, least=0) or None
        self.model = quantized(self.model, dsub, qnorm, qout, kept, thread)

    def getWordId(self, word: str | bytes, /) -> int:
        """Return the id of a word or label, or -1; the ids of labels follow those of the words."""
        found = self.model.word_id(word)
        if found >= 0:
            return found
        label = self.getLabelId(word)
        return label if label < 0 else len(self.model) + label

    def getLabelId(self, label: str | bytes, /) -> int:
        """Return the id of a label, or -1 if it is unknown."""
        labels = self.model.labels
        if not isinstance(label, (str, bytes)):
            raise InputTypeError(f"a label must be str or bytes, not {type(label).__name__}")
        return labels.index(label) if label in labels else -1

    def getSubwordId(self, subword: str | bytes, /) -> int:
        """Return the row of an n-gram in the input matrix, as if the model were not pruned.

        -1 in a model of floret, where an n-gram has several rows.

        Raises
        ------
        InputValueError
            The model has no rows for n-grams.
        """
        if self.model.info.parameters.hash_count:
            return -1
        buckets = self.model.info.parameters.bucket
        if not buckets:
            raise InputValueError("this model was trained without n-grams, so they have no rows")
        return len(self.model) + fnv1a(to_bytes(subword)) % buckets

    def getSubwords(
        self, word: str | bytes, on_unicode_error: str, /
    ) -> tuple[list[str], list[int]]:
        """Return the word itself, if it is known, and its n-grams, with the row of each."""
        found = self.model.subwords(word)
        return [decode_as(text, on_unicode_error) for text, _ in found], [row for _, row in found]

    def getVocab(self, on_unicode_error: str, /) -> tuple[list[str], list[int]]:
        """Return all words and their counts."""
        words = [decode_as(word, on_unicode_error) for word in self.model.words]
        return words, self.model.counts.tolist()

    def getLabels(self, on_unicode_error: str, /) -> tuple[list[str], list[int]]:
        """Return all labels and their counts; both are empty if the model is not supervised."""
        labels = [decode_as(label, on_unicode_error) for label in self.model.labels]
        return labels, self.model.label_counts.tolist()

    def getWordVector(self, vector: Any, word: str | bytes, /) -> None:
        """Write the vector of a word, known or not, to a `Vector` or another float32 array."""
        self._write(self.model[check_word(word)], vector)

    def getInputVector(self, vector: Any, ind: int, /) -> None:
        """Write a row of the input matrix to a `Vector` or another float32 array."""
        self._write(self.model.row(ind), vector)

    def getSentenceVector(self, vector: Any, text: str | bytes, /) -> None:
        """Write the vector of a line to a `Vector` or another float32 array."""
        line, ends = _first_line(text)
        if ends or self.model.info.kind != "supervised":
            self._write(self.model.sentence_vector(line), vector)
        else:
            self._write(self._classifier(ends)._reader.vector(line), vector)

    def _write(self, values: NDArray[np.float32], vector: Any) -> None:
        try:
            out = np.asarray(vector)
        except (TypeError, ValueError):
            out = np.empty(0, object)
        if out.dtype != np.float32 or not out.flags.writeable:
            raise InputTypeError(
                f"a vector must be a writeable float32 array, not {type(vector).__name__}"
            )
        if out.shape != values.shape:
            raise InputValueError(f"the vector has shape {out.shape}, not {values.shape}")
        out[:] = values

    def getNN(self, word: str | bytes, k: int, on_unicode_error: str, /) -> list[tuple[float, str]]:
        """Return the `k` known words nearest to a word as (cosine, word), best first."""
        return _nearest(
            self.model, lambda k: self.model.neighbors(check_word(word), k), k, on_unicode_error
        )

    def getAnalogies(
        self, a: str | bytes, b: str | bytes, c: str | bytes, k: int, on_unicode_error: str, /
    ) -> list[tuple[float, str]]:
        """Return the known words nearest to a - b + c as (cosine, word), best first."""
        a, b, c = (check_word(word) for word in (a, b, c))
        return _nearest(self.model, lambda k: self.model.analogies(a, b, c, k), k, on_unicode_error)

    def tokenize(self, text: str | bytes, /) -> list[str]:
        """Split a text into tokens; each newline gives an end token."""
        return tokenize(text)

    def getLine(self, text: str | bytes, on_unicode_error: str, /) -> tuple[list[str], list[str]]:
        """Split a line into its words, up to the end token, and its known labels."""
        line, ends = _first_line(text)
        return self.tokens(ends=ends).split(line, on_unicode_error)

    def multilineGetLine(
        self, lines: Sequence[str | bytes], on_unicode_error: str, /
    ) -> tuple[list[list[str]], list[list[str]]]:
        """Split many lines."""
        found = [self.getLine(line, on_unicode_error) for line in _sequence(lines)]
        return [words for words, _ in found], [labels for _, labels in found]

    def predict(
        self, text: str | bytes, k: int, threshold: float, on_unicode_error: str, /
    ) -> list[tuple[float, str]]:
        """Return the most probable labels of a line as (probability, label), best first."""
        line, ends = _first_line(text)
        labels, probabilities = self._classifier(ends).predict(
            line, k, threshold, official_bias=True
        )
        names = [decode_as(label, on_unicode_error) for label in labels]
        return list(zip(probabilities.tolist(), names, strict=True))

    def multilinePredict(
        self, lines: Sequence[str | bytes], k: int, threshold: float, on_unicode_error: str, /
    ) -> tuple[list[list[str]], list[NDArray[np.float32]]]:
        """Return the labels of many lines, best first, and their probabilities (float32)."""
        texts = [_first_line(line) for line in _sequence(lines)]
        labels: list[Any] = [None] * len(texts)
        probabilities: list[Any] = [None] * len(texts)
        for ends in (True, False):
            places = [i for i, text in enumerate(texts) if text[1] == ends]
            if not places:
                continue
            answers = self._classifier(ends).predict(
                [texts[i][0] for i in places], k, threshold, official_bias=True
            )
            found = split_answers(answers, self.model.labels, on_unicode_error)
            for i, names, numbers in zip(places, *found, strict=True):
                labels[i], probabilities[i] = names, numbers
        return labels, probabilities

    def tokens(self, *, ends: bool) -> Tokenizer:
        """Return what splits a line, and adds the end token or not."""
        return Tokenizer(self.model._vocabulary, _LABEL_PREFIX, ends)

    def _classifier(self, ends: bool) -> Classifier:
        """Return the classifier that adds the end token to a line, or one that does not."""
        if ends:
            return self.model._classifier
        loss = self.model._loss  # first, since it refuses models of other kinds
        return Classifier(self.model._reader.with_tokens(self.tokens(ends=ends)), loss)

    def test(self, path: PathType, k: int, threshold: float, /) -> tuple[int, float, float]:
        """Return the number of labelled lines of a file, and precision and recall on them."""
        scores = self.scores(path, k, threshold)
        return scores.examples, scores.precision, scores.recall

    def testLabel(self, path: PathType, k: int, threshold: float, /) -> dict[str, dict[str, float]]:
        """Return the ``precision``, ``recall`` and ``f1score`` of each label."""
        scores = self.scores(path, k, threshold)
        columns = (scores.label_precision, scores.label_recall, scores.label_f1)
        return {
            label: {"precision": precision, "recall": recall, "f1score": f1}
            for label, precision, recall, f1 in zip(
                scores.labels, *(column.tolist() for column in columns), strict=True
            )
        }

    def getMeter(self, path: PathType, k: int, /) -> BindingMeter:
        """Return precision and recall of predictions for the lines of a file, at every score."""
        return BindingMeter(self.scores(path, k, 0.0).meter)

    def scores(self, path: PathType, k: int, threshold: float) -> Scores:
        """Test the model on a file; all errors of reading it are `InputValueError`."""
        try:
            return self.model.test(path, k, threshold)
        except FileError as error:
            raise InputValueError(f"{error}: the test file cannot be read") from error


def _first_line(text: str | bytes) -> tuple[bytes, bool]:
    """Return the first line of a text, and whether a newline ends it."""
    line, newline, _ = to_bytes(text).partition(b"\n")
    return line, bool(newline)


def _sequence(lines: Sequence[str | bytes]) -> Sequence[str | bytes]:
    if isinstance(lines, (str, bytes)):
        raise InputTypeError(f"lines must be a list of str or bytes, not {type(lines).__name__}")
    return lines


def _nearest(
    model: Model, search: Callable[[int], list[Neighbor]], k: int, on_unicode_error: str
) -> list[tuple[float, str]]:
    if isinstance(k, (int, np.integer)) and k <= 0:
        k = len(model) if k else 0
    if k == 0:
        return []
    return [(score, decode_as(word, on_unicode_error)) for word, score in search(k)]


def split_answers(
    answers: Predictions, known: Sequence[str], on_unicode_error: str
) -> tuple[list[list[str]], list[NDArray[np.float32]]]:
    """Return the labels and the probabilities of many predictions, one list or array for each.

    Parameters
    ----------
    answers : Predictions
    known : sequence of str
        All labels of the model.
    on_unicode_error : str
        How to decode labels that are not UTF-8.
    """
    ids = answers.label_ids.tolist()
    names = {i: decode_as(known[i], on_unicode_error) for i in set(ids)}
    flat = [names[i] for i in ids]
    places = list(map(slice, answers.offsets[:-1].tolist(), answers.offsets[1:].tolist()))
    return [flat[one] for one in places], [answers.probabilities[one] for one in places]
