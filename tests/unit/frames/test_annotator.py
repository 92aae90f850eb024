"""Batches of every form get the columns of `Annotator`, and annotators travel."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from support import GOLDEN

import fasttext_lite as ftl

MODEL = GOLDEN / "softmax.bin"
TEXTS = ["hello world", None, "der Hund ist hier", ""]


def test_a_dict_of_lists_gets_lists():
    expected = ftl.load(MODEL).classifier(strip_prefix=True).predict(TEXTS, missing="empty")
    found = ftl.Annotator(MODEL, label="language")({"text": TEXTS, "n": [1, 2, 3, 4]})
    assert list(found) == ["text", "n", "language", "probability"]
    assert found["language"] == [one.labels[0] if one.labels else None for one in expected]
    assert found["probability"][1] is None
    assert found["probability"][0] == expected[0].probabilities[0]


def test_a_dict_of_arrays_gets_arrays():
    found = ftl.Annotator(MODEL, vector="v", evidence="e")({"text": np.array(TEXTS, object)})
    assert found["label"].dtype == object
    assert found["v"].dtype == found["probability"].dtype == np.float32
    assert found["v"].shape == (4, ftl.load(MODEL).dim)
    assert found["e"].dtype == np.int64


def test_the_pickle_is_that_of_an_equal_one_before_and_after_use():
    one, other = (ftl.Annotator(MODEL, labels=labels) for labels in ([3, 1], {1, 3}))
    before = pickle.dumps(one)
    one({"text": TEXTS})
    assert pickle.dumps(one) == before == pickle.dumps(other)
    assert pickle.dumps(pickle.loads(before)) == before
    assert pickle.loads(before)({"text": TEXTS}) == one({"text": TEXTS})


def test_a_worker_with_another_file_says_so(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(MODEL.read_bytes())
    sent = pickle.dumps(ftl.Annotator(path))
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(
        ftl.FileError, match=r"another file on .* than where the work was sent from"
    ):
        pickle.loads(sent)({"text": TEXTS})
    path.unlink()
    with pytest.raises(ftl.MissingFileError, match="on all machines"):
        pickle.loads(sent)({"text": TEXTS})
