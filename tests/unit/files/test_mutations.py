"""Damaged files and wrong values in every format: an error of the package, or a working model.

The number of cases and the seed are fixed. Fields are listed by name, so the tests fail if a format
gains a field that is not listed.
"""

from __future__ import annotations

import json
import random
import re

import numpy as np
import pytest
from support.fixtures import BINARY, COMPACT, LAYOUTS, MAGNITUDE, PACKED, TABLE, TEXT
from support.queries import ask_everything

import fasttext_lite as ftl

FILES = {
    **{f"binary: {name}": data for name, data in BINARY.items()},
    **{f"compact: {name}": data for name, data in COMPACT.items()},
    **{f"text: {name}": data for name, data in TEXT.items()},
    "floret table": TABLE,
    "Magnitude": MAGNITUDE,
    **{f"packed: {name}": data for name, data in PACKED.items()},
}
# Few queries, since there are thousands of files.
WORDS = ["one", b"\xff\x80ab", "__label__a", "x" * 40]
TEXTS = ["one twx"]
ROUNDS = 6


@pytest.fixture
def outcome(tmp_path):
    """Return a function that opens bytes and counts the answers of the model; 0 if refused."""
    path = tmp_path / "model"

    def open_and_ask(data):
        path.write_bytes(data)
        try:
            # Read into memory, since a mapped file must not be overwritten.
            model = ftl.load(path, mmap=False)
        except ftl.FormatError as refusal:
            error = refusal
        else:
            error = None
        if error is not None:
            assert str(path) in str(error)
            assert error.offset >= 0
            return 0
        with np.errstate(all="ignore"):
            return ask_everything(model, WORDS, TEXTS)

    return open_and_ask


@pytest.mark.parametrize("name", FILES)
def test_the_files_themselves_answer(outcome, name):
    assert outcome(FILES[name]) >= 7


def flipped(source, data):
    at = source.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << source.randrange(8)]) + data[at + 1 :]


def cut(source, data):
    return data[: source.randrange(len(data))]


def without(source, data):
    start = source.randrange(len(data))
    return data[:start] + data[start + source.randrange(1, 40) :]


def repeated(source, data):
    start = source.randrange(len(data))
    stop = start + source.randrange(1, 200)
    return data[:stop] + data[start:stop] + data[stop:]


def spliced(source, data):
    other = FILES[source.choice(list(FILES))]
    return data[: source.randrange(len(data))] + other[source.randrange(len(other)) :]


def overwritten(source, data):
    other = FILES[source.choice(list(FILES))]
    start, size = source.randrange(len(data)), source.randrange(1, 64)
    begin = source.randrange(len(other))
    block = other[begin : begin + size]
    return data[:start] + block + data[start + len(block) :]


def randomized(source, data):
    start, size = source.randrange(len(data)), source.randrange(1, 16)
    return data[:start] + source.randbytes(size) + data[start + size :]


@pytest.mark.parametrize(
    "damage", [flipped, cut, without, repeated, spliced, overwritten, randomized]
)
@pytest.mark.parametrize("name", FILES)
def test_damage_is_refused_or_harmless(outcome, name, damage):
    source = random.Random(f"{name} {damage.__name__}")
    for _ in range(ROUNDS):
        outcome(damage(source, FILES[name]))


# Wrong values in each field of a .bin or .ftz file


