"""Checks of arguments that all calls share."""

from __future__ import annotations

import io
import pathlib

import numpy as np
import pytest

from fasttext_lite.arguments import check_out, flag, is_path, path_name, real, whole
from fasttext_lite.errors import FileError, InputTypeError, InputValueError, MissingFileError


class Index:
    def __index__(self):
        return 4


@pytest.mark.parametrize("value", [4, np.int64(4), np.uint8(4), Index(), np.array(4)])
def test_whole_numbers_come_as_int(value):
    assert type(whole("k", value, 1, 4)) is int
    assert whole("k", value) == 4


@pytest.mark.parametrize("value", [True, np.True_, 4.0, np.float32(4), "4", None, [4], 4j])
def test_other_things_are_no_whole_numbers(value):
    with pytest.raises(InputTypeError, match=r"^k must be int, not "):
        whole("k", value)


@pytest.mark.parametrize(("value", "message"), [(0, "at least 1, not 0"), (10**30, "at most 9")])
def test_whole_numbers_out_of_bounds_are_refused(value, message):
    with pytest.raises(InputValueError, match=f"k must be {message}"):
        whole("k", value, 1, 9)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(0.5), np.array(0.5)])
def test_real_numbers_come_as_float(value):
    assert type(real("threshold", value)) is float
    assert real("threshold", value) == 0.5
    assert real("threshold", 3) == 3.0


@pytest.mark.parametrize("value", [True, np.True_, "0.5", b"1", None, [0.5], 1j, np.zeros(2)])
def test_other_things_are_no_real_numbers(value):
    with pytest.raises(InputTypeError, match="threshold must be a number"):
        real("threshold", value)


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.1, 10**400, float("inf")])
def test_real_numbers_out_of_bounds_are_refused(value):
    with pytest.raises(InputValueError, match="threshold"):
        real("threshold", value, 0, 1)


@pytest.mark.parametrize("value", [True, np.True_, 1, np.uint8(1), np.array(1)])
def test_flags_come_as_bool(value):
    assert flag("progress", value) is True
    assert flag("progress", type(value)(0) if np.isscalar(value) else value - 1) is False


@pytest.mark.parametrize("value", [2, -1, 1.0, "1", b"", None, [], np.array([1]), np.array([1, 2])])
def test_other_things_are_no_flags(value):
    with pytest.raises(InputTypeError, match=r"^progress must be bool, not "):
        flag("progress", value)


def test_an_output_array_must_fit():
    out = np.empty((2, 3), np.float32)
    assert check_out(out, (2, 3)) is out
    for wrong in (np.empty((2, 3)), np.empty((3, 2), np.float32), out.T, out[:, ::2]):
        with pytest.raises(InputValueError, match="out must be"):
            check_out(wrong, (2, 3))
    out.flags.writeable = False
    with pytest.raises(InputValueError, match="writeable"):
        check_out(out, (2, 3))
    with pytest.raises(InputTypeError, match="not list"):
        check_out([[1.0]], (1, 1))


def test_paths_of_all_types_are_understood():
    for path in ("a", b"a", pathlib.Path("a")):
        assert is_path(path)
        assert path_name(path) == "a"
    assert is_path(3)
    assert not is_path(io.BytesIO())
    with pytest.raises(InputTypeError, match="not int"):
        path_name(3)
    with pytest.raises(FileError, match="null character"):
        path_name("a\0b")


def test_errors_of_the_system_keep_their_number_and_name_the_file():
    missing = FileError.from_os(FileNotFoundError(2, "No such file"), "a")
    assert type(missing) is MissingFileError
    assert (missing.errno, missing.filename) == (2, "a")
    denied = FileError.from_os(PermissionError(13, "Permission denied"), "a")
    assert type(denied) is FileError
    assert (denied.errno, str(denied)) == (13, "a: Permission denied")
    assert str(FileError.from_os(OSError("odd"), "a")) == "a: odd"
