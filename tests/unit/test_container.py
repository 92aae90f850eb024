"""The safetensors container."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fasttext_lite as ftl
from fasttext_lite.formats.safetensors import Tensor, Writer, looks_like

ARRAYS = [Tensor("a", "F32", (2,)), Tensor("b", "U8", (3,))]


@pytest.mark.parametrize("sizes", [(1, 3), (3, 3), (2, 2), (2, 0), (0, 3)])
def test_an_array_of_another_size_leaves_the_old_file(tmp_path, sizes):
    target = tmp_path / "target"
    target.write_bytes(b"old")

    def write():
        with Writer(str(target), ARRAYS, {}) as writer:
            writer.write("a", np.zeros(sizes[0], np.float32))
            writer.write("b", bytes(sizes[1]))

    with pytest.raises(ftl.InputValueError, match=r"[ab]: \d+ of \d bytes were written"):
        write()
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_file_of_word_vectors_is_not_taken_for_one(tmp_path):
    # With one number per word, a byte of the first number is at the position of the "{".
    vectors = np.frombuffer(b"\x00\x00{?", "<f4")
    path = tmp_path / "vectors.bin"
    path.write_bytes(b"2 1\na " + vectors.tobytes() + b"\nbc " + vectors.tobytes() + b"\n")
    begin = path.read_bytes()[:16]
    assert begin[8:9] == b"{"
    assert not looks_like(begin)
    assert list(ftl.load(path).words) == ["a", "bc"]


@pytest.mark.parametrize("size", range(13))
def test_a_short_file_is_not_taken_for_one(size):
    header = json.dumps({"__metadata__": {}}).encode()
    data = len(header).to_bytes(8, "little") + header
    assert looks_like(data)
    assert looks_like(data[:size]) == (size > 8)
