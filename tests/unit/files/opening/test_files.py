"""Names, paths that are not files, file objects, and views of files."""

from __future__ import annotations

import copy
import gc
import gzip
import io
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import build

import fasttext_lite as ftl

posix = pytest.mark.skipif(os.name != "posix", reason="files work otherwise there")
linux = pytest.mark.skipif(sys.platform != "linux", reason="these files exist on Linux only")
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

VEC = b"2 3\none 1 2 3\ntwo 4 5 6\n"


# Names


class Named:
    """A path-like object that is not of pathlib, and also has a read method."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return os.fspath(self.path)

    def read(self):
        raise AssertionError("a path is no file object")


@pytest.mark.parametrize(
    "name", ["model.bin", "a name with spaces", "späße", "模型.bin", "new\nline", "--help", "~"]
)
@pytest.mark.parametrize("kind", [str, os.fsencode, Path, Named])
def test_paths_of_every_kind_open(tmp_path, name, kind):
    file = tmp_path / name
    if os.name != "posix" and "\n" in name:
        pytest.skip("no such names there")
    file.write_bytes(build())
    model = ftl.load(kind(file))
    assert model["one"].any()
    assert model.info.path == str(file)
    data = pickle.dumps(model)
    assert len(data) < 1000
    assert_array_equal(pickle.loads(data)["one"], model["one"])
    assert_array_equal(copy.deepcopy(model)["one"], model["one"])


@linux
def test_a_name_that_is_no_utf_8_opens(tmp_path):
    name = os.fsencode(tmp_path) + b"/caf\xe9"
    Path(os.fsdecode(name)).write_bytes(build())
    model = ftl.load(name)
    assert os.fsencode(model.info.path) == name
    assert_array_equal(pickle.loads(pickle.dumps(model))["one"], model["one"])


def test_a_relative_path_is_made_absolute(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    model = ftl.load("model.bin")
    monkeypatch.chdir("/")
    assert model.info.path == str(path)
    assert pickle.loads(pickle.dumps(model))["one"].any()
    assert model.verify()


@posix
def test_a_symbolic_link_is_followed(path, tmp_path):
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "broken").symlink_to(tmp_path / "none")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    model = ftl.load(tmp_path / "link")
    assert model.verify()
    with pytest.raises(ftl.MissingFileError, match="broken: there is no such file"):
        ftl.load(tmp_path / "broken")
    with pytest.raises(ftl.FileError, match="loop: Too many levels of symbolic links"):
        ftl.load(tmp_path / "loop")
    # The link leads to another file now.
    (tmp_path / "other").write_bytes(build(seed=1))
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "other")
    assert not model.verify()


# Paths that are not files


@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize(
    ("name", "error", "match"),
    [
        ("none", ftl.MissingFileError, "none: there is no such file"),
        ("model.bin/more", ftl.FileError, "Not a directory|no such file"),
        (".", ftl.FileError, "this is a folder, not a model file"),
        ("empty", ftl.FormatError, "empty: the file is empty"),
        ("x" * 300, ftl.FileError, "too long|no such file|Invalid"),
    ],
)
def test_what_is_no_file_is_told(path, name, error, match, mmap):
    (path.parent / "empty").touch()
    with pytest.raises(error, match=match):
        ftl.load(path.parent / name, mmap)


@linux
@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("/dev/null", "/dev/null: this is not a regular file"),
        ("/dev/zero", "/dev/zero: this is not a regular file"),
        # Files of /proc have contents, but no size.
        ("/proc/version", "/proc/version: the file is empty"),
        ("/proc/self/mem", "empty"),
    ],
)
def test_files_that_the_system_makes_up_are_told(name, match):
    for mmap in (True, False):
        with pytest.raises((ftl.FileError, ftl.FormatError), match=match):
            ftl.load(name, mmap)


@linux
@pytest.mark.skipif(not IS_ROOT, reason="needs root, to become another user")
def test_a_file_without_permission_is_told(path):
    code = (
        "import os, sys, fasttext_lite as ftl\n"
        "os.setuid(65534)\n"
        "try:\n    ftl.load(sys.argv[1])\n"
        "except ftl.FileError as error:\n    print(isinstance(error, OSError), error)\n"
    )
    # tmp_path is readable by this user alone.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder, "model.bin")
        shutil.copy(path, file)
        file.chmod(0)
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, file], capture_output=True, check=True
        )
    assert done.stdout.decode() == f"True {file}: Permission denied\n"


@linux
@pytest.mark.skipif(not IS_ROOT, reason="mounting needs root")
def test_a_read_only_disk_is_enough(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not (mount and umount):
        pytest.skip("no mount here")
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no right to mount")
    try:
        (disk / "model.bin").write_bytes(build())
        (disk / "words.vec").write_bytes(VEC)
        subprocess.run([mount, "-o", "remount,ro", str(disk)], check=True)
        for name in ("model.bin", "words.vec"):
            for mmap in (True, False):
                model = ftl.load(disk / name, mmap)
                assert model["one"].any()
                assert model.verify(full=True)
        with pytest.raises(ftl.FileError, match="Read-only file system"):
            ftl.convert(disk / "model.bin", disk / "target")
        ftl.convert(disk / "model.bin", tmp_path / "target")
        del model
    finally:
        subprocess.run([umount, str(disk)], check=True)


# File objects


def opened_in_every_way(path, tmp_path):
    """Yield file objects that read the bytes of a file."""
    data = path.read_bytes()
    with path.open("rb") as buffered:
        yield buffered
    with path.open("rb", buffering=0) as raw:
        yield raw
    with path.open("r+b") as both_ways:
        yield both_ways
    yield io.BytesIO(data)
    with tempfile.NamedTemporaryFile() as named:
        named.write(data)
        named.seek(0)
        yield named
    with tempfile.TemporaryFile() as nameless:
        nameless.write(data)
        nameless.seek(0)
        yield nameless
    with tempfile.SpooledTemporaryFile() as spooled:
        spooled.write(data)
        spooled.seek(0)
        yield spooled
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(data))
    with gzip.open(packed) as unpacked:
        yield unpacked
    for shift in (1, 64):
        shifted = tmp_path / f"shifted {shift}"
        shifted.write_bytes(b"x" * shift + data)
        with shifted.open("rb") as file:
            file.seek(shift)
            yield file


@pytest.mark.parametrize("mmap", [True, False])
def test_file_objects_of_every_kind_open(any_path, tmp_path, mmap):
    expected = ftl.load(any_path)
    for file in opened_in_every_way(any_path, tmp_path):
        model = ftl.load(file, mmap)
        assert not file.closed
        file.close()
        assert_array_equal(model[["one", "two"]], expected[["one", "two"]])
        assert model.words == expected.words
        assert model.info.file_size == any_path.stat().st_size


def test_a_pipe_is_read_to_its_end(any_path):
    reading, writing = os.pipe()
    data = any_path.read_bytes()

    def write():
        with os.fdopen(writing, "wb") as file:
            file.write(data)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(reading, "rb") as file:
        model = ftl.load(file)
    writer.join()
    assert_array_equal(model["one"], ftl.load(any_path)["one"])
    assert not model.verify()


def test_a_file_object_of_a_file_is_mapped_and_pickles_as_its_path(path, tmp_path):
    for opened in (path.open("rb"), path.open("rb", buffering=0)):
        with opened as file:
            model = ftl.load(file)
        assert model.info.path == str(path)
        assert model._parts.file.map is not None
        assert model.verify()
        assert_array_equal(pickle.loads(pickle.dumps(model))["one"], model["one"])


@pytest.mark.parametrize(
    "make", [io.BytesIO, lambda data: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(data)))]
)
def test_a_model_without_a_path_does_not_pickle(make):
    model = ftl.load(make(build()))
    assert model._parts.file.map is None
    assert not model.verify(full=True)
    with pytest.raises(ftl.FileError, match=r"a file object without a path.*write it to a file"):
        pickle.dumps(model)
    assert copy.deepcopy(model) is copy.copy(model) is model


def test_a_text_file_object_is_refused(path):
    with (
        path.open(encoding="latin-1") as file,
        pytest.raises(ftl.InputTypeError, match="mode 'rb'"),
    ):
        ftl.load(file)
    with pytest.raises(ftl.InputTypeError, match="<StringIO> returns text, not bytes"):
        ftl.load(io.StringIO("2 3"))


def test_a_file_object_that_cannot_be_read_is_told(path):
    with path.open("rb") as file:
        pass
    with pytest.raises(ftl.FileError, match="closed"):
        ftl.load(file)
    with path.open("r+b", buffering=0) as file:
        file.truncate(0)
        with pytest.raises(ftl.FormatError, match="the file is empty"):
            ftl.load(file)
    with path.open("wb") as file, pytest.raises(ftl.FileError, match="read"):
        ftl.load(file)


def test_errors_of_a_file_object_name_it():
    data = build()
    with pytest.raises(ftl.FormatError, match=r"<BytesIO>: .* \(field: .*; byte"):
        ftl.load(io.BytesIO(data[:-1]))


# Views


def test_a_view_keeps_what_it_shows(tmp_path, path):
    ftl.convert(path, tmp_path / "compact")
    (tmp_path / "words.vec").write_bytes(VEC)

    def views():
        raw, compact = ftl.load(path), ftl.load(tmp_path / "compact")
        read, text = ftl.load(path, mmap=False), ftl.load(tmp_path / "words.vec")
        yield from (raw.input_matrix, raw.output_matrix, raw.counts, compact.word_matrix)
        yield from (read.input_matrix, text.word_matrix, compact.counts)
        yield from (np.array(model.words[1:3]) for model in (raw, compact))

    expected = [np.array(view) for view in views()]
    kept = list(views())
    gc.collect()
    # Overwrite freed memory.
    rubbish = [np.full(1 << 10, 7.5, np.float32) for _ in range(100)]
    for view, numbers in zip(kept, expected, strict=True):
        assert_array_equal(view, numbers)
    del rubbish
    words = ftl.load(path).words
    gc.collect()
    assert list(words) == ["</s>", "one", "two", "three"]
