"""Tables of floret: text with the rows of n-grams by their hash."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support import reference
from support.fixtures import TABLE

import fasttext_lite as ftl
from fasttext_lite._core.lookup.subwords import murmur

WORDS = ["one", "", "naïve", "日本語", "x" * 100, "</s>", "two words"]


@pytest.fixture
def load(tmp_path):
    def write_and_load(data):
        path = tmp_path / "table.floret"
        path.write_bytes(data)
        return ftl.load(path)

    return write_and_load


def table(rows, head=None):
    head = head or b"%d %d 2 4 2 2166136261 < >" % (len(rows), len(rows[0]))
    lines = [head, *(b"%d %s" % (i, b" ".join(row)) for i, row in enumerate(rows))]
    return b"\n".join(lines) + b"\n"


def expected_vector(matrix, word, minn, maxn, count):
    if word == b"</s>":
        return np.zeros(matrix.shape[1], np.float32)
    hashes = [
        h % len(matrix)
        for ngram in (b"<" + word + b">", *reference.ngrams(word, minn, maxn))
        for h in murmur(ngram)[:count]
    ]
    total = np.zeros(matrix.shape[1], np.float32)
    for row in hashes:
        total += matrix[row]
    return total * np.float32(1 / len(hashes))


@given(st.binary(max_size=70))
def test_the_hash_is_murmur(text):
    assert murmur(text) == reference.murmur(text)


def test_the_hash_of_known_texts():
    # With the seed 0 the reference implementation gives 0 for no bytes; with this one, what floret
    # gives for "hello".
    assert murmur(b"hello") == reference.murmur(b"hello")
    assert len(set(murmur(b""))) == 4


def test_every_word_has_a_vector(load):
    model = load(TABLE)
    matrix = np.loadtxt(io.BytesIO(TABLE), skiprows=1, usecols=(1, 2, 3)).astype(np.float32)
    assert_array_equal(model.input_matrix, matrix)
    for word in WORDS:
        expected = expected_vector(matrix, word.encode(), 2, 4, 2)
        assert_array_equal(model[word], expected)
    assert_array_equal(model.vectors(WORDS), [model[word] for word in WORDS])
    assert model.sentence_vector("one naïve").shape == (3,)
    assert model.subwords("ab")[0][0] == "<ab>"


def test_it_says_what_it_is(load):
    model = load(TABLE)
    assert (model.info.format, model.info.kind) == ("floret table", "vectors")
    assert (len(model), model.dim, model.unknown_words) == (0, 3, "subwords")
    assert (model.info.parameters.hash_count, model.info.subword_rows) == (2, 5)
    assert model.neighbors("one") == []
    assert "one" not in model


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \n", b""])
def test_the_ends_of_lines(load, end):
    lines = [line.strip() for line in TABLE.splitlines()]
    data = (end or b"\n").join(lines) + end
    assert_array_equal(load(data).vectors(WORDS), load(TABLE).vectors(WORDS))


def test_a_file_object_is_read():
    model = ftl.load(io.BytesIO(TABLE))
    assert model["one"].any()


def test_a_compact_file_answers_alike_and_older_readers_refuse_it(load, tmp_path):
    model = load(TABLE)
    for dtype in ("float32", "float16", "int8"):
        ftl.convert(model, tmp_path / "compact", dtype)
        compact = ftl.load(tmp_path / "compact")
        assert compact.info.format.startswith("fasttext-lite compact file, version 2")
        close = np.allclose(compact.vectors(WORDS), model.vectors(WORDS), atol=0.1)
        assert close
    ftl.convert(model, tmp_path / "compact")
    assert_array_equal(ftl.load(tmp_path / "compact").vectors(WORDS), model.vectors(WORDS))
    ftl.convert(model, tmp_path / "used", subwords="used", extra_words=["one"])
    used = ftl.load(tmp_path / "used")
    assert_array_equal(used["one"], model["one"])
    assert used.info.subword_rows <= 5


@pytest.mark.parametrize("name", ["t.bin", "t.ftz", "t.vec", "t.npy"])
def test_no_other_format_holds_it(load, tmp_path, name):
    with pytest.raises(ftl.InputValueError, match="no words"):
        ftl.export(load(TABLE), tmp_path / name)


@pytest.mark.parametrize(
    ("head", "field", "match"),
    [
        (b"5 0 2 4 2 2166136261 < >", "dim", "dim is 0"),
        (b"0 3 2 4 2 2166136261 < >", "bucket", "bucket is 0"),
        (b"5 99999999 2 4 2 2166136261 < >", "dim", "dim is 99999999"),
        (b"99999 3 2 4 2 2166136261 < >", "bucket", "99999 rows of 3 numbers"),
        (b"999999999999999999 3 2 4 2 2166136261 < >", "bucket", "bucket is 999999999999999999"),
        (b"5 3 2 4 0 2166136261 < >", "hashCount", "hashCount is 0"),
        (b"5 3 2 4 5 2166136261 < >", "hashCount", "hashCount is 5"),
        (b"5 3 2 4 2 0 < >", "hashSeed", "hashSeed is 0"),
        (b"5 3 2 4 2 2166136261 [ ]", "BOW", "must be < and >"),
        (b"6 3 2 4 2 2166136261 < >", "row 5", "says 6 rows, but it has 5"),
        (b"4 3 2 4 2 2166136261 < >", "row", "more rows than the 4"),
    ],
)
def test_a_head_that_lies_is_refused(load, head, field, match):
    data = head + b"\n" + TABLE.partition(b"\n")[2]
    with pytest.raises(ftl.FormatError, match=match) as caught:
        load(data)
    assert caught.value.field.startswith(field)
    assert "table.floret" in str(caught.value)


@pytest.mark.parametrize(
    "change", [(b"\n2 ", b"\n3 "), (b"\n2 ", b"\n02 "), (b"\n2 ", b"\nx "), (b"\n4 ", b"\n5 ")]
)
def test_rows_with_other_numbers_are_refused(load, change):
    with pytest.raises(ftl.FormatError, match="not numbered in their order"):
        load(TABLE.replace(*change))


def test_rows_are_numbered_across_blocks(load, monkeypatch):
    from fasttext_lite.formats import floret

    monkeypatch.setattr(floret, "_BLOCK", 7)
    rows = [[b"%d" % i, b"1"] for i in range(123)]
    assert load(table(rows)).info.subword_rows == 123
    with pytest.raises(ftl.FormatError, match="from 98 to 104"):
        load(table(rows).replace(b"\n100 ", b"\n101 "))


@pytest.mark.parametrize("row", [b"0.1 0.2", b"0.1 0.2 0.3 0.4", b"0.1 x 0.3", b""])
def test_a_damaged_row_is_refused(load, row):
    with pytest.raises(ftl.FormatError):
        load(TABLE.replace(b"1 0.1 -1 1e-1", b"1 " + row))
