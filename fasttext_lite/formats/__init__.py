"""File formats: bytes to parts. The format is detected by content, not by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fasttext_lite.errors import FormatError, MissingFileError
from fasttext_lite.formats import fasttext
from fasttext_lite.formats.cursor import Cursor
from fasttext_lite.formats.disk import no_memory
from fasttext_lite.formats.file import ModelFile
from fasttext_lite.formats.head import BEGIN_SIZE, LONGEST, has_magic, is_model, read_head

if TYPE_CHECKING:
    from typing import BinaryIO

    from fasttext_lite.arguments import PathType
    from fasttext_lite.parts import Parts

__all__ = ["open_parts", "sha256"]


def open_parts(
    source: PathType | BinaryIO,
    *,
    map_file: bool = True,
    progress: bool = False,
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
    sha256 : str, optional
        The SHA-256 that the file must have.

    Raises
    ------
    InputTypeError
        `source` is neither a path nor a binary file object.
    FileError
        The file cannot be read (`MissingFileError`: it does not exist), or there is not enough
        memory.
    FormatError
        The format is unknown, or the file does not conform to it or to `sha256`.
    """
    with ModelFile(source, reopen) as file:
        if sha256 is not None:
            file.expect_sha256(sha256, progress=progress)
        return _read(file, map_file=map_file, progress=progress)


def reopen(path: str, map_file: bool, fingerprint: tuple[int, int]) -> Parts:
    """Open a model file that another process opened, and check its fingerprint."""
    try:
        opened = ModelFile(path, reopen)
    except MissingFileError:
        raise MissingFileError(
            "there is no such file on this machine: a model pickles as the path of its file, and "
            "every process that unpickles it opens the file at this path; copy the file there, or "
            "load the model in that process",
            path,
        ) from None
    with opened as file:
        file.expect(fingerprint)
        return _read(file, map_file=map_file, progress=False)


def sha256(source: PathType | BinaryIO, *, progress: bool = False) -> str:
    """Return the SHA-256 of a file in hexadecimal digits, as `open_parts` checks it."""
    with ModelFile(source, reopen) as file:
        return file.sha256(progress=progress)


def _read(file: ModelFile, *, map_file: bool, progress: bool) -> Parts:
    try:
        parts = _parse(file, map_file=map_file, progress=progress)
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


def _parse(file: ModelFile, *, map_file: bool, progress: bool) -> Parts:
    # The readers of other formats are imported only when needed.
    if file.member or not has_magic(file.begin(4)):
        from fasttext_lite.formats import safetensors, text, unpacking

        unpacking.unpack(file, _is_readable, map_file=map_file, progress=progress)
        begin = file.begin(text.BEGIN_SIZE)
        if safetensors.looks_like(begin):
            from fasttext_lite.formats import compact

            data = file.map_or_read(map_file=map_file, progress=progress)
            return compact.read(data, file.name, file)
        if text.recognize(begin):
            return text.read(file, progress=progress)
        if begin and not has_magic(begin):
            # Before a stream of another kind is read to its end.
            read_head(Cursor(memoryview(begin[:BEGIN_SIZE]), file.name))
    data = file.map_or_read(map_file=map_file, progress=progress)
    return fasttext.read(data, file.name, file)


def _is_readable(begin: bytes) -> bool:
    """Return whether a file that begins like this has a format that is read here."""
    from fasttext_lite.formats import safetensors, text

    return is_model(begin[:LONGEST]) or safetensors.looks_like(begin) or text.recognize(begin)
