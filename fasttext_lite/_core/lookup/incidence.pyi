import numpy as np
from numpy.typing import NDArray

from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary

class Incidence:
    @property
    def count(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def offsets(self) -> NDArray[np.int64]: ...
    @property
    def columns(self) -> NDArray[np.int32]: ...
    def __init__(self, count: int, width: int) -> None: ...
    def tally(
        self,
        subwords: Subwords,
        vocabulary: Vocabulary,
        ids: NDArray[np.int32],
        start: int,
        stop: int,
    ) -> None: ...
    def allocate(self) -> None: ...
    def fill(
        self,
        subwords: Subwords,
        vocabulary: Vocabulary,
        ids: NDArray[np.int32],
        start: int,
        stop: int,
    ) -> None: ...
    def transposed(self) -> Incidence: ...
    def gather(
        self,
        rows: NDArray[np.float32],
        factors: NDArray[np.float32] | None,
        out: NDArray[np.float32],
        start: int,
        stop: int,
    ) -> None: ...

def damp(
    p: NDArray[np.float32],
    ridge: float,
    q: NDArray[np.float32],
    sums: NDArray[np.float64],
    start: int,
    stop: int,
) -> None: ...
def advance(
    lengths: NDArray[np.float32],
    p: NDArray[np.float32],
    q: NDArray[np.float32],
    inverse: NDArray[np.float32],
    z: NDArray[np.float32],
    r: NDArray[np.float32],
    sums: NDArray[np.float64],
    start: int,
    stop: int,
) -> None: ...
def turn(
    kept: NDArray[np.float32],
    r: NDArray[np.float32],
    inverse: NDArray[np.float32],
    p: NDArray[np.float32],
    start: int,
    stop: int,
) -> None: ...
