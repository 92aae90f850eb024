"""The file of a model: its names, its kinds, and changes while it is open."""

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
from typing import ClassVar

import numpy as np
import pytest
import tqdm
from numpy.testing import assert_array_equal
from support.builders import SUPERVISED, Quantizer, build, build_with_layout

import fasttext_lite as ftl
from fasttext_lite.cli import main

posix = pytest.mark.skipif(os.name != "posix", reason="files work otherwise there")
linux = pytest.mark.skipif(sys.platform != "linux", reason="these files exist on Linux only")
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

VEC = b"2 3\none 1 2 3\ntwo 4 5 6\n"


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(build())
    return file


@pytest.fixture(params=["bin", "pre-magic", "ftz", "compact", "vec", "gz"])
def any_path(request, tmp_path):
    """Return a file of each format."""
    file = tmp_path / f"model.{request.param}"
    if request.param == "compact":
        (tmp_path / "source").write_bytes(build())
        ftl.convert(tmp_path / "source", file)
    else:
        quantized = {"model": SUPERVISED, "labels": [b"__label__a"], "input_quantizer": Quantizer()}
        file.write_bytes(
            {
                "bin": build(),
                "pre-magic": build(magic=None),
                "ftz": build(**quantized),
                "vec": VEC,
                "gz": gzip.compress(VEC),
            }[request.param]
        )
    return file


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


# Changes to the file


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


# Progress


class Bar:
    """A stand-in for tqdm that records its arguments."""

    made: ClassVar[list] = []

    def __init__(self, total, desc, **options):
        self.total, self.title, self.options, self.done = total, desc, options, 0
        self.made.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def update(self, count):
        self.done += count


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def bars(monkeypatch):
    monkeypatch.setattr(tqdm, "tqdm", Bar)
    monkeypatch.setattr(Bar, "made", [])
    return Bar.made


def test_reading_shows_a_bar_on_a_terminal(any_path, bars, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    model = ftl.load(any_path, mmap=False, progress=True)
    (bar,) = bars
    assert bar.title == "reading"
    assert bar.total == bar.done == any_path.stat().st_size
    assert bar.options["delay"] == 1
    assert model["one"].any()


def test_no_bar_is_shown_where_none_is_wanted_or_seen(any_path, bars, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    ftl.load(any_path, mmap=False)
    assert bars == []
    for nobody in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stderr", nobody)
        ftl.load(any_path, mmap=False, progress=True)
    assert bars == []


def test_the_command_line_shows_what_it_reads(tmp_path, bars, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    (tmp_path / "words.vec").write_bytes(VEC)
    assert main(["vectors", str(tmp_path / "words.vec"), "one"]) == 0
    assert [bar.title for bar in bars] == ["reading"]
    assert main(["convert", str(tmp_path / "words.vec"), str(tmp_path / "out")]) == 0
    assert [bar.title for bar in bars][:3] == ["reading", "reading", "words"]
