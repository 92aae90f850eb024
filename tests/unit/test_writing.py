"""Conversions and exports of open models, with NumPy numbers, on other platforms."""

from __future__ import annotations

import gc
import gzip
import io
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import SUPERVISED, Quantizer, build

import fasttext_lite as ftl
from fasttext_lite import evaluate
from fasttext_lite.cosines import CosineSummary, cosines, squares, unit
from fasttext_lite.formats.gzipped import GzippedModel

LABELS = [b"__label__a", b"__label__b"]
MODELS = {
    "unsupervised": {},
    "supervised": {"model": SUPERVISED, "labels": LABELS},
    "quantised": {"model": SUPERVISED, "labels": LABELS, "input_quantizer": Quantizer(qnorm=True)},
    "pruned": {"model": SUPERVISED, "labels": LABELS, "prune": [(1, 1), (3, 0), (7, 2)],
               "input_quantizer": Quantizer()},
}  # fmt: skip


@pytest.fixture(params=MODELS)
def path(request, tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(build(**MODELS[request.param]))
    return path


# Open models


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_an_open_model_converts_like_its_file(path, tmp_path, dtype):
    expected = ftl.convert(path, tmp_path / "expected", dtype)
    report = ftl.convert(ftl.load(path), tmp_path / "target", dtype)
    assert (tmp_path / "target").read_bytes() == (tmp_path / "expected").read_bytes()
    assert report.source == expected.source == str(path)
    assert report.source_size == expected.source_size == path.stat().st_size
    assert report.loss == expected.loss


def test_a_model_without_a_file_converts(tmp_path):
    data = build()
    (tmp_path / "model.bin").write_bytes(data)
    ftl.convert(ftl.load(io.BytesIO(data)), tmp_path / "target")
    ftl.convert(tmp_path / "model.bin", tmp_path / "expected")
    assert (tmp_path / "target").read_bytes() == (tmp_path / "expected").read_bytes()


def test_an_open_model_is_no_target_of_itself(path):
    model = ftl.load(path)
    with pytest.raises(ftl.FileError, match="the target is the source"):
        ftl.convert(model, path)


def test_what_was_reduced_in_memory_converts_as_it_is(tmp_path):
    from fasttext_lite.compat import fasttext

    official = fasttext.load_model(ftl.load("sample").info.path)
    fasttext.util.reduce_model(official, 7)
    report = ftl.convert(official.lite_model, tmp_path / "target")
    assert report.dim == 7
    assert_array_equal(ftl.load(tmp_path / "target")["king"], official["king"])


def test_words_of_an_open_model_without_a_vocabulary_index(tmp_path):
    model = ftl.load("sample")
    fewer = ftl.convert(model, tmp_path / "fewer", max_words=10, subwords="used")
    again = ftl.convert(ftl.load(tmp_path / "fewer"), tmp_path / "again", subwords="only")
    assert (fewer.word_count, again.word_count) == (10, 0)
    assert again.loss is None


# Numbers


def test_numpy_numbers_are_numbers(tmp_path):
    report = ftl.convert(
        "sample", tmp_path / "a", max_words=np.int64(9), min_count=np.uint8(1), dim=np.int32(3)
    )
    assert (report.word_count, report.dim) == (9, 3)
    ftl.export("sample", tmp_path / "a.vec", precision=np.int64(3))
    ftl.export("sample", tmp_path / "b.vec", precision=3)
    assert (tmp_path / "a.vec").read_bytes() == (tmp_path / "b.vec").read_bytes()
    found = evaluate.compare("sample", "sample", sample=np.int64(5), k=np.int8(2), seed=np.int32(1))
    assert (found.neighbors.words, found.neighbors.k) == (5, 2)


@pytest.mark.parametrize("options", [{"dsub": np.int64(2)}, {"cutoff": np.int32(9)}])
def test_numpy_numbers_are_options_of_a_quantisation(tmp_path, options):
    pytest.importorskip("faiss")
    source = tmp_path / "model.bin"
    source.write_bytes(build(**MODELS["supervised"]))
    ftl.export(source, tmp_path / "a.ftz", **options)
    ftl.export(source, tmp_path / "b.ftz", **{name: int(x) for name, x in options.items()})
    assert (tmp_path / "a.ftz").read_bytes() == (tmp_path / "b.ftz").read_bytes()


@pytest.mark.parametrize(
    "call",
    [
        lambda path, target: ftl.export(path, f"{target}.ftz", dsub=True),
        lambda path, target: ftl.export(path, f"{target}.ftz", dsub=2.0),
        lambda path, target: ftl.export(path, f"{target}.vec", precision=5.0),
        lambda path, target: ftl.convert(path, target, dim=True),
        lambda path, _: evaluate.compare(path, path, k=True),
    ],
)
def test_other_numbers_are_refused(tmp_path, call):
    (tmp_path / "model.bin").write_bytes(build())
    with pytest.raises(ftl.InputTypeError, match=r"must be int, not (bool|float)"):
        call(tmp_path / "model.bin", tmp_path / "target")


# NumPy with a default integer of 32 bits, as NumPy 1 on Windows


@pytest.fixture
def short_integers(monkeypatch):
    arange = np.arange

    def arange_of_windows(*arguments, dtype=None, **options):
        found = arange(*arguments, dtype=dtype, **options)
        short = dtype is None and found.dtype == np.int64
        return found.astype(np.int32) if short else found

    monkeypatch.setattr(np, "arange", arange_of_windows)


@pytest.mark.parametrize("options", [{}, {"dtype": "int8", "neighbors_index": True}, {"dim": 2}])
def test_conversions_do_not_depend_on_the_default_integer(path, tmp_path, short_integers, options):
    if path.read_bytes() != build():
        options = {name: value for name, value in options.items() if name != "neighbors_index"}
    ftl.convert(path, tmp_path / "target", **options)
    packed = path.with_suffix(".bin.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    ftl.convert(packed, tmp_path / "packed", **options)
    assert (tmp_path / "target").read_bytes() == (tmp_path / "packed").read_bytes()


@pytest.mark.parametrize("suffix", ["bin", "ftz", "vec", "npy", "w2v"])
def test_exports_do_not_depend_on_the_default_integer(path, tmp_path, short_integers, suffix):
    options = {"format": "word2vec"} if suffix == "w2v" else {}
    if suffix == "ftz":
        pytest.importorskip("faiss")
        options = {"dsub": 1}
    target = tmp_path / f"target.{suffix}"
    if ftl.load(path).info.pruned and suffix == "bin":
        pytest.skip("a pruned supervised model has no dense file")
    ftl.export(path, target, **options)
    assert target.stat().st_size


def test_comparisons_do_not_depend_on_the_default_integer(short_integers):
    assert evaluate.compare("sample", "sample", sample=5).neighbors.mean == 1


# Cosines


def test_cosines_of_rows():
    a = np.array([[3, 4], [0, 0], [0, 0], [1, 0], [1e-30, 0], [3e38, 3e38]], np.float32)
    b = np.array([[4, 3], [0, 0], [1, 0], [0, 0], [2e-30, 0], [3e38, 0]], np.float32)
    assert_array_equal(cosines(a, b)[:5], [24 / 25, 1, 0, 0, 1])
    assert cosines(a, b)[5] == pytest.approx(2**-0.5)
    assert_array_equal(squares(a)[:3], [25, 0, 0])
    assert_array_equal(unit(a)[:3], np.array([[0.6, 0.8], [0, 0], [0, 0]], np.float32))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_the_cosine_of_what_is_no_number_is_none(number):
    a = np.array([[number, 1], [1, 1]], np.float32)
    b = np.ones((2, 2), np.float32)
    for found in (cosines(a, b), cosines(b, a), cosines(a, a)):
        assert np.isnan(found[0])
        assert found[1] == pytest.approx(1)


def test_a_summary_names_the_first_of_the_worst():
    summary = CosineSummary()
    assert summary.result() is None
    for words, values in ((["a", "b"], [1, 0.5]), ([], []), (["c", "d"], [0.5, 0.75])):
        summary.add(np.array(values), words.__getitem__)
    found = summary.result()
    assert (found.words, found.mean, found.worst, found.worst_word) == (4, 0.6875, 0.5, "b")


# Leftover files


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="maps are listed on Linux alone")
@pytest.mark.parametrize("write", [ftl.convert, ftl.export])
@pytest.mark.parametrize("packed", [False, True])
def test_no_map_is_left_without_the_cyclic_collector(tmp_path, write, packed):
    if packed and write is ftl.export:
        pytest.skip("a gzip-compressed model is not exported")
    source = tmp_path / "model.bin"
    source.write_bytes(build())
    if packed:
        source = tmp_path / "model.bin.gz"
        source.write_bytes(gzip.compress(build()))
    gc.collect()
    gc.disable()
    try:
        write(source, tmp_path / "target.vec")
        assert str(tmp_path) not in Path("/proc/self/maps").read_text(encoding="utf-8")
    finally:
        gc.enable()


def test_a_stream_is_unpacked_where_there_is_a_folder(tmp_path, monkeypatch):
    source = tmp_path / "model.bin.gz"
    source.write_bytes(gzip.compress(build()))
    (tmp_path / "real").mkdir()
    folders = []
    unpacked = GzippedModel.unpacked

    def record(model, folder):
        folders.append(folder)
        return unpacked(model, folder)

    monkeypatch.setattr(GzippedModel, "unpacked", record)
    targets = ["real/file"]
    if os.name == "posix":
        (tmp_path / "link").symlink_to("real/other")
        targets += ["link", "/dev/null"]
    for target in targets:
        ftl.convert(source, tmp_path / target)
    expected = [str((tmp_path / "real").resolve())] * 2 + [tempfile.gettempdir()]
    assert folders == expected[: len(targets)]


def test_the_size_of_a_source_that_was_deleted_meanwhile_is_known(path, tmp_path, monkeypatch):
    size = path.stat().st_size
    replace = Path.replace

    def replace_and_delete(new, target):
        if os.name == "posix":
            path.unlink()
        return replace(new, target)

    monkeypatch.setattr(Path, "replace", replace_and_delete)
    assert ftl.convert(path, tmp_path / "target").source_size == size
