from typing import Any

import numpy as np
from numpy.typing import NDArray

class Rows:
    @property
    def count(self) -> int: ...
    @property
    def dim(self) -> int: ...
    def sum(self, ids: NDArray[np.integer[Any]], out: NDArray[np.float32]) -> None: ...
    def dots(
        self, ids: NDArray[np.integer[Any]], vector: NDArray[np.float32]
    ) -> NDArray[np.float32]: ...
    def take(self, ids: NDArray[np.integer[Any]], out: NDArray[np.float32]) -> None: ...

class DenseRows(Rows):
    @property
    def data(self) -> memoryview: ...
    @property
    def dtype(self) -> str: ...
    def __init__(
        self,
        data: memoryview,
        count: int,
        dim: int,
        dtype: str = "float32",
        scales: NDArray[np.float32] | None = None,
    ) -> None: ...

class QuantizedRows(Rows):
    def __init__(
        self,
        codes: memoryview,
        centroids: NDArray[np.float32],
        count: int,
        dim: int,
        dsub: int,
        norm_codes: memoryview | None = None,
        norms: NDArray[np.float32] | None = None,
    ) -> None: ...
