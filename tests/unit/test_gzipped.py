"""A gzip'd model converts as it is, to the same bytes as the unpacked one."""

from __future__ import annotations

import gzip
import shutil
from types import SimpleNamespace

import pytest
from builders import HS, SUPERVISED, Quantizer, build, build_with_layout

import fasttext_lite as ftl
from fasttext_lite.formats import gzipped
from fasttext_lite.formats.gzipped import GzippedModel

LABELS = [b"__label__a", b"__label__b"]
MODELS = {
    "unsupervised": {},
    "supervised": {"model": SUPERVISED, "loss": HS, "labels": LABELS},
    "quantised": {"model": SUPERVISED, "labels": LABELS, "input_quantizer": Quantizer(qnorm=True)},
    "many words": {"words": [b"w%d" % i for i in range(9000)], "dim": 3, "bucket": 5000},
    "supervised, many words": {
        "model": SUPERVISED,
        "labels": LABELS,
        "words": [b"w%d" % i for i in range(9000)],
        "bucket": 9000,
    },
    "version 11": {"version": 11},
}


@pytest.fixture
def both(tmp_path):
    """Write a model plain and gzip'd; convert both with the same options."""

    def convert_both(model, **options):
        data = build(**model)
        plain, packed = tmp_path / "model.bin", tmp_path / "model.bin.gz"
        plain.write_bytes(data)
        packed.write_bytes(gzip.compress(data, 1))
        targets = tmp_path / "plain.safetensors", tmp_path / "packed.safetensors"
        for source, target in zip((plain, packed), targets, strict=True):
            ftl.convert(source, target, **options)
        return [target.read_bytes() for target in targets]

    return convert_both


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_the_bytes_are_those_of_the_unpacked_model(both, name, dtype):
    plain, packed = both(MODELS[name], dtype=dtype)
    assert plain == packed


@pytest.mark.parametrize(
    "options",
    [
        {"subwords": "only"},
        {"subwords": "none"},
        {"subwords": "used", "max_words": 100},
        {"dim": 2},
        {"min_count": 8000},
    ],
)
def test_options_do_the_same_to_a_stream(both, options):
    plain, packed = both(MODELS["many words"], **options)
    assert plain == packed


@pytest.mark.parametrize("options", [{"subwords": "used", "max_words": 100}, {"dim": 2}])
def test_a_supervised_stream_keeps_what_was_chosen(both, options):
    plain, packed = both(MODELS["supervised, many words"], **options)
    assert plain == packed


@pytest.mark.parametrize("name", ["unsupervised", "supervised", "quantised"])
def test_a_stream_that_is_cut_is_refused_and_leaves_nothing(tmp_path, name):
    data = gzip.compress(build(**MODELS[name]), 1)
    source = tmp_path / "model.bin.gz"
    for cut in range(100, len(data), max(len(data) // 15, 1)):
        source.write_bytes(data[:cut])
        with pytest.raises(ftl.FormatError):
            ftl.convert(source, tmp_path / "out.safetensors", subwords="all")
        assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_a_lying_shape_in_a_stream_is_found(tmp_path):
    source = tmp_path / "model.bin.gz"
    data, layout = build_with_layout(model=SUPERVISED, labels=LABELS)
    for lie in ({"input.rows": 3}, {"output.columns": 9}, {"input.quantized": b"\7"}):
        source.write_bytes(gzip.compress(layout.patch(data, lie)))
        with pytest.raises(ftl.FormatError, match="bytes count after gunzip"):
            ftl.convert(source, tmp_path / "out.safetensors")


def test_the_space_to_unpack_is_asked_for_before_it_begins(tmp_path, monkeypatch):
    source = tmp_path / "model.bin.gz"
    source.write_bytes(gzip.compress(build()))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(ftl.FileError, match="takes 224 bytes there, but only 100 are free"):
        ftl.convert(source, tmp_path / "out.safetensors")


def test_loading_a_gzipped_model_says_what_to_do(tmp_path):
    source = tmp_path / "model.bin.gz"
    source.write_bytes(gzip.compress(build()))
    with pytest.raises(ftl.FormatError, match="convert it"):
        ftl.load(source)


def test_the_report_tells_the_size_of_the_gzipped_file(tmp_path):
    source = tmp_path / "model.bin.gz"
    source.write_bytes(gzip.compress(build()))
    report = ftl.convert(source, tmp_path / "out.safetensors")
    assert report.source_size == source.stat().st_size


@pytest.mark.parametrize("kind", [{}, {"model": SUPERVISED, "labels": LABELS}])
@pytest.mark.parametrize("field", ["dim", "bucket"])
def test_sizes_that_no_stream_can_hold_are_refused_before_memory_is_taken(tmp_path, kind, field):
    source = tmp_path / "model.bin.gz"
    data, layout = build_with_layout(**kind)
    source.write_bytes(gzip.compress(layout.patch(data, {field: 2**31 - 1})))
    with pytest.raises(ftl.FormatError, match=r"more than the bytes|cannot be in"):
        ftl.convert(source, tmp_path / "out.safetensors")


@pytest.mark.parametrize("size", [2**60, 2**63 - 1, 10**6])
def test_a_prune_index_that_no_stream_can_hold_is_refused(tmp_path, size):
    source = tmp_path / "model.bin.gz"
    data, layout = build_with_layout(model=SUPERVISED, labels=LABELS)
    source.write_bytes(gzip.compress(layout.patch(data, {"pruneidx_size": size})))
    with pytest.raises(ftl.FormatError, match="pruneidx_size"):
        ftl.convert(source, tmp_path / "out.safetensors")


def test_rows_far_apart_in_a_stream_are_read_in_pieces(tmp_path, monkeypatch):
    options = {"words": [b"w%d" % i for i in range(50)], "bucket": 30_000, "dim": 5}
    data = build(**options, model=SUPERVISED, labels=LABELS)
    source = tmp_path / "model.bin.gz"
    source.write_bytes(gzip.compress(data, 1))
    sizes = []
    read = GzippedModel._exactly

    def record(model, field, size):
        sizes.append(size)
        return read(model, field, size)

    monkeypatch.setattr(gzipped, "_BLOCK", 1 << 12)
    monkeypatch.setattr(GzippedModel, "_exactly", record)
    ftl.convert(source, tmp_path / "packed", subwords="used")
    assert max(sizes) <= 1 << 12
    (tmp_path / "plain.bin").write_bytes(data)
    ftl.convert(tmp_path / "plain.bin", tmp_path / "plain", subwords="used")
    assert (tmp_path / "packed").read_bytes() == (tmp_path / "plain").read_bytes()
