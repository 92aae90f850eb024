"""Columns of pandas, with and without pyarrow, and other objects that cannot export their items."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import SOFTMAX, SUPERVISED, build

import fasttext_lite as ftl

TEXTS = ["one", "two three", "größe"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "classifier.bin"
    labels = [b"__label__a", b"__label__b"]
    path.write_bytes(build(model=SUPERVISED, loss=SOFTMAX, labels=labels, word_ngrams=2))
    return path


CHECK = """
import sys
if sys.argv[2] == "without":
    sys.modules["pyarrow"] = None
import numpy as np, pandas as pd
import fasttext_lite as ftl
from fasttext_lite.compat import fasttext, gensim
model, sample = ftl.load(sys.argv[1]), ftl.load("sample")
face = fasttext.load_model(sys.argv[1])
texts = ["one", "two three", "größe"]
words = ["king", "governmentish", "größe"]
columns = [pd.Series(texts), pd.Series(texts, dtype=object), pd.Series(texts).astype("string"),
           pd.Index(texts), pd.Series(["x", *texts]).iloc[1:]]
for column in columns:
    for a, b in zip(model.predict(column), model.predict(texts), strict=True):
        assert a.labels == b.labels
    for method in (model.predict_ids, model.sentence_vectors):
        for a, b in zip(np.atleast_3d(method(column)), np.atleast_3d(method(texts)), strict=True):
            assert (a == b).all()
for column in (pd.Series(words), pd.Series(words, dtype=object)):
    assert (sample.vectors(column) == sample.vectors(words)).all()
    assert sample.ngrams(column) == sample.ngrams(words)
    assert sample.neighbors(column, k=2) == sample.neighbors(words, k=2)
    assert sample.neighbors("war", among=column.iloc[:1]) == sample.neighbors("war", among=["king"])
    assert (ftl.SIF(sample).vectors(column) == ftl.SIF(sample).vectors(words)).all()
    keyed = gensim.load_facebook_vectors(ftl.SAMPLE)
    assert (keyed[column] == keyed[words]).all()
ids = pd.Series([3, 5])
assert sample.neighbors("war", among=ids) == sample.neighbors("war", among=[3, 5])
rows = pd.Series([sample["king"], "queen"])
assert sample.neighbors(rows, k=2) == sample.neighbors([sample["king"], "queen"], k=2)
for wrong in (pd.DataFrame({"text": texts}), pd.Series([1, 2])):
    try:
        model.predict(wrong)
    except (ftl.InputTypeError, ftl.InputValueError):
        continue
    raise AssertionError(wrong)
try:
    model.predict(pd.Series(["one", 3], dtype=object))
except ftl.InputTypeError as error:
    assert "texts[1]" in str(error), error
else:
    raise AssertionError
"""


@pytest.mark.parametrize("pyarrow", ["with", "without"])
def test_columns_of_pandas_are_read_as_lists(path, pyarrow):
    pytest.importorskip("pandas")
    if pyarrow == "with":
        pytest.importorskip("pyarrow")
    command = [sys.executable, "-I", "-c", CHECK, str(path), pyarrow]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


class Column(list):
    """A list of a library that needs another one to export it."""

    error: type[Exception] = ImportError

    def __arrow_c_stream__(self, requested_schema=None):
        raise self.error("Import pyarrow failed")


@pytest.mark.parametrize(
    "error", [ImportError, ModuleNotFoundError, TypeError, NotImplementedError]
)
def test_what_cannot_be_exported_is_read_as_a_list(path, error, monkeypatch):
    monkeypatch.setattr(Column, "error", error)
    model = ftl.load(path)
    column = Column(TEXTS)
    assert [one.labels for one in model.predict(column)] == [
        one.labels for one in model.predict(TEXTS)
    ]
    assert_array_equal(model.predict_ids(column), model.predict_ids(TEXTS))
    assert_array_equal(model.vectors(column), model.vectors(TEXTS))
    assert_array_equal(model.sentence_vectors(column), model.sentence_vectors(TEXTS))
    assert model.ngrams(column) == model.ngrams(TEXTS)
    assert model.neighbors(column) == model.neighbors(TEXTS)
    with pytest.raises(ftl.InputTypeError, match=r"texts\[1\]"):
        model.predict(Column(["one", 3]))


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt, OSError])
def test_other_errors_of_an_export_pass(path, error, monkeypatch):
    monkeypatch.setattr(Column, "error", error)
    with pytest.raises(error):
        ftl.load(path).predict(Column(TEXTS))


def test_what_can_be_neither_exported_nor_read_is_refused(path):
    class Table:
        def __arrow_c_stream__(self, requested_schema=None):
            raise ImportError

    with pytest.raises(ftl.InputTypeError, match="iterable"):
        ftl.load(path).predict(Table())


def test_an_item_of_a_batch_is_named(path):
    model = ftl.load("sample")
    for call in (ftl.SIF(model).vectors, ftl.SIF(model).fit, model.sentence_vectors):
        with pytest.raises(ftl.InputTypeError, match=r"texts\[1\].*NoneType"):
            call(["one", None])
    with pytest.raises(ftl.InputValueError, match=r"^(?!.*texts\[)"):
        ftl.load(path).predict("one\ntwo")
    assert np.isfinite(model.sentence_vector("one")).all()
