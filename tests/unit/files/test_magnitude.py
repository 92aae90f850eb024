"""Files of Magnitude: SQLite databases of words and vectors."""

from __future__ import annotations

import io
import sqlite3
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.fixtures import MAGNITUDE
from support.magnitude import SCHEMA, database, magnitude

import fasttext_lite as ftl
from fasttext_lite.formats import magnitude as reader

ROWS = [("one", (7, -5, 10**7)), ("new york", (1, 2, 3)), ("naïve", (0, 0, 0)), ("123", (4, 5, 6))]


@pytest.fixture
def load(tmp_path):
    def write_and_load(data):
        path = tmp_path / "vectors.magnitude"
        path.write_bytes(data)
        return ftl.load(path)

    return write_and_load


def refused(load, data, match):
    with pytest.raises(ftl.FormatError, match=match) as caught:
        load(data)
    assert "vectors.magnitude" in str(caught.value)
    return caught.value


def in_pymagnitude(numbers, precision):
    """Return a vector as pymagnitude computes it."""
    vector = np.zeros(len(numbers), np.float32)
    vector[:] = numbers
    return vector / float(10**precision)


@pytest.mark.parametrize("precision", [0, 1, 7, 12, 38])
def test_words_and_vectors(load, precision):
    model = load(magnitude(ROWS, 3, {"precision": precision}))
    assert list(model.words) == [word for word, _ in ROWS]
    for word, numbers in ROWS:
        assert_array_equal(model[word], in_pymagnitude(numbers, precision))
    assert_array_equal(model.word_matrix, [in_pymagnitude(row, precision) for _, row in ROWS])
    assert (model.info.format, model.info.kind) == ("Magnitude (SQLite), version 2", "vectors")
    assert model.unknown_words == "error"
    with pytest.raises(ftl.UnknownWordError):
        model["two"]
    assert model.neighbors("new york", k=1)[0].word == "123"


@settings(max_examples=40)
@given(
    st.integers(1, 5).flatmap(
        lambda dim: st.tuples(
            st.just(dim),
            st.dictionaries(
                st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
                st.lists(st.integers(-(2**63), 2**63 - 1), min_size=dim, max_size=dim),
                max_size=20,
            ),
        )
    )
)
def test_any_words_and_numbers(found):
    dim, rows = found
    model = ftl.load(io.BytesIO(magnitude(list(rows.items()), dim)))
    assert list(model.words) == list(rows)
    for word, numbers in rows.items():
        assert_array_equal(model[word], in_pymagnitude(numbers, 7))


def test_numbers_across_blocks(load, monkeypatch):
    monkeypatch.setattr(reader, "_NUMBERS", 7)
    rows = [(f"word{i}", (i, -i)) for i in range(50)]
    model = load(magnitude(rows, 2))
    for word, numbers in rows:
        assert_array_equal(model[word], in_pymagnitude(numbers, 7))


def test_a_file_object_is_read_from_its_position(tmp_path):
    stream = io.BytesIO(b"before" + MAGNITUDE)
    stream.seek(6)
    model = ftl.load(stream)
    (tmp_path / "vectors.magnitude").write_bytes(MAGNITUDE)
    with (tmp_path / "vectors.magnitude").open("rb") as file:
        assert_array_equal(ftl.load(file).word_vectors(), model.word_vectors())


@pytest.mark.skipif(sys.platform == "win32", reason="names of Windows have no such characters")
def test_a_path_with_characters_of_addresses(tmp_path):
    path = tmp_path / "a?mode=rw#%41 naïve.magnitude"
    path.write_bytes(MAGNITUDE)
    assert ftl.load(path)["one"].shape == (3,)
    assert list(tmp_path.iterdir()) == [path]


def test_it_converts_and_is_exported(load, tmp_path):
    model = load(magnitude(ROWS, 3))
    ftl.convert(tmp_path / "vectors.magnitude", tmp_path / "compact")
    assert_array_equal(ftl.load(tmp_path / "compact").word_vectors(), model.word_vectors())
    ftl.export(tmp_path / "vectors.magnitude", tmp_path / "vectors.npy")
    assert_array_equal(np.load(tmp_path / "vectors.npy"), model.word_vectors())


def test_the_names_of_settings_are_in_any_case(load):
    data = magnitude(ROWS, 3, {"size": None, "SIZE": 4, "Dim": 3, "dim": None})
    assert len(load(data)) == 4


