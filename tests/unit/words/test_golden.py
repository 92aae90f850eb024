"""Stored files and answers of the official program, for tests without it.

``tests/golden/make.py`` created them.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import GOLDEN

import fasttext_lite as ftl

MODELS = sorted(path.name for path in GOLDEN.iterdir() if path.suffix in {".bin", ".ftz"})


class Golden(NamedTuple):
    """A model, and the answers of the official program about the same file."""

    model: ftl.Model
    answers: dict[str, Any]
    queries: list[str]
    word_vectors: np.ndarray
    query_vectors: np.ndarray


@cache
def expected() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    answers = json.loads((GOLDEN / "expected.json").read_text(encoding="ascii"))
    with np.load(GOLDEN / "expected.npz") as archive:
        return answers, dict(archive)


@pytest.fixture(params=MODELS)
def golden(request: pytest.FixtureRequest) -> Golden:
    answers, vectors = expected()
    name = request.param
    return Golden(
        ftl.load(GOLDEN / name),
        answers["models"][name],
        answers["queries"],
        vectors[f"{name}.words"],
        vectors[f"{name}.queries"],
    )


def assert_vectors_equal(model: ftl.Model, words: list[str], official: np.ndarray) -> None:
    """Compare vectors, bit for bit if the matrix is dense."""
    actual = model[words]
    if model.info.quantized_input:
        assert_allclose(actual, official, rtol=1e-6, atol=1e-6)
    else:
        assert_array_equal(actual.view(np.uint32), official.view(np.uint32))


def test_every_model_has_its_answers() -> None:
    answers, _ = expected()
    assert sorted(answers["models"]) == MODELS


def test_entries_and_their_counts_are_equal(golden: Golden) -> None:
    assert list(golden.model.words) == golden.answers["words"]
    assert list(golden.model.labels) == golden.answers["labels"]
    assert golden.model.counts.tolist() == golden.answers["counts"]
    assert golden.model.label_counts.tolist() == golden.answers["label_counts"]


def test_ids_follow_the_order_of_the_words(golden: Golden) -> None:
    words = golden.answers["words"]
    assert [golden.model.word_id(word) for word in words] == list(range(len(words)))


def test_subword_rows_are_equal(golden: Golden) -> None:
    rows = [[row for _, row in golden.model.subwords(query)] for query in golden.queries]
    assert rows == golden.answers["subword_rows"]


def test_subword_texts_are_equal(golden: Golden) -> None:
    texts = [[text for text, _ in golden.model.subwords(query)] for query in golden.queries]
    if golden.model.info.pruned:
        # The official program does not report which n-grams have no row.
        assert golden.answers["subword_texts"] is None
    else:
        assert texts == golden.answers["subword_texts"]


def test_vectors_of_words_are_equal(golden: Golden) -> None:
    assert_vectors_equal(golden.model, golden.answers["words"], golden.word_vectors)


def test_vectors_of_unknown_words_are_equal(golden: Golden) -> None:
    assert_vectors_equal(golden.model, golden.queries, golden.query_vectors)
