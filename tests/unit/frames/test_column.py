"""Columns are Arrow arrays that other libraries read, equal to the answers of the model."""

from __future__ import annotations

import numpy as np
import pytest
from support import GOLDEN

import fasttext_lite as ftl

TEXTS = ["hello world", None, "der Hund ist hier", ""]


@pytest.fixture(scope="module")
def model():
    return ftl.load(GOLDEN / "softmax.bin")


def test_vectors_are_lists_of_fixed_size(model):
    pyarrow = pytest.importorskip("pyarrow")
    column = ftl.columns.vectors(model, ["hello", None, "Hund"])
    array = pyarrow.array(column)
    array.validate(full=True)
    assert array.type == pyarrow.list_(pyarrow.float32(), model.dim)
    assert array.is_null().to_pylist() == [False, True, False]
    assert np.array_equal(array[2].as_py(), model["Hund"])
    assert np.isnan(column.to_numpy()[1]).all()


@pytest.mark.parametrize("k", [1, 2, -1])
def test_labels_are_those_of_predict(model, k):
    pyarrow = pytest.importorskip("pyarrow")
    array = pyarrow.array(ftl.columns.labels(model, TEXTS, k=k))
    array.validate(full=True)
    expected = [
        None
        if text is None
        else [
            {"label": label, "probability": number}
            for label, number in zip(*model.predict(text, k=k), strict=True)
        ]
        for text in TEXTS
    ]
    assert array.to_pylist() == [one and one[0] if k == 1 else one for one in expected]
