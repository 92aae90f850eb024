"""Files that change after they were opened, and other processes."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import build, build_with_layout

import fasttext_lite as ftl

posix = pytest.mark.skipif(os.name != "posix", reason="files work otherwise there")
linux = pytest.mark.skipif(sys.platform != "linux", reason="these files exist on Linux only")

VEC = b"2 3\none 1 2 3\ntwo 4 5 6\n"


def replace(path):
    path.with_name("new").write_bytes(build(seed=1, words=[b"other"]))
    path.with_name("new").replace(path)


def empty(path):
    os.truncate(path, 0)


def overwrite(path):
    path.write_bytes(build(seed=1))
    os.utime(path, (1, 1))


def remove(path):
    path.unlink()


@posix
@pytest.mark.parametrize("change", [replace, remove])
def test_a_file_that_is_replaced_or_deleted_is_kept(path, change):
    model = ftl.load(path)
    fresh = ftl.load(path)
    expected = model["one"]
    assert model.verify()
    change(path)
    assert not model.verify()
    for kept in (model, fresh):
        assert_array_equal(kept["one"], expected)
        assert not kept.verify(full=True)
        assert len(kept.words) == 4
    ftl.convert("sample", path)
    assert not model.verify()


@pytest.mark.parametrize("size", [1, 7, 100, 10**6])
def test_a_file_is_read_in_blocks_of_any_size(path, monkeypatch, size):
    monkeypatch.setattr("fasttext_lite.formats.file._BLOCK", size)
    model, mapped = ftl.load(path, mmap=False), ftl.load(path)
    assert_array_equal(model.word_vectors(), mapped.word_vectors())
    with pytest.raises(ValueError, match="read-only"):
        model.input_matrix[0] = 0
    assert list(model.words) == list(mapped.words)


@posix
@pytest.mark.parametrize("change", [replace, empty, overwrite, remove])
@pytest.mark.parametrize("data", [build(), VEC], ids=["bin", "vec"])
def test_what_was_read_into_memory_is_safe_from_every_change(path, change, data):
    path.write_bytes(data)
    model = ftl.load(path, mmap=False)
    expected = model[["one", "two"]]
    assert model.verify()
    change(path)
    assert_array_equal(model[["one", "two"]], expected)
    assert not model.verify(full=True)


@posix
def test_verify_tells_that_the_mapped_file_was_changed(path):
    for change, match in (
        (empty, r"had \d+ bytes when it was opened and has 0 now: another program is writing"),
        (overwrite, "was written to since it was opened"),
    ):
        path.write_bytes(build())
        model = ftl.load(path)
        assert model.verify()
        change(path)
        for ask in (model.verify, lambda model=model: model.verify(full=True)):
            with pytest.raises(ftl.FileError, match=match) as caught:
                ask()
            assert caught.value.filename == str(path)
        with pytest.raises(ftl.FileError, match=match):
            pickle.dumps(model)
        with pytest.raises(ftl.FileError, match=match):
            ftl.export(model, path.with_name("out.npy"))
        assert not path.with_name("out.npy").exists()


@linux
def test_what_mapping_cannot_promise_is_what_the_documentation_says(path):
    # Truncated while it is mapped: reading the lost pages ends the process.
    code = (
        "import os, sys, fasttext_lite as ftl\n"
        "model = ftl.load(sys.argv[1], mmap=sys.argv[2] == 'map')\n"
        "os.truncate(sys.argv[1], 0)\n"
        "try:\n    model.verify()\n    model['one']\n"
        "except ftl.FileError:\n    print('told', flush=True)\n"
        "model['one']\n"
    )
    run = [sys.executable, "-I", "-X", "faulthandler=0", "-c", code, path]
    mapped = subprocess.run([*run, "map"], check=False, capture_output=True)
    assert mapped.stdout == b"told\n"
    assert mapped.returncode
    path.write_bytes(build())
    read = subprocess.run([*run, "read"], check=False, capture_output=True)
    assert (read.stdout, read.returncode) == (b"", 0)


def test_a_full_check_finds_what_is_no_number(tmp_path, any_path):
    assert ftl.load(any_path).verify(full=True)
    data, layout = build_with_layout(dim=4)
    file = tmp_path / "nan.bin"
    for name, row in (("input", 7), ("output", 2)):
        damaged = bytearray(data)
        at = layout[f"{name}.data"] + 16 * row + 8
        damaged[at : at + 4] = np.array([np.inf if row == 7 else np.nan], "<f4").tobytes()
        file.write_bytes(damaged)
        model = ftl.load(file)
        assert model.verify()
        with pytest.raises(ftl.FormatError, match=f"{name} matrix, row {row}") as caught:
            model.verify(full=True, threads=2)
        sections = {section.name: section for section in model.info.sections}
        assert caught.value.offset == sections[f"{name} matrix"].offset
    file.write_bytes(b"2 2\none 1 nan\ntwo 1 2\n")
    with pytest.raises(ftl.FormatError, match="words, row 0"):
        ftl.load(file).verify(full=True)


def test_a_full_check_reads_the_dictionary(tmp_path):
    data, layout = build_with_layout()
    damaged = bytearray(data)
    damaged[layout["words[2].type"]] = 9
    (tmp_path / "model.bin").write_bytes(damaged)
    model = ftl.load(tmp_path / "model.bin")
    with pytest.raises(ftl.FormatError, match="dictionary entry 2"):
        model.verify(full=True)


# Another process


def unpickled_after(path, change):
    data = pickle.dumps(ftl.load(path))
    assert len(data) < 1000
    change(path)
    return pickle.loads(data)


@posix
def test_another_file_is_noticed_where_a_model_is_unpickled(path):
    with pytest.raises(ftl.FileError, match=r"model.bin: this is not the file"):
        unpickled_after(path, replace)
    with pytest.raises(ftl.FileError, match="this is not the file"):
        unpickled_after(path, overwrite)
    with pytest.raises(ftl.FileError, match=r"not the file .* bytes \(this one has 0\)"):
        unpickled_after(path, empty)
    path.write_bytes(build())
    with pytest.raises(ftl.MissingFileError, match="no such file"):
        unpickled_after(path, remove)


def test_the_same_bytes_at_the_same_path_are_the_same_model(any_path):
    def copy_over(path):
        shutil.copy(path, path.with_name("copy"))
        path.with_name("copy").replace(path)

    if os.name == "posix":
        assert unpickled_after(any_path, copy_over)["one"].any()
    assert unpickled_after(any_path, lambda _: None)["one"].any()


@posix
@pytest.mark.parametrize("place", [10, 5000, 15000, 24990])
def test_a_fingerprint_looks_at_the_beginning_the_middle_and_the_end(tmp_path, place):
    file = tmp_path / "vectors.vec"
    lines = b"".join(b"w%06d 1.25 2.25 3.25 4.25\n" % i for i in range(900))
    lines = b"900 4\n" + lines

    def change(path):
        data = bytearray(path.read_bytes())
        at = data.index(b".25", place) + 1
        data[at : at + 2] = b"75"
        path.write_bytes(data)

    file.write_bytes(lines)
    if place in (5000,):
        assert unpickled_after(file, change)["w000000"].any()
        return
    if place == 15000:
        place = len(lines) // 2
    with pytest.raises(ftl.FileError, match="this is not the file"):
        unpickled_after(file, change)
