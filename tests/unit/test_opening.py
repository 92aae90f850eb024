"""Opening: names, file objects that fail, and rows by their numbers."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import build

import fasttext_lite as ftl
from fasttext_lite.formats import open_parts

VEC = b"2 3\none 1 2 3\ntwo 4 5 6\n"


def test_the_sample_has_a_path():
    assert Path(ftl.SAMPLE).is_absolute()
    assert ftl.load(ftl.SAMPLE).info.path == ftl.load("sample").info.path == ftl.SAMPLE


def test_only_the_str_means_the_sample(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (Path("sample"), b"sample", "./sample"):
        with pytest.raises(ftl.MissingFileError):
            ftl.load(name)
    (tmp_path / "sample").write_bytes(build())
    for name in (Path("sample"), b"sample", "./sample"):
        assert Path(ftl.load(name).info.path).samefile(tmp_path / "sample")
    assert open_parts("sample").info.path == str(tmp_path / "sample")
    assert ftl.load("sample").info.path == ftl.SAMPLE


class Failing(io.BytesIO):
    """A file object whose reads raise, from a given one on."""

    def __init__(self, data, error, reads):
        super().__init__(data)
        self.error, self.reads = error, reads

    def _count(self):
        self.reads -= 1
        if self.reads < 0:
            raise self.error

    def read(self, *size):
        self._count()
        return super().read(*size)

    def readinto(self, target):
        self._count()
        return super().readinto(target)


@pytest.mark.parametrize("data", [build(), VEC], ids=["bin", "vec"])
@pytest.mark.parametrize("reads", [0, 1])
def test_errors_of_the_caller_pass(data, reads):
    for error in (ValueError("my bug"), KeyError("my bug"), RuntimeError("my bug")):
        with pytest.raises(type(error), match="my bug") as caught:
            ftl.load(Failing(data, error, reads))
        assert caught.value is error


@pytest.mark.parametrize("data", [build(), VEC], ids=["bin", "vec"])
@pytest.mark.parametrize("reads", [0, 1])
def test_errors_of_the_system_name_the_file_object(data, reads):
    with pytest.raises(ftl.FileError, match="<Failing>: no more") as caught:
        ftl.load(Failing(data, OSError(5, "no more"), reads))
    assert caught.value.errno == 5


def test_an_error_about_another_file_keeps_its_name():
    error = ftl.FileError("gone", "other.bin")
    with pytest.raises(ftl.FileError, match=r"^other.bin: gone$"):
        ftl.load(Failing(build(), error, 0))


def test_a_closed_file_object_is_named():
    file = io.BytesIO(build())
    file.close()
    with pytest.raises(ftl.FileError, match="<BytesIO>: this file object is closed"):
        ftl.load(file)


def test_a_file_that_shrinks_before_it_is_mapped_is_named(tmp_path, monkeypatch):
    path = tmp_path / "model.bin"
    path.write_bytes(build())
    size = path.stat().st_size
    fstat = os.fstat

    class Larger:
        def __init__(self, status):
            self.st_size = status.st_size + (1 << 20)

    monkeypatch.setattr(os, "fstat", lambda number: Larger(fstat(number)))
    with pytest.raises(ftl.FileError, match=r"model.bin: the file cannot be mapped"):
        ftl.load(path)
    with pytest.raises(ftl.FileError, match=f"shrank to {size} bytes"):
        ftl.load(path, mmap=False)


def test_another_file_is_noticed_before_it_is_read(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(build())
    pickled = pickle.dumps(ftl.load(path, mmap=False))
    path.write_bytes(b"anything else")
    with pytest.raises(ftl.FileError, match="this is not the file"):
        pickle.loads(pickled)


def test_a_full_check_works_where_int_has_32_bits(monkeypatch):
    # As in NumPy 1 on Windows.
    arange = np.arange
    monkeypatch.setattr(np, "arange", lambda *a, dtype=np.int32, **o: arange(*a, dtype=dtype, **o))
    assert ftl.load("sample").verify(full=True)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_rows_have_the_same_numbers_in_every_file(tmp_path, dtype):
    path, compact = tmp_path / "model.bin", tmp_path / "compact"
    path.write_bytes(build())
    ftl.convert(path, compact, dtype)
    raw, converted = ftl.load(path), ftl.load(compact)
    words = ["one", "two", "unknown"]
    assert raw.ngrams(words) == converted.ngrams(words)
    tolerance = {"float32": 0, "float16": 1e-3, "int8": 2e-2}[dtype]
    for _, row in raw.ngrams(words):
        np.testing.assert_allclose(converted.row(row), raw.row(row), rtol=0, atol=tolerance)
    assert converted._parts.first_row == len(raw)
    assert raw._parts.first_row == 0
    with pytest.raises(ftl.InputValueError, match="vectors of its words"):
        converted.row(3)
    assert_array_equal(raw.row(0), raw.input_matrix[0])
