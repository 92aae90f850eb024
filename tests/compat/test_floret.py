"""Comparison with the floret package on every kind of file that it writes."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.builders import HS, NS, OVA, SUPERVISED, Quantizer, build
from support.text import unknown_words

import fasttext_lite as ftl

floret = pytest.importorskip("floret")

WORDS = ["</s>", "one", "two", "naïve", "日本語", "x"]
TEXTS = ["one two", "", "naïve zz  one", "zz", "</s> one", "one </s> two"]
UNKNOWN = [word for word in unknown_words()[:300] if len(word) < 200]
UNKNOWN += ["", "<", "one two", "日" * 40]
LABELS = [b"__label__a", b"__label__b", b"__label__c"]
CLASSIFIER = {"model": SUPERVISED, "labels": LABELS}
KINDS: dict[str, dict[str, Any]] = {
    "one hash": {"floret": (2, 1)},
    "two hashes": {"floret": (2, 2), "minn": 1, "maxn": 2},
    "three hashes": {"floret": (2, 3), "dim": 33, "bucket": 997},
    "four hashes": {"floret": (2, 4), "minn": 2, "maxn": 40},
    "whole words only": {"floret": (2, 2), "minn": 0, "maxn": 0},
    "negative minn": {"floret": (2, 2), "minn": -1},
    "negative maxn": {"floret": (2, 1), "maxn": -1},
    "version 11": {"floret": (2, 2), "version": 11},
    "the end token is not the first": {"floret": (2, 2), "words": ["one", "two", "</s>", "x"]},
    "hashes of fastText": {"floret": (1, 1)},
    "hashes of fastText, many": {"floret": (1, 3), "minn": 1, "maxn": 4},
    "an unsupervised model with a label": {"floret": (2, 2), "labels": LABELS[:1]},
    "softmax": CLASSIFIER | {"floret": (2, 2), "word_ngrams": 2},
    "hierarchical softmax": CLASSIFIER | {"floret": (2, 3), "loss": HS, "minn": 0, "maxn": 0},
    "negative sampling": CLASSIFIER | {"floret": (2, 1), "loss": NS, "word_ngrams": 3},
    "one-vs-all, version 11": CLASSIFIER | {"floret": (2, 4), "loss": OVA, "version": 11},
    "supervised, hashes of fastText": CLASSIFIER | {"floret": (1, 1), "word_ngrams": 2},
    "supervised, the end token is not the first": CLASSIFIER
    | {"floret": (2, 2), "words": ["one", "</s>", "two"]},
    "quantised": CLASSIFIER | {"floret": (2, 2), "input_quantizer": Quantizer(dsub=2)},
    "pruned": CLASSIFIER
    | {"floret": (2, 3), "input_quantizer": Quantizer(qnorm=True), "bucket": 50}
    | {"prune": [(3, 0), (17, 2), (20, 3), (41, 1)]},
}


@pytest.fixture(params=KINDS)
def both(request, tmp_path):
    """Return the model under both packages."""
    options = {"words": WORDS} | KINDS[request.param]
    options["words"] = [word.encode() for word in options["words"]]
    path = tmp_path / "model.bin"
    path.write_bytes(build(**options))
    yield ftl.load(path), floret.load_model(str(path))
    gc.collect()


def bits(array):
    return np.ascontiguousarray(array, np.float32).view(np.uint32)


def words_of(model):
    return [*model.words, *model.labels, *UNKNOWN]


def assert_same(ours, theirs, *, exact):
    if exact:
        assert_array_equal(bits(ours), bits(theirs))
    else:
        assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_vectors_are_equal(both):
    ours, theirs = both
    words = words_of(ours)
    expected = np.array([theirs.get_word_vector(word) for word in words])
    exact = not ours.info.quantized_input
    assert_same(ours.vectors(words), expected, exact=exact)
    assert_same([ours[word] for word in words], expected, exact=exact)


def test_the_rows_of_a_word_have_its_vector_as_their_mean(both):
    ours, theirs = both
    for word in words_of(ours)[:40]:
        rows = [theirs.get_input_vector(row) for _, row in ours.subwords(word)]
        if rows:
            assert_allclose(np.mean(rows, 0), theirs.get_word_vector(word), atol=1e-5)


def test_sentence_vectors_are_equal(both):
    ours, theirs = both
    expected = np.array([theirs.get_sentence_vector(text) for text in TEXTS])
    assert_allclose(ours.sentence_vectors(TEXTS), expected, rtol=1e-5, atol=1e-6)


def test_neighbors_are_equal(both):
    ours, theirs = both
    for word in [*ours.words[:3], "unknown"]:
        expected = theirs.get_nearest_neighbors(word, 4)
        # The official package lists words of vectors of zeros by their order in a heap.
        expected = [(score, name) for score, name in expected if score]
        found = [one for one in ours.neighbors(word, k=4) if one.score][: len(expected)]
        assert_allclose([one.score for one in found], [s for s, _ in expected], atol=1e-5)
        assert [one.word for one in found] == [name for _, name in expected]


def test_predictions_are_equal(both):
    ours, theirs = both
    if ours.info.kind != "supervised":
        with pytest.raises(ftl.ModelKindError):
            ours.predict("one")
        return
    for text in TEXTS:
        expected = theirs.f.predict(text + "\n", 3, 0.0, "strict")
        labels, probabilities = ours.predict(text, k=3)
        assert list(labels) == [label for _, label in expected]
        assert_allclose(probabilities, [p for p, _ in expected], rtol=1e-4, atol=2e-5)


def test_a_compact_file_answers_alike(both, tmp_path):
    ours, _ = both
    ftl.convert(ours, tmp_path / "compact")
    compact = ftl.load(tmp_path / "compact")
    words = [word for word in words_of(ours) if word not in ours.labels]
    assert_array_equal(bits(compact.vectors(words)), bits(ours.vectors(words)))
    assert_array_equal(bits(compact.sentence_vectors(TEXTS)), bits(ours.sentence_vectors(TEXTS)))
    if ours.info.kind == "supervised":
        for text in TEXTS:
            expected = ours.predict(text, k=3)
            found = compact.predict(text, k=3)
            assert found.labels == expected.labels
            assert_array_equal(found.probabilities, expected.probabilities)


@pytest.mark.parametrize("number_format", ["vec", "word2vec", "npy"])
def test_vectors_are_exported(both, tmp_path, number_format):
    ours, _ = both
    options = {"precision": "exact"} if number_format == "vec" else {}
    if any(word == "" for word in ours.words):
        return
    target = tmp_path / ("target.npy" if number_format == "npy" else "target.vec")
    ftl.export(ours, target, number_format, **options)
    if number_format == "npy":
        assert_array_equal(bits(np.load(target)), bits(ours.word_vectors()))
    else:
        assert_array_equal(bits(ftl.load(target).word_vectors()), bits(ours.word_vectors()))


@pytest.mark.parametrize("suffix", [".bin", ".ftz"])
def test_the_official_format_has_no_place_for_the_hashes(both, tmp_path, suffix):
    ours, _ = both
    if ours.info.parameters.hash_count:
        with pytest.raises(ftl.InputValueError, match="hashes of floret"):
            ftl.export(ours, tmp_path / f"target{suffix}")
    elif suffix == ".bin":
        ftl.export(ours, tmp_path / "target.bin")
        words = words_of(ours)
        exported = ftl.load(tmp_path / "target.bin")
        assert exported.info.format == "fastText binary, version 12"
        assert_array_equal(bits(exported.vectors(words)), bits(ours.vectors(words)))


def test_a_trained_model_and_its_table_answer_like_floret(tmp_path):
    source = tmp_path / "text"
    source.write_text("one two naïve x\n日本語 two two one\n" * 50, encoding="utf-8")
    theirs = floret.train_unsupervised(
        str(source), mode="floret", hashCount=2, minn=2, maxn=3, bucket=300, dim=7, minCount=1,
        epoch=1, thread=1, verbose=0,
    )  # fmt: skip
    theirs.save_model(str(tmp_path / "model.bin"))
    theirs.save_floret_vectors(str(tmp_path / "model.floret"))
    ours, table = ftl.load(tmp_path / "model.bin"), ftl.load(tmp_path / "model.floret")
    assert ours.info.format == "floret binary, version 12"
    assert ours.info.kind == "skip-gram"
    assert list(ours.words) == theirs.get_words()
    words = [*ours.words, *UNKNOWN]
    expected = np.array([theirs.get_word_vector(word) for word in words])
    assert_array_equal(bits(ours.vectors(words)), bits(expected))
    # The table holds five digits, and no row of the first word.
    words = words[1:]
    assert_allclose(table.vectors(words), expected[1:], atol=1e-4)


def test_a_table_answers_like_the_model_with_the_same_rows(tmp_path):
    rows = np.random.default_rng(1).standard_normal((40, 5)).astype(np.float32)
    for count, minn, maxn in ((1, 3, 6), (2, 1, 1), (3, 0, 0), (4, 2, 9)):
        matrix = np.concatenate([np.zeros((1, 5), np.float32), rows])
        (tmp_path / "model.bin").write_bytes(
            build(words=[b"</s>"], bucket=40, dim=5, floret=(2, count), minn=minn, maxn=maxn,
                  input_matrix=matrix)
        )  # fmt: skip
        lines = [f"40 5 {minn} {maxn} {count} 2166136261 < >"]
        lines += [f"{i} " + " ".join(map(repr, row.tolist())) + " " for i, row in enumerate(rows)]
        (tmp_path / "table.floret").write_text("\n".join(lines) + "\n")
        theirs = floret.load_model(str(tmp_path / "model.bin"))
        table = ftl.load(tmp_path / "table.floret")
        expected = np.array([theirs.get_word_vector(word) for word in UNKNOWN])
        assert_array_equal(bits(table.vectors(UNKNOWN)), bits(expected))
        expected = np.array([theirs.get_sentence_vector(text) for text in TEXTS])
        assert_allclose(table.sentence_vectors(TEXTS), expected, rtol=1e-5, atol=1e-6)


def test_a_quantised_model_of_floret_is_read(tmp_path):
    source = tmp_path / "text"
    lines = [f"__label__{'abc'[i % 3]} word{i % 17} other{i % 3} naïve\n" for i in range(600)]
    source.write_text("".join(lines), encoding="utf-8")
    theirs = floret.train_supervised(
        str(source), mode="floret", hashCount=2, minn=2, maxn=4, bucket=2000, dim=8, thread=1,
        verbose=0, wordNgrams=2,
    )  # fmt: skip
    theirs.quantize(cutoff=500, qnorm=True)
    theirs.save_model(str(tmp_path / "model.ftz"))
    ours = ftl.load(tmp_path / "model.ftz")
    assert ours.info.pruned
    for text in ("word3 other1", "naïve new", "", "word16"):
        expected = theirs.f.predict(text + "\n", 3, 0.0, "strict")
        labels, probabilities = ours.predict(text, k=3)
        assert list(labels) == [label for _, label in expected]
        assert_allclose(probabilities, [p for p, _ in expected], rtol=1e-4, atol=2e-5)
