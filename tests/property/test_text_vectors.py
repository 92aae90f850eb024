"""Rows of word vectors with odd words, beside a plain reader, gensim and a reader like spaCy's."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import string
import struct

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.plain_vectors import first_rows, read_as_spacy, read_records, read_rows

import fasttext_lite as ftl

SPACES = "\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2003\u200b\u2028\u2029\u202f\u3000\ufeff"
# Words without ASCII white space, which every format holds.
PLAIN = st.text(
    st.sampled_from(SPACES + "ab1.,:-é水🙂") | st.characters(exclude_categories=["Cs"]),
    min_size=1,
    max_size=6,
).filter(lambda word: not set(word) & set(string.whitespace + "\0"))
# Words that may have spaces and tabs inside, also before and after numbers.
SPACED = st.lists(PLAIN | st.sampled_from(["1", "-2.5", "nan"]), min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from([" ", "\t", "  ", "\xa0"]).map(lambda space: space.join(parts))
)
ODD = PLAIN | SPACED | st.sampled_from([" ", "\t", "  ", " a", "\ta b"])
FLOATS = st.floats(-1e5, 1e5, width=32).filter(lambda x: x == 0 or abs(x) > 1e-10)


def tables(words, least=1):
    """Draw rows of the same number of dimensions."""
    return st.integers(2, 5).flatmap(
        lambda dim: st.lists(
            st.tuples(words, st.lists(FLOATS, min_size=dim, max_size=dim)),
            min_size=least,
            max_size=8,
        )
    )


def as_bytes(model):
    numbers = model.word_vectors().tolist()
    return [
        (word.encode(errors="surrogateescape"), row)
        for word, row in zip(model.words, numbers, strict=True)
    ]


def looks_like_text(row):
    """Return whether the bytes of a row could be the rest of a word in a text file."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(np.array(row, np.float32).tobytes())
    except UnicodeDecodeError:
        return False
    return not re.search(rb"[\0-\x08\x0e-\x1f\x7f]", np.array(row, np.float32).tobytes())


def lines_of(rows, space=" ", end=" \n"):
    return "".join(f"{word}{space}{space.join(map(repr, row))}{end}" for word, row in rows).encode()


@given(tables(ODD), st.sampled_from([" ", "\t", "  "]), st.sampled_from([" \n", "\n", "\r\n"]))
def test_rows_with_odd_words_are_read_as_by_the_plain_reader(rows, space, end):
    data = b"%d %d\n" % (len(rows), len(rows[0][1])) + lines_of(rows, space, end)
    expected = first_rows(read_rows(data))
    for packed in (data, gzip.compress(data, 1)):
        assert as_bytes(ftl.load(io.BytesIO(packed))) == expected
    wanted = [rows[-1][0]]
    found = as_bytes(ftl.load(io.BytesIO(data), words=wanted))
    assert found == [row for row in expected if row[0] == wanted[0].encode()]


@given(tables(PLAIN, least=3), st.sampled_from([" ", "\t"]))
def test_rows_without_a_head_are_read_as_by_the_plain_reader(rows, space):
    data = lines_of(rows, space)
    # A head is two whole numbers; a byte order mark before a word is none of its characters.
    if data.startswith(b"\xef\xbb\xbf") and data[3:4] not in b" \t":
        data = b"first" + data
    expected = first_rows(read_rows(data, len(rows[0][1])))
    assert as_bytes(ftl.load(io.BytesIO(data))) == expected


@given(tables(PLAIN))
def test_what_is_exported_is_read_by_gensim_and_a_reader_like_that_of_spacy(tmp_path_factory, rows):
    keyed = pytest.importorskip("gensim.models.keyedvectors").KeyedVectors
    assume(not looks_like_text(rows[0][1]))
    source = b"%d %d\n" % (len(rows), len(rows[0][1])) + lines_of(rows)
    model = ftl.load(io.BytesIO(source))
    folder = tmp_path_factory.mktemp("vectors")
    for name, binary in (("vec", False), ("word2vec", True)):
        path = str(folder / name)
        options = {} if binary else {"precision": "exact"}
        ftl.export(model, path, name, **options)
        theirs = keyed.load_word2vec_format(path, binary=binary)
        assert theirs.index_to_key == list(model.words)
        assert_array_equal(theirs.vectors, model.word_vectors())
        assert as_bytes(ftl.load(path)) == as_bytes(model)
    with open(folder / "vec", "rb") as file:  # noqa: PTH123
        spacy = read_as_spacy(file.read())
    assert [word for word, _ in spacy] == list(model.words)
    assert_array_equal(np.array([row for _, row in spacy], np.float32), model.word_vectors())


@given(tables(PLAIN), st.booleans(), st.sampled_from(["", ".gz"]))
def test_what_gensim_writes_is_read(tmp_path_factory, rows, binary, suffix):
    keyed = pytest.importorskip("gensim.models.keyedvectors").KeyedVectors
    distinct = dict(rows)
    assume(not (binary and looks_like_text(distinct[rows[0][0]])))
    theirs = keyed(len(rows[0][1]))
    theirs.add_vectors(list(distinct), np.array(list(distinct.values()), np.float32))
    path = tmp_path_factory.mktemp("vectors") / f"file{suffix}"
    theirs.save_word2vec_format(str(path), binary=binary)
    ours = ftl.load(path)
    assert list(ours.words) == theirs.index_to_key
    assert_array_equal(ours.word_vectors(), theirs.vectors)
    again = keyed.load_word2vec_format(str(path), binary=binary, limit=2)
    limited = ftl.load(path, max_words=2)
    assert list(limited.words) == again.index_to_key
    assert_array_equal(limited.word_vectors(), again.vectors)


# The dimensions tell a word from numbers, so there are as many as in the smallest real files.
@given(
    st.lists(ODD.filter(lambda word: "\n" not in word), min_size=1, max_size=8),
    st.integers(0, 2**32 - 1),
    st.sampled_from([b"", b"\n"]),
    st.sampled_from([1e-3, 0.1, 10.0]),
)
def test_binary_rows_with_spaces_are_read_as_they_were_written(words, seed, end, scale):
    numbers = np.random.default_rng(seed).standard_normal((len(words), 25)) * scale
    texts = [word.encode() for word in words]
    data = b"%d 25\n" % len(words) + b"".join(
        text + b" " + struct.pack("<25f", *row) + end
        for text, row in zip(texts, numbers.tolist(), strict=True)
    )
    expected = first_rows(read_records(data, [len(text) for text in texts]))
    assert as_bytes(ftl.load(io.BytesIO(data))) == expected
