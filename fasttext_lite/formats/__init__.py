"""File formats: bytes to parts. The format is detected by content, not by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fasttext_lite.errors import FormatError, InputValueError, MissingFileError
from fasttext_lite.formats import fasttext
from fasttext_lite.formats.cursor import Cursor
from fasttext_lite.formats.disk import no_memory
from fasttext_lite.formats.file import ModelFile
from fasttext_lite.formats.head import BEGIN_SIZE, LONGEST, has_magic, is_model, read_head
from fasttext_lite.parts import ALL_ROWS

if TYPE_CHECKING:
    from typing import BinaryIO

    from fasttext_lite.arguments import PathType
    from fasttext_lite.parts import Parts, Selection

__all__ = ["open_parts", "sha256"]


def open_parts(
    source: PathType | BinaryIO,
    *,
    map_file: bool = True,
    progress: bool = False,
    selection: Selection = ALL_ROWS,
    sha256: str | None = None,
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
    sha256 : str, optional
        The SHA-256 that the file must have.

    Raises
    ------
    InputTypeError
        `source` is neither a path nor a binary file object.
    InputValueError
        The selection requires word vectors without subwords, but the file holds a model.
    FileError
        The file cannot be read (`MissingFileError`: it does not exist), or there is not enough
        memory.
    FormatError
        The format is unknown, or the file does not conform to it or to `sha256`.
    """
    again = reopen if selection == ALL_ROWS else partial(reopen, selection=selection)
    with ModelFile(source, again) as file:
        if sha256 is not None:
            file.expect_sha256(sha256, progress=progress)
        return _read(file, map_file=map_file, progress=progress, selection=selection)


def reopen(
    path: str, map_file: bool, fingerprint: tuple[int, int], selection: Selection = ALL_ROWS
) -> Parts:
    """Open a model file that another process opened, and check its fingerprint."""
    again = reopen if selection == ALL_ROWS else partial(reopen, selection=selection)
    try:
        opened = ModelFile(path, again)
    except MissingFileError:
        raise MissingFileError(
            "there is no such file on this machine: a model pickles as the path of its file, and "
            "every process that unpickles it opens the file at this path; copy the file there, or "
            "load the model in that process",
            path,
        ) from None
    with opened as file:
        file.expect(fingerprint)
        return _read(file, map_file=map_file, progress=False, selection=selection)


def sha256(source: PathType | BinaryIO, *, progress: bool = False) -> str:
    """Return the SHA-256 of a file in hexadecimal digits, as `open_parts` checks it."""
    with ModelFile(source, reopen) as file:
        return file.sha256(progress=progress)


def _read(file: ModelFile, *, map_file: bool, progress: bool, selection: Selection) -> Parts:
    try:
        parts = _parse(file, map_file=map_file, progress=progress, selection=selection)
    except MemoryError:
        raise no_memory(file.name, file.size) from None
    except FormatError as error:
        if not file.packing:
            raise
        note = f"; bytes are counted after decompression ({file.packing})"
        raise FormatError(error.field, error.offset, error.reason + note, file.name) from None
    if not file.packing:
        return parts
    info = parts.info._replace(format=f"{parts.info.format}, {file.packing}")
    if file.map is None:
        size = len(file.data) if file.data is not None else 0
        info = info._replace(file_size=file.size, sections=(), index_size=info.index_size + size)
    return parts.replace(info=info)


def _parse(file: ModelFile, *, map_file: bool, progress: bool, selection: Selection) -> Parts:
    # The readers of other formats are imported only when needed.
    if file.member or not has_magic(file.begin(4)):
        from fasttext_lite.formats import floret, magnitude, safetensors, text_layout, unpacking

        unpacking.unpack(file, _is_readable, map_file=map_file, progress=progress)
        begin = file.begin(text_layout.BEGIN_SIZE)
        if safetensors.looks_like(begin):
            from fasttext_lite.formats import compact, model2vec

            data = file.map_or_read(map_file=map_file, progress=progress)
            header = safetensors.read_header(data, file.name)
            if model2vec.is_static_embedding(header):
                return _whole(model2vec.read(header, file), selection)
            return _whole(compact.read(data, file.name, file), selection)
        if magnitude.recognize(begin):
            return _whole(magnitude.read(file, progress=progress), selection)
        if floret.recognize(begin):
            return _whole(floret.read(file, progress=progress), selection)
        if text_layout.recognize(begin):
            from fasttext_lite.formats import text

            return text.read(file, progress=progress, selection=selection)
        if begin and not has_magic(begin):
            # Before a stream of another kind is read to its end.
            read_head(Cursor(memoryview(begin[:BEGIN_SIZE]), file.name))
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


def _is_readable(begin: bytes) -> bool:
    """Return whether a file that begins like this has a format that is read here."""
    from fasttext_lite.formats import floret, magnitude, safetensors, text_layout

    return is_model(begin[:LONGEST]) or any(
        recognize(begin)
        for recognize in (
            safetensors.looks_like,
            text_layout.recognize,
            magnitude.recognize,
            floret.recognize,
        )
    )
