"""The seeds of the fuzz targets: small files of every kind, and short texts."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
from typing import TYPE_CHECKING

from support.fixtures import BINARY, COMPACT, MAGNITUDE, PACKED, TABLE, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["write_seeds"]

NUMBERS = [
    b"0", b"-0.0", b"1.5 2 -3e4\t.5", b"3.4028235e38 3.4028236e38 1e39 -1e-46 1.4e-45", b"inf nan",
    b"0.1234567890123456789012345678901234567890", b"16777217 16777219.00000001", b"1e", b"+ 1.2.3",
    b"7.0064923216240853546186479164495807e-46", b"1_0 0x10 infinity -NaN", b"9" * 60 + b"e-30",
]  # fmt: skip
LINES = [
    b"one two three", b"__label__a one  two\t\x0b\r three </s> more", "élan hors-piste".encode(),
    b"\xff\xfe onetwo \x80\x80", b"x" * 300, b"__label__ __label__c a b c d e f g h i j k l m n",
]  # fmt: skip
WORDS = [b"", b"one", "naïve🙂\u0301".encode(), b"\x80\x80a", b"a" * 60, b"/s", b"</s>"]


def compact_input(data: bytes) -> bytes:
    """Return a compact file in the form that the target `compact` reads."""
    stop = 8 + int.from_bytes(data[:8], "little")
    return data[8:stop].rstrip(b" ") + b"\n" + data[stop:]


def seeds() -> Iterator[tuple[str, bytes]]:
    """Yield pairs of a target and an input for it."""
    for data in BINARY.values():
        yield "binary", data
        for choice in range(0, 32, 5):
            yield "gzipped", bytes([choice]) + data
    for data in TEXT.values():
        yield "text", data
        for choice in (0, 1, 0x10, 0x12, 0x13, 4, 5, 0x26):
            yield "chosen", bytes([choice]) + data
        for pack in (gzip.compress, bz2.compress, lzma.compress):
            yield "text", pack(data)
    for data in (TABLE, MAGNITUDE):
        for choice in (0, 0x12, 4):
            yield "chosen", bytes([choice]) + data
    yield "table", TABLE
    yield "magnitude", MAGNITUDE
    for data in PACKED.values():
        yield "packed", data
    for data in COMPACT.values():
        yield "compact", compact_input(data)
    for numbers in NUMBERS:
        yield "numbers", numbers
        yield "text_rows", b"\x00\x80word " + numbers + b"\nother 1\n"
    for count in range(1, 4):
        rows = b"".join(b"w%d " % i + struct.pack("<2f", i, -i) + b"\n" for i in range(count))
        yield "text_rows", b"\x81\x55" + rows
        yield "text_rows", b"\x01\x55" + b"".join(b"w%d 1 2\n" % i for i in range(count))
    for i in range(42):
        for word in WORDS:
            yield "subwords", bytes([i]) + word
    for i in range(5):
        for line in LINES:
            yield "line", bytes([i]) + line
            yield "line", bytes([32 + i]) + line


def write_seeds(target: str, folder: Path) -> None:
    """Write the seeds of one target."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = (data for name, data in seeds() if name == target)
    for number, data in enumerate(chosen):
        (folder / f"{number:03}").write_bytes(data)
