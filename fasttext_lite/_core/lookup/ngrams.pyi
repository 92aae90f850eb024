import numpy as np
from numpy.typing import NDArray

from fasttext_lite._core.lookup.embed import Embedder
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite._core.text.batch import WordBatch

class NgramSet:
    def __init__(self, subwords: Subwords) -> None: ...
    def __len__(self) -> int: ...
    def add(self, words: WordBatch) -> None: ...
    def items(self) -> list[tuple[bytes, int]]: ...

def mark_rows(subwords: Subwords, words: WordBatch, marks: NDArray[np.uint8]) -> None: ...
def mark_entry_rows(
    subwords: Subwords, vocabulary: Vocabulary, ids: NDArray[np.int32], marks: NDArray[np.uint8]
) -> None: ...
def first_ngrams(
    subwords: Subwords,
    vocabulary: Vocabulary,
    ids: NDArray[np.int32],
    marks: NDArray[np.uint8],
) -> dict[int, bytes]: ...
def place_rows(
    embedder: Embedder,
    words: WordBatch,
    start: int,
    stop: int,
    offsets: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> int: ...
