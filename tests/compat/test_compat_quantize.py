"""``quantize`` without training: the model answers as the file that it saves."""

from __future__ import annotations

import inspect
import itertools
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.builders import SUPERVISED, build
from support.text import language_lines

import fasttext_lite as ftl
from fasttext_lite.compat import fasttext as compat
from fasttext_lite.compat.fasttext.FastText import _FastText

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

official = pytest.importorskip("fasttext")
pytest.importorskip("faiss")

TEXTS = [line.split(" ", 1)[1] for line in language_lines(60, seed=4)]


@pytest.fixture(scope="module")
def source(trained: Callable[..., Path]) -> Path:
    return trained(
        model="supervised", text="language", minn=2, maxn=4, bucket=3000, dim=10, epoch=20,
        wordNgrams=2,
    )  # fmt: skip


OPTIONS: list[dict[str, Any]] = [
    {},
    {"qnorm": True},
    {"qout": True, "qnorm": True},
    {"cutoff": 700},
    {"cutoff": 700, "dsub": 5, "qout": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_model_answers_as_the_file_that_it_saves(
    options: dict[str, Any], source: Path, tmp_path: Path
) -> None:
    model, dense = compat.load_model(source), compat.load_model(source)
    binding, saved = model.f, tmp_path / "saved.ftz"
    assert model.quantize(**options) is None
    assert model.is_quantized()
    assert binding is model.f
    assert binding.isQuant()
    model.save_model(saved)
    exported = tmp_path / "exported.ftz"
    ftl.export(source, exported, qnorm=options.get("qnorm", False), **{
        name: value for name, value in options.items() if name != "qnorm"
    })  # fmt: skip
    assert saved.read_bytes() == exported.read_bytes()
    assert saved.stat().st_size < source.stat().st_size / 2
    theirs = official.load_model(str(saved))
    assert theirs.is_quantized()
    assert model.words == theirs.words
    assert model.labels == theirs.labels == dense.labels
    assert model.f.getArgs().qout == theirs.f.getArgs().qout == options.get("qout", False)
    for text in TEXTS:
        assert_allclose(
            model.get_sentence_vector(text), theirs.get_sentence_vector(text), atol=1e-6
        )
    for k in (1, -1):
        labels, probabilities = theirs.predict(TEXTS, k)
        ours, numbers = model.predict(TEXTS, k)
        assert ours == labels or k == -1
        for one, other in zip(numbers, probabilities, strict=True):
            assert_allclose(one, other, atol=1e-5)
    with pytest.raises(ValueError, match="quantised"):
        model.get_input_matrix()
    if "cutoff" in options:
        return
    agree = sum(
        a == b for a, b in zip(model.predict(TEXTS)[0], dense.predict(TEXTS)[0], strict=True)
    )
    assert agree > len(TEXTS) * 0.8


def test_the_arguments_are_the_official_ones() -> None:
    def arguments(function: Any) -> list[tuple[str, Any]]:
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]

    assert arguments(_FastText.quantize) == arguments(official.FastText._FastText.quantize)


def test_lists_that_were_handed_out_before_are_not_changed(source: Path) -> None:
    model = compat.load_model(source)
    words = model.words
    before = list(words)
    model.quantize(cutoff=600)
    assert words == before
    assert len(model.words) < len(words)


def test_a_quantised_model_pickles_and_is_saved_again(source: Path, tmp_path: Path) -> None:
    model = compat.load_model(source)
    model.quantize(qnorm=True, cutoff=600)
    again = pickle.loads(pickle.dumps(model))
    assert again.is_quantized()
    assert again.predict(TEXTS)[0] == model.predict(TEXTS)[0]
    for name, one in (("1.ftz", model), ("2.ftz", model), ("3.ftz", again)):
        one.save_model(tmp_path / name)
    assert (tmp_path / "1.ftz").read_bytes() == (tmp_path / "2.ftz").read_bytes()
    for one, other in itertools.pairwise(sorted(tmp_path.iterdir())):
        assert (
            compat.load_model(one).predict(TEXTS)[0] == compat.load_model(other).predict(TEXTS)[0]
        )


def test_a_reduced_model_is_quantised_and_a_quantised_one_reduced(source: Path) -> None:
    model = compat.util.reduce_model(compat.load_model(source), 6)
    expected = model["der"]
    model.quantize(dsub=1)
    assert (model.get_dimension(), model.is_quantized()) == (6, True)
    assert_allclose(model["der"], expected, atol=0.1 * np.abs(expected).max())
    compat.util.reduce_model(model, 4)
    assert (model.get_dimension(), model.is_quantized()) == (4, False)


def test_the_file_itself_stays_as_it_was(source: Path) -> None:
    before = source.read_bytes()
    model = compat.load_model(source)
    model.quantize()
    with pytest.raises(ValueError, match="source"):
        model.save_model(source)
    assert source.read_bytes() == before
    assert_array_equal(compat.load_model(source)["der"], official.load_model(str(source))["der"])


def test_what_cannot_be_quantised_is_refused(source: Path, tmp_path: Path) -> None:
    model = compat.load_model(source)
    with pytest.raises(ValueError, match="input"):
        model.quantize(retrain=True)
    with pytest.raises(ftl.UnsupportedError, match=r"trains the rows.*official package"):
        model.quantize(input="text.txt", retrain=True, cutoff=100)
    for options in ({"dsub": 0}, {"dsub": 11}, {"cutoff": -1}, {"thread": 0}):
        with pytest.raises(ftl.InputValueError):
            model.quantize(**options)
    for options in ({"dsub": 2.5}, {"qnorm": "yes"}, {"cutoff": "1"}):
        with pytest.raises(ftl.InputTypeError):
            model.quantize(**options)
    assert not model.is_quantized()
    model.quantize()
    with pytest.raises(ftl.InputValueError, match="already"):
        model.quantize()
    path = tmp_path / "skipgram.bin"
    path.write_bytes(build())
    unsupervised = compat.load_model(path)
    with pytest.raises(ValueError, match="supervised"):
        official.load_model(str(path)).quantize()
    with pytest.raises(ValueError, match=r"supervised.*export"):
        unsupervised.quantize()


def test_a_small_model_is_quantised_too(tmp_path: Path) -> None:
    path = tmp_path / "small.bin"
    path.write_bytes(build(model=SUPERVISED, labels=[b"__label__a"], words=[b"one"], bucket=3))
    model = compat.load_model(path)
    vector = model["one"]
    model.quantize()
    assert_allclose(model["one"], vector, atol=1e-6)
