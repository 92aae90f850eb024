"""Rows of n-grams that conjugate gradients fit, compared with dense least squares and LSQR."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from support.plain_fit import means_of_ngrams, solve

from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite.ngram_fitting.least_squares import Equations, list_ngrams, means

WORDS = st.lists(
    st.text("abcéж", min_size=1, max_size=12).map(str.encode), min_size=1, max_size=40, unique=True
)


def vocabulary_of(words):
    offsets = np.cumsum([0, *map(len, words)], dtype=np.uint64)
    counts = np.ones(len(words), np.int64)
    return Vocabulary.stored(memoryview(b"".join(words)), offsets, counts, len(words), 0)


@st.composite
def problems(draw):
    words = draw(WORDS)
    minn = draw(st.integers(1, 4))
    maxn = draw(st.integers(minn, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    vectors = rng.standard_normal((len(words), draw(st.integers(1, 5)))).astype(np.float32)
    weights = rng.choice([0, 0.5, 1, 3], len(words)).astype(np.float32)
    # Some columns are zero.
    vectors[:, rng.random(vectors.shape[1]) < 0.2] = 0
    return words, minn, maxn, draw(st.sampled_from([1, 7, 50, 200])), vectors, weights


def fit(problem, ridge, threads=1, **limits):
    words, minn, maxn, buckets, vectors, weights = problem
    ids = np.arange(len(words), dtype=np.int32)
    ngrams = list_ngrams(Subwords(minn, maxn, buckets, 0), vocabulary_of(words), ids, threads)
    equations = Equations(ngrams, weights, threads)
    rows = np.zeros((buckets, vectors.shape[1]), np.float32)
    limits = {"tolerance": 1e-5, "most": 300} | limits
    return rows, equations.solve(vectors, ridge, rows, **limits), ngrams, equations


def tolerance(matrix, weights, ridge, expected):
    """The error that float32 leaves: it grows with the condition of the equations."""
    largest = np.linalg.norm(matrix * np.sqrt(weights)[:, None], 2) ** 2
    relative = min(max(1e-5 * (1 + largest / ridge), 2e-4), 5e-3)
    return relative * max(np.abs(expected).max(), 1)


@given(problems(), st.sampled_from([0.01, 0.1, 1.0]))
@settings(max_examples=60)
def test_the_rows_are_those_of_dense_least_squares(problem, ridge):
    words, minn, maxn, buckets, vectors, weights = problem
    rows, _, ngrams, _ = fit(problem, ridge)
    matrix = means_of_ngrams(words, minn, maxn, buckets)
    expected = solve(matrix, vectors, weights, ridge)
    assert_allclose(rows, expected, atol=tolerance(matrix, weights, ridge, expected))
    assert_allclose(means(ngrams, rows, 2), matrix @ rows, atol=1e-5 * max(np.abs(rows).max(), 1))


@given(problems())
@settings(max_examples=60)
def test_without_a_ridge_the_error_is_the_least(problem):
    """The rows are not unique then, but their means are."""
    words, minn, maxn, buckets, vectors, weights = problem
    rows, _, _, _ = fit(problem, 0.0)
    matrix = means_of_ngrams(words, minn, maxn, buckets)
    seen = weights > 0
    least = matrix @ solve(matrix, vectors, weights, 0.0)
    # float32 leaves the ill-conditioned directions unsolved.
    error = (weights[:, None] * (matrix @ rows - vectors) ** 2)[seen].sum()
    expected = (weights[:, None] * (least - vectors) ** 2)[seen].sum()
    assert error <= expected + 2e-3 * max((weights[:, None] * vectors**2).sum(), 1e-9)


@given(problems())
@settings(max_examples=30)
def test_the_rows_are_those_of_lsqr(problem):
    linalg = pytest.importorskip("scipy.sparse.linalg")
    words, minn, maxn, buckets, vectors, weights = problem
    rows, _, _, _ = fit(problem, 0.25)
    roots = np.sqrt(weights)
    plain = means_of_ngrams(words, minn, maxn, buckets)
    matrix = plain * roots[:, None]
    for column, vector in zip(rows.T, vectors.T, strict=True):
        found = linalg.lsqr(matrix, vector * roots, damp=0.5, atol=1e-12, btol=1e-12)[0]
        assert_allclose(column, found, atol=tolerance(plain, weights, 0.25, found))


@given(problems())
@settings(max_examples=30)
def test_a_start_at_the_solution_for_other_weights_leads_to_the_same_rows(problem):
    words, minn, maxn, buckets, vectors, weights = problem
    rows, _, _, equations = fit(problem, 0.1)
    weights = np.flip(weights).copy()
    equations.weigh(weights)
    equations.solve(vectors, 0.1, rows, tolerance=1e-5, most=300)
    matrix = means_of_ngrams(words, minn, maxn, buckets)
    expected = solve(matrix, vectors, weights, 0.1)
    assert_allclose(rows, expected, atol=tolerance(matrix, weights, 0.1, expected))


def test_threads_do_not_change_a_bit():
    rng = np.random.default_rng(2)
    words = sorted({bytes(word) for word in rng.integers(97, 105, (9000, 7), np.uint8)})
    vectors = rng.standard_normal((len(words), 19)).astype(np.float32)
    problem = words, 2, 5, 5000, vectors, np.ones(len(words), np.float32)
    rows, done, *_ = fit(problem, 0.1, tolerance=0.05)
    again, done_again, *_ = fit(problem, 0.1, threads=5, tolerance=0.05)
    assert done == done_again > 2
    assert rows.tobytes() == again.tobytes()


def test_the_columns_of_a_transposed_matrix_ascend_and_fit():
    words = [b"banana", b"", b"an", b"</s>", b"a" * 3000]
    ids = np.arange(len(words), dtype=np.int32)
    ngrams = list_ngrams(Subwords(2, 4, 11, 0), vocabulary_of(words), ids, 2)
    across = ngrams.transposed()
    for matrix in (ngrams, across):
        assert len(matrix.columns) == matrix.offsets[-1]
    rows = np.repeat(np.arange(len(words)), np.diff(ngrams.offsets))
    columns = np.repeat(np.arange(11), np.diff(across.offsets))
    assert sorted(zip(rows, ngrams.columns, strict=True)) == sorted(
        zip(across.columns, columns, strict=True)
    )
    for start, stop in zip(across.offsets, across.offsets[1:], strict=False):
        assert (np.diff(across.columns[start:stop]) >= 0).all()
