import numpy as np
from numpy.typing import NDArray

MOST_COLUMNS: int

class Codes:
    @property
    def count(self) -> int: ...
    @property
    def dim(self) -> int: ...
    @property
    def packed(self) -> bool: ...
    @property
    def levels(self) -> int: ...
    @property
    def width(self) -> int: ...
    def __init__(
        self,
        codes: NDArray[np.uint8],
        scales: NDArray[np.float32],
        errors: NDArray[np.float32],
        dim: int,
        packed: bool,
    ) -> None: ...

def row_width(dim: int, packed: bool) -> int: ...
def encode_directions(
    rows: NDArray[np.float32], packed: bool
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]: ...
def norms(rows: NDArray[np.float32]) -> NDArray[np.float64]: ...
