"""Write a model of the size of a published one in the official ``.bin`` format.

The published vectors are a download of gigabytes, and the benchmarks do not depend on the values.
So they generate a file with the same layout and the same number of words, buckets and dimensions,
but random words and values. Its bytes are the same on every machine.
"""

from __future__ import annotations

import argparse
import os
import struct
import sys
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from benchmarks.files import check_space, replacing
from benchmarks.texts import languages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

SEED = 20160715
END_OF_SENTENCE = "</s>"

# Increased whenever the written bytes change, so that an older file is not used.
GENERATION = 1

MAGIC = 793712314
VERSION = 12
NEGATIVE_SAMPLING, SOFTMAX = 2, 3
SKIP_GRAM, SUPERVISED = 2, 3
WORD_ENTRY, LABEL_ENTRY = 0, 1

BLOCK_BYTES = 64 * 1024 * 1024
# Prime, so each block of a matrix starts at a new position within a row.
BLOCK_SHIFT = 1_000_003
ENTRIES_PER_WRITE = 50_000
MIN_COUNT = 5


@dataclass(frozen=True)
class Shape:
    """The dimensions of a synthetic model; a model with labels is supervised.

    The words are random ones, after every second word of `texts.languages` if it `speaks`.
    """

    words: int
    buckets: int
    dim: int = 300
    minn: int = 3
    maxn: int = 6
    labels: int = 0
    word_ngrams: int = 1
    speaks: bool = False

    @property
    def input_rows(self) -> int:
        """Rows of the input matrix."""
        return self.words + self.buckets

    @property
    def output_rows(self) -> int:
        """Rows of the output matrix: one per label, or one per word without labels."""
        return self.labels or self.words

    @property
    def matrix_bytes(self) -> int:
        """Bytes of both matrices together."""
        return (self.input_rows + self.output_rows) * self.dim * 4


SIZES = {
    "tiny": Shape(words=10_000, buckets=10_000),
    "small": Shape(words=100_000, buckets=100_000),
    "medium": Shape(words=400_000, buckets=400_000),
    "full": Shape(words=2_000_000, buckets=2_000_000),
}


def _classifier(words: int, buckets: int) -> Shape:
    return Shape(words, buckets, dim=100, minn=0, maxn=0, labels=2, word_ngrams=2)


# Dense supervised models, of the kind that filters web text.
CLASSIFIERS = {
    "classifier-tiny": _classifier(words=10_000, buckets=10_000),
    "classifier-small": _classifier(words=20_000, buckets=100_000),
    "classifier-full": _classifier(words=100_000, buckets=2_000_000),
}


def _wide(words: int, buckets: int) -> Shape:
    return Shape(words, buckets, dim=256, minn=2, maxn=5, labels=2102, speaks=True)


# Models that tell thousands of languages apart by a flat softmax, of the shape of GlotLID.
WIDE = {
    "wide-tiny": _wide(words=3_000, buckets=10_000),
    "wide-small": _wide(words=150_000, buckets=200_000),
    "wide-full": _wide(words=634_361, buckets=1_000_000),
}
SHAPES = {**SIZES, **CLASSIFIERS, **WIDE}


def _draw(rng: np.random.Generator, lengths: NDArray[np.int64]) -> list[str]:
    """Draw words of the given lengths, one in twenty of Cyrillic letters."""
    width = int(lengths.max())
    letters = rng.integers(0, 26, size=(len(lengths), width), dtype=np.uint32)
    first = np.where(rng.random(len(lengths)) < 0.05, ord("а"), ord("a")).astype(np.uint32)
    letters += first[:, None]
    letters[np.arange(width) >= lengths[:, None]] = 0
    words: list[str] = letters.view(f"U{width}").ravel().tolist()
    return words


def vocabulary(size: int, first: Iterable[str] = ()) -> list[str]:
    """Return ``size`` words in the order of the file, random ones of about ten letters each.

    `first` are the words to begin with.
    """
    rng = np.random.default_rng([SEED, 0])
    words = dict.fromkeys([END_OF_SENTENCE, *first])
    while len(words) < size:
        lengths = rng.normal(10.0, 2.0, size=size - len(words)).round().clip(5, 16)
        words.update(dict.fromkeys(_draw(rng, lengths.astype(np.int64))))
    return list(words)


