"""Labels for texts: predictions, and what speaks for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np

from fasttext_lite._core.labels.huffman import HierarchicalSoftmax
from fasttext_lite._core.labels.line import LineReader
from fasttext_lite._core.labels.losses import Loss, Sigmoid, Softmax
from fasttext_lite._core.labels.predict import Predictor
from fasttext_lite._core.labels.tokens import Tokenizer
from fasttext_lite._core.lookup.rows import DenseRows, QuantizedRows, Rows
from fasttext_lite._core.text.batch import WordBatch, encode
from fasttext_lite.arguments import path_name
from fasttext_lite.errors import InputValueError, ModelKindError
from fasttext_lite.metrics import Scores, Tally, read_lines
from fasttext_lite.parallel import run_over
from fasttext_lite.parts import LABEL_PREFIX
from fasttext_lite.words import Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.parts import Parts

__all__ = ["Classifier", "Contribution", "Prediction", "Predictions"]

# Tables that make answers faster are made where each takes no more bytes than this.
_TABLE_SIZE = 1 << 23
# One chunk of a batch: numbers of its answers, whatever k is, texts, and bytes of those.
_CHUNK_NUMBERS = 1 << 20
_CHUNK_TEXTS = 1024
_CHUNK_BYTES = 1 << 15
# Of a file to test on: bytes of a block, and predictions for it.
_TEST_BLOCK = 1 << 20
_TEST_NUMBERS = 1 << 24


class Prediction(NamedTuple):
    """The labels of one text, best first, and their probabilities (float32, shape (n,))."""

    labels: tuple[str, ...]
    probabilities: NDArray[np.float32]


class Contribution(NamedTuple):
    """What one row of a text adds to the score of a label.

    Attributes
    ----------
    token : str
        The word of the text; for a word n-gram its words, with spaces between.
    feature : str
        The word itself, an n-gram of it (with ``<`` and ``>`` at the ends of the word), or the
        word n-gram.
    score : float
        What it adds.
    """

    token: str
    feature: str
    score: float


class Predictions(Sequence[Prediction]):
    """The predictions for many texts, held in three arrays; each is made when it is asked for.

    Attributes
    ----------
    offsets : ndarray
        int64, shape (n + 1,): the labels of text ``i`` stand from ``offsets[i]`` on, up to
        ``offsets[i + 1]``.
    label_ids : ndarray
        int32: places in ``model.labels``.
    probabilities : ndarray
        float32, of the same length.
    """

    __slots__ = ("_predictor", "label_ids", "offsets", "probabilities")

    def __init__(
        self,
        predictor: Predictor[Prediction],
        offsets: NDArray[np.int64],
        label_ids: NDArray[np.int32],
        probabilities: NDArray[np.float32],
    ) -> None:
        self._predictor = predictor
        self.offsets = offsets
        self.label_ids = label_ids
        self.probabilities = probabilities

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> Prediction: ...
    @overload
    def __getitem__(self, index: slice) -> Predictions: ...
    def __getitem__(self, index: int | slice) -> Prediction | Predictions:
        if isinstance(index, slice):
            picked = np.arange(len(self))[index]
            lengths = np.diff(self.offsets)[picked]
            offsets = np.concatenate(([0], np.cumsum(lengths)))
            where = np.arange(offsets[-1]) + np.repeat(self.offsets[picked] - offsets[:-1], lengths)
            return Predictions(
                self._predictor, offsets, self.label_ids[where], self.probabilities[where]
            )
        place = range(len(self))[index]
        start, stop = self.offsets[place], self.offsets[place + 1]
        labels = tuple(map(self._predictor.name, self.label_ids[start:stop]))
        return Prediction(labels, self.probabilities[start:stop])

    def __repr__(self) -> str:
        return f"<Predictions for {len(self)} texts: {len(self.label_ids)} labels>"


class Classifier:
    """Gives texts their labels, by the rules of the official program.

    Made by ``model.classifier()``; ``model.predict`` and the like are those of the one with the
    default options. It is immutable, and safe to use from many threads at once.

    The first one decodes a product-quantised input matrix, and looks up the rows of the n-grams of
    each known word, where such a table takes at most 8 MB.

    Parameters
    ----------
    reader : LineReader
        What turns a line into rows.
    loss : Loss
        The output layer.
    label_prefix : str or bytes
        Unknown words that begin with it are labels, and left out of a text.
    strip_prefix : bool
        Leave it out of the labels of an answer.
    """

    def __init__(
        self,
        reader: LineReader,
        loss: Loss,
        label_prefix: str | bytes = LABEL_PREFIX,
        strip_prefix: bool = False,
    ) -> None:
        self._prefix = encode(label_prefix)
        self._stripped = self._prefix if strip_prefix else b""
        if self._prefix != reader.tokens.label_prefix:
            reader = reader.with_tokens(Tokenizer(reader.tokens.vocabulary, self._prefix))
        self._reader = reader
        self._loss = loss
        self._predictor = Predictor(reader, loss, Prediction, len(self._stripped))
        # By itself for the sake of speed: one call less for each text that comes alone.
        self.predict_one = self._predictor.predict

    def with_labels(self, label_prefix: str | bytes, strip_prefix: bool) -> Classifier:
        """Return a classifier with other options over the same tables."""
        return Classifier(self._reader, self._loss, label_prefix, strip_prefix)

    @overload
    def predict(  # type: ignore[overload-overlap]
        self,
        text: str | bytes,
        k: int = 1,
        threshold: float = 0.0,
        *,
        threads: int | None = None,
        bias: bool = True,
    ) -> Prediction: ...
    @overload
    def predict(
        self,
        text: Iterable[str | bytes],
        k: int = 1,
        threshold: float = 0.0,
        *,
        threads: int | None = None,
        bias: bool = True,
    ) -> Predictions: ...
    def predict(
        self,
        text: str | bytes | Iterable[str | bytes],
        k: int = 1,
        threshold: float = 0.0,
        *,
        threads: int | None = None,
        bias: bool = True,
    ) -> Prediction | Predictions:
        """Return the most probable labels of a text, or of many.

        Parameters
        ----------
        text : str, bytes, or an iterable of those
            Each one line, without a newline.
        k : int
            How many labels at most; -1 for all.
        threshold : float
            Labels less probable than this are left out.
        threads : int, optional
            For many texts; by default the cores that this process may use.
        bias : bool
            Whether probabilities are exp(log(p + 1e-5)), as the official program gives them (up to
            1.00001, and more for hierarchical softmax); False gives p itself, in the same order.

        Returns
        -------
        Prediction or Predictions
            Labels and probabilities, best first; for many texts a lazy sequence of those. A text
            without any known feature has none.

        Raises
        ------
        InputTypeError, InputValueError
            A text is no text or holds a newline, or `k` or `threads` is impossible.
        NotANumberError
            The model holds NaN, and the answer depends on it.
        """
        if isinstance(text, (str, bytes)):
            return self.predict_one(text, k, threshold, bias)
        texts = WordBatch(text, "text")
        most = self._predictor.max_labels(k)
        counts = np.zeros(len(texts) + 1, np.int64)
        pieces: dict[int, tuple[NDArray[np.int32], NDArray[np.float32]]] = {}

        def work(start: int, stop: int) -> None:
            labels = np.empty((stop - start, most), np.int32)
            probabilities = np.empty((stop - start, most), np.float32)
            self._predictor.fill(texts, start, most, threshold, bias, labels, probabilities)
            there = labels >= 0
            there.sum(axis=1, out=counts[start + 1 : stop + 1])
            pieces[start] = labels[there], probabilities[there]

        run_over(work, texts, threads, _chunk(most), _CHUNK_BYTES)
        ordered = [pieces[start] for start in sorted(pieces)]
        return Predictions(
            self._predictor,
            np.cumsum(counts),
            np.concatenate([np.empty(0, np.int32), *(labels for labels, _ in ordered)]),
            np.concatenate([np.empty(0, np.float32), *(numbers for _, numbers in ordered)]),
        )

    def predict_ids(
        self,
        texts: Iterable[str | bytes],
        k: int = 1,
        threshold: float = 0.0,
        *,
        threads: int | None = None,
        bias: bool = True,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the most probable labels of many texts as two arrays.

        Parameters
        ----------
        texts : iterable of str or bytes
        k, threshold, threads, bias
            As for `predict`.

        Returns
        -------
        label_ids : ndarray
            int32, shape (n, k): places in ``model.labels``, best first, -1 behind the last. With
            ``k=-1`` there are as many columns as labels.
        probabilities : ndarray
            float32, shape (n, k), 0 behind the last.

        Raises
        ------
        InputTypeError, InputValueError, NotANumberError
            As for `predict`.
        """
        return self._predict_ids(texts, k, threshold, threads, bias)

    def _predict_ids(
        self,
        texts: Iterable[str | bytes],
        k: int,
        threshold: float,
        threads: int | None,
        bias: bool = True,
        known: NDArray[np.uint8] | None = None,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """As `predict_ids`; `known` gets 1 for each text that has a known feature."""
        batch = WordBatch(texts, "text")
        most = self._predictor.max_labels(k)
        shape = (len(batch), most if k == -1 else k)
        labels = np.empty(shape, np.int32)
        probabilities = np.empty(shape, np.float32)

        def work(start: int, stop: int) -> None:
            self._predictor.fill(
                batch,
                start,
                most,
                threshold,
                bias,
                labels[start:stop],
                probabilities[start:stop],
                None if known is None else known[start:stop],
            )

        run_over(work, batch, threads, _chunk(most), _CHUNK_BYTES)
        return labels, probabilities

    def explain(self, text: str | bytes, label: str | bytes | None = None) -> list[Contribution]:
        """List what each word, n-gram and word n-gram of a text adds to the score of a label.

        The score is what the loss makes a probability of: the dot product of the mean of all rows
        with the row of the label; with hierarchical softmax the sum of the log-odds of all turns
        on the way to it. So a row adds its own dot product divided by the number of rows.

        Parameters
        ----------
        text : str or bytes
        label : str or bytes, optional
            As predictions name it; by default the most probable one.

        Returns
        -------
        list of Contribution
            In the order of the text, word n-grams last; their scores sum up to that of the label.
            Empty for a text without any known feature.

        Raises
        ------
        InputTypeError, InputValueError, NotANumberError
            As for `predict`, or there is no such label.
        """
        best, _ = self.predict_ids([text], threshold=-1.0)
        target = int(best[0, 0]) if label is None else self._label_id(label)
        if best[0, 0] < 0:
            return []
        direction = np.empty(self._reader.rows.dim, np.float32)
        self._loss.direction(target, direction)
        found = self._reader.features(encode(text))
        rows = np.array([row for _, _, row in found], np.int64)
        return [
            Contribution(_decode(token), _decode(feature), score / len(found))
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
        """Compare predictions with the labels that the lines of a file have.

        The file is read block by block. A line without a label or a feature that the model knows
        does not count, and labels that it does not know are left out.

        Parameters
        ----------
        path : path
            A text file, one example a line, with its labels anywhere among its words.
        k, threshold, threads
            As for `predict`.

        Returns
        -------
        Scores

        Raises
        ------
        FileError
            The file cannot be read (`MissingFileError`: there is none).
        InputTypeError, InputValueError, NotANumberError
            As for `predict`.
        """
        most = self._predictor.max_labels(k)
        vocabulary = self._reader.tokens.vocabulary
        tally = Tally(self._loss.label_count)
        size = min(_TEST_BLOCK, _TEST_NUMBERS // max(most, 1) + 1)
        for lines, ended in read_lines(path_name(path), size):
            (self if ended else self._unended())._count(lines, k, threshold, threads, tally)
        entries = range(vocabulary.word_count, vocabulary.word_count + self._loss.label_count)
        labels = Words(vocabulary, entries)
        return Scores.of(tally.meter(), tally.examples, k, threshold, labels)

    def _unended(self) -> Classifier:
        """Return a classifier that adds no end token to a line."""
        tokens = Tokenizer(self._reader.tokens.vocabulary, self._prefix, ends=False)
        return Classifier(self._reader.with_tokens(tokens), self._loss, self._prefix)

    def _count(
        self, lines: list[bytes], k: int, threshold: float, threads: int | None, tally: Tally
    ) -> None:
        """Predict the labels of those lines that count, and add them to a tally."""
        counts, true_ids = self._reader.tokens.labels(WordBatch(lines, "text"))
        labelled = np.flatnonzero(counts)
        lines, counts = [lines[i] for i in labelled], counts[labelled]
        mask = np.zeros(len(lines), np.uint8)
        label_ids, probabilities = self._predict_ids(lines, k, threshold, threads, known=mask)
        known = mask.astype(bool)
        true_ids = true_ids[np.repeat(known, counts)]
        tally.add(label_ids[known], probabilities[known], counts[known], true_ids)

    def _label_id(self, label: str | bytes) -> int:
        vocabulary = self._reader.tokens.vocabulary
        # The file may hold a label with or without the prefix that is left out of its name.
        for prefix in (self._stripped, b""):
            found = vocabulary.id(prefix + encode(label)) - vocabulary.word_count
            if found >= 0:
                return found
        raise InputValueError(f"{label!r} is no label of this model; see model.labels")


def make_reader(parts: Parts) -> LineReader:
    """Make what turns a line into rows, with the tables that are small enough to be made."""
    vocabulary = parts.vocabulary.get()
    rows = _decoded(parts.input.rows)
    parameters = parts.info.parameters
    # Compared with its sign here, unlike where n-grams are made.
    known_ngrams = parameters.maxn > 0
    tokens = Tokenizer(vocabulary, encode(LABEL_PREFIX))
    reader = LineReader(tokens, parts.subwords, rows, parameters.word_ngrams, known_ngrams)
    if not known_ngrams or not parts.subwords.has_ngrams or vocabulary.word_count * 4 > _TABLE_SIZE:
        return reader
    known_rows = np.empty(_TABLE_SIZE // 4, np.int32)
    starts = np.empty(vocabulary.word_count + 1, np.int64)
    total = reader.take_known(known_rows, starts)
    return reader if total < 0 else reader.with_known(known_rows[:total].copy(), starts)


def make_loss(parts: Parts, label_counts: NDArray[np.int64]) -> Loss:
    """Make the output layer of a supervised model.

    Raises
    ------
    ModelKindError
        The model is of another kind, or its file has no output layer.
    """
    if parts.info.kind != "supervised":
        raise ModelKindError(
            f"this model is {parts.info.kind}: it has no labels to predict; "
            "the model needs to be supervised for prediction"
        )
    if parts.output is None:
        raise ModelKindError("the file of this model has no output layer, which predictions need")
    output = parts.output.rows
    labels = parts.info.label_count
    loss = parts.info.parameters.loss
    if loss == "hs":
        return HierarchicalSoftmax(output, labels, label_counts)
    return Softmax(output, labels) if loss == "softmax" else Sigmoid(output, labels)


def _decoded(rows: Rows) -> Rows:
    """Return product-quantised rows as float32, if they are few."""
    if not isinstance(rows, QuantizedRows) or rows.count * rows.dim * 4 > _TABLE_SIZE:
        return rows
    numbers = np.empty((rows.count, rows.dim), np.float32)
    rows.take(np.arange(rows.count), numbers)
    return _dense(numbers)


def _dense(numbers: NDArray[np.float32]) -> DenseRows:
    return DenseRows(numbers.reshape(-1).view(np.uint8).data, *numbers.shape)


def _chunk(columns: int) -> int:
    return max(1, min(_CHUNK_TEXTS, _CHUNK_NUMBERS // max(columns, 1)))


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
