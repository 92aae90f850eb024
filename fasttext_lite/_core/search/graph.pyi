import numpy as np
from numpy.typing import NDArray

from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.search.codes import Codes

class Graph:
    @property
    def count(self) -> int: ...
    @property
    def dim(self) -> int: ...
    @property
    def degree(self) -> int: ...
    @property
    def rows(self) -> DenseRows: ...
    @property
    def codes(self) -> Codes | None: ...
    def __init__(
        self,
        rows: DenseRows,
        norms: NDArray[np.float32],
        neighbors: NDArray[np.uint32],
        entries: NDArray[np.uint32],
        codes: Codes | None = None,
    ) -> None: ...
