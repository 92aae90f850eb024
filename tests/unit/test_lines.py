"""The lines of files, read in blocks."""

from __future__ import annotations

import io
import os
import threading

import pytest

import fasttext_lite as ftl
from fasttext_lite.lines import open_binary, read_blocks


@pytest.mark.parametrize("size", [1, 2, 7, 1 << 18])
@pytest.mark.parametrize(
    "content", [b"", b"\n", b"a", b"a\n", b"a\nb", b"\n\na\n", b"long line " * 9 + b"\r\nb\n"]
)
def test_blocks_hold_all_lines(tmp_path, content, size):
    path = tmp_path / "lines.txt"
    path.write_bytes(content)
    for source in (str(path), io.BytesIO(content)):
        blocks = list(read_blocks(source, size))
        lines = [line for block, ended in blocks if ended for line in block]
        rest = [line for block, ended in blocks if not ended for line in block]
        *expected, last = content.split(b"\n")
        assert lines == expected
        assert rest == ([last] if last else [])
        assert all(ended for _, ended in blocks[:-1])


def test_files_that_cannot_be_read_are_named(tmp_path):
    for missing in (lambda p: list(read_blocks(p)), lambda p: open_binary(p).__enter__()):
        with pytest.raises(ftl.MissingFileError, match=r"none\.txt: there is no such file"):
            missing(str(tmp_path / "none.txt"))
        with pytest.raises(ftl.FileError, match="this is a folder"):
            missing(str(tmp_path))


def test_a_stream_that_fails_is_an_error_of_ours():
    class Broken(io.BytesIO):
        def read1(self, size=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(ftl.FileError, match="Input/output error"):
        list(read_blocks(Broken()))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_lines_of_a_pipe_come_as_they_are_written(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    seen = threading.Event()

    def write():
        with path.open("wb", buffering=0) as pipe:
            pipe.write(b"first\n")
            assert seen.wait(30)
            pipe.write(b"second")

    writer = threading.Thread(target=write)
    writer.start()
    blocks = read_blocks(str(path))
    assert next(blocks) == ([b"first"], True)
    seen.set()
    assert list(blocks) == [([b"second"], False)]
    writer.join()
