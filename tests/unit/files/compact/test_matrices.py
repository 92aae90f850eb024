"""The numbers and matrices of compact files: number formats, scales, supervised models."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import GOLDEN, reference
from support.compact_kinds import DTYPES, bits
from support.plain_reader import PlainReader

import fasttext_lite as ftl


def test_int8_has_a_scale_for_each_row(convert):
    original = ftl.load("sample")
    _, model = convert("sample", "int8")
    arrays = PlainReader(model.info.path).arrays
    exact = {"words": original[list(original.words)], "subwords": original.input_matrix[7081:]}
    for name, rows in exact.items():
        scales = arrays[f"{name}.scales"]
        assert_array_equal(scales, np.abs(rows).max(axis=1) / np.float32(127))
        assert np.abs(arrays[name]).max() == 127
        error = np.abs(arrays[name] * scales[:, None] - rows)
        assert (error <= scales[:, None] * 0.5001).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_norms_are_those_of_the_stored_rows(convert, dtype):
    _, model = convert("sample", dtype)
    norms = PlainReader(model.info.path).arrays["words.norms"]
    stored = model[list(model.words)].astype(np.float64)
    assert_allclose(norms, np.linalg.norm(stored, axis=1), rtol=1e-6)


def test_rows_of_zeros_and_tiny_numbers_survive_int8(source, convert):
    tiny = np.float32(1.4e-45)
    rows = np.zeros((14, 4), np.float32)
    rows[1] = (tiny * 190, -tiny, 0, 0)
    rows[2] = (1e-30, -1e-30, 5e-31, 0)
    rows[3] = (3e38, -3e38, 1.0, 0)
    report, model = convert(source(input_matrix=rows, bucket=10, maxn=0), "int8")
    assert not model["</s>"].any()
    assert_allclose(model["one"][0], rows[1, 0], rtol=0.5)
    assert_allclose(model["two"], rows[2], atol=1e-32)
    assert_allclose(model["three"], rows[3], rtol=1e-6, atol=3e36)
    assert report.loss.worst > 0.99


def test_a_number_beyond_float16_is_refused(source, convert):
    rows = np.ones((14, 4), np.float32)
    rows[13, 2] = -70000
    path = source(input_matrix=rows)
    with pytest.raises(ftl.InputValueError, match="70000 is too large for float16"):
        convert(path, "float16")
    _, model = convert(path, "int8")
    assert model.row(13)[2] == -70000
    rows[13, 1] = np.nan
    with pytest.raises(ftl.InputValueError, match="70000 is too large for float16"):
        convert(source(input_matrix=rows), "float16")


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_so_or_is_refused(source, convert, number):
    rows = np.ones((14, 4), np.float32)
    rows[1, 2] = number
    path = source(input_matrix=rows, maxn=0)
    for dtype in ("float32", "float16"):
        report, model = convert(path, dtype)
        assert_array_equal(model["one"], rows[1])
        assert report.loss.worst == 1
    with pytest.raises(ftl.InputValueError, match="convert to float32 or float16"):
        convert(path, "int8")


# Supervised models


def test_a_supervised_model_keeps_its_matrices(convert):
    for name in ("softmax.bin", "hs.bin"):
        original = ftl.load(GOLDEN / name)
        _, model = convert(GOLDEN / name)
        assert_array_equal(bits(model.input_matrix), bits(original.input_matrix))
        assert_array_equal(bits(model.output_matrix), bits(original.output_matrix))
        assert model.info.parameters.loss == original.info.parameters.loss


@pytest.mark.parametrize("name", ["odd_dsub.ftz", "pruned.ftz"])
def test_a_quantised_supervised_model_is_decoded(convert, name):
    slow = reference.parse(GOLDEN / name)
    _, model = convert(GOLDEN / name)
    order = range(len(slow.input_matrix) - len(slow.words))
    if slow.prune is not None:
        order = [slow.prune[bucket] for bucket in sorted(slow.prune)]
    expected = slow.input_matrix[[*range(len(slow.words)), *(len(slow.words) + i for i in order)]]
    assert_allclose(model.input_matrix, expected, rtol=1e-6)
    assert_allclose(model.output_matrix, slow.output_matrix, rtol=1e-6)


def test_a_supervised_model_keeps_the_end_of_the_line(convert):
    path = GOLDEN / "hs.bin"
    original = ftl.load(path)
    chosen = [word for word in original.words if word != "</s>"][5:8]
    _, model = convert(path, words=chosen, subwords="used")
    assert set(model.words) == {"</s>", *chosen}
    assert list(model.labels) == list(original.labels)
    assert_array_equal(bits(model[[*chosen, "</s>"]]), bits(original[[*chosen, "</s>"]]))
    assert_array_equal(bits(model.output_matrix), bits(original.output_matrix))


def test_the_matrices_that_a_file_lacks_are_told(convert):
    _, model = convert("sample")
    with pytest.raises(ftl.FastTextLiteError, match="not word rows"):
        model.input_matrix  # noqa: B018
    with pytest.raises(ftl.FastTextLiteError, match="no output matrix"):
        model.output_matrix  # noqa: B018
    with pytest.raises(ftl.InputValueError, match=r"not (word|their) rows"):
        model.row(3)
    original = ftl.load("sample")
    assert_array_equal(model.row(7081 + 5), original.row(7081 + 5))
    _, half = convert(GOLDEN / "hs.bin", "float16")
    with pytest.raises(ftl.FastTextLiteError, match="it has no float32 numbers"):
        half.input_matrix  # noqa: B018
