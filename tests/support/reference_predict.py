"""The slow reference classifier: plain Python over `reference.ReferenceModel`.

It computes the probability of every label; the tests handle k, threshold and ties.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from support.reference import END_OF_SENTENCE, SUPERVISED, fnv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from support.reference import ReferenceModel

SEPARATORS = b" \n\r\t\v\f\0"
SPACES = b" \n\r\t\v\f"
HS, NS, SOFTMAX, OVA = 1, 2, 3, 4
MULTIPLIER = 116049371
BIAS = 1e-5


def split(text: bytes, separators: bytes) -> list[bytes]:
    """Return the non-empty pieces between separators."""
    for separator in separators[1:]:
        text = text.replace(bytes([separator]), separators[:1])
    return [piece for piece in text.split(separators[:1]) if piece]


def line_rows(model: ReferenceModel, text: bytes, prefix: bytes = b"__label__") -> list[int]:
    """Return the rows of a line in a supervised model: of its words, then of its word n-grams."""
    rows: list[int] = []
    hashes: list[int] = []
    for token in [*split(text, SEPARATORS), END_OF_SENTENCE]:
        known = model.word_id(token) >= 0
        # An unknown token is a label if it has the prefix, a known one if the file says so.
        if known or not (token in model.labels or token.startswith(prefix)):
            hashes.append(fnv(token))
            ngrams = model.maxn > 0
            # In a floret model only the first word takes part with its own row.
            if known and not (ngrams and model.hash_count and model.word_id(token)):
                rows.append(model.word_id(token))
            if not known or ngrams:
                rows += [row for _, row in model.ngram_rows(token)]
        if token == END_OF_SENTENCE:
            break
    if model.args["bucket"]:
        rows += word_ngram_rows(model, hashes)
    return rows


def word_ngram_rows(model: ReferenceModel, hashes: list[int]) -> list[int]:
    """Return the rows of all sequences of two tokens or more, by start and length."""
    signed = [h - 2**32 if h >= 2**31 else h for h in hashes]
    found = []
    for i in range(len(signed)):
        h = signed[i]
        for following in signed[i + 1 : i + int(model.args["word_ngrams"])]:
            h = (h * MULTIPLIER + following) % 2**64
            found.append(model.hashed_row(h))
    return [row for row in found if row is not None]


def sentence_vector(model: ReferenceModel, text: bytes) -> NDArray[np.float64]:
    """Return the mean of the rows of a line, or of its word vectors scaled to length 1."""
    if model.args["model"] == SUPERVISED:
        vectors = model.input_matrix[line_rows(model, text)].astype(np.float64)
    else:
        words = [model.vector(word).astype(np.float64) for word in split(text, SPACES)]
        vectors = np.array([word / np.linalg.norm(word) for word in words if word.any()])
    return vectors.mean(axis=0) if len(vectors) else np.zeros(int(model.args["dim"]))


def probabilities(model: ReferenceModel, text: bytes) -> list[tuple[float, float]]:
    """Return for each label the official probability, and the one without the official bias.

    The list is empty if the line has no rows.
    """
    if not line_rows(model, text):
        return []
    hidden = sentence_vector(model, text)
    scores = model.output_matrix.astype(np.float64) @ hidden
    if model.args["loss"] == HS:
        return [path_probability(path, scores) for path in paths(model.label_counts)]
    if model.args["loss"] == SOFTMAX:
        powers = np.exp(scores - scores.max())
        raw = powers / powers.sum()
    else:
        raw = np.array([table_sigmoid(score) for score in scores])
    return [(p + BIAS, p) for p in raw.tolist()]


def table_sigmoid(x: float) -> float:
    """Return the sigmoid at the next lower of 513 points from -8 to 8; 0 or 1 outside."""
    if abs(x) > 8:
        return float(x > 0)
    return sigmoid(math.floor((x + 8) * 32) / 32 - 8)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def path_probability(
    path: list[tuple[int, bool]], scores: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the product along a path of turns, with the bias added at each turn, and without."""
    turns = [sigmoid(scores[row] if right else -scores[row]) for row, right in path]
    return math.prod(turn + BIAS for turn in turns), math.prod(turns)


def paths(counts: list[int]) -> list[list[tuple[int, bool]]]:
    """Return for each label the forks on its path: the row of each, and whether it turns right.

    The two nodes of least count are joined repeatedly. The candidates are the last remaining label
    and the first remaining fork; the label is chosen only if its count is less.
    """
    leaves = list(range(len(counts)))
    forks: list[int] = []
    sums = list(counts)
    found: list[list[tuple[int, bool]]] = [[] for _ in counts]
    below = [[label] for label in leaves]
    for fork in range(len(counts), 2 * len(counts) - 1):
        sums.append(0)
        below.append([])
        for right in (False, True):
            take_leaf = leaves and (not forks or sums[leaves[-1]] < sums[forks[0]])
            node = leaves.pop() if take_leaf else forks.pop(0)
            sums[fork] += sums[node]
            below[fork] += below[node]
            for label in below[node]:
                found[label].append((fork - len(counts), right))
        forks.append(fork)
    return found
