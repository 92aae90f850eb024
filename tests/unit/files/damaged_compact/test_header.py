"""Headers of compact files that are damaged or inconsistent are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.compact_file import CompactFile, answers_everything, refused

import fasttext_lite as ftl


@pytest.mark.parametrize("mmap", [True, False])
def test_the_originals_answer(load, original, mmap):
    answers_everything(load(original, mmap=mmap))


def test_a_file_cut_anywhere_is_refused(load, original):
    header = CompactFile(original)
    offsets = {at for name in header.arrays for at in header.header[name]["data_offsets"]}
    boundaries = {8, header.start, *(header.start + at for at in offsets)}
    cuts = {cut + step for cut in boundaries for step in (-1, 0, 1)} | set(
        range(0, len(original), 13)
    )
    for cut in sorted(cut for cut in cuts if 0 <= cut < len(original)):
        with pytest.raises(ftl.FormatError):
            load(original[:cut])


@pytest.mark.parametrize("extra", [1, 63, 64, 1000])
def test_trailing_bytes_are_refused(load, original, extra):
    error = refused(load, original + bytes(extra), "it is too long")
    assert error.offset == len(original)


def test_a_flipped_bit_in_the_header_is_refused_or_harmless(load, original):
    harmless = 0
    for at in range(CompactFile(original).start):
        bad = bytearray(original)
        bad[at] ^= 1 << at % 8
        try:
            model = load(bad)
        except ftl.FormatError:
            continue
        answers_everything(model)
        harmless += 1
    assert 0 < harmless < CompactFile(original).start / 2


@pytest.mark.parametrize("length", [2**64 - 1, 2**63, 2**40, 10**8 + 1, 10**6])
def test_an_absurd_header_length_is_refused(load, file, length):
    refused(load, file.bytes(size=length), "not a fastText model|truncated or damaged")


def test_a_header_that_ends_too_early_is_no_json(load, file):
    refused(load, file.bytes(size=100), "is not valid JSON")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('{"a": ', "not valid JSON"),
        ('{"a": 1}}', "not valid JSON"),
        (b'{"\xff": 1}', "not valid JSON"),
        ('{"a":' + "[" * 100_000, "not valid JSON"),
        ('{"a":' + "1" * 10_000 + "}", "not valid JSON|invalid"),
        ('{"a": {}, "a": {}}', "a name occurs twice"),
        ('{"__metadata__": {"format": "pt", "format": "fasttext-lite"}}', "a name occurs twice"),
        ('{"__metadata__": []}', "not an object of strings"),
        ('{"__metadata__": {"format": 1}}', "not an object of strings"),
        ('{"__metadata__": null}', "not an object of strings"),
        ("{}", "too long"),
    ],
)
def test_a_header_of_another_shape_is_refused(load, file, text, match):
    refused(load, file.bytes(text), match)


def test_a_key_that_stands_twice_in_an_array_is_refused(load, file):
    text = json.dumps(file.header).replace('"shape"', '"dtype": "F16", "shape"', 1)
    refused(load, file.bytes(text), "a name occurs twice")


def test_safetensors_of_another_program_are_told(load, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    arrays = {"words": np.zeros((3, 4), np.float32)}
    for metadata in (None, {"format": "pt"}):
        safetensors.save_file(arrays, tmp_path / "other", metadata)
        refused(load, (tmp_path / "other").read_bytes(), "safetensors file of another program")


@pytest.mark.parametrize("version", ["3", "10", "", "one", None])
def test_another_version_says_so(load, file, version):
    metadata = file.header["__metadata__"]
    metadata["version"] = version
    if version is None:
        del metadata["version"]
    error = refused(load, file.bytes(), "version .* of the compact file")
    assert "update fasttext-lite" in str(error)


# The metadata of the model


@pytest.mark.parametrize(
    "value", [None, "", "[]", "3", "{", '{"dim": 4, "dim": 4', "[" * 100_000, "NaN"]
)
def test_a_model_that_is_no_object_is_refused(load, file, value):
    if value is None:
        del file.header["__metadata__"]["model"]
    else:
        file.header["__metadata__"]["model"] = value
    refused(load, file.bytes(json.dumps(file.header)), "does not describe a model")


def test_every_key_of_the_model_has_to_be_there_and_of_its_type(load, originals):
    keys = CompactFile(originals["float16"]).model
    assert len(keys) == 17
    for key in keys:
        for lie in ("missing", None, [], {}, True, "x", 1.5, 2**31):
            file = CompactFile(originals["float16"])
            file.model[key] = lie
            if lie == "missing":
                del file.model[key]
            free = ("token_count", "ws", "epoch", "min_count", "neg", "lr_update_rate", "t")
            if key in free and (lie == 2**31 or (key == "t" and lie == 1.5)):
                answers_everything(load(file.bytes()))
                continue
            error = refused(load, file.bytes(), key)
            assert error.field == f"model.{key}"


@pytest.mark.parametrize(
    ("key", "lie"),
    [
        ("dim", 0),
        ("dim", 5),
        ("dim", -4),
        ("dim", 2**31 - 1),
        ("word_count", 3),
        ("word_count", 5),
        ("word_count", -1),
        ("word_count", 2**31 - 1),
        ("label_count", 1),
        ("label_count", 2**31 - 1),
        ("bucket", 0),
        ("bucket", 11),
        ("bucket", -1),
        ("bucket", 2**31 - 1),
        ("model", "supervised"),
        ("model", "skipgram"),
        ("loss", "hinge"),
        ("unknown_words", "ignore"),
        ("minn", -(2**31)),
        ("maxn", 2**31),
        ("word_ngrams", 2**40),
    ],
)
def test_numbers_that_do_not_fit_are_refused(load, file, key, lie):
    file.model[key] = lie
    refused(load, file.bytes(), "is|must be|no array")


def test_another_kind_of_vectors_is_harmless(load, file):
    for kind in ("cbow", "vectors"):
        file.model["model"] = kind
        model = load(file.bytes())
        answers_everything(model)
        assert model.info.kind == kind
