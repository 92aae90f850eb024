"""Precision and recall of predictions over the labelled lines of a file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.labels.predict import Predictor
from fasttext_lite._core.labels.tokens import Tokenizer
from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.arguments import path_name, real
from fasttext_lite.lines import read_blocks
from fasttext_lite.predictions import Prediction, predict_ids
from fasttext_lite.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType

__all__ = ["Meter", "Scores", "Tally", "read_labelled", "score_file"]

# Largest size of a block of a file in bytes, and largest number of predictions for it.
_BLOCK = 1 << 20
_NUMBERS = 1 << 24
# The score of a label that was not predicted.
_MISSED = -1.0
_SEPARATORS = rb" \r\t\v\f\0"
_END = re.compile(rb"(?:^|(?<=[%b]))</s>(?=[%b]|\Z)" % (_SEPARATORS, _SEPARATORS))


class Meter:
    """Comparison of predictions with the true labels, at every score.

    Parameters
    ----------
    label_ids : ndarray
        int32, shape (n,): each predicted label of each text, and each true label that was not
        predicted.
    scores : ndarray
        float32, shape (n,): the probability of the label, at most 1; -1 if it was not predicted.
    is_true : ndarray
        bool, shape (n,): whether the text has the label.
    gold : ndarray
        int64, shape (labels,): number of texts with each label.
    """

    def __init__(
        self,
        label_ids: NDArray[np.int32],
        scores: NDArray[np.float32],
        is_true: NDArray[np.bool_],
        gold: NDArray[np.int64],
    ) -> None:
        self._label_ids = label_ids
        self._scores = scores
        self._is_true = is_true
        named = scores >= 0
        count = len(gold)
        self.gold = gold
        self.predicted = np.bincount(label_ids[named], minlength=count)
        self.hits = np.bincount(label_ids[named & is_true], minlength=count)

    def precision(self) -> NDArray[np.float64]:
        """Return the precision of each label, NaN without predictions: float64, shape (labels,)."""
        return _ratio(self.hits, self.predicted)

    def recall(self) -> NDArray[np.float64]:
        """Return the recall of each label, NaN without texts: float64, shape (labels,)."""
        return _ratio(self.hits, self.gold)

    def f1(self) -> NDArray[np.float64]:
        """Return the F1 score of each label, NaN without either: float64, shape (labels,)."""
        return _ratio(2 * self.hits, self.predicted + self.gold)

    def score_vs_true(
        self, label: int | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the scores of a label, ascending, and whether each text has the label.

        Parameters
        ----------
        label : int, optional
            Id of the label; by default all labels together.

        Returns
        -------
        scores : ndarray
            float32; -1 for each text whose label was not predicted.
        is_true : ndarray
            bool, of the same length.
        """
        scores, true = self._scores, self._is_true
        if label is not None:
            of_label = self._label_ids == label
            scores, true = scores[of_label], true[of_label]
        order = np.lexsort((true, scores))
        return scores[order], true[order]

    def curve(self, label: int | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the precision-recall curve of a label, or of all labels.

        Parameters
        ----------
        label : int, optional
            Id of the label; by default all labels together.

        Returns
        -------
        precision, recall : ndarray
            float64: one point per distinct score, from the highest score down to full recall, then
            the point (1, 0). Recall is NaN if no text has the label. Empty without predictions.
        """
        scores, true = self.score_vs_true(label)
        first = np.searchsorted(scores, 0.0)
        scores, true = scores[first:][::-1], true[first:][::-1]
        if not len(scores):
            return np.empty(0), np.empty(0)
        last_of_score = np.append(scores[1:] != scores[:-1], True)
        hits = np.cumsum(true)[last_of_score]
        predicted = np.flatnonzero(last_of_score) + 1
        gold = int(self.gold.sum() if label is None else self.gold[label])
        stop = int(np.searchsorted(hits, gold)) + 1
        precision = np.append(hits[:stop] / predicted[:stop], 1.0)
        recall = np.append(_ratio(hits[:stop], np.array(gold)), 0.0)
        return precision, recall

    def precision_at_recall(self, recall: float, label: int | None = None) -> float:
        """Return the best precision at which recall is at least `recall`; 0 if it never is."""
        precision, reached = self.curve(label)
        return float(precision[reached >= recall].max(initial=0.0))

    def recall_at_precision(self, precision: float, label: int | None = None) -> float:
        """Return the best recall at which precision is at least `precision`; 0 if it never is."""
        reached, recall = self.curve(label)
        return float(np.nan_to_num(recall[reached >= precision]).max(initial=0.0))


@dataclass(frozen=True, slots=True)
class Scores:
    """The result of a test of a classifier.

    A division by zero gives NaN. Pickles and copies hold no model.

    Attributes
    ----------
    examples : int
        Number of lines with a known label and a known feature; other lines do not count.
    k : int
        Largest number of labels per prediction.
    threshold : float
        Smallest probability of a prediction.
    precision, recall, f1 : float
        Over all predictions and all labels of all lines.
    labels : tuple of str
        The labels of the model, in the order of the arrays.
    label_precision, label_recall, label_f1 : ndarray
        float64, shape (labels,).
    meter : Meter
        The predictions, with their precision-recall curves.
    """

    examples: int
    k: int
    threshold: float
    precision: float
    recall: float
    f1: float
    labels: tuple[str, ...]
    label_precision: NDArray[np.float64] = field(repr=False)
    label_recall: NDArray[np.float64] = field(repr=False)
    label_f1: NDArray[np.float64] = field(repr=False)
    meter: Meter = field(repr=False)

    @classmethod
    def of(
        cls, meter: Meter, examples: int, k: int, threshold: float, labels: tuple[str, ...]
    ) -> Scores:
        """Return the scores of a meter."""
        hits = int(meter.hits.sum())
        precision = _share(hits, int(meter.predicted.sum()))
        recall = _share(hits, int(meter.gold.sum()))
        return cls(
            examples=examples,
            k=k,
            threshold=threshold,
            precision=precision,
            recall=recall,
            f1=_share(2 * precision * recall, precision + recall),
            labels=labels,
            label_precision=meter.precision(),
            label_recall=meter.recall(),
            label_f1=meter.f1(),
            meter=meter,
        )


class Tally:
    """Collects predictions and true labels, block by block.

    Parameters
    ----------
    label_count : int
    """

    def __init__(self, label_count: int) -> None:
        self._gold = np.zeros(label_count, np.int64)
        self._blocks: list[tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.bool_]]] = []
        self.examples = 0

    def add(
        self,
        label_ids: NDArray[np.int32],
        probabilities: NDArray[np.float32],
        true_counts: NDArray[np.int64],
        true_ids: NDArray[np.int32],
    ) -> None:
        """Add some texts.

        Parameters
        ----------
        label_ids, probabilities : ndarray
            int32 and float32, shape (n, k): the predictions, padded with -1.
        true_counts : ndarray
            int64, shape (n,): number of true labels of each text.
        true_ids : ndarray
            int32, shape (labels of all texts,): the true labels of the texts, concatenated.
        """
        self.examples += len(label_ids)
        self._gold += np.bincount(true_ids, minlength=len(self._gold))
        given = label_ids >= 0
        texts = np.arange(len(label_ids), dtype=np.int64)
        # Combine text and label into one number, to intersect the lists of all texts at once.
        predicted = np.repeat(texts, given.sum(axis=1)) * len(self._gold) + label_ids[given]
        true = np.repeat(texts, true_counts) * len(self._gold) + true_ids
        missed = true_ids[~np.isin(true, predicted)]
        self._blocks.append(
            (
                np.concatenate([label_ids[given], missed]),
                np.concatenate(
                    [
                        np.minimum(probabilities[given], np.float32(1)),
                        np.full(len(missed), _MISSED, np.float32),
                    ]
                ),
                np.concatenate([np.isin(predicted, true), np.ones(len(missed), bool)]),
            )
        )

    def meter(self) -> Meter:
        """Return a meter of all texts."""
        label_ids = [block[0] for block in self._blocks]
        scores = [block[1] for block in self._blocks]
        is_true = [block[2] for block in self._blocks]
        return Meter(
            np.concatenate([np.empty(0, np.int32), *label_ids]),
            np.concatenate([np.empty(0, np.float32), *scores]),
            np.concatenate([np.empty(0, bool), *is_true]),
            self._gold,
        )


def score_file(
    predictor: Predictor[Prediction],
    path: PathType,
    k: int,
    threshold: float,
    threads: int | None,
) -> Scores:
    """Compare predictions with the labels in the lines of a file: see `Classifier.test`."""
    reader, loss = predictor.reader, predictor.loss
    vocabulary = reader.tokens.vocabulary
    threshold = real("threshold", threshold)
    columns = max(predictor.max_labels(k), 1)
    tally = Tally(loss.label_count)
    for lines, ended in read_labelled(path_name(path), min(_BLOCK, _NUMBERS // columns + 1)):
        if not ended:
            # The official program adds no end token to such a line.
            tokens = Tokenizer(vocabulary, reader.tokens.label_prefix, ends=False)
            predictor = Predictor(reader.with_tokens(tokens), loss, Prediction, 0)
        true_counts, true_ids = reader.tokens.labels(WordBatch(lines, "text"))
        labelled = np.flatnonzero(true_counts)
        texts, true_counts = [lines[i] for i in labelled], true_counts[labelled]
        mask = np.zeros(len(texts), np.uint8)
        label_ids, probabilities = predict_ids(
            predictor, texts, k, threshold, official_bias=True, threads=threads, known=mask
        )
        known = mask.astype(bool)
        true_ids = true_ids[np.repeat(known, true_counts)]
        tally.add(label_ids[known], probabilities[known], true_counts[known], true_ids)
    labels = Words(lambda: vocabulary, range(vocabulary.word_count, len(vocabulary)))
    return Scores.of(tally.meter(), tally.examples, int(k), threshold, tuple(labels))


def read_labelled(path: str, size: int) -> Iterator[tuple[list[bytes], bool]]:
    """Read the lines of a text file as the official program does.

    A token ``</s>`` ends a line as a newline does.

    Parameters
    ----------
    path : str
    size : int
        Approximate number of bytes per block.

    Yields
    ------
    lines : list of bytes
        The lines without the newline or token that ends them.
    ended : bool
        False for a last line without such an end.

    Raises
    ------
    FileError
        The file cannot be read (`MissingFileError`: it does not exist).
    """
    for block, ended in read_blocks(path, size):
        lines = [part for line in block for part in _split(line)]
        if ended:
            yield lines, True
            continue
        last = lines.pop()
        if lines:
            yield lines, True
        if last:
            yield [last], False


def _split(line: bytes) -> list[bytes]:
    return _END.split(line) if b"</s>" in line else [line]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """Divide; division by zero gives NaN."""
    result = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=result, where=whole != 0)
    return result
