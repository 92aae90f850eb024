"""NumPy arrays (``.npy``), and the words of their rows in a file beside them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.formats.atomic import AtomicFile

if TYPE_CHECKING:
    from fasttext_lite.source import Source

__all__ = ["npy_header", "words_file", "write_npy"]


def npy_header(rows: int, dim: int) -> bytes:
    """Return what stands before the numbers in a file of a float32 array, row-major."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (rows, dim)}
    )
    return header.getvalue()


def words_file(target: str) -> str:
    """Return the path of the file of words for that of an array."""
    return f"{target.removesuffix('.npy')}.vocab.txt"


def write_npy(source: Source, target: str) -> int:
    """Write the word vectors as an array, and the words to `words_file`, one per line.

    Both files are complete before the first takes its place. The array comes first, since it is
    the one that may be in use: if it cannot be replaced, the old files stay.

    Returns
    -------
    int
        Size of both files in bytes.

    Raises
    ------
    FileError
        A target cannot be written, or the source changes meanwhile.
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
