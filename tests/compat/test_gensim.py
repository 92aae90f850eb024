"""Real files of 2016 and 2017 from gensim's tests, compared with gensim and the reference."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import reference
from support.text import unknown_words

import fasttext_lite as ftl

gensim_fasttext = pytest.importorskip("gensim.models.fasttext")
gensim_test = pytest.importorskip("gensim.test.utils")

# The official program refuses the first three, which have no magic number yet.
ENCODINGS = {
    "lee_fasttext.bin": "utf-8",
    "non_ascii_fasttext.bin": "utf-8",
    "cp852_fasttext.bin": "cp852",
    "lee_fasttext_new.bin": "utf-8",
}
UNKNOWN = unknown_words()
END_OF_SENTENCE = "</s>"


class Pair(NamedTuple):
    """One file, opened by gensim and by this package."""

    path: str
    encoding: str
    gensim: Any
    ours: ftl.Model


@pytest.fixture(scope="module", params=ENCODINGS)
def pair(request: pytest.FixtureRequest) -> Pair:
    path, encoding = gensim_test.datapath(request.param), ENCODINGS[request.param]
    theirs = gensim_fasttext.load_facebook_vectors(path, encoding=encoding)
    return Pair(path, encoding, theirs, ftl.load(path))


def test_words_are_equal(pair: Pair) -> None:
    assert [
        word.encode(errors="surrogateescape").decode(pair.encoding) for word in pair.ours.words
    ] == pair.gensim.index_to_key


def test_rows_are_equal(pair: Pair) -> None:
    words, ngrams = np.split(pair.ours.input_matrix, [len(pair.ours)])
    assert_array_equal(words, pair.gensim.vectors_vocab)
    assert_array_equal(ngrams, pair.gensim.vectors_ngrams)


def test_vectors_of_words_are_equal(pair: Pair) -> None:
    # gensim gives n-grams to "</s>", and hashes words as UTF-8, not as the bytes of the file.
    words = [
        word
        for word in pair.gensim.index_to_key
        if word != END_OF_SENTENCE and word.encode() == word.encode(pair.encoding)
    ]
    assert len(words) >= 100
    assert_allclose(pair.ours[words], pair.gensim[words], rtol=1e-6, atol=1e-6)


def test_vectors_of_unknown_words_are_equal(pair: Pair) -> None:
    # gensim accepts str only, so words that are not UTF-8 are left out.
    known = {END_OF_SENTENCE, None, *pair.gensim.key_to_index}
    words = [word for word in map(_as_text, UNKNOWN) if word not in known]
    assert len(words) >= 1000
    theirs = np.array([pair.gensim.get_vector(word) for word in words])
    assert_allclose(pair.ours[words], theirs, rtol=1e-6, atol=1e-6)


def test_everything_equals_the_reference(pair: Pair) -> None:
    parsed = reference.parse(pair.path)
    assert_array_equal(pair.ours.counts, parsed.counts)
    words = parsed.words + UNKNOWN[:500]
    assert [pair.ours.word_id(word) for word in words] == [parsed.word_id(word) for word in words]
    vectors = np.array([parsed.vector(word) for word in words])
    assert_array_equal(pair.ours[words].view(np.uint32), vectors.view(np.uint32))
    assert_array_equal(pair.ours.output_matrix, parsed.output_matrix)


def _as_text(word: bytes) -> str | None:
    try:
        return word.decode()
    except UnicodeDecodeError:
        return None
