"""Rows by their ids: integers of any width, and errors for everything else."""

from __future__ import annotations

import numpy as np
import pytest

import fasttext_lite as ftl
from fasttext_lite._core.lookup import rows

MATRIX = np.arange(12, dtype=np.float32).reshape(4, 3)


@pytest.fixture
def matrix():
    return rows.DenseRows(MATRIX.data.cast("B"), 4, 3)


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint32, np.int64, np.uint64, list])
def test_ids_are_integers_of_any_width(matrix, dtype):
    """The default of NumPy 1.x on Windows is int32."""
    ids = [3, 0, 3] if dtype is list else np.array([3, 0, 3], dtype)
    taken = np.empty((3, 3), np.float32)
    matrix.take(ids, taken)
    np.testing.assert_array_equal(taken, MATRIX[[3, 0, 3]])
    total = np.zeros(3, np.float32)
    matrix.sum(ids, total)
    np.testing.assert_array_equal(total, MATRIX[[3, 0, 3]].sum(axis=0))
    assert matrix.dots(ids, MATRIX[1]).tolist() == (MATRIX[[3, 0, 3]] @ MATRIX[1]).tolist()


def test_ids_may_be_strided_or_empty(matrix):
    taken = np.empty((2, 3), np.float32)
    matrix.take(np.arange(4)[::2], taken)
    np.testing.assert_array_equal(taken, MATRIX[::2])
    matrix.take([], np.empty((0, 3), np.float32))
    assert matrix.dots([], MATRIX[1]).tolist() == []


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        (np.array([0.0]), ftl.InputTypeError, "must be integers, not float64"),
        (np.array([True]), ftl.InputTypeError, "must be integers, not bool"),
        (["a"], ftl.InputTypeError, "must be integers"),
        ([[0]], ftl.InputValueError, "one dimension, not 2"),
        ([4], ftl.InputValueError, "row 4 is outside the matrix of 4 rows"),
        ([-1], ftl.InputValueError, "row -1 is outside"),
        (np.array([2**63 + 1], np.uint64), ftl.InputValueError, "is outside"),
    ],
)
def test_other_ids_are_refused(matrix, ids, error, message):
    out = np.zeros((1, 3), np.float32)
    for call in (
        lambda: matrix.take(ids, out),
        lambda: matrix.sum(ids, out[0]),
        lambda: matrix.dots(ids, out[0]),
    ):
        with pytest.raises(error, match=message):
            call()
    assert not out.any()


def test_a_part_of_a_quantised_row_has_columns():
    with pytest.raises(ftl.InputValueError, match="must have at least one"):
        rows.QuantizedRows(b"", np.empty(0, np.float32), 0, 0, 0)
