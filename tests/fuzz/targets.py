"""What is fuzzed: each target takes bytes, and lets no exception out but those it expects.

A file format: the bytes are opened as a file, and a model that comes of them is asked everything.
Two outcomes are good: an error of the package, or an answer to each question. The other targets
are those of the compiled module ``native``.
"""

from __future__ import annotations

import atexit
import gc
import gzip
import os
import shutil
from pathlib import Path

import native
import numpy as np
from seeds import write_seeds
from support.queries import ask_everything

import fasttext_lite as ftl
from fasttext_lite.formats import stream as _stream

__all__ = ["binary", "compact", "gzipped", "line", "numbers", "subwords", "text", "text_rows"]

# Here, since only this process can import the package that is fuzzed.
if "FUZZ_SEEDS" in os.environ:
    write_seeds(os.environ["FUZZ_TARGET"], Path(os.environ["FUZZ_SEEDS"]))

# Garbage of cycles is collected every so often, by itself, so that inputs do not share it.
gc.disable()
gc.collect()
gc.freeze()
_ROUNDS = 64

# Few, for the sake of speed: what they meet differs with each file.
_WORDS = ["one", b"\xff\x80ab", "__label__a", "x" * 40]
_TEXTS = ["one twx"]

# Imported at first use, which should not fall into the time of an input.
_convert = ftl.convert
_rounds = 0
_folder = Path(f"/dev/shm/fasttext-lite-fuzz-{os.getpid()}")  # noqa: S108 - nothing is faster
_folder.mkdir()
atexit.register(shutil.rmtree, _folder)
_path = str(_folder / "input")
_target = str(_folder / "output")

np.seterr(all="ignore")
# So that rows of short inputs cross the border of a block.
_stream._BLOCK = 1 << 8  # type: ignore[attr-defined]


def _collect() -> None:
    global _rounds
    _rounds += 1
    if _rounds % _ROUNDS == 0:
        gc.collect()


def _write(data: bytes) -> None:
    with open(_path, "wb", buffering=0) as file:  # noqa: PTH123 - pathlib is slower
        file.write(data)


def _open(data: bytes) -> None:
    _write(data)
    try:
        # Read into memory, so that a read beyond its end is seen.
        model = ftl.load(_path, mmap=False)
        ask_everything(model, _WORDS, _TEXTS)
    except ftl.FastTextLiteError as error:
        str(error)
    _collect()


def binary(data: bytes) -> None:
    """A ``.bin`` or ``.ftz`` file, of any version."""
    _open(data)


def compact(data: bytes) -> None:
    """A safetensors file: JSON without its length, a line feed, and the arrays."""
    header, _, body = data.partition(b"\n")
    header += b" " * (-(len(header) + 8) % 64)
    _open(len(header).to_bytes(8, "little") + header + body)


def text(data: bytes) -> None:
    """A ``.vec`` or word2vec file, text or binary, compressed or not."""
    _open(data)


def gzipped(data: bytes) -> None:
    """A ``.bin`` file within gzip, converted; its first byte says how, and how much is asked then.

    What the target `compact` asks of any file need not be asked of each that a conversion wrote.
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
