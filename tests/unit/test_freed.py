"""A model that is dropped frees its file and memory at once, without the cyclic collector."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import weakref
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from support.builders import SUPERVISED, Quantizer, build

import fasttext_lite as ftl

LABELS = {"model": SUPERVISED, "labels": [b"__label__a", b"__label__b"]}
FILES = {
    "bin": build(),
    "supervised": build(**LABELS),
    "hs": build(**LABELS, loss=1),
    "ftz": build(**LABELS, input_quantizer=Quantizer()),
    "vec": b"2 3\none 1 2 3\ntwo 4 5 6\n",
}
USES = {
    "nothing": lambda model: None,
    "a word": lambda model: model["one"],
    "words": lambda model: (list(model.words), model.words.index("one"), "one" in model.words),
    "labels": lambda model: (list(model.labels), model.counts, model.label_counts),
    "vectors": lambda model: (model.vectors(["one", "two"], threads=2), model.word_vectors()),
    "subwords": lambda model: (model.subwords("one"), model.ngrams(["one"])),
    "sentences": lambda model: model.sentence_vector("one two"),
    "neighbors": lambda model: (
        model.neighbors("one", k=1),
        model.neighbors(np.ones((3, model.dim), np.float32), k=1),
        model.analogies("one", "two", "one", k=1),
    ),
    "pickle": lambda model: pickle.dumps(model),
    "columns": lambda model: (
        ftl.columns.vectors(model, ["one", None]).__arrow_c_array__(),
        ftl.columns.sentence_vectors(model, ["one two", None]).to_numpy(),
    ),
    "a copy": lambda model: (pickle.loads(pickle.dumps(model))["one"], copy.copy(model)),
    "verify": lambda model: model.verify(full=True),
    "export": lambda model: ftl.export(model, Path(model.info.path).with_name("out.vec")),
}
LABEL_USES = {
    "predict": lambda model: (model.predict("one"), model.predict(["one", "two"], k=2)),
    "classifier": lambda model: model.classifier(strip_prefix=True).predict("one"),
    "columns of labels": lambda model: (
        ftl.columns.labels(model, ["one", None]).__arrow_c_array__(),
        ftl.columns.labels(model, ["one", None], k=2, strip_prefix=True).to_numpy(),
    ),
}


@pytest.fixture(params=[*FILES, "compact", "compact int8"])
def path(request, tmp_path):
    """Return a file of each format."""
    path = tmp_path / "model"
    if request.param in FILES:
        path.write_bytes(FILES[request.param])
    else:
        dtype = "int8" if "int8" in request.param else "float32"
        (tmp_path / "source").write_bytes(FILES["bin"])
        ftl.convert(tmp_path / "source", path, dtype, neighbors_index=dtype == "int8")
    return path


@contextmanager
def no_collector():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def is_mapped(path):
    maps = Path("/proc/self/maps")
    return maps.exists() and str(path) in maps.read_text()


@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize("use", [*USES, *LABEL_USES])
def test_a_dropped_model_is_freed(path, use, mmap):
    model = ftl.load(path, mmap=mmap)
    if use in LABEL_USES and model.info.kind != "supervised":
        pytest.skip("the model has no labels")
    with no_collector():
        # The first round imports modules lazily.
        for _ in range(2):
            model = ftl.load(path, mmap=mmap)
            parts = weakref.ref(model._parts)
            data = weakref.ref(model._parts.file)
            if sys.platform == "linux" and mmap and model.info.kind != "vectors":
                assert is_mapped(path)
            (USES | LABEL_USES)[use](model)
            del model
        assert parts() is None
        assert data() is None
        assert not is_mapped(path)


def test_a_failed_look_up_keeps_nothing(tmp_path):
    path = tmp_path / "model.bin"
    damaged = bytearray(FILES["bin"])
    at = damaged.index(b"two\0")
    damaged[at : at + 3] = b"\0\0\0"
    path.write_bytes(damaged)
    with no_collector():
        model = ftl.load(path)
        with pytest.raises(ftl.FormatError):
            model["one"]
        parts = weakref.ref(model._parts)
        del model
        assert parts() is None
        assert not is_mapped(path)


def test_words_and_views_keep_what_they_show(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(FILES["bin"])
    with no_collector():
        model = ftl.load(path)
        words, matrix = model.words[1:3], model.input_matrix
        expected = matrix.copy()
        del model
        assert list(words) == ["one", "two"]
        np.testing.assert_array_equal(matrix, expected)
        del words
        assert sys.platform != "linux" or is_mapped(path)
        del matrix
        assert not is_mapped(path)
