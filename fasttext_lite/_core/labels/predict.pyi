from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from fasttext_lite._core.labels.line import LineReader
from fasttext_lite._core.labels.losses import Loss
from fasttext_lite._core.text.batch import WordBatch

T = TypeVar("T")

class Predictor(Generic[T]):
    @property
    def reader(self) -> LineReader: ...
    @property
    def loss(self) -> Loss: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    def __init__(
        self, reader: LineReader, loss: Loss, answer_type: type[T], name_start: int
    ) -> None: ...
    def predict(
        self,
        text: str | bytes,
        k: int = 1,
        threshold: float = 0.0,
        official_bias: bool = False,
        labels: NDArray[np.int32] | None = None,
        renormalize: bool = False,
        newlines: str = "raise",
        errors: str = "strict",
    ) -> T: ...
    def max_labels(self, k: int, labels: NDArray[np.int32] | None = None) -> int: ...
    def fill(
        self,
        texts: WordBatch,
        start: int,
        k: int,
        threshold: float,
        official_bias: bool,
        label_ids: NDArray[np.int32],
        probabilities: NDArray[np.float32],
        labels: NDArray[np.int32] | None = None,
        renormalize: bool = False,
        known: NDArray[np.uint8] | None = None,
    ) -> None: ...
    def fill_matrix(
        self,
        texts: WordBatch,
        start: int,
        out: NDArray[np.float32],
        labels: NDArray[np.int32] | None = None,
        renormalize: bool = False,
    ) -> None: ...
