"""The texts nearest to a query, against brute force over the vectors of the model."""

from __future__ import annotations

import numpy as np
import pytest

import fasttext_lite as ftl

TEXTS = ["the price of bread", "a war at sea", "peace at last", "the war of the worlds", "bread"]


@pytest.fixture(scope="module")
def model():
    return ftl.load("sample")


def test_the_nearest_texts_are_those_of_brute_force(model):
    index = ftl.TextIndex.build(model, TEXTS, spelling=0, dtype="float32")
    vectors = model.sentence_vectors(TEXTS).astype(np.float64)
    query = model.sentence_vector("wars at sea").astype(np.float64)
    cosines = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    hits = index.search("Wars at sea", k=3)
    assert [hit.row for hit in hits] == np.argsort(-cosines)[:3].tolist()
    assert np.allclose([hit.score for hit in hits], np.sort(cosines)[::-1][:3], atol=1e-6)
    assert hits[0].text == "a war at sea"


def test_a_saved_index_gives_the_same_answers(model, tmp_path):
    index = ftl.TextIndex.build(model, TEXTS, ids=list("abcde"), labels=["x", None, "y", "x", "y"])
    before = index.search(["a war", "bread"])
    index.save(tmp_path / "texts.safetensors")
    assert index.search(["a war", "bread"]) == before
    with ftl.TextIndex.open(tmp_path / "texts.safetensors") as again:
        assert again.search(["a war", "bread"]) == before
        assert list(again.ids) == list("abcde")
        assert list(again.labels) == ["x", None, "y", "x", "y"]
        assert list(again.texts) == TEXTS
