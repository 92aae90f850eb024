"""The parts of a file that holds words and their vectors only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite.parts import Info, Matrix, Parameters, Parts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fasttext_lite.formats.file import ModelFile

__all__ = ["parameters_of_vectors", "word_vectors"]


def parameters_of_vectors(dim: int) -> Parameters:
    """Return the parameters of a file that does not record how its vectors were trained."""
    return Parameters(
        dim=dim, ws=0, epoch=0, min_count=0, neg=0, word_ngrams=1, loss="none", model="vectors",
        bucket=0, minn=0, maxn=0, lr_update_rate=0, t=0.0,
    )  # fmt: skip


def word_vectors(
    file: ModelFile,
    name: str,
    vocabulary: Vocabulary,
    vectors: NDArray[np.float32],
    *,
    word_bytes: int,
    head_word_count: int | None = None,
    row_count: int | None = None,
) -> Parts:
    """Return the parts of words and vectors in memory, without subwords.

    Parameters
    ----------
    file : ModelFile
    name : str
        The name of the format.
    vocabulary : Vocabulary
    vectors : ndarray
        float32, shape (words, dim), C-contiguous.
    word_bytes : int
        Number of bytes of all words.
    head_word_count, row_count : int, optional
        As in `Info`.
    """
    count, dim = vectors.shape
    data = vectors.data.cast("B").toreadonly() if vectors.size else memoryview(b"")
    info = Info(
        path=file.name,
        format=name,
        kind="vectors",
        word_count=count,
        parameters=parameters_of_vectors(dim),
        file_size=file.size,
        index_size=Vocabulary.index_size(count) + word_bytes + vectors.nbytes,
        head_word_count=head_word_count,
        row_count=row_count,
    )
    return Parts(
        info,
        lambda: vocabulary,
        Subwords(0, 0, 0, 0),
        input=Matrix(DenseRows(memoryview(b""), 0, dim), None),
        output=None,
        vectors=Matrix(DenseRows(data, count, dim), vectors),
        closed=True,
        file=file,
    )
