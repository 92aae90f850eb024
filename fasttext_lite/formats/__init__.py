"""File formats: bytes to parts, found by what the file holds and not by its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fasttext_lite.formats import compact, fasttext, safetensors, text
from fasttext_lite.formats.binary import open_file, open_model

if TYPE_CHECKING:
    from typing import BinaryIO

    from fasttext_lite.arguments import PathType
    from fasttext_lite.parts import Parts

__all__ = ["open_parts"]


def open_parts(
    source: PathType | BinaryIO, *, map_file: bool = True, progress: bool = False
) -> Parts:
    """Open a model file of any format.

    Parameters
    ----------
    source : str, bytes, os.PathLike or file object
    map_file : bool
        Map the file; otherwise read it into memory. Files of word vectors without subwords, and
        what is compressed, are always read.
    progress : bool
        Show a bar for what is read, if stderr is a terminal.

    Raises
    ------
    FileError
        There is no file that could be read (`MissingFileError`: none at all).
    FormatError
        The file is of no format that is known here, or does not hold what its format says.
    """
    with open_model(source) as file:
        if text.recognize(file.begin(text.BEGIN_SIZE)):
            return text.read(file, progress=progress)
        data, backing = open_file(file, map_file=map_file, progress=progress)
        name = file.name
    read = compact.read if safetensors.looks_like(data) else fasttext.read
    return replace(read(data, name), backing=backing)
