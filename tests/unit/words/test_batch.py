"""The words of a call: lists, NumPy arrays and Arrow arrays give the same vectors."""

from __future__ import annotations

import gc
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import fasttext_lite as ftl
from fasttext_lite._core.text.batch import WordBatch, to_bytes

WORDS = ["war", "", "Été", "日本", "🙂x", "peace", "a" * 500, "é" * 300, "</s>", "ß\x00z"]

# Characters of a str: all of Unicode, and lone surrogates for bytes that are not UTF-8.
points = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from([chr(p) for p in range(0xDC80, 0xDD00)]),
)


@pytest.fixture(scope="module")
def model():
    return ftl.load("sample")


def arrow():
    return pytest.importorskip("pyarrow")


@given(st.lists(st.text(points), max_size=30))
def test_every_form_of_words_gives_the_same_vectors(words):
    model = ftl.load("sample")
    texts = [word.encode("utf-8", "surrogateescape") for word in words]
    expected = model[texts]
    assert [to_bytes(word) for word in words] == texts
    assert model[words].tobytes() == expected.tobytes()
    assert model[np.array(words, object)].tobytes() == expected.tobytes()
    # NumPy strips trailing NULs from strings of fixed width.
    ended = model[[text.rstrip(b"\0") for text in texts]]
    assert model[np.array(words, "U")].tobytes() == ended.tobytes()
    assert model[np.array(texts, "S")].tobytes() == ended.tobytes()
    for word, vector in zip(words, expected, strict=True):
        assert model[word].tobytes() == vector.tobytes()


def test_words_may_come_one_by_one_and_so_may_errors(model):
    words = [f"{WORDS[i % 5]}{i}" for i in range(40_000)]
    assert np.array_equal(model[(word for word in words)], model[words])

    def broken():
        yield "war"
        raise TypeError("not of ours")

    with pytest.raises(TypeError, match="not of ours"):
        model[broken()]


def test_arrays_of_fixed_width_may_be_swapped_strided_or_empty(model):
    words = np.array(["war", "Été", "日本", "peace", "🙂"])
    expected = model[words.tolist()]
    assert np.array_equal(model[words.astype(words.dtype.newbyteorder())], expected)
    assert np.array_equal(model[words[::-2]], expected[::-2])
    assert model[words[:0]].shape == (0, model.dim)
    assert np.array_equal(model[np.array([""])], model[[""]])
    read_only = words.copy()
    read_only.flags.writeable = False
    assert np.array_equal(model[read_only], expected)


@pytest.mark.skipif(np.__version__ < "2", reason="NumPy 1 has no such type")
def test_variable_width_arrays_of_numpy(model):
    words = np.array(["war", "Été", "a" * 100], np.dtypes.StringDType())
    assert np.array_equal(model[words], model[words.tolist()])
    missing = np.array(["war", None], np.dtypes.StringDType(na_object=None))
    with pytest.raises(
        ftl.InputTypeError, match=r"words\[1\]: a word must be str or bytes, not No"
    ):
        model[missing]


@pytest.mark.parametrize("kind", ["string", "large_string", "binary", "large_binary"])
def test_arrow_arrays_are_read_where_they_are(model, kind):
    pyarrow = arrow()
    words = pyarrow.array([word.encode() for word in WORDS], pyarrow.large_binary())
    words = words.cast(getattr(pyarrow, kind)())
    expected = model[WORDS]
    assert np.array_equal(model[words], expected)
    assert np.array_equal(model[words[3:7]], expected[3:7])
    assert model[words[:0]].shape == (0, model.dim)
    chunks = pyarrow.chunked_array([words[:4], words[:0], words[4:]])
    assert np.array_equal(model[chunks], expected)
    assert model[pyarrow.chunked_array([], words.type)].shape == (0, model.dim)


@pytest.mark.parametrize("kind", ["string_view", "binary_view"])
def test_arrow_views_are_read_where_they_are(model, kind):
    pyarrow = arrow()
    if not hasattr(pyarrow, kind):
        pytest.skip("this pyarrow is older")
    words = pyarrow.array([word.encode() for word in WORDS], getattr(pyarrow, kind)())
    assert np.array_equal(model[words], model[WORDS])
    assert np.array_equal(model[words[5:8]], model[WORDS[5:8]])


def test_a_batch_keeps_the_memory_of_an_arrow_array(model):
    pyarrow = arrow()
    batch = WordBatch(pyarrow.array([f"word{i}" for i in range(1000)]))
    gc.collect()
    pyarrow.array(["x" * 7] * 2000)
    out = np.empty((1000, model.dim), np.float32)
    model._embedder.fill(batch, 0, 1000, out)
    assert np.array_equal(out, model[[f"word{i}" for i in range(1000)]])


def test_the_memory_of_arrow_arrays_is_given_back(model):
    pyarrow = arrow()
    gc.collect()
    before = pyarrow.total_allocated_bytes()
    words = pyarrow.array(["some word"] * 10000)
    model.vectors(words)
    model.vectors(pyarrow.chunked_array([words, words]))
    with pytest.raises(ftl.InputValueError):
        model.vectors(pyarrow.chunked_array([words, pyarrow.array([None], pyarrow.string())]))
    del words
    gc.collect()
    assert pyarrow.total_allocated_bytes() == before


