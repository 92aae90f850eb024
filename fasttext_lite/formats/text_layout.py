"""The layout of files of word vectors without subwords, detected from their first bytes."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from fasttext_lite.errors import FormatError
from fasttext_lite.formats.head import LONGEST, is_model

__all__ = ["BEGIN_SIZE", "LARGEST_COUNT", "LONGEST_ROW", "Layout", "detect", "recognize"]

# Number of first bytes by which a file is recognized: enough for a row of thousands of numbers.
BEGIN_SIZE = 1 << 16
# Without a head, this many first rows tell the number of dimensions.
_TELLING = 100
# This many first rows tell whether they are written in another way.
_LOOKED_AT = 3
# A longer row is an error.
LONGEST_ROW = 1 << 26
LARGEST_COUNT = 2**31 - 1
# The first row of a binary file is looked for control characters this far beyond its numbers,
# since its word may have spaces.
_BEYOND = 64

_HEAD = re.compile(rb"([ \t]*)(\d{1,18})[ \t]+(\d{1,18})[ \t\r]*(?:\n|$)")
# Digits match in one way only, since two ways would take quadratic time on long runs of digits.
_NUMBER = re.compile(rb"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf|nan)", re.I)
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")
_SPACES = re.compile(rb"[ \t]+")
_PLACED = re.compile(rb"\d+:[+-]?[.\d]+(?:e[+-]?\d+)?", re.I)
_COMMA = re.compile(rb"[+-]?\d+(?:,\d+)?(?:e[+-]?\d+)?", re.I)
_COMMAS = re.compile(rb"[,;]")


@dataclass(frozen=True)
class Layout:
    """The layout of the rows of a file.

    `count` is None without a head; `head` and `start` are the byte offsets of the first line and
    of the first row.
    """

    binary: bool
    count: int | None
    dim: int
    head: int
    start: int

    @property
    def name(self) -> str:
        """The name of the format."""
        if self.count is None:
            return "word vectors as text, without a head"
        return "word2vec binary" if self.binary else "word2vec text"

    def least_size(self, count: int) -> int:
        """Return the smallest size in bytes of such a file; its last row may lack a line feed."""
        row = 4 * self.dim + 2 if self.binary else 2 * self.dim + 2
        return self.start + max(count * row - 1, 0)


def recognize(begin: bytes) -> bool:
    """Return whether a file that begins like this holds word vectors, readable or not.

    Parameters
    ----------
    begin : bytes
        The first `BEGIN_SIZE` bytes, or all bytes of a shorter file.
    """
    content, _ = _content(begin)
    return (
        _head(content) is not None or _dim_of_rows(content) > 1 or _other_rows(content) is not None
    )


def detect(begin: bytes, kind: str) -> Layout:
    """Detect the layout of the rows from the first `BEGIN_SIZE` bytes of the data.

    Parameters
    ----------
    begin : bytes
    kind : str
        Name of the compression, for errors; empty for none.

    Raises
    ------
    FormatError
        The data does not hold word vectors, or the head is out of range.
    """
    content, at = _content(begin)
    head = _head(content)
    if head is None:
        reason = _other_rows(content)
        dim = 0 if reason else _dim_of_rows(content)
        if dim < 2:
            raise FormatError("first line", at, reason or _other(content, kind))
        return Layout(False, None, dim, at, at)
    count, dim = int(head[2]), int(head[3])
    if dim == 0 or 4 * dim > LONGEST_ROW:
        raise FormatError("dim", at, f"the head says {dim} dimensions, which is out of range")
    if count > LARGEST_COUNT:
        raise FormatError(
            "number of rows", at, f"the head says {count} rows, more than {LARGEST_COUNT}"
        )
    return Layout(_is_binary(content[head.end() :], dim), count, dim, at, at + head.end())


def _content(begin: bytes) -> tuple[bytes, int]:
    """Return the content without a byte order mark, and its byte offset.

    Before a space or tab these bytes are not a mark, but the first word.
    """
    content = begin.removeprefix(codecs.BOM_UTF8)
    if content[:1] in (b" ", b"\t"):
        content = begin
    return content, len(begin) - len(content)


def _head(content: bytes) -> re.Match[bytes] | None:
    """Match the head; None if the first line is a row."""
    head = _HEAD.match(content)
    if head is not None and head[1]:
        # With white space before it, this may be a row whose word is white space.
        dim = int(head[3])
        if dim == 2 or _dim_of_rows(content[head.end() :]) != dim:
            return None
    return head


def _dim_of_rows(content: bytes) -> int:
    """Return how many numbers most rows end with, the smaller number of a tie; 0 for no rows.

    Two numbers are the least that tell a row from another line.
    A line that does not end with the content counts, since its end may be missing, only if it is
    the only one of a whole file.
    """
    *lines, rest = content.split(b"\n", _TELLING)
    if not lines:
        return 0 if len(content) >= BEGIN_SIZE else _numbers_at_end(rest)
    counts = Counter(map(_numbers_at_end, filter(bytes.strip, lines)))
    most = max(counts.values(), default=0)
    return min((dim for dim, times in counts.items() if times == most and dim > 1), default=0)


def _numbers_at_end(line: bytes) -> int:
    """Count the numbers at the end of a line, after at least one other column."""
    _, *columns = _SPACES.split(line.rstrip())
    count = 0
    for column in reversed(columns):
        if not _NUMBER.fullmatch(column):
            break
        count += 1
    return count


def _is_binary(rows: bytes, dim: int) -> bool:
    """Return whether the numbers of the first row are float32 rather than decimal.

    The row is text if it ends with `dim` decimal numbers, or if the bytes where float32 numbers
    would be are valid text.
    """
    if _numbers_at_end(rows.partition(b"\n")[0]) >= dim:
        return False
    _, space, numbers = rows.removeprefix(b"\n").partition(b" ")
    if not space:
        return False
    if _CONTROL.search(numbers[: 4 * dim + _BEYOND]):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(numbers[: 4 * dim])
    except UnicodeDecodeError:
        return True
    return False


def _other_rows(content: bytes) -> str | None:
    """Return an error message for rows that are written in another way; None for others."""
    lines = content.split(b"\n", _LOOKED_AT)
    if len(lines) == 1 and len(content) >= BEGIN_SIZE:
        return None
    lines = [line.strip() for line in lines[:_LOOKED_AT]]

    def columns(separator: re.Pattern[bytes]) -> list[bytes]:
        return [column for line in lines for column in separator.split(line)[1:]]

    spaced = columns(_SPACES)
    if len(spaced) > 1 and all(map(_PLACED.fullmatch, spaced)):
        return (
            "these are rows of sparse vectors (place:number), which are not supported: write all "
            "numbers of each vector"
        )
    with_comma = sum(b"," in column for column in spaced)
    if with_comma > len(spaced) / 2 and all(map(_COMMA.fullmatch, spaced)):
        return "the numbers have a decimal comma: write them with a decimal point"
    listed = columns(_COMMAS)
    if len(listed) > 1 and all(_NUMBER.fullmatch(column.strip()) for column in listed):
        return (
            "the columns are separated by commas or semicolons: separate the word and its numbers "
            "by spaces"
        )
    return None


def _other(content: bytes, kind: str) -> str:
    """Return the error message for compressed data that is not word vectors."""
    if is_model(content[:LONGEST]):
        more = ", or convert it directly (fasttext-lite convert)" if kind == "gzip" else ""
        return f"this is a fastText model compressed with {kind}: decompress it first{more}"
    return f"this is {kind} data that does not hold word vectors"
