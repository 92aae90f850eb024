"""Any words and numbers are read back from each form of a file of word vectors."""

from __future__ import annotations

import codecs
import re
from fractions import Fraction

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.decimals import is_nearest, parse_decimals

import fasttext_lite as ftl

DECIMALS = st.from_regex(
    r"[+-]?([0-9]{1,25}(\.[0-9]{0,25})?|\.[0-9]{1,25})([eE][+-]?[0-9]{1,2})?", fullmatch=True
).filter(str.isascii)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
WORDS = st.binary(min_size=1, max_size=8).filter(lambda word: not set(word) & set(b" \t\r\n\0"))


@given(DECIMALS)
def test_a_decimal_becomes_the_nearest_float32(decimal):
    (found,) = parse_decimals(decimal)
    assert is_nearest(found, Fraction(decimal))


@given(FLOATS, st.integers(-2, 2), st.integers(0, 40))
def test_decimals_beside_the_middle_of_two_float32_go_to_the_nearer_one(value, step, digits):
    low = np.float32(value)
    with np.errstate(over="ignore"):
        high = np.nextafter(low, np.float32(np.inf))
    if not np.isfinite(high):
        return
    middle = (Fraction(float(low)) + Fraction(float(high))) / 2 + Fraction(step, 10**digits)
    # A fraction over a power of two or ten has a finite decimal form, which is used here.
    scaled = middle * 10**200
    assert scaled.denominator == 1
    text = f"{scaled.numerator}e-200"
    (found,) = parse_decimals(text)
    assert is_nearest(found, middle)


@given(FLOATS)
def test_the_shortest_form_of_a_float32_reads_back_as_it(value):
    number = np.float32(value)
    assert_array_equal(
        parse_decimals(str(number), repr(float(number)), f"{number:.9g}", f"{number:.17g}").view(
            np.uint32
        ),
        np.repeat(number, 4).view(np.uint32),
    )


def could_be_text(row):
    """Return whether the bytes of a row could be the rest of a word in a text file."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(row)
    except UnicodeDecodeError:
        return False
    return not re.search(rb"[\0-\x08\x0e-\x1f\x7f]", row)


@given(
    st.integers(2, 5).flatmap(
        lambda dim: st.lists(
            st.tuples(WORDS, st.lists(FLOATS, min_size=dim, max_size=dim)), min_size=1, max_size=20
        )
    ),
    st.booleans(),
)
def test_words_and_numbers_come_back(tmp_path_factory, rows, binary):
    words = [word for word, _ in rows]
    numbers = np.array([row for _, row in rows], np.float32)
    assume(not (binary and could_be_text(numbers[0].tobytes())))
    lines = [b"%d %d\n" % numbers.shape]
    for word, row in zip(words, numbers, strict=True):
        shown = row.tobytes() if binary else " ".join(map(str, row.tolist())).encode() + b"\n"
        lines.append(word + b" " + shown)
    path = tmp_path_factory.mktemp("vectors") / "file"
    path.write_bytes(b"".join(lines))
    model = ftl.load(path)
    first: dict[bytes, np.ndarray] = {}
    for word, row in zip(words, numbers, strict=True):
        first.setdefault(word, row)
    assert [word.encode(errors="surrogateescape") for word in model.words] == list(first)
    assert_array_equal(model[list(first)].view(np.uint32), np.array([*first.values()]).view("u4"))
