"""A reader of compact files in plain Python, written from docs/compact-file.md alone.

It is independent of the package, so that files of the package have a second reader.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from support.reference import murmur

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

DTYPES = {
    "U8": "|u1",
    "I8": "|i1",
    "F16": "<f2",
    "F32": "<f4",
    "I32": "<i4",
    "U32": "<u4",
    "I64": "<i8",
    "U64": "<u8",
}
MOST_SLOTS = 1024


def fnv(text: bytes) -> int:
    """Return the 32-bit FNV-1a hash over sign-extended bytes."""
    value = 2166136261
    for byte in text:
        value ^= byte if byte < 128 else byte + 0xFFFFFF00
        value = value * 16777619 & 0xFFFFFFFF
    return value


class PlainReader:
    """A compact file: its arrays by name, and look-ups of words in them."""

    def __init__(self, path: str | PathLike[str]) -> None:
        data = Path(path).read_bytes()
        start = 8 + int.from_bytes(data[:8], "little")
        header: dict[str, Any] = json.loads(data[8:start])
        metadata = header.pop("__metadata__")
        if metadata["format"] != "fasttext-lite" or metadata["version"] not in ("1", "2"):
            raise ValueError(f"not a compact file of version 1 or 2: {metadata}")
        self.model: dict[str, Any] = json.loads(metadata["model"])
        self.hash_count: int = self.model["hash_count"] if metadata["version"] == "2" else 0
        self.places: dict[str, int] = {}
        self.arrays: dict[str, np.ndarray] = {}
        for name, entry in header.items():
            begin, end = (start + offset for offset in entry["data_offsets"])
            array = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]])
            self.places[name] = begin
            self.arrays[name] = array.reshape(entry["shape"])
        self.text = self.arrays["vocabulary.text"].tobytes()
        self.offsets = self.arrays["vocabulary.offsets"].tolist()
        self.supervised = self.model["model"] == "supervised"

    def entry(self, number: int) -> bytes:
        """Return the text of an entry of the vocabulary: the words, then the labels."""
        return self.text[self.offsets[number] : self.offsets[number + 1]]

    def words(self) -> list[bytes]:
        return [self.entry(number) for number in range(self.model["word_count"])]

    def find(self, text: bytes) -> int | None:
        """Return the id of an entry, looked up in the hash index."""
        index = self.arrays["vocabulary.index"]
        hashed = fnv(text)
        digits = (len(self.offsets) - 1).bit_length()
        for step in range(MOST_SLOTS):
            slot = int(index[(hashed + step) % len(index)])
            if slot == 0:
                return None
            number = slot % (1 << digits) - 1
            if not 0 <= number < len(self.offsets) - 1:
                raise ValueError(f"the index names entry {number}, which does not exist")
            if slot >> digits == hashed >> digits and self.entry(number) == text:
                return number
        return None

    def ngrams(self, word: bytes) -> Iterator[tuple[bytes, int]]:
        """Yield the n-grams of a word with their buckets, kept or not."""
        minn, maxn, bucket = (self.model[key] for key in ("minn", "maxn", "bucket"))
        if word == b"</s>" or bucket == 0:
            return
        text = b"<" + word + b">"
        if self.hash_count:
            yield from self.hashed(text)
        if maxn == 0 or minn < 0:
            return
        starts = [at for at, byte in enumerate(text) if byte & 0xC0 != 0x80] + [len(text)]
        last = len(starts) - 1
        for first in range(last):
            longest = last - first if maxn < 0 else min(maxn, last - first)
            for n in range(max(minn, 1), longest + 1):
                if n == 1 and first in (0, last - 1):
                    continue
                ngram = text[starts[first] : starts[first + n]]
                if self.hash_count:
                    yield from self.hashed(ngram)
                else:
                    yield ngram, fnv(ngram) % bucket

    def hashed(self, ngram: bytes) -> Iterator[tuple[bytes, int]]:
        """Yield an n-gram of a file of version 2 with each of its buckets."""
        for value in murmur(ngram)[: self.hash_count]:
            yield ngram, value % self.model["bucket"]

    def bucket_row(self, bucket: int) -> int | None:
        """Return the position of a bucket among the n-gram rows, found through the table."""
        if "subwords.buckets" not in self.arrays:
            return bucket
        kept, table = self.arrays["subwords.buckets"], self.arrays["subwords.table"]
        shift = 0
        while self.model["bucket"] >> shift > 2 * len(kept):
            shift += 1
        if len(table) != (self.model["bucket"] >> shift) + 2:
            raise ValueError(f"a table of {len(table)} entries")
        begin, end = table[bucket >> shift : (bucket >> shift) + 2].tolist()
        if not begin <= end <= len(kept):
            raise ValueError(f"the table names buckets {begin} to {end} of {len(kept)}")
        places = [place for place in range(begin, end) if kept[place] == bucket]
        return places[0] if places else None

    def row(self, matrix: str, number: int) -> np.ndarray:
        """Return a row of a matrix, as float32."""
        row = self.arrays[matrix][number].astype(np.float32)
        if matrix + ".scales" in self.arrays:
            row *= self.arrays[matrix + ".scales"][number]
        return row

    def vector(self, word: bytes) -> np.ndarray | None:
        """Return the vector of a word, or None if it has none."""
        number = self.find(word)
        known = number is not None and number < self.model["word_count"]
        if known and not self.supervised:
            return self.row("words", number)
        if not known and self.model["unknown_words"] == "error":
            return None
        words = self.model["word_count"]
        matrix, before = ("input", words) if self.supervised else ("subwords", 0)
        own = None if number is None else number - words + before
        if self.hash_count and not (self.supervised and number == 0):
            own = None
        rows = []
        if own is not None and own < len(self.arrays[matrix]):
            rows.append(self.row(matrix, own))
        for _, bucket in self.ngrams(word):
            place = self.bucket_row(bucket)
            if place is not None:
                rows.append(self.row(matrix, before + place))
        total = np.zeros(self.model["dim"], np.float32)
        for row in rows:
            total += row
        return total * np.float32(1 / len(rows)) if rows else total
