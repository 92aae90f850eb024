"""Evaluations in which every word is treated as unknown."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import SUPERVISED, build

import fasttext_lite as ftl
from fasttext_lite.evaluate.unknown import as_unknown

PAIRS = [
    ("government", "nation", 8.0),
    ("war", "peace", 6.5),
    ("people", "year", 3.0),
    ("country", "zzzgovernmental", 5.0),
    ("world", "war", 4.0),
    ("peaceful", "peace", 9.0),
]


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{a}\t{b}\t{score}\n" for a, b, score in PAIRS))
    return path


def ngrams_only(model, tmp_path):
    """The same n-grams in a file without words, so that each word is unknown."""
    ftl.convert(model, tmp_path / "ngrams", subwords="only")
    return ftl.load(tmp_path / "ngrams")


@pytest.fixture(params=["bin", "compact", "pruned", "fitted"])
def model(request, tmp_path):
    target = tmp_path / "model"
    if request.param == "compact":
        ftl.convert("sample", target)
    elif request.param == "pruned":
        ftl.convert("sample", target, subwords="used", max_words=900)
    elif request.param == "fitted":
        ftl.fit_ngrams("sample", target, buckets=5000, replace=True)
    return ftl.load("sample" if request.param == "bin" else target)


def test_known_words_have_the_vectors_of_their_ngrams(model, tmp_path):
    view = as_unknown(model, np.arange(0, len(model), 7))
    words = list(model.words)[::7]
    assert_array_equal(view.vectors(words), ngrams_only(model, tmp_path).vectors(words))
    # Unknown ones have what they had, and the vocabulary is the same.
    assert_array_equal(view["governmentally"], model["governmentally"])
    assert list(view.words) == list(model.words)
    assert_array_equal(as_unknown(view, np.arange(3)).vectors(words[:1]), view.vectors(words[:1]))


def test_word_similarity(model, pairs, tmp_path):
    stats = pytest.importorskip("scipy.stats")
    found = ftl.evaluate.word_similarity(model, pairs, as_unknown=True)
    alone = ngrams_only(model, tmp_path)
    expected = stats.spearmanr(
        [alone.similarity(a, b) for a, b, _ in PAIRS], [score for *_, score in PAIRS]
    ).statistic
    assert found.rho == pytest.approx(expected)
    assert found.unknown == ftl.evaluate.word_similarity(model, pairs).unknown >= 1
    assert found.left_out == 0


def test_known_only_leaves_out_the_same_pairs(model, pairs):
    found = ftl.evaluate.word_similarity(model, pairs, as_unknown=True, known_only=True)
    assert found.left_out == found.unknown


def test_analogies(model, tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text(": plurals\nwar wars nation nations\nyear years war wars\n")
    found = ftl.evaluate.analogies(model, path, as_unknown=True, max_words=400)
    view = as_unknown(model, np.arange(len(model)))
    expected = ftl.evaluate.analogies(view, path, max_words=400)
    assert found == expected


def test_models_without_ngrams_are_refused(pairs, tmp_path):
    ftl.convert("sample", tmp_path / "words", subwords="none")
    with pytest.raises(ftl.InputValueError, match="as_unknown needs n-grams"):
        ftl.evaluate.word_similarity(ftl.load(tmp_path / "words"), pairs, as_unknown=True)
    (tmp_path / "labels.bin").write_bytes(build(model=SUPERVISED, labels=[b"__label__a"]))
    with pytest.raises(ftl.ModelKindError, match="supervised"):
        ftl.evaluate.word_similarity(ftl.load(tmp_path / "labels.bin"), pairs, as_unknown=True)
