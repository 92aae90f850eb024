import numpy as np
from numpy.typing import NDArray

from fasttext_lite._core.lookup.rows import Rows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary

class WordRows:
    def __init__(
        self, vocabulary: Vocabulary, counted: Subwords, kept: Subwords, rows: Rows
    ) -> None: ...
    def solve(
        self, ids: NDArray[np.int32], vectors: NDArray[np.float32]
    ) -> tuple[int, int, int, float]: ...
