"""For any small model and any word, results equal those of the reference reader."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, note
from numpy.testing import assert_allclose, assert_array_equal
from support import reference
from support.builders import build
from support.strategies import QUERIES, dense_models, pruned_models, quantized_models

import fasttext_lite as ftl

if TYPE_CHECKING:
    from collections.abc import Iterator


def both_of(options: dict[str, Any]) -> Iterator[tuple[ftl.Model, reference.ReferenceModel]]:
    """Open the file of these options, mapped and read, and with the reference."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        path = Path(directory, "model.bin")
        path.write_bytes(build(**options))
        for mmap in (True, False):
            yield ftl.load(path, mmap=mmap), reference.parse(path)


def words_to_ask(options: dict[str, Any], queries: list[bytes]) -> list[bytes]:
    return [*options["words"], *options["labels"], *queries]


def decode(word: bytes) -> str:
    return word.decode(errors="surrogateescape")


any_model = given(options=dense_models() | quantized_models() | pruned_models(), queries=QUERIES)


@given(options=dense_models(), queries=QUERIES)
def test_vectors_of_dense_models_are_equal_bit_for_bit(
    options: dict[str, Any], queries: list[bytes]
) -> None:
    words = words_to_ask(options, queries)
    for ours, slow in both_of(options):
        expected = np.array([slow.vector(word) for word in words]).view(np.uint32)
        assert_array_equal(ours[words].view(np.uint32), expected)
        assert_array_equal(np.array([ours[word] for word in words]).view(np.uint32), expected)


@given(options=quantized_models() | pruned_models(), queries=QUERIES)
def test_vectors_of_quantized_models_are_equal(
    options: dict[str, Any], queries: list[bytes]
) -> None:
    words = words_to_ask(options, queries)
    for ours, slow in both_of(options):
        expected = np.array([slow.vector(word) for word in words])
        assert_allclose(ours[words], expected, rtol=1e-6, atol=1e-6)
        assert_allclose(np.array([ours[word] for word in words]), expected, rtol=1e-6, atol=1e-6)


@any_model
def test_subwords_are_equal(options: dict[str, Any], queries: list[bytes]) -> None:
    for ours, slow in both_of(options):
        for word in words_to_ask(options, queries):
            note(f"{word!r}")
            expected = [(decode(text), row) for text, row in slow.subwords(word)]
            assert ours.subwords(word) == expected
            assert ours.subwords(decode(word)) == expected


@any_model
def test_distinct_ngrams_are_equal(options: dict[str, Any], queries: list[bytes]) -> None:
    words = words_to_ask(options, queries)
    for ours, slow in both_of(options):
        distinct = dict.fromkeys(pair for word in words for pair in slow.ngram_rows(word))
        assert ours.ngrams(words) == [(decode(text), row) for text, row in distinct]


@any_model
def test_ids_are_equal_and_of_repeated_words_the_last(
    options: dict[str, Any], queries: list[bytes]
) -> None:
    words = words_to_ask(options, queries)
    for ours, slow in both_of(options):
        expected = [slow.word_id(word) for word in words]
        assert [ours.word_id(word) for word in words] == expected
        assert [ours.word_id(decode(word)) for word in words] == expected
        assert [word in ours for word in words] == [row >= 0 for row in expected]


@any_model
def test_entries_are_equal(options: dict[str, Any], queries: list[bytes]) -> None:
    for ours, slow in both_of(options):
        assert list(ours.words) == [decode(word) for word in slow.words]
        assert list(ours.labels) == [decode(label) for label in slow.labels]
        assert ours.counts.tolist() == slow.counts
        assert ours.label_counts.tolist() == slow.label_counts
        unknown = [word for word in queries if word not in slow.words]
        assert not any(decode(word) in ours.words for word in unknown)


@any_model
def test_a_word_of_which_nothing_is_known_gets_the_default(
    options: dict[str, Any], queries: list[bytes]
) -> None:
    for ours, slow in both_of(options):
        for word in words_to_ask(options, queries):
            unknown = slow.word_id(word) < 0
            assert (ours.get(word) is None) == (unknown and slow.rows_of(word) == [])


@given(options=dense_models())
def test_matrices_of_dense_models_are_equal(options: dict[str, Any]) -> None:
    for ours, slow in both_of(options):
        for matrix, expected in (
            (ours.input_matrix, slow.input_matrix),
            (ours.output_matrix, slow.output_matrix),
        ):
            assert matrix.dtype == np.float32
            assert_array_equal(matrix.view(np.uint32), expected.view(np.uint32))
