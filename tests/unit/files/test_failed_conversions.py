"""A conversion that fails reports why, and leaves the old file as it was."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import TESTS
from support.builders import SUPERVISED, build

import fasttext_lite as ftl
from fasttext_lite.parts import Parts

OLD = b"what stood here before"
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
posix = pytest.mark.skipif(os.name != "posix", reason="open files are not replaced here")


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.bin"
    path.write_bytes(build(labels=[b"__label__a"]))
    return path


@pytest.fixture
def target(tmp_path):
    """Yield a target with an old file in a new folder, and check both at the end."""
    path = tmp_path / "folder" / "target.safetensors"
    path.parent.mkdir()
    path.write_bytes(OLD)
    yield path
    assert path.read_bytes() == OLD
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.fixture
def size(source, tmp_path):
    """Return the size of the converted source in bytes."""
    return ftl.convert(source, tmp_path / "size").size


class FailingFile:
    """A file that calls ``fail`` once more than ``size`` bytes are written."""

    def __init__(self, file, size, fail):
        self.file = file
        self.left = size
        self.fail = fail

    def write(self, data):
        self.left -= memoryview(data).nbytes
        if self.left < 0:
            self.fail()
        return self.file.write(data)

    def __getattr__(self, name):
        return getattr(self.file, name)


def fail_after(monkeypatch, size, fail):
    """Make writing to new files fail after ``size`` bytes."""
    open_path = Path.open

    def open_failing(path, mode="r", *arguments, **options):
        file = open_path(path, mode, *arguments, **options)
        return FailingFile(file, size, fail) if set(mode) & set("wx") else file

    monkeypatch.setattr(Path, "open", open_failing)


def raising(error):
    def fail():
        raise error

    return fail


# The target


def test_the_source_is_no_target(source):
    data = source.read_bytes()
    with pytest.raises(ftl.FileError, match="the target is the source; name another file"):
        ftl.convert(source, source)
    with pytest.raises(ftl.FileError, match="the target is the source"):
        ftl.convert(source, source.parent / "." / source.name)
    assert source.read_bytes() == data


@posix
@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_another_name_of_the_source_is_no_target(source, link):
    data = source.read_bytes()
    other = source.with_name("other")
    link(other, source)
    for a, b in ((source, other), (other, source)):
        with pytest.raises(ftl.FileError, match="the target is the source"):
            ftl.convert(a, b)
    assert source.read_bytes() == other.read_bytes() == data


def test_a_folder_is_no_target(source, tmp_path):
    with pytest.raises(ftl.FileError, match="this is a folder; name a file in it"):
        ftl.convert(source, tmp_path)


def test_the_folder_of_the_target_has_to_be_there(source, tmp_path):
    for folder in (tmp_path / "none", source):
        with pytest.raises(ftl.FileError, match="the folder of this file does not exist"):
            ftl.convert(source, folder / "target")
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(IS_ROOT or os.name != "posix", reason="root can write everywhere")
def test_a_folder_that_cannot_be_written_to_is_told(source, target):
    target.parent.chmod(0o500)
    try:
        with pytest.raises(ftl.FileError, match="cannot be written: Permission denied"):
            ftl.convert(source, target)
    finally:
        target.parent.chmod(0o700)


@pytest.mark.parametrize("name", ["a\0b", b"a\0b"])
def test_a_name_that_no_file_can_have_is_told(source, name):
    for arguments in ((source, name), (name, source.with_name("target"))):
        with pytest.raises(ftl.FileError, match="null character"):
            ftl.convert(*arguments)
    with pytest.raises(ftl.FileError, match="null character"):
        ftl.convert(source, source.with_name("target"), words=name)


def test_a_name_that_is_too_long_is_told(source, tmp_path):
    with pytest.raises(ftl.FileError, match="cannot be written"):
        ftl.convert(source, tmp_path / ("x" * 250))


# The disk


def test_a_disk_without_room_is_told_before_anything_is_written(source, target, size, monkeypatch):
    usage = shutil.disk_usage(target.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=size - 1))
    fail_after(monkeypatch, 0, raising(AssertionError("something was written")))
    with pytest.raises(
        ftl.FileError, match=f"needs {size} bytes, but only {size - 1} are"
    ) as caught:
        ftl.convert(source, target)
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("share", [0, 0.1, 0.9, 0.999])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_disk_that_fails_while_it_is_written_to_is_told(
    source, target, monkeypatch, size, share, code
):
    fail_after(monkeypatch, share * size, raising(OSError(code, os.strerror(code))))
    with pytest.raises(ftl.FileError, match=f"cannot be written: {os.strerror(code)}") as caught:
        ftl.convert(source, target)
    assert caught.value.errno == code
    assert caught.value.filename == str(target)


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_disk_that_fails_at_the_end_is_told(source, target, monkeypatch, function):
    def fail(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(*((os, "fsync") if function == "fsync" else (Path, "replace")), fail)
    with pytest.raises(ftl.FileError, match="cannot be written"):
        ftl.convert(source, target)


@pytest.mark.skipif(not (IS_ROOT and sys.platform == "linux"), reason="mounting needs root")
@pytest.mark.parametrize("told", [True, False])
def test_a_small_disk_fills(tmp_path, monkeypatch, told):
    disk = tmp_path / "disk"
    disk.mkdir()
    tools = [shutil.which(name) for name in ("mount", "umount")]
    mount = [tools[0], "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if not all(tools) or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no right to mount")
    try:
        target = disk / "target.safetensors"
        target.write_bytes(OLD)
        reason = r"needs \d+ bytes, but only \d+ are free"
        if not told:
            usage = shutil.disk_usage("/")
            monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**12))
            reason = "cannot be written: No space left on device"
        with pytest.raises(ftl.FileError, match=reason) as caught:
            ftl.convert("sample", target)
        assert caught.value.errno == errno.ENOSPC
        assert target.read_bytes() == OLD
        assert list(disk.iterdir()) == [target]
    finally:
        subprocess.run([tools[1], str(disk)], check=True)


# Interruptions


@pytest.mark.parametrize("share", [0, 0.1, 0.9, 0.999])
def test_an_interrupt_leaves_nothing_half_made(source, target, monkeypatch, size, share):
    fail_after(monkeypatch, share * size, raising(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        ftl.convert(source, target)


def test_an_interrupt_at_the_very_end_leaves_nothing_half_made(source, target, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: raising(KeyboardInterrupt)())
    with pytest.raises(KeyboardInterrupt):
        ftl.convert(source, target)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("size", [100, 300_000, 2_000_000])
def test_a_killed_conversion_leaves_the_old_file(tmp_path, size):
    target = tmp_path / "target.safetensors"
    ftl.convert("sample", target, "int8")
    old = target.read_bytes()
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from test_failed_conversions import fail_after\n"
        "import fasttext_lite as ftl, pytest\n"
        "kill = lambda: os.kill(os.getpid(), signal.SIGKILL)\n"
        "fail_after(pytest.MonkeyPatch(), int(sys.argv[2]), kill)\n"
        "ftl.convert('sample', sys.argv[3])\n"
    )
    tests = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tests), str(size), str(target)],
        check=False,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert target.read_bytes() == old
    ftl.convert("sample", target, "float16")
    assert ftl.load(target)["king"].any()


@posix
@pytest.mark.parametrize("change", [-(2**21), -1, 1])
@pytest.mark.parametrize("when", range(4))
def test_a_source_that_changes_its_size_meanwhile_is_told(
    target, monkeypatch, tmp_path, when, change
):
    source = tmp_path / "sample.bin"
    shutil.copy(ftl.load("sample").info.path, source)
    size = source.stat().st_size
    check = Parts.check_unchanged
    calls = iter(range(100))

    def check_and_change(parts):
        if next(calls) == when:
            os.truncate(source, size + change)
        check(parts)

    monkeypatch.setattr(Parts, "check_unchanged", check_and_change)
    with pytest.raises(ftl.FileError, match=f"had {size} bytes .* another program is writing"):
        ftl.convert(source, target, "int8", threads=1)


@posix
def test_who_has_the_old_file_open_keeps_it(tmp_path):
    target = tmp_path / "target.safetensors"
    ftl.convert("sample", target, "float16")
    model = ftl.load(target)
    words = list(model.words)
    before = model[words]
    ftl.convert("sample", target, "int8", max_words=10)
    assert len(ftl.load(target)) == 10
    assert (model[words] == before).all()
    assert model.neighbors("king", k=1)[0].word == ftl.load("sample").neighbors("king", k=1)[0].word


def test_what_ends_well_replaces_the_old_file(source, size, tmp_path):
    target = tmp_path / "target"
    target.write_bytes(OLD)
    report = ftl.convert(source, target)
    assert target.stat().st_size == report.size == size
    assert ftl.load(target)["one"].any()


# Sources


def test_a_source_that_is_missing_or_no_model_is_told(target, tmp_path):
    (tmp_path / "text").write_bytes(b"neither here nor there " * 30)
    with pytest.raises(ftl.MissingFileError, match="there is no such file"):
        ftl.convert(tmp_path / "none", target)
    with pytest.raises(ftl.FormatError, match="text file"):
        ftl.convert(tmp_path / "text", target)
    with pytest.raises(ftl.FileError, match="this is a folder"):
        ftl.convert(tmp_path, target)


# Options


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"dtype": "float64"}, ftl.InputValueError, "one of float32, float16, int8, not 'float64'"),
        ({"dtype": np.float16}, ftl.InputValueError, "dtype must be one of"),
        ({"dtype": []}, ftl.InputValueError, "dtype must be one of"),
        ({"dtype": None}, ftl.InputValueError, "dtype must be one of"),
        ({"max_words": 0}, ftl.InputValueError, "max_words must be at least 1, not 0"),
        ({"max_words": -3}, ftl.InputValueError, "max_words must be at least 1, not -3"),
        ({"max_words": 1.0}, ftl.InputTypeError, "max_words must be int, not float"),
        ({"max_words": "1"}, ftl.InputTypeError, "max_words must be int, not str"),
        ({"max_words": True}, ftl.InputTypeError, "max_words must be int, not bool"),
        ({"min_count": 0}, ftl.InputValueError, "min_count must be at least 1, not 0"),
        ({"min_count": [1]}, ftl.InputTypeError, "min_count must be int, not list"),
        ({"min_count": 1000}, ftl.InputValueError, "no word would be kept"),
        ({"words": []}, ftl.InputValueError, "no word would be kept"),
        (
            {"words": ["one", "zero", b"caf\xe9"]},
            ftl.InputValueError,
            "2 of the 3 words to keep are not in the vocabulary; the first is 'zero'",
        ),
        ({"words": [b"caf\xe9"]}, ftl.InputValueError, r"the first is 'caf\\udce9'"),
        ({"words": ["__label__a"]}, ftl.InputValueError, "not in the vocabulary"),
        ({"words": ["one", 3]}, ftl.InputTypeError, "a word must be str or bytes, not int"),
        ({"words": ["\ud800"]}, ftl.InputValueError, "lone surrogate"),
        ({"words": 3}, ftl.InputTypeError, "words must be a path or an iterable"),
        ({"words": "none.txt"}, ftl.MissingFileError, "none.txt: there is no such file"),
        ({"subwords": "some"}, ftl.InputValueError, "subwords must be one of all, used, none"),
        ({"subwords": None}, ftl.InputValueError, "subwords must be one of"),
        ({"subwords": "only", "max_words": 3}, ftl.InputValueError, "keeps no words: leave out"),
        ({"subwords": "only", "words": ["one"]}, ftl.InputValueError, "keeps no words"),
        (
            {"subwords": "only", "dim": 2},
            ftl.InputValueError,
            "dim needs at least two words",
        ),
        ({"extra_words": ["x"]}, ftl.InputValueError, 'requires subwords="used"'),
        ({"extra_words": [3], "subwords": "used"}, ftl.InputTypeError, "str or bytes, not int"),
        ({"extra_words": 3, "subwords": "used"}, ftl.InputTypeError, "must be a path or an iter"),
        ({"extra_words": "none.txt", "subwords": "used"}, ftl.MissingFileError, "no such file"),
        ({"dim": 0}, ftl.InputValueError, "dim must be between 1 and 4, not 0"),
        ({"dim": 5}, ftl.InputValueError, "dim must be between 1 and 4, not 5"),
        ({"dim": 2.0}, ftl.InputTypeError, "dim must be int, not float"),
        ({"dim": 2, "max_words": 1}, ftl.InputValueError, "dim needs at least two words"),
        ({"threads": 0}, ftl.InputValueError, "threads must be at least 1"),
        ({"threads": "2"}, ftl.InputTypeError, "threads must be int"),
    ],
)
def test_an_option_that_makes_no_sense_is_told(source, target, options, error, match):
    with pytest.raises(error, match=match):
        ftl.convert(source, target, **options)


@pytest.mark.parametrize(
    ("model", "options", "match"),
    [
        ({"model": SUPERVISED}, {"subwords": "none"}, "a supervised model needs its n-grams"),
        ({"model": SUPERVISED}, {"subwords": "only"}, "a supervised model needs its words"),
        (
            {"model": SUPERVISED, "word_ngrams": 2},
            {"subwords": "used"},
            "does not apply to a model with word n-grams",
        ),
        ({"bucket": 0, "maxn": 0}, {"subwords": "only"}, "has no n-grams to keep"),
        ({"words": [b"one"]}, {"dim": 2}, "dim needs at least two words"),
    ],
)
def test_an_option_that_does_not_fit_the_model_is_told(source, target, model, options, match):
    source.write_bytes(build(**({"labels": [b"__label__a"]} | model)))
    with pytest.raises(ftl.InputValueError, match=match):
        ftl.convert(source, target, **options)


@pytest.mark.parametrize("path", [3, None, ["a"]])
def test_a_path_of_another_type_is_told(source, target, path):
    with pytest.raises(ftl.InputTypeError, match="a path must be"):
        ftl.convert(path, target)
    with pytest.raises(ftl.InputTypeError, match="a path must be"):
        ftl.convert(source, path)


def test_numpy_numbers_are_numbers(source, tmp_path):
    report = ftl.convert(
        source, tmp_path / "target", max_words=np.int64(2), min_count=np.int32(1), dim=np.int16(2)
    )
    assert (report.word_count, report.dim) == (2, 2)
    assert ftl.load(tmp_path / "target").dim == 2
