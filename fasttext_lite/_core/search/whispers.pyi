import numpy as np
from numpy.typing import NDArray

def count_edges(
    ids: NDArray[np.int32],
    weights: NDArray[np.float32],
    least: float,
    mutual: bool,
    start: int,
    stop: int,
    degrees: NDArray[np.int64],
) -> None: ...
def fill_edges(
    ids: NDArray[np.int32],
    weights: NDArray[np.float32],
    least: float,
    mutual: bool,
    start: int,
    stop: int,
    ends: NDArray[np.int64],
    neighbors: NDArray[np.int32],
    edge_weights: NDArray[np.float32],
) -> None: ...
def whisper(
    starts: NDArray[np.int64],
    neighbors: NDArray[np.int32],
    weights: NDArray[np.float32],
    order: NDArray[np.int32],
    classes: NDArray[np.int32],
    waiting: NDArray[np.uint8],
    votes: NDArray[np.float64],
) -> int: ...
