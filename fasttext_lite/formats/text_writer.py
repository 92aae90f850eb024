"""Files of word vectors: text (``.vec``), and the binary format of word2vec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.files.numbers import text_lines
from fasttext_lite.formats.atomic import AtomicFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fasttext_lite.source import PackedWords, Source

__all__ = ["word2vec_records", "write_text", "write_word2vec"]

_SPACES = b" \t\n\v\f\r"


def write_text(source: Source, target: str, digits: int) -> int:
    """Write one line per word: the word and its numbers, in the layout of the official program.

    Parameters
    ----------
    source : Source
    target : str
    digits : int
        Significant digits of a number; 0 for the fewest that read back as the same float32.

    Returns
    -------
    int
        Size of the file in bytes.

    Raises
    ------
    FileError
        The target cannot be written, or the source changes during the call.
    InputValueError
        A word is empty or holds white space.
    """

    def lines(words: PackedWords, vectors: NDArray[np.float32]) -> bytes:
        return text_lines(words.text, words.offsets, vectors, digits)

    return _write(source, target, "vec", lines)


def write_word2vec(source: Source, target: str) -> int:
    """Write the binary format of word2vec; result and errors are as for `write_text`."""

    def records(words: PackedWords, vectors: NDArray[np.float32]) -> memoryview:
        return word2vec_records(words, vectors, b"\n").data

    return _write(source, target, "word2vec", records, 4 * source.dim * source.word_count)


def word2vec_records(
    words: PackedWords, vectors: NDArray[np.float32], end: bytes
) -> NDArray[np.uint8]:
    """Return the records of words: each word, a space, its float32 numbers, and `end`.

    Parameters
    ----------
    words : PackedWords
    vectors : ndarray
        float32, shape (n, dim).
    end : bytes
        The bytes after the numbers: a newline, or none.
    """
    width = 4 * vectors.shape[1]
    tails = np.empty((len(vectors), 1 + width + len(end)), np.uint8)
    tails[:, 0] = ord(" ")
    tails[:, 1 : 1 + width] = vectors.view(np.uint8)
    tails[:, 1 + width :] = np.frombuffer(end, np.uint8)
    return words.with_tails(tails)


def _write(
    source: Source,
    target: str,
    name: str,
    encode: Callable[[PackedWords, NDArray[np.float32]], bytes | memoryview],
    size: int = 0,
) -> int:
    """Write the first line, with the numbers of words and dimensions, then the words."""
    source.check_words(_SPACES, name)

    def block(start: int, stop: int) -> bytes | memoryview:
        ids = np.arange(start, stop, dtype=np.int32)
        return encode(source.packed(ids), source.vectors(ids))

    with AtomicFile(target, size) as file:
        file.write(b"%d %d\n" % (source.word_count, source.dim))
        for data in source.blocks("words", block, source.word_count):
            file.write(data)
    return file.written
