"""NumPy arrays (``.npy``), with the words of their rows in a second file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.formats.atomic import AtomicFile

if TYPE_CHECKING:
    from fasttext_lite.source import Source

__all__ = ["npy_header", "words_file", "write_npy"]


def npy_header(rows: int, dim: int) -> bytes:
    """Return the header of the file of a float32 array, row-major."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (rows, dim)}
    )
    return header.getvalue()


def words_file(target: str) -> str:
    """Return the path of the file of words that belongs to the file of an array."""
    return f"{target.removesuffix('.npy')}.vocab.txt"


def write_npy(source: Source, target: str) -> int:
    """Write the word vectors as an array, and the words to `words_file`, one per line.

    Both files are complete before the first target is replaced. The array is replaced first, since
    it may be in use: if that fails, both old files stay.

    Returns
    -------
    int
        Total size of both files in bytes.

    Raises
    ------
    FileError
        A target cannot be written, or the source changes during the call.
    InputValueError
        A word holds a line break.
    """
    source.check_words(b"\n\r", "npy")
    ids = np.arange(source.word_count, dtype=np.int32)
    with (
        AtomicFile(words_file(target)) as words,
        AtomicFile(target, 4 * source.dim * source.word_count) as array,
    ):
        array.write(npy_header(source.word_count, source.dim))
        for block in source.blocks("words", lambda a, b: source.vectors(ids[a:b]), len(ids)):
            array.write(block.data)
        for packed in source.packed_blocks(ids):
            newlines = np.full((len(packed.counts), 1), ord("\n"), np.uint8)
            words.write(packed.with_tails(newlines).data)
        words.complete()
    return array.written + words.written