def numbers_for(truth, least, top):
    """Return the wrong values to test for a field."""
    lies = {0, 1, -1, least, top, top // 2 + 1, truth - 1, truth + 1, 2 * truth, -truth}
    return sorted(lie for lie in lies - {truth} if least <= lie <= top)


RANGES = {"b": (-128, 127), "B": (0, 255), "i": (-(2**31), 2**31 - 1), "q": (-(2**63), 2**63 - 1)}
MATRIX = {"quantized", "rows", "columns", "data", "qnorm", "codesize", "codes", "norm_codes"}
QUANTISER = {"dim", "nsubq", "dsub", "lastdsub", "centroids"}
BINARY_FIELDS = {
    "magic", "version", "dim", "ws", "epoch", "min_count", "neg", "word_ngrams", "loss", "model",
    "bucket", "minn", "maxn", "lr_update_rate", "t", "size", "nwords", "nlabels", "ntokens",
    "pruneidx_size", "prune.bucket", "prune.row", "mode", "hash_count",
    *(f"{kind}.{part}" for kind in ("words", "labels") for part in ("text", "count", "type")),
    *(f"{matrix}.{part}" for matrix in ("input", "output") for part in MATRIX),
    *(
        f"{matrix}.{kind}.{part}"
        for matrix in ("input", "output")
        for kind in ("pq", "npq")
        for part in QUANTISER
    ),
}  # fmt: skip


def test_the_binary_files_have_every_field_of_the_format():
    found = {re.sub(r"\[\d+\]", "", field) for layout in LAYOUTS.values() for field in layout}
    assert found == BINARY_FIELDS


@pytest.mark.parametrize("name", BINARY)
def test_a_lie_in_each_field_of_a_binary_file_is_refused_or_harmless(outcome, name):
    data, layout = BINARY[name], LAYOUTS[name]
    lied = set()
    for field, (_, kind) in layout.fields.items():
        # The first and the last of the entries represent all.
        if re.search(r"\[[12]\]", field):
            continue
        truth = layout.read(data, field)
        if kind == "d":
            lies = [0.0, -1.0, float("nan"), float("inf"), 1e308, 5e-324]
        elif kind.endswith("s"):
            size = int(kind[:-1])
            lies = [bytes([byte]) * size for byte in (0, 1, 2, 127, 128, 255)]
        else:
            lies = numbers_for(truth, *RANGES[kind])
        for lie in lies:
            outcome(layout.patch(data, {field: lie}))
        lied.add(re.sub(r"\[\d+\]", "", field))
    assert lied == {re.sub(r"\[\d+\]", "", field) for field in layout}


@pytest.mark.parametrize("name", BINARY)
def test_two_lies_at_once_are_refused_or_harmless(outcome, name):
    """Test two wrong values that agree with each other, which get past more checks."""
    data, layout = BINARY[name], LAYOUTS[name]
    source = random.Random(name)
    numbers = [field for field, (_, kind) in layout.fields.items() if kind in RANGES]
    for _ in range(3 * ROUNDS):
        lies = {}
        for field in source.sample(numbers, 2):
            truth = layout.read(data, field)
            lies[field] = source.choice(numbers_for(truth, *RANGES[layout.fields[field].format]))
        outcome(layout.patch(data, lies))


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(("sizes", "step"), [(s, d) for s in range(3) for d in (-1, 1)])
def test_sizes_that_agree_and_lie_are_refused_or_harmless(outcome, name, sizes, step):
    data, layout = BINARY[name], LAYOUTS[name]
    fields = [
        ("size", "nwords", "input.rows", "output.rows"),
        ("size", "nlabels", "output.rows"),
        ("bucket", "input.rows"),
    ][sizes]
    lies = {field: layout.read(data, field) + step for field in fields if field in layout}
    if min(lies.values()) >= 0:
        outcome(layout.patch(data, lies))


# Wrong values in each field of a compact file


def taken_apart(data):
    stop = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:stop]), data[stop:]


def put_together(header, body):
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    return len(text).to_bytes(8, "little") + text + body


ARRAYS = {
    "vocabulary.text": "u1", "vocabulary.offsets": "<u8", "vocabulary.counts": "<i8",
    "vocabulary.index": "<u4", "words": None, "words.norms": "<f4", "words.scales": "<f4",
    "subwords": None, "subwords.scales": "<f4", "subwords.buckets": "<i4",
    "subwords.table": "<u4", "input": None, "input.scales": "<f4", "output": None,
    "output.scales": "<f4", "neighbors.codes": "u1", "neighbors.scales": "<f4",
    "neighbors.errors": "<f4", "neighbors.graph": "<u4", "neighbors.graph.entries": "<u4",
    "neighbors.graph.accuracy": "<f4", "neighbors.graph.fingerprint": "u1",
}  # fmt: skip
MODEL_KEYS = {
    "bucket", "dim", "epoch", "label_count", "loss", "lr_update_rate", "maxn", "min_count", "minn",
    "model", "neg", "t", "token_count", "unknown_words", "word_count", "word_ngrams", "ws",
}  # fmt: skip
JSON_LIES = [None, "", "ns", "supervised", "error", [], {}, True, 1.5, float("nan"), 10**400]


def test_the_compact_files_have_every_array_and_key_of_the_format():
    headers = [taken_apart(data)[0] for data in COMPACT.values()]
    arrays = {name for header in headers for name in header if not name.startswith("filler.")}
    assert arrays == {"__metadata__", *ARRAYS}
    for header in headers:
        metadata = header["__metadata__"]
        assert set(metadata) - {"graph"} == {"format", "version", "model"}
        assert ("graph" in metadata) == ("neighbors.graph" in header)
        more = {"hash_count"} if metadata["version"] == "2" else set()
        assert set(json.loads(metadata["model"])) == MODEL_KEYS | more


