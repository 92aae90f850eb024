"""Opening models for the gensim layer, and saving keyed vectors as one compact file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import absolute_path, is_path, path_name
from fasttext_lite.casting import cast
from fasttext_lite.errors import InputTypeError, UnsupportedError
from fasttext_lite.formats.compact import Contents, write
from fasttext_lite.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.buckets import PruneIndex
    from fasttext_lite.arguments import PathType
    from fasttext_lite.casting import Cast
    from fasttext_lite.model import Model
    from fasttext_lite.parts import Parameters

    Rows = Callable[[int, int], NDArray[np.float32]]

__all__ = ["open_model", "save"]

# Bytes of float32 rows in a block.
_BLOCK = 1 << 21


def open_model(path: PathType | BinaryIO, max_words: int | None = None) -> Model:
    """Open a model that has vectors of words; `max_words` is for a file without n-grams.

    Raises
    ------
    FileError, FormatError
        The file cannot be read.
    UnsupportedError
        The model is supervised.
    """
    # As an absolute path it is never the name of the built-in model.
    model = load(
        absolute_path(path) if is_path(path) and path == "sample" else path, max_words=max_words
    )
    if model.info.kind == "supervised":
        raise UnsupportedError(
            "supervised fastText models are not supported under the names of gensim: open this one "
            "with fasttext_lite.load"
        )
    return model


def save(
    path: PathType,
    keys: Sequence[Any],
    counts: NDArray[np.int64],
    vectors: Rows,
    *,
    parameters: Parameters,
    closed: bool = True,
    token_count: int = 0,
    prune: PruneIndex | None = None,
    bucket_rows: int = 0,
    buckets: Rows = lambda start, stop: np.empty((0, 0), np.float32),
) -> None:
    """Write keys and vectors as a compact file, which replaces its target when it is complete.

    Parameters
    ----------
    path : path
    keys : sequence of str
    counts : ndarray
        int64, shape (keys,).
    vectors, buckets : callable
        ``vectors(start, stop)`` returns the vectors of a range of keys, and `buckets` the rows of a
        range of n-grams: float32, shape (n, dim).
    parameters : Parameters
    closed : bool
        Whether unknown words have no vectors.
    token_count, prune, bucket_rows
        As in `Contents`.

    Raises
    ------
    InputTypeError
        A key is not a str, or `path` is not a path.
    FileError
        The file cannot be written.
    """
    texts = []
    for index, key in enumerate(keys):
        if not isinstance(key, str):
            raise InputTypeError(
                f"key {index} is {type(key).__name__}, and a file holds keys of type str only"
            )
        texts.append(key.encode("utf-8", "surrogatepass"))

    def pack() -> tuple[bytes, NDArray[np.uint64], NDArray[np.int64]]:
        ends = np.cumsum([0, *map(len, texts)]).astype(np.uint64)
        return b"".join(texts), ends, np.asarray(counts, np.int64)

    def blocks(name: str) -> Iterator[Cast]:
        read, count = (vectors, len(texts)) if name == "words" else (buckets, bucket_rows)
        size = max(_BLOCK // (4 * parameters.dim), 1)
        for start in range(0, count, size):
            yield cast(read(start, min(start + size, count)), "float32", measured=name == "words")

    write(
        path_name(path),
        Contents(
            parameters=parameters,
            token_count=token_count,
            word_count=len(texts),
            label_count=0,
            unknown_words="error" if closed else "subwords",
            pack=pack,
            prune=prune,
            bucket_rows=bucket_rows,
            dtype="float32",
            blocks=blocks,
            codes=None,
        ),
    )
