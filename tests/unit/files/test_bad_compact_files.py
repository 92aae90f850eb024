"""Damaged or inconsistent compact files are refused on opening, or cause no harm."""

from __future__ import annotations

import contextlib
import json
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from support.builders import SUPERVISED, build
from support.queries import LABEL_QUESTIONS, QUESTIONS, ask_everything
from support.text import unknown_words

import fasttext_lite as ftl

LABELS = [b"__label__a", b"__label__b"]
FILES = {
    "float16": ({}, "float16", {}),
    "int8, some n-grams": ({"bucket": 40}, "int8", {"subwords": "used"}),
    "supervised": ({"model": SUPERVISED, "labels": LABELS}, "int8", {}),
    "supervised, some n-grams": (
        {"model": SUPERVISED, "labels": LABELS, "bucket": 40},
        "float32",
        {"subwords": "used"},
    ),
}
WORDS = [b"one", b"two", b"</s>", b"threes", b"on", *LABELS, b"x" * 400]
WORDS += [word for word in unknown_words(100) if len(word) < 60]


class CompactFile:
    """A file taken apart, to be reassembled with wrong values."""

    def __init__(self, data):
        start = 8 + int.from_bytes(data[:8], "little")
        self.header = json.loads(data[8:start])
        self.body = data[start:]
        self.start = start
        self.model = json.loads(self.header["__metadata__"]["model"])

    @property
    def arrays(self):
        return [name for name in self.header if name != "__metadata__"]

    def bytes(self, text=None, *, size=None):
        """Return the bytes of the file, optionally with another header."""
        if text is None:
            self.header["__metadata__"]["model"] = json.dumps(self.model)
            text = json.dumps(self.header)
        header = text.encode() if isinstance(text, str) else text
        header += b" " * (-(len(header) + 8) % 64)
        return (len(header) if size is None else size).to_bytes(8, "little") + header + self.body

    def slot(self, name):
        """Return the slice of an array in the body."""
        return slice(*self.header[name]["data_offsets"])

    def fill(self, name, array):
        """Replace the numbers of an array."""
        data = array.tobytes()
        place = self.slot(name)
        assert len(data) == place.stop - place.start
        self.body = self.body[: place.start] + data + self.body[place.stop :]

    def array(self, name, dtype):
        return np.frombuffer(self.body[self.slot(name)], dtype)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compact")
    made = {}
    for name, (options, dtype, choice) in FILES.items():
        (folder / "source.bin").write_bytes(build(**options))
        ftl.convert(folder / "source.bin", folder / "target", dtype, **choice)
        made[name] = (folder / "target").read_bytes()
    return made


@pytest.fixture(params=FILES)
def original(request, originals):
    return originals[request.param]


@pytest.fixture
def file(originals):
    return CompactFile(originals["float16"])


@pytest.fixture
def load(tmp_path):
    """Return a function that writes bytes to a new file, which may stay mapped, and opens it."""
    numbers = count()

    def write_and_load(data, *, mmap=True):
        path = tmp_path / f"{next(numbers)}.safetensors"
        path.write_bytes(data)
        return ftl.load(path, mmap=mmap)

    return write_and_load


def refused(load, data, match):
    with pytest.raises(ftl.FormatError, match=match) as caught:
        load(data)
    assert caught.value.field
    assert 0 <= caught.value.offset <= len(data)
    assert caught.value.path in str(caught.value)
    return caught.value


def answers_everything(model):
    """Ask whatever reads the arrays of a file; every answer has to come back."""
    expected = QUESTIONS if model.info.kind == "supervised" else QUESTIONS - LABEL_QUESTIONS
    assert ask_everything(model, WORDS) == expected


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


# Offsets, dtypes and shapes of arrays


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


# The contents of arrays, which are checked on use


def numbers(size, dtype):
    """Yield arrays of ``size`` wrong numbers."""
    least, top = np.iinfo(dtype).min, np.iinfo(dtype).max
    random = np.random.default_rng(0)
    for number in (0, top, top // 2 + 1, size, size + 1):
        yield np.full(size, number, dtype)
    yield np.arange(size, dtype=dtype)[::-1].copy()
    yield np.arange(size, dtype=dtype) * dtype(size)
    for _ in range(3):
        yield random.integers(least, top, size, dtype, endpoint=True)
        yield random.integers(0, 3 * size, size, dtype)


ARRAYS = {
    "vocabulary.index": np.uint32,
    "vocabulary.offsets": np.uint64,
    "vocabulary.counts": np.int64,
    "subwords.buckets": np.int32,
    "subwords.table": np.uint32,
}


@pytest.mark.parametrize(("mmap", "subwords"), [(True, "all"), (False, "used")])
@pytest.mark.parametrize(
    ("original", "name"),
    [(kind, name) for kind in FILES for name in ARRAYS if name[:3] != "sub" or "some" in kind],
    indirect=["original"],
)
def test_entries_that_lead_astray_harm_nothing(load, original, name, mmap, subwords):
    dtype = ARRAYS[name]
    size = len(CompactFile(original).array(name, dtype))
    asked = 0
    for lies in numbers(size, dtype):
        file = CompactFile(original)
        file.fill(name, lies)
        model = load(file.bytes(), mmap=mmap)
        asked += ask_everything(model, WORDS)
        with contextlib.suppress(ftl.FormatError):
            again = Path(model.info.path).with_suffix(".again")
            ftl.convert(model.info.path, again, subwords=subwords)
            ask_everything(ftl.load(again), WORDS)
    assert asked > 50


def test_entries_that_overlap_do_not_multiply(load, tmp_path):
    """Check that a copy of entries, each of the whole text, does not square the size."""
    (tmp_path / "source.bin").write_bytes(build(words=[b"word%d" % i for i in range(50)]))
    ftl.convert(tmp_path / "source.bin", tmp_path / "source")
    file = CompactFile((tmp_path / "source").read_bytes())
    offsets = file.array("vocabulary.offsets", np.uint64)
    file.fill("vocabulary.offsets", np.where(np.arange(len(offsets)) % 2, offsets[-1], 0))
    model = load(file.bytes())
    overlap = pytest.raises(ftl.FormatError, match=r"entries .* up to number 2 overlap")
    with overlap:
        model.words.packed()
    with overlap:
        ftl.convert(model.info.path, tmp_path / "target")
    with overlap:
        ftl.export(model, tmp_path / "target.vec")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("target")]


@pytest.mark.parametrize("name", ["words", "words.norms", "subwords", "vocabulary.text"])
def test_random_bytes_harm_nothing(load, file, name):
    random = np.random.default_rng(0)
    place = file.slot(name)
    for _ in range(20):
        file.fill(name, random.integers(0, 256, place.stop - place.start, np.uint8))
        with np.errstate(all="ignore"):
            answers_everything(load(file.bytes()))


def test_a_closed_file_with_a_damaged_index_still_lists_and_compares_its_words(load, tmp_path):
    (tmp_path / "source.bin").write_bytes(build())
    ftl.convert(tmp_path / "source.bin", tmp_path / "closed", subwords="none")
    file = CompactFile((tmp_path / "closed").read_bytes())
    good = ftl.load(tmp_path / "closed")
    file.fill("vocabulary.index", np.zeros(8, np.uint32))
    model = load(file.bytes())
    assert list(model.words) == list(good.words)
    with pytest.raises(ftl.UnknownWordError):
        model["one"]
    vector = good["one"]
    assert model.neighbors(vector) == good.neighbors(vector)
    ftl.convert(Path(model.info.path), tmp_path / "again")
    assert (ftl.load(tmp_path / "again")["one"] == vector).all()
