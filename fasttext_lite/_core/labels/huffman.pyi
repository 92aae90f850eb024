import numpy as np
from numpy.typing import NDArray

from fasttext_lite._core.labels.losses import Loss
from fasttext_lite._core.lookup.rows import Rows

class HierarchicalSoftmax(Loss):
    def __init__(self, output: Rows, label_count: int, counts: NDArray[np.int64]) -> None: ...
    def direction(self, label: int, out: NDArray[np.float32]) -> None: ...