def word_lists(size: int, count: int) -> tuple[list[str], list[int], list[str]]:
    """Draw distinct words to look up.

    Parameters
    ----------
    size : int
        Number of words in the model.
    count : int
        Number of words of each kind; fewer if the model has fewer.

    Returns
    -------
    known : list of str
        Words from all over the vocabulary in random order.
    ids : list of int
        Their ids.
    unknown : list of str
        Words outside the vocabulary, of 9 to 13 letters. With n-grams of 3 to 6 characters each
        has 4 × letters − 6 rows, 38 on average.
    """
    words = vocabulary(size)
    rng = np.random.default_rng([SEED, 1])
    ids = (1 + rng.permutation(len(words) - 1)[:count]).tolist()
    known = [words[i] for i in ids]
    vocabulary_set = set(words)
    candidates = dict.fromkeys(_draw(rng, rng.integers(9, 14, size=2 * count)))
    unknown = list(islice((word for word in candidates if word not in vocabulary_set), count))
    return known, ids, unknown


def _counts(shape: Shape) -> NDArray[np.int64]:
    """Return Zipf-like counts, descending, none below the minimum count."""
    ranks = np.arange(1, shape.words + 1)
    return (shape.words * 20 / (ranks + 2.7)).astype(np.int64) + MIN_COUNT


def _head(shape: Shape, counts: NDArray[np.int64]) -> bytes:
    window, epochs, negatives, update_rate = 5, 5, 10, 100
    loss, kind = (SOFTMAX, SUPERVISED) if shape.labels else (NEGATIVE_SAMPLING, SKIP_GRAM)
    settings = struct.pack(
        "<12id",
        *(shape.dim, window, epochs, MIN_COUNT, negatives, shape.word_ngrams),
        *(loss, kind, shape.buckets, shape.minn, shape.maxn, update_rate),
        1e-4,
    )
    entries, not_pruned = shape.words + shape.labels, -1
    sizes = struct.pack("<3i2q", entries, shape.words, shape.labels, int(counts.sum()), not_pruned)
    return struct.pack("<2i", MAGIC, VERSION) + settings + sizes


def _entries(
    words: Iterable[str], counts: NDArray[np.int64], kind: int = WORD_ENTRY
) -> Iterator[bytes]:
    for word, count in zip(words, counts.tolist(), strict=True):
        yield word.encode() + struct.pack("<xqb", count, kind)


def _labels(shape: Shape) -> list[str]:
    return [f"__label__{number}" for number in range(shape.labels)]


def _matrices(shape: Shape) -> Iterator[tuple[int, int]]:
    """Yield the rows and the first block of the input matrix, then of the output matrix."""
    yield shape.input_rows, 0
    yield shape.output_rows, -(-shape.input_rows // (BLOCK_BYTES // (4 * shape.dim)))


def _write_matrix(file: IO[bytes], rows: int, block: NDArray[np.float32], first_block: int) -> None:
    """Write rows that repeat one random block, rotated by another offset each time.

    No two rows are equal or parallel while there are fewer blocks than dimensions.
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
    file.writelines(_entries(_labels(shape), counts[: shape.labels], LABEL_ENTRY))
    rng = np.random.default_rng([SEED, 2])
    block = rng.random((BLOCK_BYTES // (4 * shape.dim), shape.dim), dtype=np.float32)
    block = ((block - 0.5) * 0.2).astype("<f4")
    for rows, first_block in _matrices(shape):
        _write_matrix(file, rows, block, first_block)


def default_folder() -> Path:
    """Return the folder for the models within the cache folder of the platform."""
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
        One of `SHAPES`: ``"small"`` (0.36 GB), ``"full"`` (7.24 GB), …
    folder : Path
        Created if it does not exist.

    Returns
    -------
    Path
        The complete file.

    Raises
    ------
    OSError
        There is not enough space for the file, or it can't be written.
    """
    target = folder / f"synthetic-{size}-{GENERATION}.bin"
    if target.exists():
        return target
    shape = SHAPES[size]
    spoken = list(dict.fromkeys(chain.from_iterable(languages()))) if shape.speaks else []
    words = vocabulary(shape.words, spoken[::2])
    entries = sum(len(word.encode()) + 10 for word in [*words, *_labels(shape)])
    folder.mkdir(parents=True, exist_ok=True)
    needed = 92 + entries + 2 * 17 + shape.matrix_bytes
    check_space(target, needed)
    print(f"writing {target} ({needed / 1e9:.2f} GB)", file=sys.stderr)
    with replacing(target) as unfinished, unfinished.open("wb") as file:
        _write(file, shape, words)
    return target


def main() -> None:
    """Write a model from the command line and print its path."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthetic", description=__doc__)
    parser.add_argument("--size", choices=SHAPES, default="small")
    parser.add_argument("--dir", type=Path, default=default_folder(), metavar="FOLDER")
    options = parser.parse_args()
    try:
        print(ensure(options.size, options.dir))
    except OSError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
