"""Write a model of a published model's size in the official ``.bin`` format.

The published vectors are a download of gigabytes, and nothing that is measured here depends
on what the numbers mean. So the benchmarks make their own file: same layout, same number of
words, buckets and dimensions, random words and values, and the same bytes on every machine.
"""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import struct
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

SEED = 20160715
END_OF_SENTENCE = "</s>"

# Raised whenever the bytes written change, so that an older file is not taken for this one.
GENERATION = 1

MAGIC = 793712314
VERSION = 12
NEGATIVE_SAMPLING = 2
SKIP_GRAM = 2

BLOCK_BYTES = 64 * 1024 * 1024
# Prime, so each block of a matrix starts at another place in a row than the blocks before it.
BLOCK_SHIFT = 1_000_003
ENTRIES_PER_WRITE = 50_000
MIN_COUNT = 5


@dataclass(frozen=True)
class Shape:
    """What decides the size of a synthetic model."""

    words: int
    buckets: int
    dim: int = 300
    minn: int = 3
    maxn: int = 6

    @property
    def matrix_bytes(self) -> int:
        """Bytes of both matrices together."""
        return (2 * self.words + self.buckets) * self.dim * 4


SIZES = {
    "small": Shape(words=100_000, buckets=100_000),
    "full": Shape(words=2_000_000, buckets=2_000_000),
}


def _draw(rng: np.random.Generator, lengths: NDArray[np.int64]) -> list[str]:
    """Random words of the given lengths, one in twenty of Cyrillic letters."""
    width = int(lengths.max())
    letters = rng.integers(0, 26, size=(len(lengths), width), dtype=np.uint32)
    first = np.where(rng.random(len(lengths)) < 0.05, ord("а"), ord("a")).astype(np.uint32)
    letters += first[:, None]
    letters[np.arange(width) >= lengths[:, None]] = 0
    words: list[str] = letters.view(f"U{width}").ravel().tolist()
    return words


def vocabulary(shape: Shape) -> list[str]:
    """Return the words of a synthetic model in the order of the file, about ten letters each."""
    rng = np.random.default_rng([SEED, 0])
    words = {END_OF_SENTENCE: None}
    while len(words) < shape.words:
        lengths = rng.normal(10.0, 2.0, size=shape.words - len(words)).round().clip(5, 16)
        words.update(dict.fromkeys(_draw(rng, lengths.astype(np.int64))))
    return list(words)


def word_lists(shape: Shape, count: int) -> tuple[list[str], list[str]]:
    """Draw distinct words to look up.

    Parameters
    ----------
    shape : Shape
        The model that the words are for.
    count : int
        How many words of each kind.

    Returns
    -------
    known, unknown : list of str
        Words from all over the vocabulary in random order, and words that are not in it, of
        9 to 13 letters: with n-grams of 3 to 6 characters that is 4 × letters − 6 rows each,
        38 on average.
    """
    words = vocabulary(shape)
    rng = np.random.default_rng([SEED, 1])
    known = [words[i] for i in 1 + rng.choice(len(words) - 1, size=count, replace=False)]
    vocabulary_set = set(words)
    candidates = dict.fromkeys(_draw(rng, rng.integers(9, 14, size=2 * count)))
    unknown = list(islice((word for word in candidates if word not in vocabulary_set), count))
    return known, unknown


def _counts(shape: Shape) -> NDArray[np.int64]:
    """Zipf-like counts, descending, none under the minimum count."""
    ranks = np.arange(1, shape.words + 1)
    return (shape.words * 20 / (ranks + 2.7)).astype(np.int64) + MIN_COUNT


def _head(shape: Shape, counts: NDArray[np.int64]) -> bytes:
    window, epochs, negatives, word_ngrams, update_rate = 5, 5, 10, 1, 100
    settings = struct.pack(
        "<12id",
        *(shape.dim, window, epochs, MIN_COUNT, negatives, word_ngrams),
        *(NEGATIVE_SAMPLING, SKIP_GRAM, shape.buckets, shape.minn, shape.maxn, update_rate),
        1e-4,
    )
    labels, not_pruned = 0, -1
    sizes = struct.pack("<3i2q", shape.words, shape.words, labels, int(counts.sum()), not_pruned)
    return struct.pack("<2i", MAGIC, VERSION) + settings + sizes


def _entries(words: Iterable[str], counts: NDArray[np.int64]) -> Iterator[bytes]:
    for word, count in zip(words, counts.tolist(), strict=True):
        yield word.encode() + struct.pack("<xqb", count, 0)


def _matrices(shape: Shape) -> Iterator[tuple[int, int]]:
    """Rows and first block of the input matrix, then of the output matrix."""
    rows = shape.words + shape.buckets
    yield rows, 0
    yield shape.words, -(-rows // (BLOCK_BYTES // (4 * shape.dim)))


def _write_matrix(file: IO[bytes], rows: int, block: NDArray[np.float32], first_block: int) -> None:
    """Write rows that are one random block, begun at another element every time.

    No two rows are equal or parallel as long as there are fewer blocks than dimensions.
    """
    rows_per_block, dim = block.shape
    values = block.ravel()
    file.write(struct.pack("<?2q", False, rows, dim))
    for number, row in enumerate(range(0, rows, rows_per_block), first_block):
        start = number * BLOCK_SHIFT % values.size
        wanted = min(rows_per_block, rows - row) * dim
        head = values[start : start + wanted]
        file.write(head.data)
        file.write(values[: wanted - head.size].data)


def _write(file: IO[bytes], shape: Shape, words: list[str]) -> None:
    counts = _counts(shape)
    file.write(_head(shape, counts))
    entries = _entries(words, counts)
    while chunk := b"".join(islice(entries, ENTRIES_PER_WRITE)):
        file.write(chunk)
    rng = np.random.default_rng([SEED, 2])
    block = rng.random((BLOCK_BYTES // (4 * shape.dim), shape.dim), dtype=np.float32)
    block = ((block - 0.5) * 0.2).astype("<f4")
    for rows, first_block in _matrices(shape):
        _write_matrix(file, rows, block, first_block)


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            errno.ENOSPC,
            f"the model needs {needed / 1e9:.2f} GB, {free / 1e9:.2f} GB are free:"
            f" {(needed - free) / 1e9:.2f} GB are missing",
            str(folder),
        )


def default_folder() -> Path:
    """Return the folder for the models within the platform's folder for caches."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "fasttext-lite-benchmarks"


def ensure(size: str, folder: Path) -> Path:
    """Find a synthetic model in a folder, or write it there.

    Parameters
    ----------
    size : str
        ``"small"`` (0.36 GB) or ``"full"`` (7.24 GB).
    folder : Path
        Made when it is missing.

    Returns
    -------
    Path
        The complete file.

    Raises
    ------
    OSError
        If there is not enough room for the file, or it can't be written.
    """
    target = folder / f"synthetic-{size}-{GENERATION}.bin"
    if target.exists():
        return target
    shape = SIZES[size]
    words = vocabulary(shape)
    entries = sum(len(word.encode()) for word in words) + 10 * len(words)
    folder.mkdir(parents=True, exist_ok=True)
    needed = 92 + entries + 2 * 17 + shape.matrix_bytes
    _check_space(folder, needed)
    print(f"writing {target} ({needed / 1e9:.2f} GB)", file=sys.stderr)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            _write(file, shape, words)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def main() -> None:
    """Write a model from the command line and print its path."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthetic", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--dir", type=Path, default=default_folder(), metavar="FOLDER")
    options = parser.parse_args()
    try:
        print(ensure(options.size, options.dir))
    except OSError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
