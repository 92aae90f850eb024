"""The slow reference reader: plain Python over the bytes of the file.

It states the rules of a fastText file independently of the package. ``compat/test_official.py``
compares it with the official program. Files are assumed to be well formed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray

    Float32Matrix = NDArray[np.float32]

MAGIC = 793712314
# fmt: off
ARG_NAMES = (
    "dim", "ws", "epoch", "min_count", "neg", "word_ngrams", "loss", "model", "bucket",
    "minn", "maxn", "lr_update_rate",
)
# fmt: on
SUPERVISED = 3
FLORET_MODE = 2
CENTROIDS = 256
LABEL = 1
END_OF_SENTENCE = b"</s>"


@dataclass(frozen=True)
class ReferenceModel:
    """Everything that a file holds, quantised matrices decoded to float32 rows.

    ``version`` is None for a file older than the magic number; ``prune`` is None if the model is
    not pruned.
    """

    version: int | None
    args: dict[str, int | float]
    words: list[bytes]
    counts: list[int]
    labels: list[bytes]
    label_counts: list[int]
    prune: dict[int, int] | None
    input_quantized: bool
    input_matrix: Float32Matrix
    output_quantized: bool
    output_matrix: Float32Matrix

    @cached_property
    def entry_ids(self) -> dict[bytes, int]:
        """Ids of the words, then of the labels; the last of equal entries counts."""
        return {entry: i for i, entry in enumerate(self.words + self.labels)}

    @property
    def maxn(self) -> int:
        """Longest n-gram: none in a supervised model of version 11, whatever its args say."""
        if self.version == 11 and self.args["model"] == SUPERVISED:
            return 0
        return int(self.args["maxn"])

    def word_id(self, word: bytes) -> int:
        """Return the id of a word; -1 for labels and unknown words."""
        entry_id = self.entry_ids.get(word, -1)
        return entry_id if entry_id < len(self.words) else -1

    @property
    def hash_count(self) -> int:
        """Rows of an n-gram by MurmurHash in a floret model, 0 in any other."""
        return int(self.args["hash_count"]) if self.args.get("mode") == FLORET_MODE else 0

    def hashed_row(self, h: int) -> int | None:
        """Return the row of a hashed feature; None if pruning dropped it."""
        bucket = h % int(self.args["bucket"])
        if self.prune is None:
            return len(self.words) + bucket
        if bucket in self.prune:
            return len(self.words) + self.prune[bucket]
        return None

    def ngram_rows(self, word: bytes) -> list[tuple[bytes, int]]:
        """Return the n-grams of a word that have a row, in order."""
        if word == END_OF_SENTENCE or self.args["bucket"] == 0:
            return []
        found = [
            (ngram, self.hashed_row(fnv(ngram)))
            for ngram in ngrams(word, int(self.args["minn"]), self.maxn)
        ]
        if self.hash_count:
            whole = b"<" + word + b">"
            found = [
                (ngram, self.hashed_row(h))
                for ngram in (whole, *ngrams(word, int(self.args["minn"]), self.maxn))
                for h in murmur(ngram)[: self.hash_count]
            ]
        return [(ngram, row) for ngram, row in found if row is not None]

    def subwords(self, word: bytes) -> list[tuple[bytes, int]]:
        """Return the row of the entry, if it has one, then those of its n-grams."""
        row = self.entry_ids.get(word)
        own = [(word, row)] if row is not None and row < len(self.input_matrix) else []
        if self.hash_count and row != 0:
            own = []
        return own + self.ngram_rows(word)

    def rows_of(self, word: bytes) -> list[int]:
        """Return the rows of the input matrix whose mean is the vector of a word."""
        return [row for _, row in self.subwords(word)]

    def vector(self, word: bytes) -> NDArray[np.float32]:
        """Return the mean of the rows: summed in order from +0, then times float32(1/n)."""
        total = np.zeros(int(self.args["dim"]), np.float32)
        rows = self.rows_of(word)
        for row in rows:
            total += self.input_matrix[row]
        if rows:
            total *= np.float32(1 / len(rows))
        return total


def ngrams(word: bytes, minn: int, maxn: int) -> Iterator[bytes]:
    """Yield the n-grams of ``<word>`` by start and length, without single ``<`` and ``>``."""
    characters = split_characters(b"<" + word + b">")
    last = len(characters) - 1
    for start in range(len(characters)):
        for n in range(max(minn, 1), min(maxn, len(characters) - start) + 1):
            if n > 1 or start not in (0, last):
                yield b"".join(characters[start : start + n])


def split_characters(text: bytes) -> list[bytes]:
    """Split before every byte that does not continue a UTF-8 character (10xxxxxx)."""
    starts = [i for i, byte in enumerate(text) if byte & 0xC0 != 0x80]
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def fnv(text: bytes) -> int:
    """Return the 32-bit FNV-1a hash of fastText, which sign-extends every byte."""
    h = 2166136261
    for byte in text:
        h ^= byte if byte < 128 else byte | 0xFFFFFF00
        h = h * 16777619 % 2**32
    return h


def murmur(text: bytes) -> list[int]:
    """MurmurHash3_x64_128 of Austin Appleby, as four 32-bit numbers, with the seed of floret."""
    first, second = 0x87C37B91114253D5, 0x4CF5AD432745937F

    def rotated(x: int, bits: int) -> int:
        return (x << bits | x >> (64 - bits)) % 2**64

    def scrambled(block: bytes, one: int, other: int, bits: int) -> int:
        return rotated(int.from_bytes(block, "little") * one % 2**64, bits) * other % 2**64

    def mixed(x: int) -> int:
        x = (x ^ x >> 33) * 0xFF51AFD7ED558CCD % 2**64
        x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53 % 2**64
        return x ^ x >> 33

    a = b = 2166136261
    whole = len(text) // 16 * 16
    for at in range(0, whole, 16):
        a ^= scrambled(text[at : at + 8], first, second, 31)
        a = ((rotated(a, 27) + b) * 5 + 0x52DCE729) % 2**64
        b ^= scrambled(text[at + 8 : at + 16], second, first, 33)
        b = ((rotated(b, 31) + a) * 5 + 0x38495AB5) % 2**64
    a ^= scrambled(text[whole : whole + 8], first, second, 31) ^ len(text)
    b ^= scrambled(text[whole + 8 :], second, first, 33) ^ len(text)
    a = (a + b) % 2**64
    b = (b + a) % 2**64
    a, b = mixed(a), mixed(b)
    a = (a + b) % 2**64
    b = (b + a) % 2**64
    return [a % 2**32, a >> 32, b % 2**32, b >> 32]


class Cursor:
    """Read little-endian values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.offset = 0

    def take(self, size: int) -> bytes:
        chunk = self.data[self.offset : self.offset + size]
        assert len(chunk) == size, f"the file ends within {size} bytes at {self.offset}"
        self.offset += size
        return chunk

    def values(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))

    def value(self, layout: str) -> Any:
        return self.values(layout)[0]

    def text(self) -> bytes:
        chunk = self.take(self.data.index(b"\0", self.offset) - self.offset)
        self.offset += 1
        return chunk

    def floats(self, count: int) -> NDArray[np.float32]:
        return np.frombuffer(self.take(4 * count), "<f4").astype(np.float32)

    def codes(self, count: int) -> NDArray[np.uint8]:
        return np.frombuffer(self.take(count), np.uint8)


