"""Wrong arguments of every public method always raise an error of the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fasttext_lite as ftl

GOLDEN = next(p / "golden" for p in Path(__file__).parents if (p / "golden").is_dir())

NOT_WORDS = {
    "an int": 3,
    "a float": 1.5,
    "None": None,
    "a bool": True,
    "a bytearray": bytearray(b"one"),
    "a lone surrogate": "\ud800",
    "a dict of lists": {1: []},
    "an object": object(),
}
NOT_WHOLE = {
    "a float": 2.0,
    "a str": "2",
    "a bool": True,
    "a NumPy bool": np.bool_(True),
    "a NumPy float": np.float32(2),
    "a list": [2],
    "0": 0,
    "-2": -2,
    "-10**30": -(10**30),
    "NaN": float("nan"),
    "an array": np.array([1, 2]),
}
NOT_REAL = {
    "a str": "0.5",
    "None": None,
    "a bool": True,
    "a complex": 1j,
    "NaN": float("nan"),
    "a NumPy NaN": np.float32("nan"),
    "a list": [0.5],
    "10**400": 10**400,
}
NOT_VECTORS = {
    "numbers in a list": [0.5, 0.25],
    "a number in a list": [np.float32(1)],
    "a 0-d array": np.array(1.0),
    "a 3-d array": np.zeros((1, 1, 16)),
    "the wrong length": np.zeros(3),
    "many of the wrong length": np.zeros((2, 3)),
    "bools": np.zeros(16, bool),
    "complex numbers": np.zeros(16, complex),
    "dates": np.zeros(16, "datetime64[s]"),
    "a ragged list": [[[1.0, 2.0], [3.0]]],
    "a dict": [{}],
    "objects": np.array([object()]),
}


@pytest.fixture(scope="module")
def model():
    return ftl.load(GOLDEN / "softmax.bin")


@pytest.fixture(scope="module")
def vectors():
    return ftl.load(GOLDEN / "skipgram.bin")


def raises():
    return pytest.raises(ftl.FastTextLiteError)


@pytest.mark.parametrize("word", NOT_WORDS.values(), ids=NOT_WORDS)
@pytest.mark.parametrize(
    "ask",
    [
        lambda m, w: m[w],
        lambda m, w: m[[w]],
        lambda m, w: m.get(w),
        lambda m, w: m.word_id(w),
        lambda m, w: m.label_id(w),
        lambda m, w: m.subwords(w),
        lambda m, w: m.ngrams([w]),
        lambda m, w: m.vectors([w]),
        lambda m, w: m.similarity(w),
        lambda m, w: m.similarity("one", w),
        lambda m, w: m.similarity([("one", w)]),
        lambda m, w: m.similarity([w]),
        lambda m, w: m.neighbors(w),
        lambda m, w: m.neighbors([w]),
        lambda m, w: m.neighbors("one", among=["the", w, 1.5]),
        lambda m, w: m.neighbors("one", exclude=[w, 1.5]),
        lambda m, w: m.analogies(w),
        lambda m, w: m.analogies("one", "two", w),
        lambda m, w: m.analogies([("one", w, "two")]),
        lambda m, w: m.sentence_vector(w),
        lambda m, w: m.sentence_vectors([w]),
        lambda m, w: m.predict(w),
        lambda m, w: m.predict([w]),
        lambda m, w: m.predict_ids([w]),
        lambda m, w: m.explain(w),
        lambda m, w: m.explain("one", w if w is not None else 3),
        lambda m, w: m.classifier(w),
    ],
)
def test_what_is_no_word(model, ask, word):
    with raises():
        ask(model, word)


@pytest.mark.parametrize("number", NOT_WHOLE.values(), ids=NOT_WHOLE)
@pytest.mark.parametrize(
    "ask",
    [
        lambda m, n: m.neighbors("one", n),
        lambda m, n: m.neighbors("one", max_words=n),
        lambda m, n: m.neighbors("one", threads=n),
        lambda m, n: m.analogies("one", "two", "three", n),
        lambda m, n: m.analogies("one", "two", "three", max_words=n),
        lambda m, n: m.vectors(["one"], threads=n),
        lambda m, n: m.word_vectors(threads=n),
        lambda m, n: m.sentence_vectors(["one"], threads=n),
        lambda m, n: m.predict("one", n),
        lambda m, n: m.predict(["one"], n),
        lambda m, n: m.predict(["one"], threads=n),
        lambda m, n: m.predict_ids(["one"], n),
        lambda m, n: m.test(GOLDEN / "make.py", n),
        lambda m, n: m.verify(full=True, threads=n),
        lambda m, n: ftl.evaluate.analogies(m, GOLDEN / "make.py", max_words=n),
    ],
)
def test_what_is_no_positive_whole_number(model, ask, number):
    with raises():
        ask(model, number)


@pytest.mark.parametrize("number", NOT_REAL.values(), ids=NOT_REAL)
@pytest.mark.parametrize(
    "ask",
    [
        lambda m, n: m.predict("one", 1, n),
        lambda m, n: m.predict(["one"], 1, n),
        lambda m, n: m.predict_ids(["one"], 1, n),
        lambda m, n: m.test(GOLDEN / "make.py", 1, n),
    ],
)
def test_what_is_no_threshold(model, ask, number):
    with raises():
        ask(model, number)


@pytest.mark.parametrize("query", NOT_VECTORS.values(), ids=NOT_VECTORS)
def test_what_is_no_query(vectors, query):
    with raises():
        vectors.neighbors(query)


def test_a_list_of_numbers_is_answered_with_what_to_do(vectors):
    with pytest.raises(ftl.InputTypeError, match=r"query 0 .* as an array, np\.array\("):
        vectors.neighbors([0.5] * vectors.dim)


@pytest.mark.parametrize(
    ("index", "error"),
    [
        (10**20, ftl.InputValueError),
        (-1, ftl.InputValueError),
        ("a", ftl.InputTypeError),
        (3.0, ftl.InputTypeError),
        (True, ftl.InputTypeError),
        (None, ftl.InputTypeError),
    ],
)
def test_what_is_no_row(vectors, index, error):
    with pytest.raises(error):
        vectors.row(index)


@pytest.mark.parametrize("out", [[[0.0]], np.zeros((1, 3)), np.zeros((1, 3), np.float32), "out", 5])
def test_what_is_no_output_array(vectors, out):
    for ask in (vectors.vectors, vectors.sentence_vectors):
        with raises():
            ask(["one"], out=out)
    with raises():
        vectors.word_vectors(out=out)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda m: m.similarity("a"), "b is missing: give 2 words"),
        (lambda m: m.analogies("a", "b"), "c is missing: give 3 words"),
        (lambda m: m.analogies("a"), "b is missing"),
        (lambda m: m.analogies("a", 5, "c"), "b must be str or bytes, not int"),
        (lambda m: m.similarity(None, "a"), "a must be str or bytes"),
        (lambda m: m.similarity(5), "a must be a word or an iterable of tuples of 2 words"),
        (lambda m: m.similarity(["ab"]), "item 0 is not a tuple of 2 words: 'ab'"),
        (lambda m: m.similarity([("a", "b"), ("a",)]), "item 1 is not a tuple of 2 words"),
        (lambda m: m.classifier(3), "label_prefix must be str or bytes"),
    ],
)
def test_the_message_names_what_is_missing(model, ask, message):
    with pytest.raises(ftl.FastTextLiteError, match=message):
        ask(model)


@pytest.mark.parametrize("word", ["\ud800", "a\udfff", 5, None, 1.5, [], ("a",), object()])
def test_membership_never_raises(model, word):
    assert word not in model
    assert word not in model.words
    assert word not in model.labels


def test_numbers_of_numpy_are_numbers(model):
    one = np.int64(1)
    assert model.predict("one", one) == model.predict("one")
    assert model.predict(["one"], one, np.float32(0), threads=one)[0].labels
    assert model.vectors(["one"], threads=one).shape == (1, model.dim)
    assert len(model.neighbors("one", one, max_words=np.uint8(5), threads=one)) == 1
    assert model.neighbors("one", among=np.arange(3)) == model.neighbors("one", among=[0, 1, 2])
    assert model.row(np.int32(0)).shape == (model.dim,)


@pytest.mark.parametrize("k", [10**6, 10**12, 10**30])
def test_more_labels_than_there_are_cost_nothing(model, k):
    labels = len(model.labels)
    ids, probabilities = model.predict_ids(["one", "two"], k)
    assert ids.shape == probabilities.shape == (2, labels)
    np.testing.assert_array_equal(ids, model.predict_ids(["one", "two"], -1)[0])
    assert len(model.predict("one", k, -1).labels) == labels


def test_a_model_is_true_and_iterates_over_its_words(vectors):
    assert vectors
    assert list(vectors) == list(vectors.words)
    np.testing.assert_array_equal(vectors.vectors(vectors), vectors.word_vectors())


def test_labels_have_ids(model):
    for i, label in enumerate(model.labels):
        assert model.label_id(label) == model.label_id(label.encode()) == i
    assert model.label_id("no such label") == model.label_id(model.words[0]) == -1


def test_models_say_what_they_hold(model):
    compact = ftl.load(GOLDEN / "skipgram.safetensors")
    assert (model.holds_vectors, model.unknown_words) == (False, "subwords")
    assert (compact.holds_vectors, compact.unknown_words) == (True, "subwords")


def test_batches_fill_arrays_of_the_caller(model):
    words = ["one", "two"]
    for ask, many in (
        (model.vectors, words),
        (model.sentence_vectors, words),
    ):
        out = np.empty((2, model.dim), np.float32)
        assert ask(many, out=out) is out
        np.testing.assert_array_equal(out, ask(many))
    out = np.empty((len(model), model.dim), np.float32)
    assert model.word_vectors(out=out) is out
