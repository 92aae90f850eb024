"""Arrays that a header describes wrongly are refused."""

from __future__ import annotations

import json

import pytest
from support.builders import build
from support.compact_file import CompactFile, answers_everything, refused

import fasttext_lite as ftl


def shifted(file, name, by):
    begin, end = file.header[name]["data_offsets"]
    file.header[name]["data_offsets"] = [begin + by, end + by]


@pytest.mark.parametrize("by", [-64, -1, 1, 64])
@pytest.mark.parametrize("name", ["vocabulary.offsets", "words", "subwords"])
def test_overlaps_and_holes_are_refused(load, file, name, by):
    shifted(file, name, by)
    refused(load, file.bytes(), "overlaps|follows a hole")


def test_two_names_for_the_same_bytes_are_refused(load, file):
    file.header["again"] = file.header["words"]
    refused(load, file.bytes(), "overlaps")


def test_a_hole_at_the_beginning_or_the_end_is_refused(load, file):
    for name in file.arrays:
        shifted(file, name, 64)
    file.body = bytes(64) + file.body
    refused(load, file.bytes(), "follows a hole")


def test_misaligned_arrays_are_refused(load, file):
    text = json.dumps(file.header)
    good = file.bytes(text)
    length = int.from_bytes(good[:8], "little")
    bad = (length + 4).to_bytes(8, "little") + good[8 : 8 + length] + b"    " + file.body
    refused(load, bad, "does not begin at a multiple of 64 bytes")


@pytest.mark.parametrize(
    "offsets",
    [
        None,
        [],
        [0],
        [0, 1, 2],
        "0:1",
        [0, -1],
        [-64, 0],
        [0.0, 8.0],
        ["0", "8"],
        [0, 2**63],
        [2**64, 2**64 + 32],
        [True, 33],
        {"0": 0},
    ],
)
def test_impossible_offsets_are_refused(load, file, offsets):
    file.header["words"]["data_offsets"] = offsets
    refused(load, file.bytes(), "an invalid description")


@pytest.mark.parametrize(
    "shape",
    [
        None,
        8,
        "4,4",
        [-4, -4],
        [4.0, 4],
        ["4", "4"],
        [True, 16],
        [2**62, 2**62],
        [2**63, 0],
        [[4]],
        [1, 1, 1, 1, 1, 1, 1, 1, 16],
        [2**64],
    ],
)
def test_impossible_shapes_are_refused(load, file, shape):
    file.header["words"]["shape"] = shape
    refused(load, file.bytes(), "an invalid description")


@pytest.mark.parametrize("dtype", [None, "F7", "f16", 16, ["F16"], {}, ""])
def test_impossible_dtypes_are_refused(load, file, dtype):
    file.header["words"]["dtype"] = dtype
    refused(load, file.bytes(), "an invalid description")


@pytest.mark.parametrize("entry", [None, 3, [], "F16", {}, {"dtype": "F16", "shape": [4, 4]}])
def test_an_array_without_a_description_is_refused(load, file, entry):
    file.header["words"] = entry
    refused(load, file.bytes(), "an invalid description")


@pytest.mark.parametrize(
    ("name", "dtype", "shape"),
    [
        ("words", "F16", [2, 8]),
        ("words", "F16", [16]),
        ("words", "F16", [4, 4, 1]),
        ("words", "F32", [4, 2]),
        ("words", "I8", [8, 4]),
        ("words", "U8", [32]),
        ("words", "BF16", [4, 4]),
        ("words.norms", "I32", [4]),
        ("words.norms", "F32", [2, 2]),
        ("subwords", "F32", [5, 4]),
        ("subwords", "F16", [20, 2]),
        ("vocabulary.text", "I8", [15]),
        ("vocabulary.text", "U8", [3, 5]),
        ("vocabulary.offsets", "I64", [5]),
        ("vocabulary.offsets", "U64", [1, 5]),
        ("vocabulary.counts", "U64", [4]),
        ("vocabulary.index", "U64", [4]),
        ("vocabulary.index", "U32", [4, 2]),
    ],
)
def test_arrays_that_do_not_fit_the_model_are_refused(load, file, name, dtype, shape):
    file.header[name] |= {"dtype": dtype, "shape": shape}
    refused(load, file.bytes(), rf"{name}.* (must be|no array)")


@pytest.mark.parametrize("name", ["subwords.buckets", "vocabulary.text"])
def test_an_array_of_one_number_without_a_shape_is_refused(load, tmp_path, name):
    (tmp_path / "source.bin").write_bytes(build(words=[b"x"], bucket=1, maxn=3))
    ftl.convert(tmp_path / "source.bin", tmp_path / "compact", subwords="used")
    file = CompactFile((tmp_path / "compact").read_bytes())
    assert file.header[name]["shape"] == [1]
    file.header[name]["shape"] = []
    refused(load, file.bytes(), rf"{name}|do not fit|must be")


def test_the_info_says_what_the_file_is(load, original):
    file = CompactFile(original)
    info = load(original).info
    dtype = {"F32": "float32", "F16": "float16", "I8": "int8"}[
        file.header.get("words", file.header.get("input"))["dtype"]
    ]
    assert info.format == f"fasttext-lite compact file, version 1, {dtype}"
    assert (info.quantized_input, info.quantized_output) == (False, False)
    assert info.pruned == ("subwords.buckets" in file.arrays)
    assert (info.word_count, info.label_count) == (
        file.model["word_count"],
        file.model["label_count"],
    )
    assert (info.file_size, info.index_size) == (len(original), 0)
    assert [(section.name, section.offset, section.size) for section in info.sections] == [
        ("header", 0, file.start),
        *(
            (name, file.start + start, stop - start)
            for name, (start, stop) in sorted(
                ((name, file.header[name]["data_offsets"]) for name in file.arrays),
                key=lambda item: item[1],
            )
        ),
    ]


def test_every_array_has_to_be_there(load, original):
    for name in CompactFile(original).arrays:
        if name.startswith("filler"):
            continue
        file = CompactFile(original)
        file.header["another"] = file.header.pop(name)
        if name == "subwords.buckets":
            # Without it every bucket is kept, which needs more rows.
            refused(load, file.bytes(), "must be")
        else:
            refused(load, file.bytes(), f"the file has no array '{name}'")


def test_arrays_of_another_name_are_ignored(load, file):
    end = len(file.body)
    file.header["remarks"] = {"dtype": "F64", "shape": [2], "data_offsets": [end, end + 16]}
    file.body += bytes(16)
    answers_everything(load(file.bytes()))
