from collections.abc import Iterable
from typing import overload

import numpy as np
from numpy.typing import NDArray

class Lookup:
    @overload
    def __getitem__(self, word: str | bytes) -> NDArray[np.float32]: ...
    @overload
    def __getitem__(self, word: Iterable[str | bytes]) -> NDArray[np.float32]: ...
