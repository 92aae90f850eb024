"""The results of a model, and the arguments that it accepts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import SUPERVISED, Quantizer, build

import fasttext_lite as ftl


@pytest.fixture(scope="module")
def sample():
    return ftl.load("sample")


@pytest.fixture
def make(tmp_path):
    """Return a function that opens a model of the builder."""

    def build_and_load(**options):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.bin"
        path.write_bytes(build(**options))
        return ftl.load(path)

    return build_and_load


def test_a_vector_is_fresh_and_writeable(sample):
    first = sample["war"]
    first[:] = 0
    assert sample["war"].any()
    assert first.shape == (sample.dim,)


def test_many_words_give_the_vectors_of_each(sample):
    words = [*sample.words[:3000], "zzyzx", "", "日本語", "\udcff\udc80", b"\xff\x80", "x" * 5000]
    expected = np.array([sample[word] for word in words])
    assert_array_equal(sample[words], expected)
    for threads in (1, 2, 5):
        assert_array_equal(sample.vectors(words, threads=threads), expected)
    assert_array_equal(sample.vectors(iter(words)), expected)
    assert_array_equal(expected[-3], expected[-2])


def test_out_is_filled_and_returned(sample):
    out = np.full((2, sample.dim), np.nan, np.float32)
    assert sample.vectors(["war", "peace"], out=out) is out
    assert_array_equal(out, sample[["war", "peace"]])


def test_no_words_give_no_vectors(sample):
    assert sample[[]].shape == (0, sample.dim)
    assert sample.ngrams([]) == []


@pytest.mark.parametrize(
    ("ask", "error", "match"),
    [
        (lambda m: m[3], ftl.InputTypeError, "iterable of str or bytes, not int"),
        (lambda m: m[None], ftl.InputTypeError, "not NoneType"),
        (lambda m: m[["a", 3]], ftl.InputTypeError, r"words\[1\]: a word must be str or bytes"),
        (lambda m: m.vectors("war"), ftl.InputTypeError, "pass it in a list"),
        (lambda m: m.ngrams("war"), ftl.InputTypeError, "pass it in a list"),
        (lambda m: m["\ud800"], ftl.InputValueError, "lone surrogate"),
        (lambda m: m[["a", "\ud800"]], ftl.InputValueError, r"words\[1\]"),
        (lambda m: m.word_id(3), ftl.InputTypeError, "str or bytes, not int"),
        (lambda m: m.subwords(3), ftl.InputTypeError, "str or bytes, not int"),
        (lambda m: m.get(3), ftl.InputTypeError, "str or bytes, not int"),
        (lambda m: m.vectors(["a"], threads=0), ftl.InputValueError, "threads"),
        (lambda m: m.vectors(["a"], threads="2"), ftl.InputTypeError, "threads"),
        (lambda m: m.vectors(["a"], out=[[0.0]]), ftl.InputTypeError, "out must be a NumPy"),
        (lambda m: m.vectors(["a"], out=np.zeros((1, m.dim))), ftl.InputValueError, "float32"),
        (lambda m: m.vectors([], out=np.zeros(3, "f4")), ftl.InputValueError, "shape"),
        (
            lambda m: m.vectors(["a", "b"], out=np.zeros((m.dim, 2), "f4").T),
            ftl.InputValueError,
            "C-contiguous",
        ),
        (lambda m: m.row(10**9), ftl.InputValueError, "outside the matrix"),
        (lambda m: m.row(-1), ftl.InputValueError, "outside the matrix"),
        (lambda m: m.words[10**9], IndexError, "range"),
        (lambda m: m.words.index("zzyzx"), ValueError, "not in the vocabulary"),
    ],
)
def test_a_wrong_question_is_answered_clearly(sample, ask, error, match):
    with pytest.raises(error, match=match):
        ask(sample)


def test_a_read_only_out_is_refused(sample):
    out = np.zeros((1, sample.dim), np.float32)
    out.flags.writeable = False
    with pytest.raises(ftl.InputValueError, match="writeable"):
        sample.vectors(["a"], out=out)


def test_words_are_a_lazy_sequence(sample):
    words = sample.words
    everything = list(words)
    assert len(words) == len(everything) == len(sample)
    assert words[0] == everything[0]
    assert words[-1] == everything[-1]
    assert list(words[5:20:3]) == everything[5:20:3]
    assert words[::-1][0] == everything[-1]
    assert list(reversed(words)) == everything[::-1]
    assert words.index("war") == everything.index("war") == sample.word_id("war")
    assert words[100:].index(everything[150]) == 50
    assert "war" in words
    assert "war" not in words[:2]
    assert "zzyzx" not in words
    assert 3 not in words
    assert words == everything
    assert words[:3] != everything[:4]
    assert words.count("war") == 1
    assert repr(words[:1]).startswith("<Words: 1 of ['")
    with pytest.raises(ValueError, match="not in the vocabulary"):
        words.index(everything[0], 1)


def test_a_word_that_the_file_has_twice_has_its_last_id(make):
    model = make(words=[b"one", b"two", b"one"])
    assert model.word_id("one") == 2
    assert list(model.words) == ["one", "two", "one"]
    assert model.words.count("one") == 2


def test_words_that_are_no_utf8_are_not_lost(make):
    model = make(words=[b"caf\xe9", b"ok"])
    assert model.words[0].encode("utf-8", "surrogateescape") == b"caf\xe9"
    assert model.word_id(b"caf\xe9") == model.word_id("caf\udce9") == 0
    assert model.subwords(b"caf\xe9")[0] == ("caf\udce9", 0)


def test_labels_are_not_words(make):
    model = make(model=SUPERVISED, labels=[b"__label__a", b"__label__b"], label_counts=[7, 3])
    assert list(model.labels) == ["__label__a", "__label__b"]
    assert list(model.label_counts) == [7, 3]
    assert "__label__a" not in model
    assert model.word_id("__label__a") == -1
    assert model.subwords("__label__b")[0] == ("__label__b", len(model) + 1)


def test_a_label_without_a_row_has_its_ngrams_alone(make):
    model = make(model=SUPERVISED, labels=[b"__label__a"], bucket=0, maxn=0)
    assert model.subwords("__label__a") == []
    assert not model["__label__a"].any()


def test_counts_are_those_of_the_file(make):
    model = make(words=[b"one", b"two"], counts=[2**40, 5])
    assert list(model.counts) == [2**40, 5]
    assert not model.counts.flags.writeable


def test_get_gives_the_default_where_nothing_is_known(make):
    model = make(bucket=0, maxn=0)
    assert_array_equal(model.get("one"), model["one"])
    assert model.get("unknown") is None
    assert model.get("unknown", 7) == 7
    assert not model["unknown"].any()


def test_the_end_of_sentence_has_no_ngrams(make):
    model = make()
    assert model.subwords("</s>") == [("</s>", 0)]
    assert make(words=[b"one"]).subwords("</s>") == []


def test_ngrams_are_distinct_and_in_first_seen_order(sample):
    words = ["war", "wars", "warfare", "war", *sample.words[:500]]
    expected = dict.fromkeys(
        pair for word in words for pair in sample.subwords(word)[int(word in sample) :]
    )
    assert sample.ngrams(words) == list(expected)


def test_matrices_are_read_only_views_of_the_file(sample, make):
    assert sample.input_matrix.shape == (len(sample) + sample.info.parameters.bucket, sample.dim)
    assert sample.output_matrix.shape == (len(sample), sample.dim)
    assert not sample.input_matrix.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        sample.input_matrix[0] = 0
    row = sample.word_id("war")
    assert_array_equal(sample.row(row), sample.input_matrix[row])
    quantized = make(input_quantizer=Quantizer())
    with pytest.raises(ftl.FastTextLiteError, match="the input matrix is quantised"):
        _ = quantized.input_matrix
    assert quantized.output_matrix.shape == (4, 4)


def test_the_word_matrix_is_what_a_compact_file_holds(sample, tmp_path):
    with pytest.raises(ftl.FastTextLiteError, match="convert the model"):
        _ = sample.word_matrix
    ftl.convert(sample.info.path, tmp_path / "compact")
    compact = ftl.load(tmp_path / "compact")
    assert not compact.word_matrix.flags.owndata
    assert_array_equal(compact.word_matrix, compact[compact.words])
    ftl.convert(sample.info.path, tmp_path / "half", "float16")
    with pytest.raises(ftl.FastTextLiteError, match="no float32 numbers"):
        _ = ftl.load(tmp_path / "half").word_matrix


def test_threads_that_come_first_at_once_see_one_vocabulary(make):
    for _ in range(20):
        model = make()
        with ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(model.word_id, ["three"] * 64))
        assert ids == [3] * 64


def test_what_the_file_says_is_shown(sample):
    assert repr(sample).startswith("<Model '")
    assert "skip-gram" in repr(sample)
    assert [section.name for section in sample.info.sections] == [
        "head",
        "dictionary",
        "input matrix",
        "output matrix",
    ]
    assert sum(section.size for section in sample.info.sections) == sample.info.file_size
