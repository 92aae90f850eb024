"""The table of floret, ``.floret``: rows of n-grams by their hash, and no words.

The first line has bucket, dim, minn, maxn, hashCount, the seed of the hash, and the marks of the
beginning and the end of a word. Each line after it has the number of a row and its numbers.

Source: ``FastText::saveFloretVectors`` of floret.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fasttext_lite._core.files.textrows import TextRows
from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite.errors import FormatError
from fasttext_lite.formats.cursor import largest_dim
from fasttext_lite.formats.head import MOST_HASHES
from fasttext_lite.formats.stream import StreamBuffer
from fasttext_lite.parts import Info, Matrix, Parameters, Parts
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fasttext_lite.formats.file import ModelFile

__all__ = ["read", "recognize"]

_HEAD = re.compile(
    rb"(\d{1,18}) (\d{1,18}) (-?\d{1,9}) (-?\d{1,9}) (\d{1,9}) (\d{1,18}) (\S{1,64}) (\S{1,64})"
    rb"[ \r]*(?:\n|$)"
)
_LONGEST_HEAD = 1 << 9
_SEED = 2166136261
_LARGEST_COUNT = 2**31 - 1
_LONGEST_ROW = 1 << 26
_BLOCK = 1 << 16


class _Head(NamedTuple):
    bucket: int
    dim: int
    minn: int
    maxn: int
    hash_count: int
    stop: int


def recognize(begin: bytes) -> bool:
    """Return whether a file that begins like this is a table of floret.

    Parameters
    ----------
    begin : bytes
        The first 512 bytes or more, or all bytes of a shorter file.
    """
    return _HEAD.match(begin) is not None


def read(file: ModelFile, *, progress: bool = False) -> Parts:
    """Read a table of floret into memory.

    Parameters
    ----------
    file : ModelFile
        Open.
    progress : bool
        Show a bar if reading takes over a second and stderr is a terminal.

    Returns
    -------
    Parts
        No words; the vector of each word is the mean of the rows of its n-grams.

    Raises
    ------
    FileError
        The file cannot be read.
    FormatError
        The file is truncated or damaged, or hashes in another way than floret does.
    """
    # Computed now, while the file is open.
    file.fingerprint()
    source = StreamBuffer(file.stream, file.name)
    source.fill(_LONGEST_HEAD)
    try:
        head = _read_head(source.peek(_LONGEST_HEAD), file.size)
        source.drop(head.stop)
        parser = TextRows(
            head.dim,
            limit=head.bucket,
            start=head.stop,
            said="the head says",
            expected=head.bucket,
        )
        with progress_bar("reading", file.size, "B", show=progress) as advance:
            while True:
                before = source.length
                source.fill()
                advance(source.length - before)
                source.drop(parser.take(source.view, source.ended))
                if source.ended:
                    break
                if source.length > _LONGEST_ROW:
                    raise FormatError(
                        f"row {parser.count}",
                        parser.at,
                        f"the row does not end within {_LONGEST_ROW} bytes: the file is damaged",
                    )
        parser.finish()
        _check_rows(parser, head)
    except FormatError as error:
        raise FormatError(error.field, error.offset, error.reason, file.name) from None
    return _parts(file, head, parser)


def _read_head(begin: bytes, size: int) -> _Head:
    found = _HEAD.match(begin)
    if found is None:
        raise FormatError("first line", 0, "this is not the first line of a floret table")
    bucket, dim, minn, maxn, hash_count, seed = map(int, found.groups()[:6])
    for field, value, least, most in (
        ("bucket", bucket, 1, _LARGEST_COUNT),
        ("dim", dim, 1, min(largest_dim(size), _LONGEST_ROW // 4)),
        ("hashCount", hash_count, 1, MOST_HASHES),
        ("hashSeed", seed, _SEED, _SEED),
    ):
        if not least <= value <= most:
            raise FormatError(
                field, 0, f"{field} is {value}, but must be in [{least}, {most}] in a floret table"
            )
    if found.groups()[6:] != (b"<", b">"):
        raise FormatError("BOW", 0, "the marks of a word must be < and >, as floret writes them")
    least_size = found.end() + bucket * (2 * dim + 2) - 1
    if least_size > size:
        raise FormatError(
            "bucket",
            0,
            f"the head says {bucket} rows of {dim} numbers, which take at least {least_size} "
            f"bytes, but the file has {size}: it is truncated or damaged; download or copy it "
            "again",
        )
    return _Head(bucket, dim, minn, maxn, hash_count, found.end())


def _check_rows(parser: TextRows, head: _Head) -> None:
    """Make sure that there are as many rows as the head says, numbered from 0 on."""
    if parser.count < head.bucket:
        raise FormatError(
            f"row {parser.count}",
            parser.at,
            f"the file is truncated: the head says {head.bucket} rows, but it has {parser.count}; "
            "download or copy it again",
        )
    text = np.frombuffer(parser.words, np.uint8)
    ends: NDArray[np.uint64] = np.ndarray(parser.count + 1, np.uint64, parser.offsets)
    for start in range(0, parser.count, _BLOCK):
        stop = min(start + _BLOCK, parser.count)
        digits = np.arange(start, stop).astype("S").view(np.uint8)
        expected = digits[digits != 0]
        found = text[int(ends[start]) : int(ends[stop])]
        lengths = np.char.str_len(np.arange(start, stop).astype("S"))
        if not np.array_equal(np.diff(ends[start : stop + 1]), lengths) or not np.array_equal(
            found, expected
        ):
            raise FormatError(
                "rows",
                head.stop,
                f"the rows from {start} to {stop - 1} are not numbered in their order, as floret "
                "writes them: the file is damaged",
            )


def _parts(file: ModelFile, head: _Head, parser: TextRows) -> Parts:
    numbers = memoryview(parser.numbers).toreadonly()
    view: NDArray[np.float32] = np.ndarray((head.bucket, head.dim), np.float32, numbers)
    no_words = Vocabulary.stored(
        memoryview(b""), np.zeros(1, np.uint64), np.zeros(0, np.int64), 0, 0
    )
    info = Info(
        path=file.name,
        format="floret table",
        kind="vectors",
        word_count=0,
        parameters=Parameters(
            dim=head.dim, ws=0, epoch=0, min_count=0, neg=0, word_ngrams=1, loss="none",
            model="vectors", bucket=head.bucket, minn=head.minn, maxn=head.maxn, lr_update_rate=0,
            t=0.0, hash_count=head.hash_count,
        ),
        subword_rows=head.bucket,
        file_size=file.size,
        index_size=view.nbytes,
    )  # fmt: skip
    return Parts(
        info,
        lambda: no_words,
        Subwords(head.minn, head.maxn, head.bucket, 0, None, head.hash_count),
        input=Matrix(DenseRows(numbers, head.bucket, head.dim), view),
        output=None,
        file=file,
    )
