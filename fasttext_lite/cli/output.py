"""How the commands read words and write what they found."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

__all__ = ["as_bytes", "as_text", "json_line", "size", "table", "word_groups", "write_lines"]


def word_groups(options: argparse.Namespace) -> Iterator[list[str | bytes]]:
    """Yield the words in groups: those of the command line, or those of each line of stdin."""
    if options.arguments and options.arguments != ["-"]:
        yield options.arguments
        return
    for line in sys.stdin.buffer:
        words: list[str | bytes] = [*line.split()]
        if words:
            yield words


def as_bytes(word: str | bytes) -> bytes:
    """Return the bytes of a word as they stand in a model."""
    return word.encode("utf-8", "surrogateescape") if isinstance(word, str) else word


def as_text(word: str | bytes) -> str:
    """Return a word as str; bytes that are no UTF-8 become lone surrogates."""
    return word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else word


def write_lines(lines: Iterator[bytes], output: BinaryIO) -> None:
    """Write lines as they come; on a terminal each is seen at once."""
    for line in lines:
        output.write(line)
        if output.isatty():
            output.flush()
    output.flush()


def json_line(value: object) -> bytes:
    """Return one line of JSON."""
    # Escaped surrogates are JSON too, so that words which are no UTF-8 get through.
    return json.dumps(value).encode() + b"\n"


def size(count: int) -> str:
    """Return a number of bytes in words."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.2f} GB"


def table(rows: Sequence[Sequence[str]]) -> bytes:
    """Return rows with their columns below one another, the first to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        ).rstrip()
        for row in rows
    ]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
