import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

from fasttext_lite._core.lookup.entries import Entries

class Vocabulary(Entries):
    @property
    def end(self) -> int: ...
    @staticmethod
    def scan(
        text: memoryview, start: int, stop: int, word_count: int, label_count: int
    ) -> Vocabulary: ...
    @staticmethod
    def stored(
        text: Buffer,
        offsets: NDArray[np.uint64],
        counts: NDArray[np.int64],
        word_count: int,
        label_count: int,
        index: NDArray[np.uint32] | None = None,
    ) -> Vocabulary: ...
    @staticmethod
    def index_size(size: int) -> int: ...
    @staticmethod
    def slot_count(size: int) -> int: ...
    def index(self) -> bytes: ...
    def id(self, word: str | bytes) -> int: ...
