"""File formats: bytes to parts. The format is detected by content, not by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fasttext_lite.errors import InputValueError
from fasttext_lite.formats import fasttext
from fasttext_lite.formats.file import ModelFile
from fasttext_lite.formats.head import has_magic
from fasttext_lite.parts import ALL_ROWS

if TYPE_CHECKING:
    from typing import BinaryIO

    from fasttext_lite.arguments import PathType
    from fasttext_lite.parts import Parts, Selection

__all__ = ["open_parts"]


def open_parts(
    source: PathType | BinaryIO,
    *,
    map_file: bool = True,
    progress: bool = False,
    selection: Selection = ALL_ROWS,
) -> Parts:
    """Open a model file of any format.

    Parameters
    ----------
    source : str, bytes, os.PathLike or file object
    map_file : bool
        Map the file; otherwise read it into memory. Word vectors without subwords and compressed
        files are always read into memory.
    progress : bool
        Show a progress bar if reading takes over a second and stderr is a terminal.
    selection : Selection
        Which rows of a file of word vectors without subwords to read.

    Raises
    ------
    InputTypeError
        `source` is neither a path nor a binary file object.
    InputValueError
        The selection requires word vectors without subwords, but the file holds a model.
    FileError
        The file cannot be read (`MissingFileError`: it does not exist).
    FormatError
        The format is unknown, or the file does not conform to it.
    """
    again = reopen if selection == ALL_ROWS else partial(reopen, selection=selection)
    with ModelFile(source, again) as file:
        return _read(file, map_file=map_file, progress=progress, selection=selection)


def reopen(
    path: str, map_file: bool, fingerprint: tuple[int, int], selection: Selection = ALL_ROWS
) -> Parts:
    """Open a model file that another process opened, and check its fingerprint."""
    again = reopen if selection == ALL_ROWS else partial(reopen, selection=selection)
    with ModelFile(path, again) as file:
        file.expect(fingerprint)
        return _read(file, map_file=map_file, progress=False, selection=selection)


def _read(file: ModelFile, *, map_file: bool, progress: bool, selection: Selection) -> Parts:
    # The readers of other formats are imported only when needed.
    begin = file.begin(16)
    if not has_magic(begin):
        from fasttext_lite.formats import safetensors

        if safetensors.looks_like(begin):
            from fasttext_lite.formats import compact

            data = file.map_or_read(map_file=map_file, progress=progress)
            return _whole(compact.read(data, file.name, file), selection)
        from fasttext_lite.formats import compressed, floret, magnitude, text_layout

        if magnitude.recognize(begin):
            return _whole(magnitude.read(file, progress=progress), selection)
        if floret.recognize(file.begin(text_layout.BEGIN_SIZE)):
            return _whole(floret.read(file, progress=progress), selection)
        if compressed.compression(begin) or text_layout.recognize(
            file.begin(text_layout.BEGIN_SIZE)
        ):
            from fasttext_lite.formats import text

            return text.read(file, progress=progress, selection=selection)
    data = file.map_or_read(map_file=map_file, progress=progress)
    return _whole(fasttext.read(data, file.name, file), selection)


def _whole(parts: Parts, selection: Selection) -> Parts:
    """Return the parts of a file of which no part can be selected."""
    if selection.required and (selection.max_words, selection.words) != (None, None):
        raise InputValueError(
            f"{parts.info.path}: max_words and words apply to word vectors without subwords "
            "(.vec, word2vec); load this file whole, which maps it, or write a smaller one with "
            "convert(max_words=…, words=…)"
        )
    return parts
