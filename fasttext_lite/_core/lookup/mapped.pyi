import numpy as np
from numpy.typing import NDArray

from fasttext_lite._core.lookup.rows import Rows

class MappedRows(Rows):
    def __init__(self, rows: Rows, matrix: NDArray[np.float32]) -> None: ...
