"""Columns of every library and layout have the answers of the same texts in a list."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support import GOLDEN
from support.text import SENTENCES

import fasttext_lite as ftl

LINES = [line for lines in SENTENCES.values() for line in lines]
TEXTS = [None, *LINES[:30], "", None, "x", *LINES[30:], None]


@pytest.fixture(scope="module")
def model():
    return ftl.load(GOLDEN / "softmax.bin")


def check(model, column, texts):
    """Compare all columns over `column` with the answers for single texts."""
    here = np.array([text is not None for text in texts], bool)
    labels = ftl.columns.labels(model, column)
    found = labels.to_numpy()
    assert len(labels) == len(texts)
    assert labels.null_count == np.count_nonzero(~here)
    for text, label, number in zip(texts, found["label"], found["probability"], strict=True):
        if text is None:
            assert label is None
            assert np.isnan(number)
        else:
            expected = model.predict(text)
            assert ((label,), number) == (expected.labels, expected.probabilities[0])
    for make, one in (
        (ftl.columns.vectors, model.__getitem__),
        (ftl.columns.sentence_vectors, model.sentence_vector),
    ):
        vectors = make(model, column)
        assert vectors.null_count == np.count_nonzero(~here)
        rows = [np.full(model.dim, np.nan) if text is None else one(text) for text in texts]
        assert_array_equal(vectors.to_numpy(), np.reshape(rows, (-1, model.dim)))


def arrow_columns():
    pyarrow = pytest.importorskip("pyarrow")
    types = ["string", "large_string", "string_view", "binary", "large_binary", "binary_view"]
    for name in types:
        if hasattr(pyarrow, name):
            array = pyarrow.array(TEXTS, getattr(pyarrow, name)())
            yield name, array, TEXTS
            yield f"{name}, sliced", array[7:50], TEXTS[7:50]
            yield f"{name}, sliced twice", array[3:][30:35], TEXTS[33:38]
            pieces = [array[:9], array[9:9], array[9:41], array[41:]]
            yield f"{name}, chunked", pyarrow.chunked_array(pieces), TEXTS
            yield f"{name}, empty", array[:0], []
            yield f"{name}, all null", pyarrow.array([None] * 9, array.type), [None] * 9
            yield f"{name}, no null", pyarrow.array(LINES, array.type), LINES
    encoded = pyarrow.array(TEXTS).dictionary_encode()
    yield "dictionary", encoded, TEXTS
    yield "dictionary, sliced", encoded[7:50], TEXTS[7:50]
    parts = [pyarrow.array(TEXTS[:20]).dictionary_encode(), encoded[20:]]
    unified = [pyarrow.array(TEXTS[:20]).dictionary_encode(), pyarrow.array(TEXTS[20:])]
    yield "dictionaries", pyarrow.chunked_array(parts), TEXTS
    yield (
        "dictionaries that differ",
        pyarrow.chunked_array([unified[0], unified[1].dictionary_encode()]),
        TEXTS,
    )
    yield "null", pyarrow.nulls(5), [None] * 5
    yield "no chunk", pyarrow.chunked_array([], pyarrow.string()), []
    yield "numbers, all null", pyarrow.nulls(3, pyarrow.int64()), [None] * 3
    yield "NaN", pyarrow.array([float("nan"), None]), [None] * 2


def polars_columns():
    polars = pytest.importorskip("polars")
    series = polars.Series(TEXTS)
    yield "polars", series, TEXTS
    yield "polars, sliced", series[5:20], TEXTS[5:20]
    yield "polars, chunked", polars.concat([series[:9], series[9:]], rechunk=False), TEXTS
    yield "polars, binary", series.cast(polars.Binary), TEXTS
    yield "polars, categories", series.cast(polars.Categorical), TEXTS
    names = sorted({text for text in TEXTS if text is not None})
    yield "polars, enum", series.cast(polars.Enum(names)), TEXTS
    yield "polars, null", polars.Series([None, None]), [None] * 2
    yield "polars, empty", series[:0], []


def pandas_columns():
    pandas = pytest.importorskip("pandas")
    series = pandas.Series(TEXTS)
    yield "pandas", series, TEXTS
    yield "pandas, objects", series.astype(object), TEXTS
    yield "pandas, string", series.astype("string"), TEXTS
    yield "pandas, string of Python", series.astype(pandas.StringDtype("python")), TEXTS
    yield "pandas, category", series.astype("category"), TEXTS
    yield "pandas, sliced", series[7:50], TEXTS[7:50]
    yield "pandas, another index", series.sort_index(ascending=False), TEXTS[::-1]
    yield "pandas, empty", series[:0], []
    yield "pandas, NaN", pandas.Series([np.nan, np.nan]), [None] * 2
    if "pyarrow" in sys.modules:
        yield "pandas, arrow", series.astype("string[pyarrow]"), TEXTS


def other_columns():
    yield "list", TEXTS, TEXTS
    yield "tuple of bytes", tuple(text and text.encode() for text in TEXTS), TEXTS
    yield "generator", (text for text in TEXTS), TEXTS
    yield "objects", np.array(TEXTS, object), TEXTS
    yield "objects, stepped", np.array(TEXTS, object)[::3], TEXTS[::3]
    yield "U", np.array(LINES), LINES
    yield "S", np.array([line.encode() for line in LINES]), LINES
    yield "masked", np.ma.array(["a", "b", "c"], mask=[0, 1, 0]), ["a", None, "c"]
    yield "nothing", [], []
    if hasattr(np, "dtypes") and hasattr(np.dtypes, "StringDType"):
        yield "StringDType", np.array(LINES, np.dtypes.StringDType()), LINES
        missing = np.array(TEXTS, np.dtypes.StringDType(na_object=None))
        yield "StringDType, missing", missing, TEXTS


@pytest.mark.parametrize("forms", [arrow_columns, polars_columns, pandas_columns, other_columns])
def test_the_answers_are_those_of_the_same_texts_in_a_list(model, forms):
    for name, column, texts in forms():
        if name == "generator":
            assert ftl.columns.labels(model, column).null_count == texts.count(None)
            continue
        try:
            check(model, column, texts)
        except Exception as error:
            raise AssertionError(name) from error


def test_missing_texts_raise_where_that_is_asked_for(model):
    with pytest.raises(ftl.InputTypeError, match=r"texts\[0\]"):
        ftl.columns.labels(model, TEXTS, missing="raise")
    with pytest.raises(ftl.InputTypeError, match=r"texts\[0\]"):
        ftl.columns.sentence_vectors(model, TEXTS, missing="raise")


@pytest.mark.parametrize("kind", ["numbers", "dates", "lists", "structs", "dictionary of numbers"])
def test_columns_of_something_else_are_refused(model, kind):
    pyarrow = pytest.importorskip("pyarrow")
    column = {
        "numbers": pyarrow.array([1, 2]),
        "dates": pyarrow.array([1, 2], pyarrow.date32()),
        "lists": pyarrow.array([["a"]]),
        "structs": pyarrow.array([{"a": "b"}]),
        "dictionary of numbers": pyarrow.array([1, 2]).dictionary_encode(),
    }[kind]
    with pytest.raises(ftl.InputTypeError, match="of format"):
        ftl.columns.labels(model, column)


def test_a_model_without_ngrams_names_the_unknown_word(tmp_path):
    path = tmp_path / "rows.vec"
    path.write_text("2 2\none 1 2\ntwo 3 4\n")
    model = ftl.load(path)
    found = ftl.columns.vectors(model, [None, "two", None, "one"])
    assert_array_equal(found.to_numpy(), [[np.nan] * 2, [3, 4], [np.nan] * 2, [1, 2]])
    with pytest.raises(ftl.UnknownWordError, match="'three'"):
        ftl.columns.vectors(model, [None, "two", "three", None, "one"])
    with pytest.raises(ftl.ModelKindError):
        ftl.columns.labels(model, ["one"])


@pytest.mark.parametrize("wrong", [None, "sample", 3, ftl.load])
def test_only_a_model_is_a_model(wrong):
    for make in (ftl.columns.vectors, ftl.columns.sentence_vectors, ftl.columns.labels):
        with pytest.raises(ftl.InputTypeError, match="model must be a Model"):
            make(wrong, ["one"])
