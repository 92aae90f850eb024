"""Comparison of two models."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.arguments import decode, flag, whole
from fasttext_lite.cosines import Cosines, CosineSummary, cosines, unit
from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.evaluate.blocks import Nearest, word_blocks
from fasttext_lite.loading import load
from fasttext_lite.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType

__all__ = ["Comparison", "LabelAgreement", "Overlap", "Side", "compare"]

# Words per timed call, and number of calls; the fastest one counts.
_TIMED_WORDS = 20_000
_TIMED_CALLS = 3
# Texts per call of predict.
_TEXTS = 1024
# Attempts to draw a misspelling, per requested misspelling.
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Side:
    """One of the models.

    Attributes
    ----------
    path : str
    file_size : int
        In bytes.
    words, dim : int
    words_per_second : float or None
        Speed of `Model.vectors` for many known words on all cores; None if the models share no
        word.
    """

    path: str
    file_size: int
    words: int
    dim: int
    words_per_second: float | None


@dataclass(frozen=True, slots=True)
class Overlap:
    """The share of nearest words that two models have in common.

    Attributes
    ----------
    words : int
        Number of queries.
    k : int
        Number of nearest words per query, among the words that both models know.
    mean : float
        Mean share of the nearest words that both models return, 0 to 1.
    """

    words: int
    k: int
    mean: float


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """The share of texts for which two models predict the same first label.

    Attributes
    ----------
    texts : int
    share : float
        0 to 1. Two models that both predict no label agree.
    """

    texts: int
    share: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences between two models.

    Attributes
    ----------
    a, b : Side
    common_words : int
        Number of words that both models know.
    known : Cosines or None
        Cosines between the vectors of words that both models know; None if there are no such words
        or the dimensions differ.
    unknown : Cosines or None
        Cosines for words that neither model knows; None also if a model has no vectors for such
        words.
    neighbors : Overlap or None
        None if the models share fewer than two words, or with ``sample=0``.
    labels : LabelAgreement or None
        None without texts.
    """

    a: Side
    b: Side
    common_words: int
    known: Cosines | None
    unknown: Cosines | None
    neighbors: Overlap | None
    labels: LabelAgreement | None


def compare(
    a: Model | PathType,
    b: Model | PathType,
    *,
    words: Iterable[str | bytes] | None = None,
    sample: int = 1000,
    texts: Iterable[str | bytes] | None = None,
    k: int = 10,
    seed: int = 0,
    progress: bool = False,
) -> Comparison:
    """Compare two models, for instance a model and its conversion.

    The words that both models know are read once, block by block, so memory does not grow with
    the models.

    Parameters
    ----------
    a, b : Model, str, bytes or os.PathLike
    words : iterable of str or bytes, optional
        The words whose vectors to compare, known or not. By default all words that both models
        know, and `sample` misspellings that neither knows: one letter is dropped, doubled,
        replaced, or swapped with the next.
    sample : int
        Number of words whose nearest words to compare, drawn from the known words of `words`, and
        number of misspellings; 0 skips both.
    texts : iterable of str or bytes, optional
        Texts for which to compare the first predicted label. Both models must be supervised.
    k : int
        Number of nearest words per query.
    seed : int
        Seed of the random choices.
    progress : bool
        Show a progress bar on stderr, if stderr is a terminal.

    Returns
    -------
    Comparison

    Raises
    ------
    InputTypeError, InputValueError
        `sample`, `k` or `seed` is not an int or is too small, or `words` or `texts` is a single
        str.
    """
    sample = whole("sample", sample, least=0)
    k, seed = whole("k", k, least=1), whole("seed", seed, least=0)
    progress = flag("progress", progress)
    for name, many in (("words", words), ("texts", texts)):
        if isinstance(many, (str, bytes)):
            raise InputTypeError(f"{name} must be an iterable of str, not a single one")
    # Steps that may raise come before the slow ones.
    pair = _Pair(_opened(a, progress), _opened(b, progress), random.Random(seed))  # noqa: S311 - no secret
    chosen = None if words is None else _distinct(words)
    known = None if chosen is None else [word for word in chosen if pair.know(word)]
    labels = None if texts is None else _labels(pair.a, pair.b, texts)
    asked = pair.draw(sample, known)
    common, found, neighbors = pair.compare_known(asked, k, known, progress=progress)
    if chosen is None:
        unknown = pair.misspellings(sample)
    else:
        unknown = [word for word in chosen if pair.is_new(word)]
    timed = pair.draw(_TIMED_WORDS, None)
    return Comparison(
        a=_side(pair.a, timed),
        b=_side(pair.b, timed),
        common_words=common,
        known=found,
        unknown=pair.compare_vectors(unknown),
        neighbors=neighbors,
        labels=labels,
    )


def _opened(model: Model | PathType, progress: bool) -> Model:
    return model if isinstance(model, Model) else load(model, progress=progress)


def _distinct(words: Iterable[str | bytes]) -> list[str]:
    """Return the distinct words as str."""
    return list(dict.fromkeys(decode(word) if isinstance(word, bytes) else word for word in words))


