"""The official package's own Python tests, with trained models opened by the fasttext layer.

The tests are those of the installed package. `train_supervised` and `train_unsupervised` train with
that package, save the model, and open the file with `fasttext_lite.compat.fasttext`; all other
calls, also of `fasttext.tokenize` and `fasttext.util`, go to this package.

Differences from a plain run:

- Training uses ten threads, and uninitialised weights are set to zero: with one thread, as in the
  original tests, nine tenths of the input matrix stay uninitialised. The default number of buckets
  is 20,000, since the usual 2 million take 800 MB.
- `quantize` is training: the official package does it, and this package opens the result.
- `gen_tests`, the tests on public data sets, are left out: they need downloads of several GB, and
  measure the trainer.
"""

from __future__ import annotations

import importlib.util
import io
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.training import ATTEMPTS, clear_remainder, harmless_memory

from fasttext_lite.compat import fasttext as face
from fasttext_lite.compat.fasttext.FastText import _FastText

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

official = pytest.importorskip("fasttext")

# The number of tests that version 0.9.3 generates.
LEAST_TESTS = 70


class Trained(_FastText):
    """A model of the fasttext layer that the official package can still quantise."""

    def __init__(self, trained: Any, path: Path) -> None:
        self.trained = trained
        self.path = path
        self.reopen()

    def reopen(self) -> None:
        self.trained.save_model(str(self.path))
        super().__init__(self.path)

    def quantize(self, *args: Any, **kwargs: Any) -> None:
        self.trained.quantize(*args, **kwargs)
        self.path = self.path.with_suffix(".ftz")
        self.reopen()


def load_suite() -> ModuleType:
    """Import the official tests under another name, so that they can be changed."""
    spec = importlib.util.find_spec("fasttext.tests.test_script")
    if spec is None or spec.origin is None:
        pytest.skip("the official package comes without its tests", allow_module_level=True)
    spec = importlib.util.spec_from_file_location("official_test_script", spec.origin)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.gen_unit_tests()
    return module


suite = load_suite()
NAMES = [name for name in dir(suite.TestFastTextUnitPy) if name.startswith("test_")]


@pytest.fixture
def through_our_face(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the official tests train with the official package and query this one."""
    paths = (tmp_path / f"{i}.bin" for i in range(1000))

    def attempt(official_train: Any, options: dict[str, Any]) -> Any:
        try:
            with harmless_memory():
                return official_train(**options)
        except RuntimeError as error:
            if "NaN" not in str(error):
                raise
            return None

    def train(official_train: Any, options: dict[str, Any]) -> Trained:
        options = {"bucket": 20_000} | options | {"thread": 10, "verbose": 0}
        attempts = (attempt(official_train, options) for _ in range(ATTEMPTS))
        trained = next(model for model in attempts if model is not None)
        clear_remainder(trained)
        return Trained(trained, next(paths))

    for name in ("train_supervised", "train_unsupervised"):
        made_by = getattr(official, name)
        monkeypatch.setattr(suite, name, lambda made_by=made_by, **kw: train(made_by, kw))
    monkeypatch.setattr(suite, "fasttext", face)
    monkeypatch.setattr(suite, "util", face.util)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("through_our_face")
def test_the_official_test_passes(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    suite.TestFastTextUnitPy(name).debug()


def test_the_official_suite_is_whole() -> None:
    assert len(NAMES) >= LEAST_TESTS
