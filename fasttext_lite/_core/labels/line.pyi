from typing import Any

import numpy as np
from numpy.typing import NDArray

from fasttext_lite._core.labels.tokens import Tokenizer
from fasttext_lite._core.lookup.rows import Rows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.text.batch import WordBatch

class LineReader:
    @property
    def tokens(self) -> Tokenizer: ...
    @property
    def subwords(self) -> Subwords: ...
    @property
    def rows(self) -> Rows: ...
    @property
    def word_ngrams(self) -> int: ...
    @property
    def known_ngrams(self) -> bool: ...
    def __init__(
        self,
        tokens: Tokenizer,
        subwords: Subwords,
        rows: Rows,
        word_ngrams: int,
        known_ngrams: bool,
        known_rows: NDArray[np.int32] | None = None,
        known_starts: NDArray[np.int64] | None = None,
        tables: Any = None,
    ) -> None: ...
    def with_tokens(self, tokens: Tokenizer) -> LineReader: ...
    def with_tables(
        self,
        rows: Rows | None,
        known_rows: NDArray[np.int32] | None,
        known_starts: NDArray[np.int64] | None,
    ) -> LineReader: ...
    def vector(
        self, text: str | bytes, newlines: str = "raise", errors: str = "strict"
    ) -> NDArray[np.float32]: ...
    def fill(self, texts: WordBatch, start: int, stop: int, out: NDArray[np.float32]) -> None: ...
    def count(
        self,
        texts: WordBatch,
        start: int,
        stop: int,
        known: NDArray[np.int64],
        features: NDArray[np.int64],
    ) -> None: ...
