"""Every query of a model, for tests of damaged files."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

import fasttext_lite as ftl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    Asked: TypeAlias = Sequence[str | bytes]

__all__ = ["LABEL_QUESTIONS", "QUESTIONS", "TEXTS", "WORDS", "ask_everything"]

WORDS: list[str | bytes] = [
    "one",
    b"two",
    "</s>",
    "threes",
    "",
    "o",
    "naïve🙂",
    b"\xff\x80",
    "__label__a",
    "x" * 400,
]
TEXTS: list[str | bytes] = ["one two three", b"\xff __label__a threes", "", "on " * 40]
# Number of words of the model itself to look up as well, and of rows of each word.
_OWN = 20


def ask_everything(
    model: ftl.Model,
    words: Sequence[str | bytes] = WORDS,
    texts: Sequence[str | bytes] = TEXTS,
) -> int:
    """Run every query that reads the bytes of a file, and count the answers.

    A query may raise an error of the package; any other exception is passed on, and an answer of
    the wrong shape fails an assertion.
    """
    answers = 0
    for question in _QUESTIONS:
        with contextlib.suppress(ftl.FastTextLiteError):
            question(model, words, texts)
            answers += 1
    return answers


def _single(model: ftl.Model, words: Asked, texts: Asked) -> None:
    for word in [*words, *model.words[:_OWN], *model.labels[:_OWN]]:
        assert -1 <= model.word_id(word) < len(model)
        assert (word in model) == (model.word_id(word) >= 0)
        vector = model.get(word)
        assert vector is None or vector.shape == (model.dim,)


def _many(model: ftl.Model, words: Asked, texts: Asked) -> None:
    asked = [*words, *model.words, *model.labels[:_OWN]]
    assert model[asked].shape == (len(asked), model.dim)


def _whole(model: ftl.Model, words: Asked, texts: Asked) -> None:
    assert model.word_vectors(threads=1).shape == (len(model), model.dim)


def _subwords(model: ftl.Model, words: Asked, texts: Asked) -> None:
    for word in words:
        for _, row in model.subwords(word)[:_OWN]:
            assert row >= 0
            # A file of vectors has no rows of words.
            if row >= len(model) or not model.holds_vectors:
                assert model.row(row).shape == (model.dim,)
    model.ngrams(words)


def _rows(model: ftl.Model, words: Asked, texts: Asked) -> None:
    for row in (-1, 0, len(model), 2**31, 2**62):
        with contextlib.suppress(ftl.InputValueError):
            model.row(row)


def _listed(model: ftl.Model, words: Asked, texts: Asked) -> None:
    assert len(list(model.words)) == len(model)
    for entries in (model.words, model.labels):
        assert repr(entries)
        if len(entries):
            assert entries[-1:].packed()[1].shape == (2,)
            assert entries.count(entries[0])
            entries[0] in entries  # noqa: B015
    assert model.info.word_count == len(model)
    assert repr(model)


def _counts(model: ftl.Model, words: Asked, texts: Asked) -> None:
    assert model.counts.shape == (len(model),)
    assert model.label_counts.shape == (len(model.labels),)


def _views(model: ftl.Model, words: Asked, texts: Asked) -> None:
    for name in ("input_matrix", "word_matrix", "output_matrix"):
        with contextlib.suppress(ftl.FastTextLiteError):
            # The sum reads every number.
            np.abs(getattr(model, name)).sum()


def _near(model: ftl.Model, words: Asked, texts: Asked) -> None:
    assert len(model.neighbors(words[0], k=3)) <= 3
    model.neighbors(list(words[:3]), k=2**40)
    model.similarity(words[0], words[1])


def _along_the_graph(model: ftl.Model, words: Asked, texts: Asked) -> None:
    vectors = model.vectors(list(words[:3]))
    vectors[~np.isfinite(vectors).all(axis=1)] = 0
    model.neighbors(vectors, k=3, approximate=True)
    # A model this small is searched exactly, so the graph is asked directly.
    for effort in (1, 4, 2**30):
        found = model._neighbors._graph.search(vectors, [[0]] * len(vectors), 5, effort)
        for ids, scores in found:
            assert len(ids) == len(scores) <= 5
            assert ((ids > 0) & (ids < len(model))).all()


def _sentences(model: ftl.Model, words: Asked, texts: Asked) -> None:
    for text in texts:
        assert model.sentence_vector(text).shape == (model.dim,)
    assert model.sentence_vectors(texts).shape == (len(texts), model.dim)


def _labels(model: ftl.Model, words: Asked, texts: Asked) -> None:
    for text in texts:
        labels, probabilities = model.predict(text, k=3)
        assert len(labels) == len(probabilities) <= 3
    assert len(model.predict(texts, k=-1, threshold=0.1)) == len(texts)
    assert len(model.predict(texts, k=1)) == len(texts)


def _explained(model: ftl.Model, words: Asked, texts: Asked) -> None:
    for text in texts[:2]:
        model.explain(text)
    model.explain(texts[0], model.labels[-1] if model.labels else "none")


_QUESTIONS: tuple[Callable[[ftl.Model, Any, Any], None], ...] = (
    _single, _many, _whole, _subwords, _rows, _listed, _counts, _views, _near,
    _along_the_graph, _sentences, _labels, _explained,
)  # fmt: skip
# Only a file with a graph answers `_along_the_graph`.
QUESTIONS = len(_QUESTIONS) - 1
# A model without labels answers all but these.
LABEL_QUESTIONS = 2
