import numpy as np
from numpy.typing import NDArray

from fasttext_lite._core.search.graph import Graph
from fasttext_lite._core.search.nearest import Nearest

class GraphSearch:
    @property
    def graph(self) -> Graph: ...
    def __init__(self, graph: Graph) -> None: ...
    def search(
        self,
        queries: NDArray[np.float32],
        start: int,
        stop: int,
        nearest: Nearest,
        effort: int,
        banned: NDArray[np.int32],
        starts: NDArray[np.int64],
        allowed: NDArray[np.uint8] | None = None,
    ) -> int: ...
