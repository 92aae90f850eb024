"""A gzip'd model converts directly, to the same bytes as the unpacked one."""

from __future__ import annotations

import gzip
import shutil
from types import SimpleNamespace

import pytest
from support.builders import HS, SUPERVISED, Quantizer, build, build_with_layout

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
    "before the magic": {"magic": None},
}


@pytest.fixture
def both(tmp_path):
    """Write a model plain and gzip'd, and convert both with the same options."""

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


HUGE = 2**31 - 1
# Wrong values, the field that the error names, and its message.
LIES = [
    ("unsupervised", {"dim": HUGE}, "dim", "more than the bytes of the file"),
    ("supervised", {"dim": 60_000}, "dictionary sizes", "bytes of matrices, which do not fit in"),
    ("version 11", {"bucket": HUGE}, "dictionary sizes", "do not fit in .* bytes of gzip"),
    ("before the magic", {"dim": HUGE}, "dim", "more than the bytes of the file"),
    ("before the magic", {"bucket": HUGE}, "dictionary sizes", "do not fit in .* bytes of gzip"),
    ("supervised", {"pruneidx_size": 2**60}, "pruneidx_size", "a prune index of 11529215046068"),
    ("supervised", {"pruneidx_size": HUGE}, "pruneidx_size", "a prune index of 2147483647 entries"),
    ("supervised", {"pruneidx_size": 10**6}, "pruneidx_size", "does not fit in .* bytes of gzip"),
    ("unsupervised", {"input.quantized": b"\7"}, "input matrix flag", "the flag is 7, not 0 or 1"),
    ("unsupervised", {"input.rows": 3}, "input matrix", r"the shape is \[3, 4\], not \[14, 4\]"),
    ("supervised", {"output.columns": 9}, "output matrix", r"the shape is \[2, 9\], not \[2, 4\]"),
    ("unsupervised", {"words[1].type": 1}, "dictionary entry 1", "is not a word"),
]  # fmt: skip
# Fields that have another name in the layout.
PLACES = {
    "dictionary sizes": "size",
    "input matrix flag": "input.quantized",
    "input matrix": "input.rows",
    "output matrix": "output.rows",
    "dictionary entry 1": "words[1].text",
}


@pytest.mark.parametrize(("name", "lie", "field", "reason"), LIES)
def test_a_lie_in_a_stream_is_told_by_field_and_byte(tmp_path, name, lie, field, reason):
    source = tmp_path / "model.bin.gz"
    data, layout = build_with_layout(**MODELS[name])
    source.write_bytes(gzip.compress(layout.patch(data, lie)))
    with pytest.raises(ftl.FormatError, match=reason) as caught:
        ftl.convert(source, tmp_path / "out.safetensors")
    assert caught.value.path == str(source)
    assert (caught.value.field, caught.value.offset) == (field, layout[PLACES.get(field, field)])
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


# The field at which the unpacked file is truncated, and the field and message of the error.
CUTS = [
    ("unsupervised", "size", "dictionary sizes", "the file is truncated"),
    ("unsupervised", "words[2].count", "dictionary", "the file is truncated before its matrices"),
    ("unsupervised", "input.quantized", "dictionary", "the file is truncated before its matrices"),
    ("unsupervised", "input.columns", "input matrix shape", "truncated in its input matrix"),
    ("unsupervised", "output.quantized", "input matrix", "truncated in its input matrix"),
    ("supervised", "output.quantized", "output matrix flag", "truncated in its output matrix flag"),
    ("supervised", "output.rows", "output matrix shape", "truncated in its output matrix shape"),
    ("supervised", "output.data", "output matrix", "truncated in its output matrix"),
    ("quantised", "input.npq.dsub", "input matrix norm quantiser", "the file is truncated"),
]


@pytest.mark.parametrize(("name", "place", "field", "reason"), CUTS)
def test_a_cut_before_it_was_compressed_is_told_by_field(tmp_path, name, place, field, reason):
    source = tmp_path / "model.bin.gz"
    data, layout = build_with_layout(**MODELS[name])
    size = layout[place] - (place == "output.quantized" and field == "input matrix")
    source.write_bytes(gzip.compress(data[:size]))
    with pytest.raises(ftl.FormatError, match=reason) as caught:
        ftl.convert(source, tmp_path / "out.safetensors")
    assert (caught.value.path, caught.value.field) == (str(source), field)
    assert 0 < caught.value.offset <= size


def test_a_damaged_stream_is_told(tmp_path):
    source = tmp_path / "model.bin.gz"
    packed = bytearray(gzip.compress(build()))
    packed[-8] ^= 1
    source.write_bytes(packed)
    with pytest.raises(ftl.FormatError, match="truncated or damaged: CRC check failed") as caught:
        ftl.convert(source, tmp_path / "out.safetensors")
    assert (caught.value.path, caught.value.field, caught.value.offset) == (str(source), "gzip", 0)


def test_a_word_without_an_end_is_not_read_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(gzipped, "_BLOCK", 1 << 12)
    monkeypatch.setattr(gzipped, "_LONGEST_WORD", 1 << 14)
    source = tmp_path / "model.bin.gz"
    data, layout = build_with_layout(words=[b"one", b"x" * 50_000], bucket=0)
    source.write_bytes(gzip.compress(data[: layout["words[1].count"] - 1] + b"x" * 10**7))
    with pytest.raises(ftl.FormatError, match="a word is longer than a megabyte") as caught:
        ftl.convert(source, tmp_path / "out.safetensors")
    assert (caught.value.field, caught.value.offset) == ("dictionary", layout["words[1].text"])


def test_a_quantised_stream_that_goes_on_is_not_read_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(gzipped, "_BLOCK", 1 << 12)
    source = tmp_path / "model.bin.gz"
    data = build(**MODELS["quantised"])
    source.write_bytes(gzip.compress(data + bytes(10**7)))
    with pytest.raises(ftl.FormatError, match="the file is longer than its head allows") as caught:
        ftl.convert(source, tmp_path / "out.safetensors")
    assert caught.value.field == "end of file"
    assert len(data) < caught.value.offset < len(data) + 10**5
    source.write_bytes(gzip.compress(data + b"x"))
    with pytest.raises(ftl.FormatError, match="1 bytes follow the output matrix") as caught:
        ftl.convert(source, tmp_path / "out.safetensors")
    assert (caught.value.path, caught.value.offset) == (str(source), len(data))


def test_the_space_to_unpack_is_asked_for_before_it_begins(tmp_path, monkeypatch):
    source = tmp_path / "model.bin.gz"
    source.write_bytes(gzip.compress(build()))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(ftl.FileError, match="needs 224 bytes there, but only 100 are free"):
        ftl.convert(source, tmp_path / "out.safetensors")


@pytest.mark.parametrize("name", MODELS)
def test_a_gzipped_model_opens_as_the_unpacked_one(tmp_path, name):
    source, plain = tmp_path / "model.bin.gz", tmp_path / "model.bin"
    plain.write_bytes(build(**MODELS[name]))
    source.write_bytes(gzip.compress(plain.read_bytes()))
    model, expected = ftl.load(source), ftl.load(plain)
    assert list(model.words) == list(expected.words)
    assert (model["one"] == expected["one"]).all()


def test_the_report_tells_the_size_of_the_gzipped_file(tmp_path):
    source = tmp_path / "model.bin.gz"
    source.write_bytes(gzip.compress(build()))
    report = ftl.convert(source, tmp_path / "out.safetensors")
    assert report.source_size == source.stat().st_size


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
