"""Smooth inverse frequency, compared with the formula of the paper."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.builders import build

import fasttext_lite as ftl

TEXTS = ["the war was long", "", "peace at last , at last", "zzyzx", b"the price of bread"]


@pytest.fixture(scope="module")
def sample():
    return ftl.load("sample")


def by_the_formula(model, text, a):
    words = (text if isinstance(text, bytes) else text.encode()).split()
    total = np.zeros(model.dim)
    for word in words:
        i = model.word_id(word)
        p = model.counts[i] / model.counts.sum() if i >= 0 else 0
        total += a / (a + p) * model[word].astype(np.float64)
    return total / max(len(words), 1)


@pytest.mark.parametrize("a", [1e-4, 1e-3, 1.0])
def test_the_weights_are_those_of_the_paper(sample, a):
    found = ftl.SIF(sample, a).vectors(TEXTS)
    assert_allclose(found, [by_the_formula(sample, text, a) for text in TEXTS], atol=1e-5)


@pytest.mark.parametrize("components", [0, 1, 2])
def test_what_the_texts_share_is_taken_out(sample, components):
    texts = [" ".join(sample.words[i : i + 7]) for i in range(0, 3000, 7)]
    sif = ftl.SIF(sample, components=components).fit(texts)
    plain = np.array([by_the_formula(sample, text, 1e-3) for text in texts])
    _, _, directions = np.linalg.svd(plain, full_matrices=False)
    shared = directions[:components]
    assert sif.common.shape == (components, sample.dim)
    assert_allclose(sif.vectors(texts), plain - plain @ shared.T @ shared, atol=1e-4)
    assert_allclose(sif.vectors(texts) @ sif.common.T, 0, atol=1e-5)


def test_many_texts_are_those_of_each(sample):
    texts = [*TEXTS, *sample.words[:3000]]
    sif = ftl.SIF(sample).fit(TEXTS)
    together = sif.vectors(iter(texts))
    assert_allclose(together[:40], [sif.vectors([text])[0] for text in texts[:40]], atol=1e-6)
    assert sif.vectors([]).shape == (0, sample.dim)


def test_numbers_of_numpy_are_numbers(sample):
    expected = ftl.SIF(sample, 0.5, 2).fit(TEXTS).vectors(TEXTS)
    found = ftl.SIF(sample, np.float32(0.5), np.int64(2)).fit(TEXTS).vectors(TEXTS)
    assert found.tolist() == expected.tolist()


def test_threads_do_not_change_the_answer(sample):
    texts = [" ".join(sample.words[i : i + 9]) for i in range(0, 9000, 9)]
    sif = ftl.SIF(sample).fit(texts, threads=2)
    assert sif.vectors(texts, threads=1).tolist() == sif.vectors(texts, threads=3).tolist()


def test_a_wrong_question_is_answered_clearly(sample, tmp_path):
    with pytest.raises(ftl.InputValueError, match="a must be above 0"):
        ftl.SIF(sample, 0)
    with pytest.raises(ftl.InputValueError, match="components"):
        ftl.SIF(sample, components=-1)
    with pytest.raises(ftl.InputTypeError, match="a must be a number"):
        ftl.SIF(sample, "1")
    with pytest.raises(ftl.InputTypeError, match="pass it in a list"):
        ftl.SIF(sample).vectors("the war")
    with pytest.raises(ftl.InputTypeError, match="a text must be str or bytes"):
        ftl.SIF(sample).vectors([3])
    with pytest.raises(ftl.InputTypeError, match="components must be int"):
        ftl.SIF(sample, components=True)
    with pytest.raises(ftl.InputValueError, match="newline"):
        ftl.SIF(sample).vectors(["one", "two\nthree"])
    with pytest.raises(ftl.InputValueError, match="newline"):
        ftl.SIF(sample).fit(iter(["two\nthree"]))
    with pytest.raises(ftl.InputValueError, match="threads"):
        ftl.SIF(sample).vectors(["one"], threads=0)
    path = tmp_path / "model.bin"
    path.write_bytes(build(counts=[0, 0, 0, 0]))
    with pytest.raises(ftl.InputValueError, match="holds no word counts"):
        ftl.SIF(ftl.load(path))
