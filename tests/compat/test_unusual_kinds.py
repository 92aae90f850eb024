"""Models that the official package opens as unsupervised ones: of sent2vec, or with labels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.builders import CBOW, NS, SENT2VEC, SENT2VEC_CBOW, SKIPGRAM, build

import fasttext_lite as ftl
import fasttext_lite.compat.fasttext as facade
import fasttext_lite.compat.gensim as gensim_facade

official = pytest.importorskip("fasttext")

WORDS = [b"</s>", b"one", b"two", "naïve".encode(), b"x"]
TEXTS = ["one two", "zz", "", "naïve __label__ one", "</s>"]
KINDS = {
    "sent2vec": {"model": SENT2VEC, "minn": 0, "maxn": 0, "word_ngrams": 2, "loss": NS},
    "sent2vec, version 11": {"model": SENT2VEC, "minn": 0, "maxn": 0, "version": 11},
    "sent2vec, n-grams": {"model": SENT2VEC, "version": 11, "minn": 2},
    "sent2vec, no buckets": {"model": SENT2VEC, "minn": 0, "maxn": 0, "bucket": 0},
    "sent2vec-cbow": {"model": SENT2VEC_CBOW, "minn": 2, "maxn": 4},
    "sent2vec-cbow, version 11": {"model": SENT2VEC_CBOW, "minn": 2, "maxn": 4, "version": 11},
    "skip-gram": {"model": SKIPGRAM, "labels": [b"__label__"]},
    "skip-gram, one bucket": {"model": SKIPGRAM, "labels": [b"__label__"], "bucket": 1},
    "cbow": {"model": CBOW, "labels": [b"__label__", b"__label__a"], "version": 11},
}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def path(kind, tmp_path):
    (tmp_path / "model.bin").write_bytes(build(**{"words": WORDS, "dim": 6} | KINDS[kind]))
    return str(tmp_path / "model.bin")


def bits(array):
    return np.ascontiguousarray(array, np.float32).view(np.uint32)


def words_of(model):
    return [*model.words, *model.labels, "zz", "onetwo", "", "naïve one"]


def test_the_kind_says_what_the_model_is(path, kind):
    info = ftl.load(path).info
    assert info.kind == kind.partition(",")[0]
    assert info.format.startswith("fastText binary, version 1")


def test_vectors_are_equal(path):
    ours, theirs = ftl.load(path), official.load_model(path)
    words = words_of(ours)
    expected = np.array([theirs.get_word_vector(word) for word in words])
    assert_array_equal(bits(ours.vectors(words)), bits(expected))
    expected = np.array([theirs.get_sentence_vector(text) for text in TEXTS])
    assert_allclose(ours.sentence_vectors(TEXTS), expected, rtol=1e-5, atol=1e-6)


def test_words_labels_and_neighbors_are_equal(path):
    ours, theirs = ftl.load(path), official.load_model(path)
    assert list(ours.words) == theirs.words
    for word in ("one", "zz"):
        expected = [(score, name) for score, name in theirs.get_nearest_neighbors(word, 3) if score]
        found = ours.neighbors(word, k=3)[: len(expected)]
        assert [one.word for one in found] == [name for _, name in expected]
        assert_allclose([one.score for one in found], [s for s, _ in expected], atol=1e-5)


def test_the_fasttext_names_answer_like_the_official_package(path):
    ours, theirs = facade.load_model(path), official.load_model(path)
    assert ours.words == theirs.words
    assert ours.labels == theirs.labels
    assert ours.get_labels() == theirs.get_labels()
    assert ours.get_word_id("__label__") == theirs.get_word_id("__label__")
    for word in words_of(ftl.load(path)):
        assert_array_equal(bits(ours[word]), bits(theirs[word]))
        if theirs.f.getArgs().bucket:
            mine, expected = ours.get_subwords(word), theirs.get_subwords(word)
            assert mine[0] == expected[0]
            assert_array_equal(mine[1], expected[1])
    for model in (ours, theirs):
        with pytest.raises(ValueError, match="supervised"):
            model.predict("one")
    assert (
        ours.get_nearest_neighbors("one", k=2)[0][1]
        == (theirs.get_nearest_neighbors("one", k=2)[0][1])
    )


def test_the_gensim_names_open_them(path):
    ours = ftl.load(path)
    vectors = gensim_facade.load_facebook_vectors(path)
    model = gensim_facade.load_facebook_model(path)
    assert vectors.index_to_key == list(ours.words)
    for word in ("one", "x"):
        assert_array_equal(vectors[word], ours[word])
        assert_array_equal(model.wv[word], ours[word])
    assert vectors.most_similar("one", topn=1)[0][0] == ours.neighbors("one", k=1)[0].word


def test_supervised_models_are_refused_by_the_gensim_names(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(build(model=3, labels=[b"__label__a"]))
    for load in (gensim_facade.load_facebook_vectors, gensim_facade.load_facebook_model):
        with pytest.raises(ftl.UnsupportedError, match="supervised"):
            load(path)


def test_what_is_exported_answers_like_the_official_package(path, kind, tmp_path):
    theirs = official.load_model(path)
    words = [word for word in words_of(ftl.load(path)) if not word.startswith("__label__")]
    expected = np.array([theirs.get_word_vector(word) for word in words])
    ftl.convert(path, tmp_path / "compact")
    compact = ftl.load(tmp_path / "compact")
    assert compact.info.kind == kind.partition(",")[0]
    assert_array_equal(bits(compact.vectors(words)), bits(expected))
    ftl.export(path, tmp_path / "target.bin")
    again, official_again = (
        ftl.load(tmp_path / "target.bin"),
        official.load_model(str(tmp_path / "target.bin")),
    )
    assert again.info.kind == kind.partition(",")[0]
    assert_array_equal(bits(again.vectors(words)), bits(expected))
    found = np.array([official_again.get_word_vector(word) for word in words])
    assert_array_equal(bits(found), bits(expected))
    ftl.export(path, tmp_path / "target.vec", precision="exact")
    exported = ftl.load(tmp_path / "target.vec")
    assert_array_equal(bits(exported.word_vectors()), bits(expected[: len(WORDS)]))
