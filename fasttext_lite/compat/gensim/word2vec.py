"""Writer of vectors in the formats of the original word2vec program."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.files.numbers import text_lines
from fasttext_lite.arguments import flag, path_name
from fasttext_lite.errors import InputValueError
from fasttext_lite.formats.atomic import AtomicFile
from fasttext_lite.formats.text_writer import word2vec_records
from fasttext_lite.source import PackedWords

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.compat.gensim.similarity import Similarity

__all__ = ["save"]

# The fewest digits that read back as the same float32.
_EXACT = 0
# Number of keys per block.
_BLOCK = 1 << 12


def save(
    vectors: Similarity,
    fname: PathType,
    fvocab: PathType | None = None,
    binary: bool = False,
    total_vec: int | None = None,
    write_header: bool = True,
    prefix: str = "",
    append: bool = False,
    sort_attr: str = "count",
) -> None:
    """Write all vectors, by default the most frequent key first.

    A file that is there stays as it is until the new one is complete.

    Parameters
    ----------
    vectors : Similarity
    fname : path
    fvocab : path, optional
        A file to write the keys and their counts to.
    binary : bool
        Write float32 numbers instead of text; text reads back as the same float32.
    total_vec : int, optional
        Number of keys to write in the header; by default the actual number.
    write_header : bool
        Write a first line with the numbers of keys and dimensions.
    prefix : str
        Text to write before each key.
    append : bool
        Append to an existing file.
    sort_attr : str
        Name of the attribute to sort by, highest first; the order of the keys without it.

    Raises
    ------
    FileError
        A file cannot be written.
    InputValueError
        There are no values of `sort_attr` to write to `fvocab`.
    """
    binary, append = flag("binary", binary), flag("append", append)
    write_header = flag("write_header", write_header)
    if sort_attr in vectors.expandos:
        values = vectors.expandos[sort_attr]
        order = np.argsort(-values, kind="stable")
    elif fvocab is None:
        order = np.arange(len(vectors))
    else:
        raise InputValueError(
            f"Cannot store vocabulary with '{sort_attr}' because that attribute does not exist"
        )
    keys = vectors.index_to_key
    with (
        nullcontext() if fvocab is None else AtomicFile(path_name(fvocab), append=append) as vocab,
        AtomicFile(path_name(fname), append=append) as file,
    ):
        if write_header:
            total = len(vectors) if total_vec is None else total_vec
            file.write(f"{total} {vectors.vector_size}\n".encode())
        for start in range(0, len(order), _BLOCK):
            block = order[start : start + _BLOCK]
            texts = [f"{prefix}{keys[i]}".encode() for i in block.tolist()]
            file.write(_lines(texts, vectors.vectors[block], binary))
            if vocab:
                lines = (f"{prefix}{keys[i]} {values[i]}\n" for i in block.tolist())
                vocab.write("".join(lines).encode())
        if vocab:
            vocab.complete()


def _lines(texts: list[bytes], rows: NDArray[np.float32], binary: bool) -> bytes:
    ends = np.cumsum([0, *map(len, texts)]).astype(np.uint64)
    if not binary:
        return text_lines(b"".join(texts), ends, rows, _EXACT)
    words = PackedWords(b"".join(texts), ends, np.empty(0, np.int64))
    return word2vec_records(words, rows, b"").tobytes()
