"""The rows of many words in one array."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import GOLDEN
from support.builders import build
from support.compact_kinds import KINDS, UNKNOWN, bits

import fasttext_lite as ftl
from fasttext_lite._core.lookup.ngrams import place_rows
from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.errors import InputTypeError, InputValueError, UnknownWordError


def means(model, rows, offsets):
    """The mean of each bag, in the arithmetic of the official program."""
    out = np.zeros((len(offsets) - 1, model.dim), np.float32)
    parts = model._parts
    words = len(model) if parts.vectors else 0
    for vector, start, stop in zip(out, offsets[:-1], offsets[1:], strict=True):
        own = rows[start:stop]
        if len(own) == 1 and own[0] < words:
            vector[:] = model[model.words[int(own[0])]]
            continue
        parts.input.rows.sum(own - words, vector)
        vector *= np.float32(1 / max(len(own), 1))
    return out


@pytest.mark.parametrize("compact", [False, True], ids=["fasttext", "compact"])
@pytest.mark.parametrize("kind", KINDS)
def test_vectors_are_the_means_of_bags(tmp_path, kind, compact):
    path = tmp_path / "model.bin"
    path.write_bytes(build(**KINDS[kind]))
    if compact:
        ftl.convert(path, tmp_path / "model.safetensors")
        path = tmp_path / "model.safetensors"
    model = ftl.load(path)
    # A word of n characters may have n²/2 n-grams.
    words = [*(word[:500] for word in UNKNOWN), *model.words, *model.labels, "x" * 900]
    rows, offsets = model.bags(words)
    assert rows.dtype == offsets.dtype == np.int64
    assert (bits(means(model, rows, offsets)) == bits(model.vectors(words))).all()


def test_bags_list_the_rows_of_subwords():
    model = ftl.load("sample")
    words = ["war", "warish", "", "</s>", "peace"]
    rows, offsets = model.bags(words)
    for i, word in enumerate(words):
        own = rows[offsets[i] : offsets[i + 1]]
        assert own.tolist() == [row for _, row in model.subwords(word)]


def test_a_stored_vector_is_one_row():
    model = ftl.load(GOLDEN / "skipgram.safetensors")
    rows, offsets = model.bags(list(model.words))
    assert rows.tolist() == list(range(len(model)))
    assert offsets.tolist() == list(range(len(model) + 1))


@given(st.lists(st.text(max_size=12), max_size=200))
def test_any_words_have_bags(words):
    model = ftl.load("sample")
    rows, offsets = model.bags(words)
    assert (np.diff(offsets) >= 0).all()
    assert offsets[-1] == len(rows)
    assert (bits(means(model, rows, offsets)) == bits(model.vectors(words))).all()


def test_no_words_have_no_rows():
    rows, offsets = ftl.load("sample").bags([])
    assert rows.shape == (0,)
    assert offsets.tolist() == [0]


def test_a_word_without_a_vector_is_named(tmp_path):
    (tmp_path / "a.vec").write_text("1 2\nknown 1 2\n")
    with pytest.raises(UnknownWordError, match="unheard"):
        ftl.load(tmp_path / "a.vec").bags(["known", "unheard"])


def test_a_single_word_is_refused():
    with pytest.raises(InputTypeError):
        ftl.load("sample").bags("war")


def test_bags_on_several_threads_are_the_same():
    model = ftl.load("sample")
    words = [f"{word}{i}" for i, word in enumerate(model.words)]
    expected = model.bags(words)
    found = []
    threads = [threading.Thread(target=lambda: found.append(model.bags(words))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(a, b) for one in found for a, b in zip(one, expected, strict=True))


@pytest.mark.parametrize(
    ("start", "stop", "offsets"), [(-1, 1, [0, 0]), (0, 2, [0, 0]), (0, 1, [0]), (0, 1, [9, 0])]
)
def test_ranges_are_checked(start, stop, offsets):
    embedder = ftl.load("sample")._embedder
    given = np.array(offsets, np.int64)
    with pytest.raises(InputValueError, match="do not fit"):
        place_rows(embedder, WordBatch(["war"]), start, stop, given, np.empty(4, np.int64))


def test_words_whose_rows_do_not_fit_are_left():
    embedder = ftl.load("sample")._embedder
    offsets, rows = np.zeros(3, np.int64), np.empty(10, np.int64)
    assert place_rows(embedder, WordBatch(["war", "peace"]), 0, 2, offsets, rows) == 1
    assert offsets.tolist() == [0, 7, 0]
