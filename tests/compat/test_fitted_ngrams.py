"""Files with fitted n-grams, exported and opened by the official package and by gensim."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import fasttext_lite as ftl

if TYPE_CHECKING:
    from pathlib import Path

UNKNOWN = ["governmentally", "unpeacefulness", "presidentials", "éclairage", "кошки", "ab"]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[ftl.Model, Path, ftl.Exported]:
    """Return a fitted model, the official file that it was exported to, and the report of that."""
    folder = tmp_path_factory.mktemp("fitted")
    ftl.convert("sample", folder / "words", subwords="none", max_words=3000)
    ftl.fit_ngrams(folder / "words", folder / "fitted", buckets=20_000)
    done = ftl.export(folder / "fitted", folder / "fitted.bin")
    return ftl.load(folder / "fitted"), folder / "fitted.bin", done


def agreement(ours: np.ndarray, theirs: np.ndarray) -> ftl.Agreement:
    equal = theirs == ours
    near = np.abs(theirs - ours) <= np.spacing(np.abs(ours))
    words = equal.all(axis=1)
    return ftl.Agreement(
        words=len(ours),
        equal=int(words.sum()),
        one_ulp=int((near.all(axis=1) & ~words).sum()),
        equal_numbers=float(equal.mean()),
        worst=float((np.abs(theirs - ours).max(axis=1) / np.abs(ours).max(axis=1)).max()),
    )


def test_the_official_program_has_the_same_vectors(
    fitted: tuple[ftl.Model, Path, ftl.Exported],
) -> None:
    fasttext = pytest.importorskip("fasttext")
    model, path, done = fitted
    official = fasttext.load_model(str(path))
    theirs = np.array([official.get_word_vector(word) for word in model.words])
    found = agreement(model.vectors(model.words), theirs)
    assert asdict(done.agreement) == pytest.approx(asdict(found))
    assert found.worst < 1e-6
    assert found.equal_numbers > 0.8
    for word in UNKNOWN:
        assert_array_equal(official.get_word_vector(word), model[word])


def test_gensim_has_the_same_vectors(fitted: tuple[ftl.Model, Path, ftl.Exported]) -> None:
    loading = pytest.importorskip("gensim.models.fasttext")
    model, path, _ = fitted
    theirs = loading.load_facebook_vectors(str(path))
    assert list(theirs.index_to_key) == list(model.words)
    ours = model.vectors(model.words)
    differences = np.abs(theirs[list(model.words)] - ours).max(axis=1)
    assert (differences <= 1e-6 * np.abs(ours).max(axis=1))[1:].all()
    for word in UNKNOWN:
        np.testing.assert_allclose(theirs[word], model[word], atol=1e-6 * np.abs(ours).max())
