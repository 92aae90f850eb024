"""The gensim layer uses the search of the model, and opening reads the head only."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import fasttext_lite as ftl
from fasttext_lite.compat.gensim import load_facebook_vectors


@pytest.fixture(scope="module")
def compact(tmp_path_factory):
    path = tmp_path_factory.mktemp("gensim") / "sample.safetensors"
    ftl.convert("sample", path, "float16")
    return path


@pytest.mark.parametrize("name", ["sample.bin", "sample.safetensors"])
def test_opening_does_not_read_the_dictionary(compact, name):
    vectors = load_facebook_vectors(ftl.SAMPLE if name == "sample.bin" else compact)
    assert len(vectors.index_to_key) == len(ftl.load("sample"))
    assert "vocabulary" not in vars(vectors._model._parts)


@pytest.mark.parametrize("name", ["sample.bin", "sample.safetensors"])
def test_most_similar_holds_less_than_two_bytes_a_number(compact, name):
    vectors = load_facebook_vectors(ftl.SAMPLE if name == "sample.bin" else compact)
    tracemalloc.start()
    try:
        found = vectors.most_similar("king", topn=5)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [word for word, _ in found] == [
        near.word for near in vectors._model.neighbors("king", k=5)
    ]
    assert held < 2 * len(vectors) * vectors.vector_size + 100_000
    assert "vectors" not in vars(vectors)


def test_a_range_of_words_is_searched_as_gensim_slices_it():
    vectors = load_facebook_vectors(ftl.SAMPLE)
    unit = vectors.get_vector("king", norm=True)
    cosines = vectors.vectors @ unit / np.linalg.norm(vectors.vectors, axis=1)
    for start, end in ((0, 100), (50, 3000), (-500, None), (7000, 10**9)):
        rows = np.arange(len(vectors))[start : end or len(vectors)]
        rows = rows[rows != vectors.get_index("king")]
        best = rows[np.argsort(-cosines[rows], kind="stable")[:10]]
        found = vectors.most_similar("king", clip_start=start, clip_end=end)
        assert [word for word, _ in found] == [vectors.index_to_key[i] for i in best]
