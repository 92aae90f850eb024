"""The lines of text files, read in blocks."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.arguments import path_name
from fasttext_lite.errors import FileError, InputTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from fasttext_lite.arguments import PathType

__all__ = ["open_binary", "read_blocks", "read_words"]


@contextmanager
def open_binary(path: str) -> Iterator[BinaryIO]:
    """Open a file to read bytes.

    Raises
    ------
    FileError
        The file cannot be opened or, within the context, cannot be read (`MissingFileError`: it
        does not exist).
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path as the caller wrote it
            yield file
    except FileError:
        raise
    except OSError as error:
        if os.path.isdir(path):  # noqa: PTH112 - as above
            raise FileError("this is a folder, not a file", path, errno.EISDIR) from None
        raise FileError.from_os(error, path) from None


def read_blocks(source: str | BinaryIO, size: int = 1 << 18) -> Iterator[tuple[list[bytes], bool]]:
    """Read the lines of a file, as many at a time as are available without waiting.

    Parameters
    ----------
    source : str or binary file
        A path, or an open file with ``read1`` such as ``sys.stdin.buffer``, which stays open.
    size : int
        Approximate number of bytes per block.

    Yields
    ------
    lines : list of bytes
        The lines without their newlines.
    ended : bool
        False for the text after the last newline, if any, which is yielded separately.

    Raises
    ------
    FileError
        The file cannot be read (`MissingFileError`: it does not exist).
    """
    if isinstance(source, str):
        with open_binary(source) as file:
            yield from _blocks(file, size)
        return
    try:
        yield from _blocks(source, size)
    except OSError as error:
        raise FileError.from_os(error, str(getattr(source, "name", "<file>"))) from None


def _blocks(file: BinaryIO, size: int) -> Iterator[tuple[list[bytes], bool]]:
    # Pieces of a line that is longer than a block.
    left: list[bytes] = []
    while block := file.read1(size):  # type: ignore[attr-defined]
        first, newline, rest = block.partition(b"\n")
        left.append(first)
        if newline:
            lines = [b"".join(left), *rest.split(b"\n")]
            left = [lines.pop()]
            yield lines, True
    if any(left):
        yield [b"".join(left)], False


def read_words(words: PathType | Iterable[str | bytes]) -> list[bytes]:
    """List words from an iterable or array, or from a file with one word per line.

    Raises
    ------
    FileError
        The file cannot be read.
    InputTypeError
        `words` is neither a path nor an iterable, or an item is neither str nor bytes.
    InputValueError
        An array holds nulls, or no bytes decode to a str.
    """
    if not isinstance(words, (str, bytes, os.PathLike)):
        if not hasattr(words, "__iter__") and not hasattr(words, "__arrow_c_stream__"):
            raise InputTypeError(
                f"words must be a path or an iterable of str or bytes, not {type(words).__name__}"
            )
        return list(WordBatch(words))
    with open_binary(path_name(words)) as file:
        lines = file.read().splitlines()
    return [line for line in lines if line]
