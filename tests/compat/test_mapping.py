"""Mapped models, exported and opened by the official package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import fasttext_lite as ftl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

fasttext = pytest.importorskip("fasttext")

UNSUPERVISED = {
    "skipgram": {"model": "skipgram", "minn": 3, "maxn": 6, "bucket": 5000, "dim": 20},
    "cbow": {"model": "cbow", "minn": 1, "maxn": 3, "bucket": 997, "dim": 10, "loss": "hs"},
}
LANGUAGES = {"model": "supervised", "text": "language", "dim": 20, "epoch": 20, "lr": 0.5}
CLASSIFIERS = {
    "softmax": LANGUAGES | {"minn": 2, "maxn": 4, "bucket": 3000},
    "hierarchical softmax": LANGUAGES | {"wordNgrams": 2, "bucket": 3000, "loss": "hs"},
}
PROBES = ["lighthousekeepers", "Straßenbahn", "кошки", "éclairage"]
TEXTS = ["one line of text", "eine Zeile Text", "une ligne", "", "кошки"]


def predictions(official: Any) -> list[dict[str, float]]:
    """Return the probabilities of all labels of each text."""
    answers = zip(*official.predict(TEXTS, k=-1), strict=True)
    return [dict(zip(*one, strict=True)) for one in answers]


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("name", UNSUPERVISED)
def test_the_official_package_reads_mapped_rows(
    name: str, compact: bool, trained: Callable[..., Path], tmp_path: Path
) -> None:
    path = trained(**UNSUPERVISED[name])
    before: Any = fasttext.load_model(str(path))
    matrix = np.random.default_rng(1).standard_normal((before.get_dimension(), 14))
    if compact:
        ftl.convert(path, tmp_path / "x.safetensors", map=matrix)
        ftl.export(tmp_path / "x.safetensors", tmp_path / "x.bin")
    else:
        ftl.export(ftl.load(path).mapped(matrix), tmp_path / "x.bin")
    after: Any = fasttext.load_model(str(tmp_path / "x.bin"))
    words = [*before.words[:50], *PROBES]
    expected = np.array([before.get_word_vector(word) for word in words]) @ matrix
    found = np.array([after.get_word_vector(word) for word in words])
    assert after.get_dimension() == 14
    assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    mapped = ftl.load(path).mapped(matrix)
    assert_allclose(mapped[words], found, atol=1e-5 * np.abs(expected).max())
    text = " ".join(words)
    assert_allclose(mapped.sentence_vector(text), after.get_sentence_vector(text), atol=1e-5)
    for word in PROBES[:2]:
        theirs = [score for score, _ in after.get_nearest_neighbors(word, k=5)]
        ours = [near.score for near in mapped.neighbors(word, k=5)]
        assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_official_package_predicts_the_same_after_an_orthogonal_map(
    name: str, trained: Callable[..., Path], tmp_path: Path
) -> None:
    path = trained(**CLASSIFIERS[name])
    before: Any = fasttext.load_model(str(path))
    dim = before.get_dimension()
    matrix = np.linalg.qr(np.random.default_rng(2).standard_normal((dim, dim)))[0]
    mapped = ftl.load(path).mapped(matrix)
    ftl.export(mapped, tmp_path / "x.bin")
    after: Any = fasttext.load_model(str(tmp_path / "x.bin"))
    ours = [
        dict(zip(one.labels, one.probabilities, strict=True))
        for one in mapped.predict(TEXTS, -1, official_bias=True)
    ]
    for found in (predictions(after), ours):
        for one, expected in zip(found, predictions(before), strict=True):
            assert one == pytest.approx(expected, abs=1e-5)
    assert_allclose(
        mapped.sentence_vectors(TEXTS),
        np.array([before.get_sentence_vector(text) for text in TEXTS]) @ matrix,
        atol=1e-5,
    )