@pytest.mark.parametrize("name", COMPACT)
def test_a_lie_in_each_key_of_the_model_is_refused_or_harmless(outcome, name):
    header, body = taken_apart(COMPACT[name])
    model = json.loads(header["__metadata__"]["model"])
    for key, truth in model.items():
        lies = [*JSON_LIES]
        if isinstance(truth, int):
            lies += [*numbers_for(truth, -(2**63), 2**63 - 1), 2**31 - 1, 2**31, -(2**31)]
        for lie in lies:
            header["__metadata__"]["model"] = json.dumps(model | {key: lie})
            outcome(put_together(header, body))


@pytest.mark.parametrize("name", COMPACT)
def test_a_lie_in_each_entry_of_the_header_is_refused_or_harmless(outcome, name):
    for array in taken_apart(COMPACT[name])[0]:
        if array == "__metadata__":
            continue
        entry = taken_apart(COMPACT[name])[0][array]
        start, stop = entry["data_offsets"]
        lies = [{"dtype": dtype} for dtype in ("U8", "I8", "F16", "BF16", "F32", "U64", "X", 3)]
        for i, size in enumerate(entry["shape"]):
            lies += [
                {"shape": [*entry["shape"][:i], lie, *entry["shape"][i + 1 :]]}
                for lie in numbers_for(size, -(2**63), 2**63 - 1)
            ]
        lies += [{"shape": entry["shape"][:-1]}, {"shape": [1, *entry["shape"]]}, {"shape": []}]
        for lie in (0, 1, -1, start + 64, stop - 1, stop + 1, 2**63 - 1, 2**63, 2**64):
            lies += [{"data_offsets": [lie, stop]}, {"data_offsets": [start, lie]}]
            lies += [{"data_offsets": [lie, lie + stop - start]}]
        for lie in lies:
            header, body = taken_apart(COMPACT[name])
            header[array] |= lie
            outcome(put_together(header, body))


@pytest.mark.parametrize("name", COMPACT)
def test_lies_in_each_array_are_harmless(outcome, name):
    header, body = taken_apart(COMPACT[name])
    for array, dtype in ARRAYS.items():
        if array not in header:
            continue
        start, stop = header[array]["data_offsets"]
        fills = [bytes([byte]) * (stop - start) for byte in (0, 1, 127, 128, 255)]
        if dtype is not None and dtype[1] != "f":
            truth = np.frombuffer(body[start:stop], dtype)
            step = np.ones(1, dtype)
            fills += [(truth + step).tobytes(), (truth - step).tobytes()]
            fills += [truth[::-1].tobytes()]
        for fill in fills:
            answers = outcome(put_together(header, body[:start] + fill + body[stop:]))
            assert answers > 0, array


@pytest.mark.parametrize("name", COMPACT)
@pytest.mark.parametrize("length", [0, 1, -1, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_lie_about_the_length_of_the_header_is_refused(outcome, name, length):
    data = COMPACT[name]
    truth = int.from_bytes(data[:8], "little")
    lie = truth + length if abs(length) == 1 else length
    assert outcome(lie.to_bytes(8, "little") + data[8:]) == 0


# Wrong values in the head of a file of vectors


@pytest.mark.parametrize("name", [name for name in TEXT if "no head" not in name])
def test_a_lie_in_each_number_of_the_first_line_is_refused_or_harmless(outcome, name):
    rows = TEXT[name].partition(b"\n")[2]
    outcomes = set()
    for lie in [*numbers_for(3, -(2**63), 2**63 - 1), 2**31 - 1, 2**31, 10**18, 10**30, ""]:
        for head in (f"{lie} 3", f"3 {lie}", f"{lie} {lie}", f"{lie}", f"3 3 {lie}"):
            outcomes.add(outcome(head.encode() + b"\n" + rows))
    assert outcomes != {0}
    assert 0 in outcomes


@pytest.mark.parametrize("number", ["", "1e", "0x1", "1_0", "nan", "inf", "1e999", "-", "9" * 5000])
def test_a_lie_in_each_number_of_a_row_is_refused_or_harmless(outcome, number):
    for row in range(3):
        for column in range(3):
            rows = [[b"word%d" % i, b"1", b"2", b"3"] for i in range(3)]
            rows[row][1 + column] = number.encode()
            lines = b"\n".join(map(b" ".join, rows))
            outcome(b"3 3\n" + lines)
            outcome(lines)
