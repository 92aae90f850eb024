"""The fuzz targets: functions of bytes that raise only on a finding.

The targets of file formats open the bytes as a file and run every query on the model. Either an
error of the package or an answer to every query is correct. The other targets are in the compiled
module ``native``.
"""

from __future__ import annotations

import atexit
import gc
import gzip
import os
import shutil
from pathlib import Path
from typing import Any

import native
import numpy as np
from seeds import write_seeds
from support.queries import ask_everything

import fasttext_lite as ftl
from fasttext_lite.formats import stream as _stream

__all__ = [
    "binary", "chosen", "compact", "gzipped", "line", "magnitude", "numbers", "packed", "subwords",
    "table", "text", "text_rows",
]  # fmt: skip

# Seeds are written here, since only this process can import the fuzzed package.
if "FUZZ_SEEDS" in os.environ:
    write_seeds(os.environ["FUZZ_TARGET"], Path(os.environ["FUZZ_SEEDS"]))

# Cyclic garbage is collected every `_ROUNDS` inputs, so that automatic collections do not
# distort the memory of an input.
gc.disable()
gc.collect()
gc.freeze()
_ROUNDS = 64

# A few queries keep the fuzzer fast: every file gives them other rows.
_WORDS = ["one", b"\xff\x80ab", "__label__a", "x" * 40]
_TEXTS = ["one twx"]

# `convert` is imported lazily; import it now, so that no input is charged for it.
_convert = ftl.convert
_rounds = 0
_folder = Path(f"/dev/shm/fasttext-lite-fuzz-{os.getpid()}")  # noqa: S108 - nothing is faster
_folder.mkdir()
atexit.register(shutil.rmtree, _folder)
_path = str(_folder / "input")
_target = str(_folder / "output")

np.seterr(all="ignore")
# Small blocks, so that rows of short inputs cross the end of a block.
_stream._BLOCK = 1 << 8  # type: ignore[attr-defined]


def _collect() -> None:
    global _rounds
    _rounds += 1
    if _rounds % _ROUNDS == 0:
        gc.collect()


def _write(data: bytes) -> None:
    with open(_path, "wb", buffering=0) as file:  # noqa: PTH123 - pathlib is slower
        file.write(data)


def _open(data: bytes, **options: Any) -> None:
    _write(data)
    try:
        # Read into memory, where AddressSanitizer detects a read past the end.
        model = ftl.load(_path, mmap=False, **options)
        ask_everything(model, _WORDS, _TEXTS)
    except ftl.FastTextLiteError as error:
        str(error)
    _collect()


def binary(data: bytes) -> None:
    """Open a ``.bin`` or ``.ftz`` file of any version."""
    _open(data)


def compact(data: bytes) -> None:
    """Open a safetensors file, given as JSON without its length, a line feed, and the arrays."""
    header, _, body = data.partition(b"\n")
    header += b" " * (-(len(header) + 8) % 64)
    _open(len(header).to_bytes(8, "little") + header + body)


def text(data: bytes) -> None:
    """Open a ``.vec`` or word2vec file, text or binary, compressed or not."""
    _open(data)


def chosen(data: bytes) -> None:
    """Open word vectors with the options of `load`. The first byte of the input holds them."""
    number = data[0] if data else 0
    _open(
        data[1:],
        strict=bool(number & 1),
        max_words=number >> 4 if number & 2 else None,
        words=["one", "two words", "naïve", "</s>"] if number & 4 else None,
    )


def table(data: bytes) -> None:
    """Open a table of floret."""
    _open(data)


def magnitude(data: bytes) -> None:
    """Open a ``.magnitude`` file."""
    _open(data)


def packed(data: bytes) -> None:
    """Open a compressed model or an archive of zip or tar, also within each other."""
    _open(data)


def gzipped(data: bytes) -> None:
    """Convert a ``.bin`` file within gzip. The first byte of the input holds the options.

    Only half of the converted files get every query: the target `compact` covers the queries.
    """
    choice, data = data[:1], data[1:]
    number = choice[0] if choice else 0
    packed = gzip.compress(data, 0, mtime=0)
    if number & 4:
        packed = packed[: -1 - number // 8]
    _write(packed)
    try:
        _convert(
            _path,
            _target,
            dtype=("float32", "float16", "int8")[number % 3],
            subwords="used" if number & 8 else "all",
        )
        model = ftl.load(_target, mmap=False)
        if number & 16:
            ask_everything(model, _WORDS, _TEXTS)
        else:
            model.get(_WORDS[0])
    except ftl.FastTextLiteError as error:
        str(error)
    _collect()


numbers = native.numbers
text_rows = native.text_rows
subwords = native.subwords
line = native.line
