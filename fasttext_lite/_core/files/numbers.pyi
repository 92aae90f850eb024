import numpy as np
from numpy.typing import NDArray

def text_lines(
    text: bytes, offsets: NDArray[np.uint64], rows: NDArray[np.float32], digits: int
) -> bytes: ...
