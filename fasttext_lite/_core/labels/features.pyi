import numpy as np
from numpy.typing import NDArray

from fasttext_lite._core.labels.line import LineReader

def take_known(reader: LineReader, rows: NDArray[np.int32], starts: NDArray[np.int64]) -> int: ...
def list_features(reader: LineReader, text: bytes) -> list[tuple[bytes, bytes, int]]: ...