def test_nulls_are_named(model):
    pyarrow = arrow()
    words = pyarrow.array(["a", "b", None, "c", None])
    with pytest.raises(ftl.InputValueError, match=r"words\[2\] is null"):
        model[words]
    with pytest.raises(ftl.InputValueError, match=r"words\[1\] is null"):
        model[words[1:]]
    with pytest.raises(ftl.InputValueError, match=r"words\[7\] is null"):
        model[pyarrow.chunked_array([words[:2], words[:2], words[3:4], words[:3]])]
    assert model[words[:2]].shape == (2, model.dim)


def test_arrow_arrays_of_something_else_are_refused(model):
    pyarrow = arrow()
    with pytest.raises(ftl.InputTypeError, match="not of format 'l'"):
        model[pyarrow.array([1, 2])]
    with pytest.raises(ftl.InputTypeError, match="not of format"):
        model[pyarrow.table({"word": ["a"]})]


@pytest.mark.parametrize("index", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
def test_dictionary_encoded_arrays_are_read_in_place(model, index):
    pyarrow = arrow()
    plain = pyarrow.array(["größe", "a", "b", "größe", "longer than twelve bytes", "a"])
    words = plain.dictionary_encode().cast(pyarrow.dictionary(index, pyarrow.string()))
    for part in (words, words[2:], pyarrow.chunked_array([words[:2], words[3:]])):
        assert_array_equal(model[part], model[part.to_pylist()])
    with pytest.raises(ftl.InputValueError, match=r"words\[1\] is null"):
        model[pyarrow.array(["a", None]).dictionary_encode()]
    with pytest.raises(ftl.InputValueError, match=r"words\[1\] is null"):
        model[pyarrow.DictionaryArray.from_arrays(pyarrow.array([0, 1]), ["a", None])]
    with pytest.raises(ftl.InputTypeError, match="not of format 'l'"):
        model[pyarrow.array([1, 2]).dictionary_encode()]
    wrong = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0, 7], index), ["a"], safe=False)
    with pytest.raises(ftl.InputValueError, match=r"words\[1\] is not in the Arrow dictionary"):
        model[wrong]


class Once:
    """Gives the same capsules to everyone who asks."""

    def __init__(self, array, method):
        self._capsules = getattr(array, method)()
        setattr(self, method, lambda: self._capsules)


@pytest.mark.parametrize("method", ["__arrow_c_array__", "__arrow_c_stream__"])
def test_what_was_consumed_is_refused(model, method):
    pyarrow = arrow()
    words = pyarrow.array(["a", "b"])
    if method == "__arrow_c_stream__":
        words = pyarrow.chunked_array([words])
    once = Once(words, method)
    assert_array_equal(model[once], model[["a", "b"]])
    with pytest.raises(ftl.InputValueError, match="consumed before"):
        model[once]


def test_numbers_are_no_words(model):
    for numbers in (np.zeros(3), np.zeros((2, model.dim), np.float32), model["war"]):
        with pytest.raises((ftl.InputTypeError, ftl.InputValueError), match=r"expected .*words"):
            model[numbers]
    with pytest.raises(ftl.InputValueError, match=r"one-dimensional .* not of shape \(1, 2\)"):
        model[np.array([["a", "b"]])]
    with pytest.raises(ftl.InputTypeError, match=r"words\[1\]: a word must be .* not float"):
        model[np.array(["a", 1.0], object)]


def test_a_lone_surrogate_is_refused_wherever_it_stands(model):
    message = r"words\[1\]: the word holds U\+D800 at index 2, .* lone surrogate"
    for words in (["é", "a\U0001f642\ud800"], np.array(["é", "a\U0001f642\ud800"])):
        with pytest.raises(ftl.InputValueError, match=message):
            model[words]
    with pytest.raises(ftl.InputValueError, match=r"the word holds U\+DC7F at index 0"):
        model["\udc7f"]
    with pytest.raises(ftl.InputValueError, match=r"words\[0\]: the word holds U\+110000"):
        model[np.array([0x110000], np.uint32).view("U1")]


def test_asking_for_a_word_does_not_make_its_str_grow(model):
    words = ["".join(["é", str(i)]) for i in range(10)]
    sizes = [sys.getsizeof(word) for word in words]
    model.vectors(words)
    for word in words:
        assert model[word].shape == (model.dim,)
    assert [sys.getsizeof(word) for word in words] == sizes


def test_subclasses_of_str_are_words(model):
    class Word(str):
        __slots__ = ()

    for word in ("war", "Été"):
        assert np.array_equal(model[Word(word)], model[word])
        assert np.array_equal(model[np.str_(word)], model[word])
        assert np.array_equal(model[[Word(word), np.str_(word)]], model[[word, word]])


def test_vectors_are_fresh_and_belong_to_the_caller(model):
    for word in ("war", "warlikeness"):
        first, second = model[word], model[word]
        assert type(first) is np.ndarray
        assert first.dtype == np.float32
        assert first.flags.owndata
        assert first.flags.writeable
        assert first.flags.c_contiguous
        first += 1
        assert not np.array_equal(first, second)
        assert np.array_equal(second, model[word])
