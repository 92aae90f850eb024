"""Files that are not models are refused on opening; the error says what is wrong and where."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from support.builders import (
    HS,
    MAGIC,
    SENT2VEC_CBOW,
    SUPERVISED,
    Quantizer,
    build,
    build_with_layout,
)

import fasttext_lite as ftl

VARIANTS = {
    "dense": {},
    "version 11": {"version": 11},
    "supervised": {"model": SUPERVISED, "loss": HS, "labels": [b"__label__a", b"__label__b"]},
    "before the magic": {"magic": None},
    "quantised": {
        "input_quantizer": Quantizer(dsub=3, qnorm=True),
        "output_quantizer": Quantizer(dsub=2),
        "model": SUPERVISED,
        "labels": [b"__label__a", b"__label__b"],
    },
    "floret": {"floret": (2, 3)},
    "pruned": {
        "input_quantizer": Quantizer(dsub=2, qnorm=True),
        "prune": [(3, 0), (1, 2), (7, 1)],
        "model": SUPERVISED,
        "labels": [b"__label__a", b"__label__b"],
    },
}


@pytest.fixture
def load(tmp_path):
    """Return a function that writes bytes to a file and opens it, mapped or not."""

    def write_and_load(data, *, mmap=True):
        path = tmp_path / "model.bin"
        path.write_bytes(data)
        model = ftl.load(path, mmap=mmap)
        assert model.counts.size >= 0  # reads the dictionary
        return model

    return write_and_load


PARTS = ("dim", "nsubq", "dsub", "lastdsub")


def refused(load, data, match):
    with pytest.raises(ftl.FormatError, match=match) as caught:
        load(data)
    assert caught.value.field
    assert 0 <= caught.value.offset <= len(data)
    assert caught.value.path in str(caught.value)
    assert f"byte {caught.value.offset}" in str(caught.value)
    return caught.value


def test_a_missing_file_is_a_file_not_found_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file") as caught:
        ftl.load(tmp_path / "none.bin")
    assert isinstance(caught.value, ftl.MissingFileError)
    assert caught.value.filename.endswith("none.bin")


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(ftl.FileError, match="this is a folder"):
        ftl.load(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ftl.FileError, match="not a regular file"):
        ftl.load(tmp_path / "pipe")


def test_a_path_with_nul_is_refused():
    with pytest.raises(ftl.FileError, match="null"):
        ftl.load("a\0b")


@pytest.mark.parametrize("path", [3, None, ["model.bin"]])
def test_a_path_of_another_type_is_refused(path):
    with pytest.raises(ftl.InputTypeError, match="a path must be str"):
        ftl.load(path)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root can read everything")
def test_a_file_without_permission_is_a_file_error(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(build())
    path.chmod(0)
    with pytest.raises(ftl.FileError, match="denied"):
        ftl.load(path)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "the file is empty"),
        (gzip.compress(b"A text.\n", mtime=0), "text file.*after decompression"),
        (b"PK\x03\x04" + bytes(100), "zip archive"),
        (b"<!DOCTYPE html><html>" + b"x" * 100, "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n" + b"x" * 80, "Git LFS pointer"),
        (b"once upon a time there was a text " * 10, "text file"),
        (b"\x08", "only 1 bytes"),
        ((2).to_bytes(8, "little") + b"{}", "safetensors file of another program"),
        (np.random.default_rng(0).bytes(5000), "not a fastText model"),
    ],
)
def test_other_files_are_told_apart(load, data, match):
    refused(load, data, match)


def test_a_newer_version_is_named(load):
    error = refused(load, build(version=13), "version 13")
    assert (error.field, error.offset) == ("version", 4)


@pytest.mark.parametrize(("mode", "count"), [(0, 2), (3, 2), (1, 0), (1, 5)])
def test_what_only_looks_like_floret_is_not_called_so(load, mode, count):
    assert "floret" not in str(refused(load, build(floret=(mode, count)), "size is -"))


def test_errors_in_a_floret_file_are_at_the_bytes_of_its_fields(load):
    data, layout = build_with_layout(floret=(2, 3))
    for field, lie, match in (
        ("nwords", -1, "nwords is -1"),
        ("size", 7, "size is 7"),
        ("bucket", 0, "a floret model has at least one"),
        ("pruneidx_size", -2, "pruneidx_size is -2"),
        ("input.rows", 3, "input matrix says 3 rows"),
    ):
        assert refused(load, layout.patch(data, {field: lie}), match).offset == layout[field]


def test_the_longer_head_of_sent2vec_is_named(load):
    data, layout = build_with_layout(model=SENT2VEC_CBOW)
    longer = data[: layout["minn"]] + (2000).to_bytes(4, "little") + data[layout["minn"] :]
    error = refused(load, longer, r"cbow-c\+w-ngrams model of sent2vec.*bucketChar")
    assert (error.field, error.offset) == ("model", layout["model"])


QUANTISED = {
    "model": SUPERVISED,
    "labels": [b"__label__a"],
    "input_quantizer": Quantizer(dsub=2, qnorm=True),
}


@pytest.mark.parametrize("step", [-1, 1])
@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("input.codesize", "input matrix codesize"),
        *((f"input.pq.{part}", "input matrix quantiser") for part in PARTS),
        *((f"input.npq.{part}", "input matrix norm quantiser") for part in PARTS),
    ],
)
def test_a_quantiser_that_does_not_fit_is_told_by_field_and_byte(load, field, name, step):
    data, layout = build_with_layout(**QUANTISED)
    if field == "input.npq.dsub":
        step = -1  # dsub may be larger than the single dimension.
    error = refused(load, layout.patch(data, {field: layout.read(data, field) + step}), "not fit")
    at = field if field == "input.codesize" else field.rpartition(".")[0] + ".dim"
    assert (error.field, error.offset) == (name, layout[at])


def test_codes_of_another_number_than_the_quantiser_has_parts_are_refused(load):
    data, layout = build_with_layout(**QUANTISED)
    rows, codes = layout.read(data, "input.rows"), layout["input.codes"]
    fewer = layout.patch(data, {"input.codesize": rows})
    error = refused(load, fewer[:codes] + fewer[codes + rows :], "nsubq 2 and lastdsub 2 do not")
    assert (error.field, error.offset) == (
        "input matrix quantiser",
        layout["input.pq.dim"] - rows,
    )


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ("input.codes", "input matrix codes"),
        ("input.pq.nsubq", "input matrix quantiser"),
        ("input.pq.centroids", "input matrix quantiser centroids"),
        ("input.norm_codes", "input matrix norm codes"),
        ("input.npq.centroids", "input matrix norm quantiser centroids"),
        ("output.quantized", "output matrix flag"),
        ("output.columns", "output matrix columns"),
        ("output.data", "output matrix"),
    ],
)
def test_where_a_quantised_file_is_cut_is_told(load, place, field):
    data, layout = build_with_layout(**QUANTISED)
    assert refused(load, data[: layout[place]], "the file is truncated").field == field


@pytest.mark.parametrize("name", VARIANTS)
def test_a_file_cut_anywhere_is_refused_when_it_is_opened(tmp_path, name):
    data, layout = build_with_layout(**VARIANTS[name])
    path = tmp_path / "model.bin"
    cuts = {cut + step for cut in layout.boundaries for step in (-1, 0, 1)}
    for cut in sorted(cuts | set(range(0, len(data), 17))):
        if 0 <= cut < len(data):
            path.write_bytes(data[:cut])
            with pytest.raises(ftl.FormatError):
                ftl.load(path)
    path.write_bytes(data)
    assert len(ftl.load(path).words) == 4


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("extra", [1, 2, 17, 18, 1000])
def test_trailing_bytes_are_refused_when_it_is_opened(tmp_path, name, extra):
    path = tmp_path / "model.bin"
    path.write_bytes(build(**VARIANTS[name], trailing=bytes(extra)))
    with pytest.raises(ftl.FormatError, match=rf"{extra} bytes follow the output matrix"):
        ftl.load(path)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_lie_in_any_number_is_refused_or_harmless(load, name):
    data, layout = build_with_layout(**VARIANTS[name])
    harmless = {
        "ws", "epoch", "min_count", "neg", "word_ngrams", "lr_update_rate", "t", "ntokens",
        "minn", "maxn", "loss", "bucket", "mode", "hash_count",
    }  # fmt: skip
    refusals = 0
    for field, (_, kind) in layout.fields.items():
        if kind.endswith("s") or field in harmless or field.endswith((".count", ".row", ".bucket")):
            continue
        top = {"b": 127, "B": 255, "i": 2**31 - 1, "q": 2**63 - 1}[kind]
        truth = layout.read(data, field)
        if field.endswith(".dsub") and layout.read(data, field.replace("dsub", "nsubq")) == 1:
            continue
        for lie in {0, -1, 1, 2, top, top // 2, truth + 1, truth - 1} - {truth}:
            if kind == "B" and not 0 <= lie <= 255:
                continue
            lied = layout.patch(data, {field: lie})
            if (field, lie) in {("version", 11), ("version", 12), ("pruneidx_size", 0)}:
                continue
            if field == "model" and lie in (1, 2, 3) and truth in (1, 2):
                continue
            with pytest.raises(ftl.FormatError):
                load(lied)
            refusals += 1
    assert refusals > 40


@pytest.mark.parametrize(
    ("field", "lie", "match"),
    [
        ("dim", -1, "dim is -1"),
        ("dim", 2**31 - 1, "truncated|says|more than the bytes"),
        ("bucket", -5, "bucket is -5"),
        ("bucket", 2**31 - 1, "rows"),
        ("loss", 9, "loss is 9"),
        ("model", 0, "model is 0"),
        ("size", -4, "size is -4"),
        ("nwords", 2**31 - 1, "size is 4, but nwords"),
        ("pruneidx_size", -2, "pruneidx_size is -2"),
        ("pruneidx_size", 2**62, "the file is truncated"),
        ("pruneidx_size", 0, "pruned but its input matrix is not quantised"),
        ("input.rows", 2**62, "input matrix says"),
        ("input.columns", 2**62, "input matrix says"),
        ("output.rows", -1, "output matrix says"),
        ("words[1].type", 1, "is not a word, as its position requires"),
    ],
)
def test_each_lie_is_named(load, field, lie, match):
    data, layout = build_with_layout()
    error = refused(load, layout.patch(data, {field: lie}), match)
    # The error names another field, which contradicts the changed one.
    other = {
        ("bucket", 2**31 - 1): "input.rows",
        ("nwords", 2**31 - 1): "size",
        ("pruneidx_size", 2**62): "input.quantized",
        ("words[1].type", 1): "words[1].text",
    }
    assert error.offset == layout[other.get((field, lie), field)]


def test_absurd_counts_allocate_nothing(load):
    data, layout = build_with_layout()
    lied = layout.patch(data, {"size": 2**31 - 1, "nwords": 2**31 - 1})
    refused(load, lied, "more than the dictionary has room for")


def test_a_dense_model_with_a_prune_index_is_refused(load):
    refused(load, build(prune=[(1, 0)]), "pruned but its input matrix is not quantised")


@pytest.mark.parametrize(
    ("pair", "match"),
    [
        ((-1, 0), "bucket -1"),
        ((10, 0), r"bucket 10 is outside \[0, 10\)"),
        ((3, 2), r"row 2 is outside \[0, 2\)"),
        ((3, -7), "row -7"),
    ],
)
def test_a_prune_index_that_leads_astray_is_refused(load, pair, match):
    data, layout = build_with_layout(prune=[(1, 0), pair], input_quantizer=Quantizer())
    error = refused(load, data, match)
    assert error.field == "prune index pair 1"
    assert error.offset == layout["prune[1].bucket" if "bucket" in match else "prune[1].row"]


def test_a_dictionary_that_ends_too_early_is_found_at_the_first_look_up(tmp_path):
    data, layout = build_with_layout()
    shorter = data[: layout["words[2].text"]] + b"two\0" + data[layout["words[2].count"] :]
    assert len(shorter) == len(data)
    stretched = bytearray(data)
    stretched[layout["words[0].text"]] = 0
    path = tmp_path / "model.bin"
    path.write_bytes(stretched)
    model = ftl.load(path)
    with pytest.raises(ftl.FormatError, match="dictionary"):
        model["one"]
    with pytest.raises(ftl.FormatError, match="dictionary"):
        list(model.words)


def test_words_made_to_collide_are_refused(tmp_path):
    # Of many words those whose hash has the lower 12 bits clear, so that they share a slot run.
    numbers = np.arange(10**6, 6 * 10**6)
    hashes = np.full(len(numbers), 2166136261, np.uint32)
    for place in reversed(range(7)):
        digits = (numbers // 10**place % 10).astype(np.uint32)
        hashes = (hashes ^ (digits + np.uint32(48))) * np.uint32(16777619)
    words = [b"%d" % number for number in numbers[hashes & 0xFFF == 0][:1100]]
    assert len(words) == 1100
    path = tmp_path / "model.bin"
    path.write_bytes(build(words=words, dim=1, bucket=0, maxn=0))
    with pytest.raises(ftl.FormatError, match="too many entries share one hash"):
        list(ftl.load(path).words)


def test_errors_pickle_and_name_the_path(tmp_path):
    import pickle

    path = tmp_path / "model.bin"
    path.write_bytes(b"nothing of the kind, but long enough to be looked at" * 4)
    for make in (lambda: ftl.load(path), lambda: ftl.load(Path(tmp_path, "none"))):
        with pytest.raises(ftl.FastTextLiteError) as caught:
            make()
        again = pickle.loads(pickle.dumps(caught.value))
        assert str(again) == str(caught.value)
        assert str(tmp_path) in str(again)


@pytest.mark.parametrize("magic", [None, MAGIC])
def test_a_file_without_rows_names_no_huge_dimension(load, magic):
    options = {"words": [], "bucket": 0, "magic": magic}
    assert load(build(dim=4096, **options)).dim == 4096
    if magic is not None:
        refused(load, build(dim=2**31 - 1, **options), "dim is 2147483647, more than the bytes")
