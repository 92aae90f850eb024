"""Any small model and any map: the vectors are the reference vectors times the matrix."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support import reference
from support.builders import SUPERVISED, build
from support.strategies import QUERIES, dense_models, pruned_models, quantized_models

import fasttext_lite as ftl

MODELS = dense_models() | quantized_models() | pruned_models()
# Relative to the products of the absolute values, for sums of at most 100 float32 numbers.
ERROR = 1e-5


def draw_map(options: dict[str, Any], seed: int, columns: int) -> np.ndarray:
    random, dim = np.random.default_rng(seed), options["dim"]
    if options["model"] == SUPERVISED:
        # The rows are orthonormal.
        return np.linalg.qr(random.standard_normal((dim + columns, dim)))[0].T
    return random.standard_normal((dim, columns)) * 10.0 ** random.integers(-3, 3, columns)


@given(
    options=MODELS,
    queries=QUERIES,
    seed=st.integers(0, 2**32 - 1),
    columns=st.integers(1, 40),
    dtype=st.sampled_from([None, "float32"]),
)
def test_vectors_are_those_of_the_reference_times_the_matrix(
    options: dict[str, Any], queries: list[bytes], seed: int, columns: int, dtype: str | None
) -> None:
    matrix = draw_map(options, seed, columns)
    with TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        path, target = Path(directory, "source"), Path(directory, "target")
        path.write_bytes(build(**options))
        if dtype is not None:
            ftl.convert(path, target, dtype, map=matrix)
        mapped = ftl.load(path).mapped(matrix) if dtype is None else ftl.load(target)
        known = reference.parse(path)
        words = [*options["words"], *queries]
        words = [word for word in words if word not in options["labels"]]
        vectors = mapped.vectors(words)
        for word, vector in zip(words, vectors, strict=True):
            assert_array_equal(mapped[word], vector)
            rows = known.input_matrix[known.rows_of(word)].astype(np.float64)
            count = max(len(rows), 1)
            bound = np.abs(rows).sum(axis=0) / count @ np.abs(matrix) * ERROR + 1e-36
            assert (np.abs(vector - rows.sum(axis=0) / count @ matrix) <= bound).all()


@given(options=dense_models(), seed=st.integers(0, 2**32 - 1), columns=st.integers(1, 40))
def test_a_converted_file_holds_the_vectors_of_the_mapped_model(
    options: dict[str, Any], seed: int, columns: int
) -> None:
    matrix = draw_map(options, seed, columns)
    with TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        path, target = Path(directory, "source"), Path(directory, "target")
        path.write_bytes(build(**options))
        ftl.convert(path, target, map=matrix)
        if options["model"] != SUPERVISED:
            assert_array_equal(
                ftl.load(target).word_vectors().view(np.uint32),
                ftl.load(path).mapped(matrix).word_vectors().view(np.uint32),
            )
        ftl.convert(ftl.load(path).mapped(matrix), Path(directory, "again"))
        assert Path(directory, "again").read_bytes() == target.read_bytes()
