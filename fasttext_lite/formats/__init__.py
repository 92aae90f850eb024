"""File formats: bytes to parts. The format is detected by content, not by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fasttext_lite.formats import fasttext
from fasttext_lite.formats.file import ModelFile
from fasttext_lite.formats.head import has_magic

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
        Map the file; otherwise read it into memory. Word vectors without subwords and compressed
        files are always read into memory.
    progress : bool
        Show a progress bar if reading takes over a second and stderr is a terminal.

    Raises
    ------
    InputTypeError
        `source` is neither a path nor a binary file object.
    FileError
        The file cannot be read (`MissingFileError`: it does not exist).
    FormatError
        The format is unknown, or the file does not conform to it.
    """
    with ModelFile(source, reopen) as file:
        return _read(file, map_file=map_file, progress=progress)


def reopen(path: str, map_file: bool, fingerprint: tuple[int, int]) -> Parts:
    """Open a model file that another process opened, and check its fingerprint."""
    with ModelFile(path, reopen) as file:
        file.expect(fingerprint)
        return _read(file, map_file=map_file, progress=False)


def _read(file: ModelFile, *, map_file: bool, progress: bool) -> Parts:
    # The readers of other formats are imported only when needed.
    begin = file.begin(16)
    if not has_magic(begin):
        from fasttext_lite.formats import safetensors

        if safetensors.looks_like(begin):
            from fasttext_lite.formats import compact

            data = file.map_or_read(map_file=map_file, progress=progress)
            return compact.read(data, file.name, file)
        from fasttext_lite.formats import compressed, floret, magnitude, text

        if magnitude.recognize(begin):
            return magnitude.read(file, progress=progress)
        if floret.recognize(file.begin(text.BEGIN_SIZE)):
            return floret.read(file, progress=progress)
        if compressed.compression(begin) or text.recognize(file.begin(text.BEGIN_SIZE)):
            return text.read(file, progress=progress)
    data = file.map_or_read(map_file=map_file, progress=progress)
    return fasttext.read(data, file.name, file)
