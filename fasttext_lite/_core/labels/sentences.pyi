import numpy as np
from numpy.typing import NDArray

from fasttext_lite._core.lookup.embed import Embedder
from fasttext_lite._core.text.batch import WordBatch

class SentenceEmbedder:
    @property
    def embedder(self) -> Embedder: ...
    def __init__(self, embedder: Embedder, weights: NDArray[np.float32] | None = None) -> None: ...
    def vector(
        self, text: str | bytes, newlines: str = "raise", errors: str = "strict"
    ) -> NDArray[np.float32]: ...
    def count(
        self,
        texts: WordBatch,
        start: int,
        stop: int,
        known: NDArray[np.int64],
        features: NDArray[np.int64],
    ) -> None: ...
    def fill(self, texts: WordBatch, start: int, stop: int, out: NDArray[np.float32]) -> None: ...