class _Pair:
    """Two models, and operations on the words that they share."""

    def __init__(self, a: Model, b: Model, source: random.Random) -> None:
        self.a = a
        self.b = b
        self._source = source
        self._same_dim = a.dim == b.dim

    def know(self, word: str) -> bool:
        """Return whether both models know a word."""
        return word in self.a and word in self.b

    def is_new(self, word: str) -> bool:
        """Return whether neither model knows a word but both have a vector for it."""
        return word != "" and all(
            word not in model and model.get(word) is not None for model in (self.a, self.b)
        )

    def draw(self, count: int, among: Sequence[str] | None) -> list[str]:
        """Draw distinct words that both models know."""
        if among is not None:
            return self._source.sample(among, min(count, len(among)))
        words, drawn = self.a.words, dict[str, None]()
        for i in np.random.default_rng(self._source.getrandbits(64)).permutation(len(words)):
            if len(drawn) >= count:
                break
            word = words[int(i)]
            if self.know(word):
                drawn[word] = None
        return list(drawn)

    def misspellings(self, count: int) -> list[str]:
        """Generate words that neither model knows from words that one of them knows."""
        words = self.a.words or self.b.words
        made: dict[str, None] = {}
        for _ in range(_ATTEMPTS * count if words else 0):
            word = self._misspelled(words[self._source.randrange(len(words))])
            if self.is_new(word):
                made[word] = None
            if len(made) == count:
                break
        return list(made)

    def _misspelled(self, word: str) -> str:
        at = self._source.randrange(len(word) or 1)
        letter = chr(self._source.randrange(ord("a"), ord("z") + 1))
        head, old, tail = word[:at], word[at : at + 1], word[at + 1 :]
        return self._source.choice(
            [head + tail, head + old + old + tail, head + letter + tail,
             head + tail[:1] + old + tail[1:]]
        )  # fmt: skip

    def compare_vectors(self, words: Sequence[str]) -> Cosines | None:
        """Compare the vectors of words."""
        summary = CosineSummary()
        if self._same_dim and words:
            _add(summary, words, self.a.vectors(words), self.b.vectors(words))
        return summary.result()

    def compare_known(
        self, asked: Sequence[str], k: int, known: Iterable[str] | None, *, progress: bool
    ) -> tuple[int, Cosines | None, Overlap | None]:
        """Count the common words, compare their vectors, and compare the neighbors of `asked`.

        Only the vectors of the words in `known` are compared, or of all words if it is None.
        """
        models = self.a, self.b
        queries = [unit(model.vectors(asked)) for model in models]
        nearest = [Nearest(len(asked), k) for _ in models]
        rows = {word: i for i, word in enumerate(asked)}
        wanted = None if known is None else set(known)
        summary = CosineSummary()
        common = 0
        for words, _ in word_blocks(self.a, len(self.a), "common words", progress=progress):
            words = [word for word in words if word in self.b]
            if not words:
                continue
            vectors = [model.vectors(words) for model in models]
            if self._same_dim:
                _add(summary, words, vectors[0], vectors[1], wanted)
            if asked:
                ids = np.arange(common, common + len(words), dtype=np.int64)
                themselves = [(rows[word], i) for i, word in enumerate(words) if word in rows]
                for found, query, block in zip(nearest, queries, vectors, strict=True):
                    scores = query @ unit(block).T
                    for row, column in themselves:
                        scores[row, column] = -np.inf
                    found.add(scores, ids)
            common += len(words)
        most = min(k, common - 1)
        overlap = None
        if asked and most > 0:
            same = [
                len(np.intersect1d(one[one >= 0], other[other >= 0]))
                for one, other in zip(nearest[0].ids, nearest[1].ids, strict=True)
            ]
            overlap = Overlap(len(asked), most, float(np.mean(same)) / most)
        return common, summary.result(), overlap


def _add(
    summary: CosineSummary,
    words: Sequence[str],
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    wanted: set[str] | None = None,
) -> None:
    """Add the cosines of words, or of those in `wanted`."""
    if wanted is not None:
        chosen = [i for i, word in enumerate(words) if word in wanted]
        words, a, b = [words[i] for i in chosen], a[chosen], b[chosen]
    found = cosines(a, b)
    # Vectors with NaN or infinite numbers have no cosine: count them as 0.
    found[np.isnan(found)] = 0
    summary.add(found, words.__getitem__)


def _labels(a: Model, b: Model, texts: Iterable[str | bytes]) -> LabelAgreement:
    count = same = 0
    left = iter(texts)
    while batch := list(islice(left, _TEXTS)):
        for one, other in zip(a.predict(batch), b.predict(batch), strict=True):
            same += one.labels == other.labels
        count += len(batch)
    if not count:
        raise InputValueError("texts is empty: pass texts to compare their labels, or None")
    return LabelAgreement(count, same / count)


def _side(model: Model, words: Sequence[str]) -> Side:
    seconds = []
    for _ in range(_TIMED_CALLS if words else 0):
        start = time.perf_counter()
        model.vectors(words)
        seconds.append(time.perf_counter() - start)
    return Side(
        path=model.info.path,
        file_size=model.info.file_size,
        words=len(model),
        dim=model.dim,
        words_per_second=len(words) / max(min(seconds), 1e-9) if seconds else None,
    )