@pytest.mark.parametrize(
    ("settings", "field", "match"),
    [
        ({"size": 3}, "size", "more rows"),
        ({"size": 5}, "size", "only 4 rows|has 4 rows"),
        ({"size": 10**9}, "size", "cannot hold"),
        ({"size": 2**63 - 1}, "size", "cannot hold"),
        ({"size": -1}, "size", "size is -1"),
        ({"size": None}, "size", "does not say the size"),
        ({"size": "four"}, "size", "not a whole number"),
        ({"size": 4.5}, "size", "not a whole number"),
        ({"dim": 0}, "dim", "dim is 0"),
        ({"dim": 4}, "dim", "no column dim_3"),
        ({"dim": 2**62}, "dim", "5 columns"),
        ({"precision": -1}, "precision", "precision is -1"),
        ({"precision": 39}, "precision", "precision is 39"),
        ({"precision": 2**62}, "precision", "outside"),
        ({"version": 3}, "version", "version 3"),
        ({"elmo": 1}, "elmo", "ELMo"),
    ],
)
def test_settings_that_lie_are_refused(load, settings, field, match):
    assert refused(load, magnitude(ROWS, 3, settings), match).field == field


@pytest.mark.parametrize("number", [1.5, "text", None, b"\x01" * 8])
def test_other_values_than_whole_numbers_are_refused(load, number):
    rows = [*ROWS[:2], ("bad", (1, number, 2))]
    assert refused(load, magnitude(rows, 3), "whole numbers").field == "row 3"


@pytest.mark.parametrize("key", [None, b"bytes"])
def test_a_key_that_is_no_text_is_refused(load, key):
    schema = [SCHEMA[0].replace("key TEXT COLLATE NOCASE", "key"), SCHEMA[1]]
    data = magnitude([*ROWS, (key, (1, 2, 3))], 3, schema=schema)
    if key is None:
        assert refused(load, data, "not a text").field == "row 5"
    else:
        assert load(data).words[-1] == "bytes"


def test_other_databases_are_named(load):
    refused(load, database("CREATE TABLE other (x)"), "no table magnitude")
    refused(load, database("CREATE TABLE magnitude (key, dim_0)"), "no table magnitude_format")


def test_what_computes_is_refused(load):
    view = (
        "CREATE VIEW magnitude AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT 'a' AS key, i AS dim_0 FROM n"
    )
    table = "CREATE TABLE magnitude_format (key TEXT, value INTEGER)"
    refused(load, database(view, table), "no table magnitude")
    if sqlite3.sqlite_version_info >= (3, 31):
        computed = "CREATE TABLE magnitude (key TEXT, dim_0 AS (zeroblob(1000000000)))"
        refused(load, database(computed, table), "is computed")
    try:
        virtual = database("CREATE VIRTUAL TABLE magnitude USING fts3(key, dim_0)", table)
    except sqlite3.OperationalError:
        pytest.skip("SQLite without fts3")
    refused(load, virtual, "is computed")


def test_steps_without_an_end_are_stopped(load, monkeypatch):
    """A damaged tree of pages may be read in a circle."""
    monkeypatch.setattr(reader, "_STEPS", 10)
    monkeypatch.setattr(reader, "_FREE_STEPS", 0)
    monkeypatch.setattr(reader, "_MOST_SETTINGS", 1)
    rows = [(f"word{i}", (i,)) for i in range(5)]
    refused(load, magnitude(rows, 1), "more than 1 rows")
    monkeypatch.setattr(reader, "_MOST_SETTINGS", 1 << 17)
    monkeypatch.setattr(reader, "_FREE_STEPS", -4 * len(magnitude(rows, 1)) + 5)
    refused(load, magnitude(rows, 1), "SQLite cannot read this file")


def test_words_over_many_pages(load):
    words = ["x" * 3000, "y" * 5000]
    model = load(magnitude([(word, (i,)) for i, word in enumerate(words)], 1))
    assert list(model.words) == words


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 99, 100, 101, 511, 512, 513, 1024, 2048])
def test_a_truncated_file_is_refused(load, size):
    with pytest.raises(ftl.FormatError):
        load(MAGNITUDE[:size])


def test_a_python_without_sqlite_says_so(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    with pytest.raises(ftl.FastTextLiteError, match="cannot read SQLite"):
        load(MAGNITUDE)
