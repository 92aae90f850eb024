"""Files other than models."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

from fasttext_lite.arguments import path_name
from fasttext_lite.errors import FileError, MissingFileError

if TYPE_CHECKING:
    from fasttext_lite.arguments import PathType

__all__ = ["open_binary"]


def open_binary(path: PathType, mode: str) -> IO[bytes]:
    """Open a binary file.

    Raises
    ------
    MissingFileError, FileError
        The file cannot be opened.
    """
    name = path_name(path)
    try:
        return Path(name).open(mode)
    except OSError as error:
        kind = MissingFileError if isinstance(error, FileNotFoundError) else FileError
        raise kind(error.strerror or str(error), name, error.errno or 0) from None
