"""Input and output of the commands."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, BinaryIO

from fasttext_lite.arguments import decode
from fasttext_lite.errors import InputValueError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "add_no_strict",
    "as_bytes",
    "as_text",
    "json_line",
    "size",
    "table",
    "target_path",
    "word_groups",
    "write_lines",
]


def add_no_strict(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--no-strict`` of commands that open word vectors."""
    parser.add_argument(
        "--no-strict",
        action="store_true",
        help="word vectors: read the rows that are there if the first line says another number",
    )


def word_groups(options: argparse.Namespace) -> Iterator[list[str | bytes]]:
    """Yield words in groups: those of the command line, or those of each line of stdin."""
    if options.arguments and options.arguments != ["-"]:
        yield options.arguments
        return
    for line in sys.stdin.buffer:
        words: list[str | bytes] = [*line.split()]
        if words:
            yield words


def as_bytes(word: str | bytes) -> bytes:
    """Return a word as the bytes that a model stores."""
    return word.encode("utf-8", "surrogateescape") if isinstance(word, str) else word


def as_text(word: str | bytes) -> str:
    """Return a word as str; bytes that are not UTF-8 become lone surrogates."""
    return decode(word) if isinstance(word, bytes) else word


def target_path(path: str) -> str:
    """Return the path of a file to write; ``-`` means stdout."""
    if path != "-":
        return path
    if os.name != "posix":
        raise InputValueError("this command cannot write to stdout on this system: name a file")
    return "/dev/stdout"


def write_lines(lines: Iterable[bytes | memoryview], output: BinaryIO) -> None:
    """Write lines one by one, and flush each of them on a terminal."""
    for line in lines:
        output.write(line)
        if output.isatty():
            output.flush()
    output.flush()


def json_line(value: object) -> bytes:
    """Return one line of JSON."""
    # ASCII escapes can represent lone surrogates, that is words that are not UTF-8.
    return json.dumps(value).encode() + b"\n"


def size(count: int) -> str:
    """Format a number of bytes with its unit."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.2f} GB"


def table(rows: Sequence[Sequence[str]]) -> bytes:
    """Format rows as a table, with the first column aligned left and the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        ).rstrip()
        for row in rows
    ]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
