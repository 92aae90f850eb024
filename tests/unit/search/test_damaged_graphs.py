"""Graphs that contradict their files: told as errors, or searched without harm."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fasttext_lite as ftl


def damaged(path, **changes):
    """Return the bytes of a compact file with some arrays changed."""
    data = path.read_bytes()
    stop = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:stop])
    for name, change in changes.items():
        field = "neighbors.graph" + ("" if name == "neighbors" else f".{name}")
        start, end = (stop + at for at in header[field]["data_offsets"])
        kind = {"neighbors": "<u4", "entries": "<u4", "accuracy": "<f4", "fingerprint": "u1"}[name]
        array = np.frombuffer(data[start:end], kind).reshape(header[field]["shape"]).copy()
        change(array)
        data = data[:start] + array.tobytes() + data[end:]
    return data


def set_to(value, where=...):
    def change(array):
        array[where] = value

    return change


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("damaged") / "file.safetensors"
    ftl.convert("sample", path, "float16", max_words=2000, graph=True)
    return path


def asked(path, data, tmp_path):
    target = tmp_path / "damaged.safetensors"
    target.write_bytes(data)
    return ftl.load(target).neighbors(["king", "war"], accuracy=0.9)


@pytest.mark.parametrize("value", [2000, 2**31, 2**32 - 1])
def test_a_neighbor_that_does_not_exist_is_a_format_error(whole, tmp_path, value):
    with pytest.raises(ftl.FormatError, match="has a neighbor that does not exist") as caught:
        asked(whole, damaged(whole, neighbors=set_to(value)), tmp_path)
    sections = {part.name: part for part in ftl.load(whole).info.sections}
    place = sections["neighbors.graph"]
    assert caught.value.field == "neighbors.graph"
    assert place.offset <= caught.value.offset < place.offset + place.size
    # The exact search does not use it.
    assert ftl.load(tmp_path / "damaged.safetensors").neighbors("king") == ftl.load(
        whole
    ).neighbors("king")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entries": set_to(2000)}, "begins at row 2000"),
        ({"fingerprint": set_to(0)}, "made of other rows"),
        ({"accuracy": set_to(0, (0, 0))}, "no ascending positive"),
        ({"accuracy": set_to(np.nan)}, "no ascending positive"),
        ({"accuracy": set_to(1e20, (-1, 0))}, "no ascending positive"),
        ({"accuracy": set_to(5, (3, 0))}, "no ascending positive"),
    ],
)
def test_a_graph_that_contradicts_its_file_is_a_format_error(whole, tmp_path, changes, message):
    with pytest.raises(ftl.FormatError, match=message):
        asked(whole, damaged(whole, **changes), tmp_path)


def test_harmless_lies_are_harmless(whole, tmp_path):
    own = np.arange(2000, dtype=np.uint32)[:, None]
    model = ftl.load(whole)
    for neighbors in (set_to(0), set_to(own), set_to((own + 1) % 2000)):
        answers = asked(whole, damaged(whole, neighbors=neighbors), tmp_path)
        for word, found in zip(("king", "war"), answers, strict=True):
            assert len({near.word for near in found}) == len(found) > 0
            scores = dict(model.neighbors(word, k=2000))
            assert all(near.score == scores[near.word] for near in found)
    # Without an accuracy that is reached the search is exact.
    exact_answers = ftl.load(whole).neighbors(["king", "war"])
    low = damaged(whole, accuracy=set_to(np.nan, (slice(None), 1)))
    assert asked(whole, low, tmp_path) == exact_answers
