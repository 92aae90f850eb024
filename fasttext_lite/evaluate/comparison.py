"""How far two models are apart."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.evaluate.blocks import Nearest, unit, word_blocks
from fasttext_lite.loading import load
from fasttext_lite.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType

__all__ = ["Comparison", "Cosines", "LabelAgreement", "Overlap", "Side", "compare"]

# Words of one call when the speed is measured, and calls of which the fastest counts.
_TIMED_WORDS = 20_000
_TIMED_CALLS = 3
# Texts that are classified in one call.
_TEXTS = 1024
# Misspellings are drawn until there are enough, or this many times as many.
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
        Vectors of known words, many in one call on all cores; None where the models have no word
        in common.
    """

    path: str
    file_size: int
    words: int
    dim: int
    words_per_second: float | None


@dataclass(frozen=True, slots=True)
class Cosines:
    """Cosines between the vectors that two models give the same words.

    Attributes
    ----------
    words : int
    mean, percentile_1, worst : float
        The mean, the first percentile and the least. Of two vectors of zeros the cosine is 1, of
        one 0.
    worst_word : str
    """

    words: int
    mean: float
    percentile_1: float
    worst: float
    worst_word: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many of the nearest words two models have in common.

    Attributes
    ----------
    words : int
        How many words were asked for.
    k : int
        How many nearest words, among those that both models know.
    mean : float
        The share of them that both name, 0 to 1.
    """

    words: int
    k: int
    mean: float


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """How often two models predict the same label first.

    Attributes
    ----------
    texts : int
    share : float
        0 to 1; that both predict none counts as the same.
    """

    texts: int
    share: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two models are apart.

    Attributes
    ----------
    a, b : Side
    common_words : int
        Words that both know.
    known : Cosines or None
        Of the words that both know; None where there are none or the dimensions differ.
    unknown : Cosines or None
        Of words that neither knows; None also where one makes no vectors for such words.
    neighbors : Overlap or None
        None where the models have less than two words in common, or none was asked for.
    labels : LabelAgreement or None
        None where no text was given.
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
    text: Iterable[str | bytes] | None = None,
    k: int = 10,
    seed: int = 0,
    progress: bool = False,
) -> Comparison:
    """Tell how far two models are apart, for instance one and what it was converted to.

    The words that both know are gone through once, block by block, so that memory stays small
    whatever the models.

    Parameters
    ----------
    a, b : Model, str, bytes or os.PathLike
    words : iterable of str or bytes, optional
        The words whose vectors to compare, known or not. By default all that both know, and
        `sample` misspellings of them that neither knows: one letter dropped, doubled, replaced,
        or swapped with the next.
    sample : int
        For how many words to compare the nearest ones (drawn from the known ones of `words`), and
        how many misspellings to make; 0 leaves both out.
    text : iterable of str or bytes, optional
        Lines to compare the first predicted label of; both models must be supervised.
    k : int
        How many nearest words.
    seed : int
        Of the drawing; the same gives the same words.
    progress : bool
        Show a bar on stderr, if that is a terminal.

    Returns
    -------
    Comparison

    Raises
    ------
    InputTypeError, InputValueError
        `sample`, `k` or `seed` is no such number, or `words` or `text` a single str.
    """
    for name, number, least in (("sample", sample, 0), ("k", k, 1), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, int):
            raise InputTypeError(f"{name} must be int, not {type(number).__name__}")
        if number < least:
            raise InputValueError(f"{name} must be at least {least}, not {number}")
    for name, many in (("words", words), ("text", text)):
        if isinstance(many, (str, bytes)):
            raise InputTypeError(f"{name} must be an iterable of str, not a single one")
    # What can fail early comes before what takes long.
    pair = _Pair(_opened(a, progress), _opened(b, progress), random.Random(seed))  # noqa: S311 - no secret
    chosen = None if words is None else _distinct(words)
    known = None if chosen is None else [word for word in chosen if pair.know(word)]
    labels = None if text is None else _labels(pair.a, pair.b, text)
    asked = pair.draw(sample, known)
    common, cosines, neighbors = pair.go_through(asked, k, known, progress=progress)
    if chosen is None:
        unknown = pair.misspellings(sample)
    else:
        unknown = [word for word in chosen if pair.is_new(word)]
    timed = pair.draw(_TIMED_WORDS, None)
    return Comparison(
        a=_side(pair.a, timed),
        b=_side(pair.b, timed),
        common_words=common,
        known=cosines,
        unknown=pair.cosines(unknown),
        neighbors=neighbors,
        labels=labels,
    )


def _opened(model: Model | PathType, progress: bool) -> Model:
    return model if isinstance(model, Model) else load(model, progress=progress)


def _distinct(words: Iterable[str | bytes]) -> list[str]:
    """List the words as str, each once."""
    return list(
        dict.fromkeys(
            word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else word
            for word in words
        )
    )


class _Pair:
    """Two models and what they have in common."""

    def __init__(self, a: Model, b: Model, source: random.Random) -> None:
        self.a = a
        self.b = b
        self._source = source
        self._same_dim = a.dim == b.dim

    def know(self, word: str) -> bool:
        """Tell whether both know a word."""
        return word in self.a and word in self.b

    def is_new(self, word: str) -> bool:
        """Tell whether neither knows a word and both have a vector for it."""
        return word != "" and all(
            word not in model and model.get(word) is not None for model in (self.a, self.b)
        )

    def draw(self, count: int, among: Sequence[str] | None) -> list[str]:
        """Draw words that both know, each once."""
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
        """Make words that neither knows from words that one of them knows."""
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
        head, own, tail = word[:at], word[at : at + 1], word[at + 1 :]
        return self._source.choice(
            [head + tail, head + own + own + tail, head + letter + tail,
             head + tail[:1] + own + tail[1:]]
        )  # fmt: skip

    def cosines(self, words: Sequence[str]) -> Cosines | None:
        """Compare the vectors of words in one go."""
        gathered = _Gathered()
        if self._same_dim and words:
            gathered.add(words, self.a.vectors(words), self.b.vectors(words))
        return gathered.result()

    def go_through(
        self, asked: Sequence[str], k: int, known: Iterable[str] | None, *, progress: bool
    ) -> tuple[int, Cosines | None, Overlap | None]:
        """Pass once over all common words: count them, compare vectors, find the nearest ones.

        Vectors are compared of the words in `known`, None for all.
        """
        models = self.a, self.b
        queries = [unit(model.vectors(asked)) for model in models]
        nearest = [Nearest(len(asked), k) for _ in models]
        rows = {word: i for i, word in enumerate(asked)}
        wanted = None if known is None else set(known)
        gathered = _Gathered()
        common = 0
        for words, _ in word_blocks(self.a, len(self.a), "common words", progress=progress):
            words = [word for word in words if word in self.b]
            if not words:
                continue
            vectors = [model.vectors(words) for model in models]
            if self._same_dim:
                gathered.add(words, vectors[0], vectors[1], wanted)
            if asked:
                ids = np.arange(common, common + len(words))
                own = [(rows[word], i) for i, word in enumerate(words) if word in rows]
                for found, query, block in zip(nearest, queries, vectors, strict=True):
                    scores = query @ unit(block).T
                    for row, column in own:
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
        return common, gathered.result(), overlap


class _Gathered:
    """Cosines as they come, and the word with the least."""

    def __init__(self) -> None:
        self._cosines: list[NDArray[np.float64]] = []
        self._worst = (np.inf, "")

    def add(
        self,
        words: Sequence[str],
        a: NDArray[np.float32],
        b: NDArray[np.float32],
        wanted: set[str] | None = None,
    ) -> None:
        """Add the words whose vectors these are, or those of them that are wanted."""
        if wanted is not None:
            chosen = [i for i, word in enumerate(words) if word in wanted]
            words, a, b = [words[i] for i in chosen], a[chosen], b[chosen]
        if not words:
            return
        x, y = a.astype(np.float64), b.astype(np.float64)
        dots, own_x, own_y = (np.einsum("ij,ij->i", *both) for both in ((x, y), (x, x), (y, y)))
        # Two vectors of zeros are the same, a single one is like nothing, as is one with NaN.
        cosines = (own_x + own_y == 0).astype(np.float64)
        np.divide(dots, np.sqrt(own_x * own_y), out=cosines, where=own_x * own_y > 0)
        worst = int(np.argmin(cosines))
        self._worst = min(self._worst, (float(cosines[worst]), words[worst]))
        self._cosines.append(cosines)

    def result(self) -> Cosines | None:
        """Sum up; None where nothing was added."""
        if not self._cosines:
            return None
        cosines = np.concatenate(self._cosines)
        return Cosines(
            words=len(cosines),
            mean=float(cosines.mean()),
            percentile_1=float(np.percentile(cosines, 1)),
            worst=self._worst[0],
            worst_word=self._worst[1],
        )


def _labels(a: Model, b: Model, text: Iterable[str | bytes]) -> LabelAgreement:
    texts = same = 0
    lines = iter(text)
    while batch := list(islice(lines, _TEXTS)):
        for one, other in zip(a.predict(batch), b.predict(batch), strict=True):
            same += one.labels == other.labels
        texts += len(batch)
    if not texts:
        raise InputValueError("text holds no lines")
    return LabelAgreement(texts, same / texts)


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
