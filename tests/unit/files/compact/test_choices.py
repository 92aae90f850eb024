"""The words, n-grams and dimensions that a compact file keeps."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import GOLDEN, reference
from support.compact_kinds import LABELS, UNKNOWN, bits
from support.plain_reader import PlainReader

import fasttext_lite as ftl


def test_max_words_keeps_the_first(convert):
    original = ftl.load("sample")
    report, model = convert("sample", max_words=500)
    assert list(model.words) == list(original.words[:500])
    assert_array_equal(model.counts, original.counts[:500])
    kept = [*model.words, *(word for word in UNKNOWN if word not in original)]
    assert_array_equal(bits(model[kept]), bits(original[kept]))
    assert (report.word_count, report.source_word_count) == (500, len(original))
    dropped = original.words[600]
    assert dropped not in model
    rows = [row for _, row in original.subwords(dropped)[1:]]
    assert_allclose(model[dropped], original.input_matrix[rows].mean(axis=0), rtol=1e-5)


def test_max_words_beyond_the_vocabulary_keeps_all(source, convert):
    report, model = convert(source(), max_words=1000)
    assert report.word_count == len(model) == 4


def test_min_count_keeps_the_frequent(convert):
    original = ftl.load("sample")
    least = int(original.counts[700])
    _, model = convert("sample", min_count=least)
    frequent = np.flatnonzero(original.counts >= least)
    assert list(model.words) == [original.words[i] for i in frequent]
    assert model.counts.min() == least
    assert_array_equal(bits(model[list(model.words)]), bits(original[list(model.words)]))


def test_the_words_of_a_list_are_kept_in_the_order_of_the_source(convert, tmp_path):
    original = ftl.load("sample")
    listed = ["king", "queen", b"the", "king"]
    expected = sorted({"king", "queen", "the"}, key=original.word_id)
    path = tmp_path / "words.txt"
    path.write_bytes(b"king\r\nqueen\n\nthe\nking")
    for words in (listed, tuple(listed), iter(listed), path, str(path), bytes(path)):
        _, model = convert("sample", words=words)
        assert list(model.words) == expected
        assert_array_equal(bits(model[expected]), bits(original[expected]))


def test_words_that_are_no_utf_8_come_from_a_list_or_a_file(source, convert, tmp_path):
    path = source("no UTF-8")
    (tmp_path / "words.txt").write_bytes(b"caf\xe9\n\xff\xfe\n")
    for words in ([b"caf\xe9", "\udcff\udcfe"], tmp_path / "words.txt"):
        _, model = convert(path, words=words)
        assert list(model.words) == ["\udcff\udcfe", "caf\udce9"]


def test_choices_add_up(convert):
    original = ftl.load("sample")
    chosen = [original.words[i] for i in (3, 5, 900, 2000)]
    _, model = convert("sample", words=chosen, max_words=1500, min_count=int(original.counts[5]))
    assert list(model.words) == chosen[:2]


def test_used_subwords_are_those_of_the_kept_words(convert):
    original = ftl.load("sample")
    report, model = convert("sample", max_words=50, subwords="used")
    used = sorted({row for _, row in original.ngrams(model.words)})
    kept = PlainReader(model.info.path).arrays["subwords.buckets"]
    assert_array_equal(kept, np.array(used) - len(original))
    assert report.subword_rows == len(used) < report.source_subword_rows == 10000
    words = list(model.words)
    assert_array_equal(bits(model[words]), bits(original[words]))
    slow = reference.parse(original.info.path)
    for word in [word for word in UNKNOWN[:300] if word not in original]:
        rows = [row for _, row in slow.ngram_rows(word) if row in used]
        total = np.zeros(original.dim, np.float32)
        for row in rows:
            total += slow.input_matrix[row]
        expected = total * np.float32(1 / len(rows)) if rows else total
        assert_array_equal(bits(model[word]), bits(expected))


def test_the_subwords_of_extra_words_are_kept_too(convert, tmp_path):
    original = ftl.load("sample")
    extra = ["musicianship", "zyzzyva", "日本語"]
    path = tmp_path / "extra.txt"
    path.write_text("\n".join(extra), encoding="utf-8")
    for words in (extra, path):
        _, model = convert("sample", max_words=50, subwords="used", extra_words=words)
        assert_array_equal(bits(model[extra]), bits(original[extra]))
        assert not any(word in model for word in extra)


def test_the_used_subwords_of_a_pruned_model(convert):
    path = GOLDEN / "pruned.ftz"
    original = ftl.load(path)
    _, model = convert(path, max_words=100, subwords="used")
    words = list(model.words)
    assert_array_equal(bits(model[words]), bits(original[words]))
    assert 0 < model.info.subword_rows < original.info.subword_rows


def test_without_subwords_unknown_words_are_errors(convert):
    original = ftl.load("sample")
    report, model = convert("sample", subwords="none")
    words = list(original.words)
    assert_array_equal(bits(model[words]), bits(original[words]))
    assert report.subword_rows == 0
    for ask in (lambda: model["zzyzx"], lambda: model[["king", "zzyzx"]]):
        with pytest.raises(ftl.UnknownWordError, match="'zzyzx' is not in the vocabulary"):
            ask()
    with pytest.raises(KeyError):
        model.neighbors("zzyzx")
    assert model.get("zzyzx") is None
    assert model.subwords("zzyzx") == []
    assert model.neighbors("king") == original.neighbors("king")


def test_without_subwords_a_label_is_no_word(source, convert):
    _, model = convert(source("with labels"), subwords="none")
    assert list(model.labels) == [label.decode() for label in LABELS]
    for ask in (lambda: model[LABELS[0]], lambda: model[["one", LABELS[0]]]):
        with pytest.raises(ftl.UnknownWordError):
            ask()
    assert model.get(LABELS[0]) is None
    assert PlainReader(model.info.path).vector(LABELS[0]) is None


def test_subwords_alone_give_vectors_to_unknown_words(convert):
    original = ftl.load("sample")
    report, model = convert("sample", "float32", subwords="only")
    unknown = [word for word in UNKNOWN if word not in original]
    assert_array_equal(bits(model[unknown]), bits(original[unknown]))
    assert len(model) == report.word_count == 0
    assert report.loss is None
    assert list(model.words) == []
    assert model.neighbors("king") == []
    rows = [row for _, row in original.subwords("king")[1:]]
    assert_allclose(model["king"], original.input_matrix[rows].mean(axis=0), rtol=1e-5)
    assert report.size < 4 * 40 * 10000 + 4096


@pytest.mark.parametrize("dim", [1, 7, 39])
def test_fewer_dimensions_are_a_projection(convert, dim):
    original = ftl.load("sample")
    report, model = convert("sample", dim=dim)
    words, unknown = list(original.words), UNKNOWN[:500]
    assert model.dim == report.dim == dim
    assert model[words].shape == (len(words), dim)
    exact = original[words].astype(np.float64)
    centred = exact - exact.mean(axis=0)
    basis = np.linalg.svd(centred, full_matrices=False)[2][:dim].T
    variances = centred.var(axis=0).sum(), (centred @ basis).var(axis=0).sum()
    assert report.variance == pytest.approx(variances[1] / variances[0], rel=1e-4)
    # The directions are equal up to their sign.
    signs = np.sign(np.sum((exact @ basis) * model[words], axis=0))
    for some in (words, unknown):
        expected = original[some] @ basis * signs
        assert np.abs(model[some] - expected).max() < 1e-3 * np.abs(expected).max()


def test_as_many_dimensions_as_there_are_leave_everything_as_it_is(source, convert):
    path = source()
    report, model = convert(path, dim=4)
    assert report.variance is None
    assert_array_equal(bits(model[UNKNOWN]), bits(ftl.load(path)[UNKNOWN]))


def test_fewer_dimensions_of_a_supervised_model_keep_the_scores(convert):
    path = GOLDEN / "softmax.bin"
    original = ftl.load(path)
    report, model = convert(path, dim=7)
    assert 0.5 < report.variance < 1
    assert (model.dim, model.output_matrix.shape) == (7, (len(original.labels), 7))
    # Both sides of the product are projected alike, so lengths can only shrink.
    before, after = original.output_matrix, model.output_matrix
    assert (np.linalg.norm(after, axis=1) <= np.linalg.norm(before, axis=1) * 1.0001).all()