class ProductQuantizer(NamedTuple):
    """Centroids of one product quantiser."""

    dim: int
    nsubq: int
    dsub: int
    lastdsub: int
    centroids: NDArray[np.float32]

    @classmethod
    def read(cls, cursor: Cursor) -> ProductQuantizer:
        dim, nsubq, dsub, lastdsub = cursor.values("4i")
        return cls(dim, nsubq, dsub, lastdsub, cursor.floats(dim * CENTROIDS))

    def codebook(self, s: int) -> Float32Matrix:
        """Return the 256 centroids of one sub-quantiser; those of the last may be shorter."""
        width = self.lastdsub if s == self.nsubq - 1 else self.dsub
        start = s * CENTROIDS * self.dsub
        return self.centroids[start : start + CENTROIDS * width].reshape(CENTROIDS, width)

    def decode(self, codes: NDArray[np.uint8]) -> Float32Matrix:
        return np.hstack([self.codebook(s)[codes[:, s]] for s in range(self.nsubq)])


def read_dense(cursor: Cursor) -> Float32Matrix:
    rows, columns = cursor.values("2q")
    return cursor.floats(rows * columns).reshape(rows, columns)


def read_quantized(cursor: Cursor) -> Float32Matrix:
    qnorm, rows, _, code_size = cursor.values("?2qi")
    codes = cursor.codes(code_size)
    quantizer = ProductQuantizer.read(cursor)
    matrix = quantizer.decode(codes.reshape(rows, quantizer.nsubq))
    if qnorm:
        norm_codes = cursor.codes(rows).reshape(rows, 1)
        matrix *= ProductQuantizer.read(cursor).decode(norm_codes)
    return matrix


def is_floret(data: bytes) -> bool:
    """Whether floret wrote a file: the sizes do not add up where fastText has them."""
    mode, hash_count = struct.unpack_from("<2i", data, 52)
    size, words, labels = struct.unpack_from("<3i", data, 64)
    return mode in (1, 2) and 1 <= hash_count <= 4 and size != words + labels


def parse(path: Path | str) -> ReferenceModel:
    """Read a .bin, .ftz or pre-magic file, front to back."""
    cursor = Cursor(Path(path).read_bytes())
    magic, version = cursor.values("2i")
    modern = magic == MAGIC
    if not modern:
        version, cursor.offset = None, 0
    names = ARG_NAMES
    if modern and is_floret(cursor.data):
        names = (*ARG_NAMES[:-1], "mode", "hash_count", ARG_NAMES[-1])
    args = dict(zip(names, cursor.values(f"{len(names)}i"), strict=True))
    args["t"] = cursor.value("d")

    size, nwords, nlabels, _ntokens = cursor.values("3iq")
    assert size == nwords + nlabels
    pruned = cursor.value("q") if modern else -1
    entries = [(cursor.text(), *cursor.values("qb")) for _ in range(size)]
    assert [kind == LABEL for _, _, kind in entries] == [i >= nwords for i in range(size)]
    prune = dict(cursor.values("2i") for _ in range(pruned)) if pruned >= 0 else None

    input_quantized = bool(modern and cursor.value("B"))
    input_matrix = (read_quantized if input_quantized else read_dense)(cursor)
    output_flag = bool(modern and cursor.value("B"))
    output_quantized = input_quantized and output_flag
    output_matrix = (read_quantized if output_quantized else read_dense)(cursor)

    return ReferenceModel(
        version=version,
        args=args,
        words=[text for text, _, _ in entries[:nwords]],
        counts=[count for _, count, _ in entries[:nwords]],
        labels=[text for text, _, _ in entries[nwords:]],
        label_counts=[count for _, count, _ in entries[nwords:]],
        prune=prune,
        input_quantized=input_quantized,
        input_matrix=input_matrix,
        output_quantized=output_quantized,
        output_matrix=output_matrix,
    )
