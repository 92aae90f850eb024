"""Kinds of targets before they are written: links, modes, devices, other files."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from support.builders import build

import fasttext_lite as ftl
from fasttext_lite.cli import main
from fasttext_lite.formats.atomic import AtomicFile

OLD = b"the old file"
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, modes and pipes of POSIX")


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.bin"
    path.write_bytes(build())
    return path


def convert(source, target):
    ftl.convert(source, target)


def export(source, target):
    ftl.export(source, target, "vec")


def print_vectors(source, target):
    assert main(["vectors", str(source), "one", "-o", str(target)]) == 0


def draw_curve(source, target):
    pytest.importorskip("matplotlib")
    path = Path(source).with_name("labels.bin")
    path.write_bytes(build(model=3, loss=3, labels=[b"__label__a"]))
    lines = path.with_name("lines.txt")
    lines.write_text("__label__a one\n", encoding="utf-8")
    target = Path(target)
    assert main(["test", str(path), str(lines), "--plot", str(target)]) == 0


WRITERS = [convert, export, print_vectors, draw_curve]
every_writer = pytest.mark.parametrize("write", WRITERS)


@pytest.fixture
def folder(tmp_path):
    """Return an empty folder for targets."""
    path = tmp_path / "folder"
    path.mkdir()
    return path


@every_writer
def test_a_symbolic_link_stays_and_its_target_is_replaced(source, folder, write):
    (folder / "real").mkdir()
    real, link = folder / "real" / "file.svg", folder / "link.svg"
    real.write_bytes(OLD)
    link.symlink_to(Path("real", "file.svg"))
    write(source, link)
    assert link.is_symlink()
    assert real.read_bytes() != OLD
    assert [path.name for path in real.parent.iterdir()] == ["file.svg"]
    assert {path.name for path in folder.iterdir()} == {"real", "link.svg"}


@every_writer
def test_a_dangling_link_leads_to_the_new_file(source, folder, write):
    link = folder / "link.svg"
    link.symlink_to("new.svg")
    write(source, link)
    assert link.is_symlink()
    assert (folder / "new.svg").stat().st_size


def test_a_link_into_no_folder_is_refused(source, folder):
    link = folder / "link"
    link.symlink_to(folder / "none" / "file")
    with pytest.raises(ftl.FileError, match="the folder of this file does not exist"):
        ftl.convert(source, link)


def test_a_link_to_a_folder_is_refused(source, folder):
    link = folder / "link"
    link.symlink_to(folder)
    with pytest.raises(ftl.FileError, match="this is a folder"):
        ftl.convert(source, link)
    with pytest.raises(ftl.FileError, match="this is a folder"), AtomicFile(str(link)):
        pass


def test_a_loop_of_links_is_refused(source, folder):
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    with pytest.raises(ftl.FileError, match="cannot be written: Too many levels"):
        ftl.convert(source, folder / "a")


def test_the_source_is_no_target_by_any_link(source, folder):
    data = source.read_bytes()
    (folder / "link").symlink_to(source)
    (folder / "second.vec").symlink_to("link")
    (folder / "hard").hardlink_to(source)
    for name in ("link", "second.vec", "hard"):
        for write in (ftl.convert, lambda a, b: ftl.export(a, b, "vec")):
            with pytest.raises(ftl.FileError, match="the target is the source"):
                write(source, folder / name)
        assert main(["vectors", str(source), "one", "-o", str(folder / name)]) == 2
    assert source.read_bytes() == data


@every_writer
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_the_mode_of_the_old_file_is_kept(source, folder, write, mode):
    target = folder / "file.svg"
    target.write_bytes(OLD)
    target.chmod(mode)
    write(source, target)
    assert target.read_bytes() != OLD
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_a_file_is_no_more_readable_while_it_is_written(folder):
    target = folder / "file"
    target.write_bytes(OLD)
    target.chmod(0o600)
    with AtomicFile(str(target)) as file:
        file.write(b"secret")
        (beside,) = set(folder.iterdir()) - {target}
        assert stat.S_IMODE(beside.stat().st_mode) == 0o600


@every_writer
def test_a_new_file_has_the_mode_of_any_new_file(source, folder, write):
    (folder / "other").open("wb").close()
    write(source, folder / "file.svg")
    assert (folder / "file.svg").stat().st_mode == (folder / "other").stat().st_mode


@every_writer
def test_a_write_protected_file_is_not_replaced(source, folder, write, monkeypatch, capsys):
    target = folder / "file.svg"
    target.write_bytes(OLD)
    target.chmod(0o444)
    if IS_ROOT:
        # Root may write to any file.
        access = os.access
        monkeypatch.setattr(
            os, "access", lambda path, mode: access(path, mode) and Path(path) != target
        )
    with pytest.raises((ftl.FileError, AssertionError)) as caught:
        write(source, target)
    told = capsys.readouterr().err if caught.type is AssertionError else str(caught.value)
    assert f"{target}: cannot be written: the file is write-protected" in told
    assert target.read_bytes() == OLD
    assert list(folder.iterdir()) == [target]


@pytest.mark.parametrize("name", ["/dev/null", "/dev/stdout"])
def test_devices_are_written_to_directly(source, name):
    command = [sys.executable, "-I", "-m", "fasttext_lite", "export", str(source), name]
    before = Path(name).stat().st_mode
    done = subprocess.run([*command, "--format", "vec", "--json"], capture_output=True, check=True)
    ftl.export(source, source.with_name("file"), "vec")
    expected = source.with_name("file").read_bytes()
    assert done.stdout == (b"" if name == "/dev/null" else expected)
    assert json.loads(done.stderr)["size"] == len(expected)
    assert Path(name).stat().st_mode == before


def test_a_hyphen_is_stdout(source):
    command = [sys.executable, "-I", "-m", "fasttext_lite", "convert", str(source), "-"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=source.parent)
    ftl.convert(source, source.with_name("file"))
    assert done.stdout == source.with_name("file").read_bytes()
    assert b"n-gram rows" in done.stderr
    command[4:] = ["vectors", str(source), "-o", "-", "one"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=source.parent)
    assert done.stdout.startswith(b"one ")
    assert not source.with_name("-").exists()


def test_stdout_that_is_a_file_is_not_replaced(source, folder):
    target = folder / "file"
    command = [
        sys.executable,
        "-I",
        "-m",
        "fasttext_lite",
        "export",
        str(source),
        "-",
        "--format=vec",
    ]
    with target.open("wb") as file:
        subprocess.run(command, stdout=file, stderr=subprocess.PIPE, check=True)
        assert os.fstat(file.fileno()).st_ino == target.stat().st_ino
    ftl.export(source, folder / "expected", "vec")
    assert target.read_bytes() == (folder / "expected").read_bytes()


@pytest.mark.parametrize("write", [convert, export, print_vectors])
def test_a_named_pipe_is_written_to_directly(source, folder, write):
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write(source, pipe)
    reader.join()
    write(source, folder / "file")
    assert read == [(folder / "file").read_bytes()]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_needs_a_regular_file_says_so(source):
    with pytest.raises(ftl.InputValueError, match="npy writes two files"):
        ftl.export(source, "/dev/null", "npy")
    with pytest.raises(ftl.FileError, match="or the graph; name another target"):
        ftl.convert(source, "/dev/null", neighbors_index=True)


# Failures leave the old files.


@pytest.mark.parametrize("more", [[], ["--json"], ["--format", "npy"]])
def test_vectors_that_fail_leave_the_old_file(source, folder, capsys, more):
    ftl.convert(source, source.with_name("closed"), subwords="none")
    target = folder / "file"
    target.write_bytes(OLD)
    command = ["vectors", str(source.with_name("closed")), "one", "unknown", "-o", str(target)]
    assert main([*command, *more]) == 2
    assert "'unknown' is not in the vocabulary" in capsys.readouterr().err.replace("b'", "'")
    assert target.read_bytes() == OLD
    assert list(folder.iterdir()) == [target]


def test_vectors_name_the_file_that_is_wrong(source, folder, capsys):
    target = folder / "file"
    assert main(["vectors", str(source) + ".none", "one", "-o", str(target)]) == 2
    assert f"{source}.none: there is no such file" in capsys.readouterr().err
    assert main(["vectors", str(source), "one", "-o", str(folder / "none" / "file")]) == 2
    assert f"{folder / 'none' / 'file'}: the folder of this" in capsys.readouterr().err
    assert not list(folder.iterdir())


@pytest.mark.parametrize("name", ["file.npy", "file.vocab.txt"])
def test_an_array_and_its_words_change_together(source, folder, monkeypatch, name):
    target = folder / "file.npy"
    ftl.export(source, target)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ftl.convert(source, source.with_name("fewer"), max_words=1)
    sync, syncs = os.fsync, iter(range(10))

    def fail(descriptor):
        if next(syncs) == (name == "file.npy"):
            raise OSError(5, "Input/output error")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ftl.FileError, match=f"{name}: cannot be written: Input/output"):
        ftl.export(source.with_name("fewer"), target)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_array_that_cannot_be_replaced_keeps_its_words(source, folder, monkeypatch):
    target = folder / "file.npy"
    ftl.export(source, target)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ftl.convert(source, source.with_name("fewer"), max_words=1)
    replace = Path.replace

    def fail(path, other):
        if Path(other).name == "file.npy":
            raise PermissionError(13, "in use")
        return replace(path, other)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(ftl.FileError, match=r"file\.npy: cannot be written: in use"):
        ftl.export(source.with_name("fewer"), target)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len(np.load(target)) == len(ftl.load(source))


def test_the_name_is_flushed_to_the_disk(folder, monkeypatch):
    synced = []
    sync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda file: (synced.append(os.fstat(file).st_mode), sync(file))
    )
    with AtomicFile(str(folder / "file")) as file:
        file.write(b"data")
    assert [stat.S_ISDIR(mode) for mode in synced] == [False, True]
