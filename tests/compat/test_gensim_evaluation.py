"""Evaluation compared with gensim, on the sample model, and with SciPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fasttext_lite as ftl
from fasttext_lite.evaluate.pairs import spearman

if TYPE_CHECKING:
    from pathlib import Path

keyedvectors = pytest.importorskip("gensim.models.keyedvectors")
gensim_test = pytest.importorskip("gensim.test.utils")
stats = pytest.importorskip("scipy.stats")


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> ftl.Model:
    """Return the vectors of the sample model, read from a file that gensim wrote."""
    sample = ftl.load("sample")
    words = list(sample.words)
    vectors = keyedvectors.KeyedVectors(sample.dim)
    vectors.add_vectors(words, sample[words])
    path = tmp_path_factory.mktemp("vectors") / "sample.vec"
    vectors.save_word2vec_format(str(path), write_header=True)
    return ftl.load(path)


@pytest.fixture(scope="module")
def theirs(ours: ftl.Model) -> Any:
    return keyedvectors.KeyedVectors.load_word2vec_format(ours.info.path)


@pytest.mark.parametrize("name", ["wordsim353.tsv", "simlex999.txt"])
def test_word_pairs_correlate_as_in_gensim(ours: ftl.Model, theirs: Any, name: str) -> None:
    path = gensim_test.datapath(name)
    _, correlation, unknown = theirs.evaluate_word_pairs(path, case_insensitive=False)
    result = ftl.evaluate.word_similarity(ours, path)
    assert result.rho == pytest.approx(correlation[0], abs=1e-4)
    assert 100 * result.unknown / result.pairs == pytest.approx(unknown)
    # The sample model has n-grams, so no pair is left out.
    whole = ftl.evaluate.word_similarity(ftl.load("sample"), path)
    assert (whole.pairs, whole.unknown, whole.left_out) == (result.pairs, result.unknown, 0)
    known = ftl.evaluate.word_similarity(ftl.load("sample"), path, known_only=True)
    assert known.rho == pytest.approx(result.rho)


@pytest.mark.parametrize("restrict_vocab", [300_000, 2000])
def test_analogies_are_answered_as_in_gensim(
    ours: ftl.Model, theirs: Any, tmp_path: Path, restrict_vocab: int
) -> None:
    with open(gensim_test.datapath("questions-words.txt"), "rb") as file:  # noqa: PTH123
        lines = file.read().splitlines(keepends=True)
    path = tmp_path / "questions.txt"
    # Every fourth question, since gensim is slow: it computes one at a time.
    path.write_bytes(
        b"".join(line for i, line in enumerate(lines) if line[:1] == b":" or i % 4 == 0)
    )
    score, sections = theirs.evaluate_word_analogies(
        str(path), restrict_vocab=restrict_vocab, case_insensitive=False
    )
    result = ftl.evaluate.analogies(ours, path, max_words=restrict_vocab, known_only=True)
    found = [(part.name, part.correct, part.asked) for part in result.sections]
    assert found == [
        (part["section"], len(part["correct"]), len(part["correct"]) + len(part["incorrect"]))
        for part in sections[:-1]
    ]
    assert result.total.accuracy == pytest.approx(score)
    assert result.total.asked > 50


@given(
    st.lists(
        st.tuples(st.integers(-5, 5).map(float), st.integers(-5, 5).map(float)),
        min_size=2,
        max_size=40,
    )
)
def test_spearman_is_that_of_scipy(points: list[tuple[float, float]]) -> None:
    a, b = np.array(points).T
    ours = spearman(a, b)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert ours is None
    else:
        assert ours == pytest.approx(stats.spearmanr(a, b).statistic)


@pytest.mark.parametrize("restrict", [None, 500])
def test_neighbors_and_analogies_are_those_of_gensim(
    ours: ftl.Model, theirs: Any, restrict: int | None
) -> None:
    def compare(found: list[Any], expected: list[tuple[str, float]]) -> None:
        assert [near.score for near in found] == pytest.approx([x for _, x in expected], abs=1e-5)
        clear = {word for word, score in expected if score > expected[-1][1] + 1e-5}
        assert clear <= {near.word for near in found}

    words = list(ours.words[10:2000:100])
    answers = ours.neighbors(words, k=10, max_words=restrict)
    for word, found in zip(words, answers, strict=True):
        compare(found, theirs.most_similar(word, topn=10, restrict_vocab=restrict))
    triple = ("paris", "berlin", "germany")
    expected = theirs.most_similar(
        ["paris", "germany"], ["berlin"], topn=10, restrict_vocab=restrict
    )
    compare(ours.analogies(*triple, max_words=restrict), expected)
