"""The lines of a file that a model is evaluated with."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from fasttext_lite.errors import FormatError
from fasttext_lite.formats.file import open_regular, reporting

__all__ = ["Line", "read_lines"]

# Far more than any such file has; what has more is something else.
_LARGEST = 1 << 26


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not empty, without white space at its ends, and where it stands."""

    text: str
    path: str
    number: int
    offset: int

    def error(self, reason: str) -> FormatError:
        """Make an error about this line."""
        return FormatError(f"line {self.number}", self.offset, reason, self.path)


def read_lines(path: str) -> list[Line]:
    """Read a file of text, UTF-8; bytes that are none come as lone surrogates.

    Raises
    ------
    FileError
        The file cannot be read.
    FormatError
        The file is far too large, or is no text.
    """
    with open_regular(path) as file, reporting(path):
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise FormatError("file", _LARGEST, f"the file has more than {_LARGEST} bytes", path)
    nul = data.find(b"\0")
    if nul >= 0:
        raise FormatError("file", nul, "this is no text: it holds a NUL byte", path)
    lines = []
    offset = 0
    for i, raw in enumerate(data.split(b"\n")):
        content = raw.removeprefix(codecs.BOM_UTF8) if i == 0 else raw
        text = content.decode("utf-8", "surrogateescape").strip()
        if text:
            lines.append(Line(text, path, i + 1, offset))
        offset += len(raw) + 1
    return lines
