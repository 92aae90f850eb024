"""Searches over a part of the words, and queries in arrays."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import fasttext_lite as ftl
from fasttext_lite.neighbors import NeighborSearch

GOLDEN = next(p / "golden" for p in Path(__file__).parents if (p / "golden").is_dir())


@pytest.fixture(params=["sample", GOLDEN / "skipgram.safetensors"], ids=["bin", "compact"])
def model(request):
    return ftl.load(request.param)


def search_of(model):
    return NeighborSearch(model._embedder, model._parts)


@pytest.mark.parametrize(("start", "stop"), [(0, 7), (3, 40), (5, None), (9, 10), (7, 7), (8, 3)])
def test_a_range_of_words_is_searched(model, start, stop):
    queries = model.vectors(["war", "peace"])
    end = len(model) if stop is None else stop
    inside = np.arange(start, end, dtype=np.int32)
    found = search_of(model).nearest(queries, [[], [start]], 5, start=start, stop=stop)
    expected = search_of(model).nearest(queries, [[], [start]], 5, ids=inside)
    for (ids, scores), (other_ids, other_scores) in zip(found, expected, strict=True):
        assert_array_equal(ids, other_ids)
        assert_array_equal(scores, other_scores)
        assert all(start <= i < end for i in ids)


def test_codes_of_more_words_are_extended(monkeypatch):
    model = ftl.load("sample")
    computed = []
    compute = NeighborSearch._vectors

    def counted(self, start, stop):
        computed.append((start, stop))
        return compute(self, start, stop)

    monkeypatch.setattr(NeighborSearch, "_vectors", counted)
    for first in (100, 50, 3000, 2000, None, 10):
        found = model.neighbors("king", 5, max_words=first)
        assert found == ftl.load("sample").neighbors(
            "king", 5, among=range(len(model) if first is None else first)
        )
    rows = sorted(computed)
    assert [start for start, _ in rows[1:]] == [stop for _, stop in rows[:-1]]
    assert (rows[0][0], rows[-1][1]) == (0, len(model))


def test_codes_are_extended_by_many_threads_at_once():
    model = ftl.load("sample")
    expected = {n: ftl.load("sample").neighbors("king", 3, max_words=n) for n in (10, 700, 7000)}
    found = []

    def ask(first):
        found.append((first, model.neighbors("king", 3, max_words=first)))

    threads = [threading.Thread(target=ask, args=(n,)) for n in [10, 7000, 700] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert all(answer == expected[first] for first, answer in found)


def test_arrays_of_strings_are_many_queries(model):
    words = ["war", "peace", "größe"]
    expected = model.neighbors(words, 3)
    arrays = [
        np.array(words),
        np.array([word.encode() for word in words]),
        np.array(words, object),
        list(map(np.str_, words)),
        tuple(words),
        iter(words),
        dict.fromkeys(words),
    ]
    for array in arrays:
        assert model.neighbors(array, 3) == expected
    assert model.neighbors(np.str_("war"), 3) == expected[0]
    assert model.neighbors(np.array([], "U1")) == []
    assert model.neighbors(np.array(["war", model["war"]], object), 3) == model.neighbors(
        ["war", model["war"]], 3
    )


def test_arrow_arrays_of_strings_are_many_queries(model):
    pyarrow = pytest.importorskip("pyarrow")
    words = ["war", "peace", "größe"]
    expected = model.neighbors(words, 3)
    assert model.neighbors(pyarrow.array(words), 3) == expected
    assert model.neighbors(pyarrow.chunked_array([words[:1], words[1:]]), 3) == expected
    assert model.neighbors("war", 3, among=pyarrow.array(list(model.words[:9]))) == (
        model.neighbors("war", 3, among=model.words[:9])
    )
    with pytest.raises(ftl.InputValueError):
        model.neighbors(pyarrow.array(["war", None]))


def test_arrays_of_numbers_are_one_vector_or_many(model):
    vectors = model.vectors(["war", "peace"])
    expected = model.neighbors([vectors[0], vectors[1]], 3)
    for array in (vectors, vectors.astype(np.float64), np.asfortranarray(vectors)):
        assert model.neighbors(array, 3) == expected
        assert model.neighbors(array[0], 3) == expected[0]
    assert model.neighbors(vectors.tolist(), 3) == expected
    assert model.neighbors(np.empty((0, model.dim))) == []
    assert model.neighbors(np.full(model.dim, 1e300)) == []
    assert len(model.neighbors(np.ones(model.dim, np.int8), 3)) == 3


def test_pairs_and_triples_come_in_arrays(model):
    triples = [("war", "peace", "king"), ("one", "two", "three")]
    assert model.analogies(np.array(triples), k=2) == model.analogies(triples, k=2)
    pairs = [triple[:2] for triple in triples]
    assert_array_equal(model.similarity(np.array(pairs)), model.similarity(pairs))
    assert model.similarity([]).shape == (0,)
    assert model.analogies([]) == []


def test_analogies_take_the_options_of_neighbors(model):
    words = ("war", "peace", "king")
    everything = model.analogies(*words, 5)
    assert model.analogies(*words, 4, exclude=[everything[0].word]) == everything[1:]
    few = model.analogies(*words, 5, among=range(20))
    assert few == model.analogies(*words, 5, max_words=20)
