from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

class Queries:
    @property
    def count(self) -> int: ...
    @property
    def dim(self) -> int: ...
    @property
    def packed(self) -> bool: ...
    def __init__(
        self, vectors: NDArray[np.float32], packed: bool, banned: Sequence[Any]
    ) -> None: ...
