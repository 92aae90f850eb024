"""The lines of a file of word pairs or analogies."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from fasttext_lite.arguments import decode
from fasttext_lite.errors import FormatError
from fasttext_lite.lines import open_binary

__all__ = ["WHITE", "Line", "columns", "read_lines"]

# The white space of ASCII. The other spaces of Unicode may be words, or parts of words.
WHITE = " \t\n\v\f\r"
_WHITES = re.compile(f"[{WHITE}]+")

# In bytes: far more than the size of any such file.
_LARGEST = 1 << 26


@dataclass(frozen=True, slots=True)
class Line:
    """A nonempty line, without ASCII white space at its ends, and its position in the file."""

    text: str
    path: str
    number: int
    offset: int

    def error(self, reason: str) -> FormatError:
        """Return an error about this line."""
        return FormatError(f"line {self.number}", self.offset, reason, self.path)


def read_lines(path: str) -> list[Line]:
    """Read the nonempty lines of a UTF-8 file; invalid bytes become lone surrogates.

    Raises
    ------
    FileError
        The file cannot be read.
    FormatError
        The file is too large, or is not a text file.
    """
    with open_binary(path) as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise FormatError("file", _LARGEST, f"the file has more than {_LARGEST} bytes", path)
    nul = data.find(b"\0")
    if nul >= 0:
        raise FormatError("file", nul, "this is not a text file: it holds a NUL byte", path)
    lines = []
    offset = 0
    for i, raw in enumerate(data.split(b"\n")):
        content = raw.removeprefix(codecs.BOM_UTF8) if i == 0 else raw
        text = decode(content).strip(WHITE)
        if text:
            lines.append(Line(text, path, i + 1, offset))
        offset += len(raw) + 1
    return lines


def columns(text: str) -> list[str]:
    """Split a text at ASCII white space."""
    return [column for column in _WHITES.split(text) if column]
