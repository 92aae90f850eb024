from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fasttext_lite._core.lookup.embed import Embedder
from fasttext_lite._core.search.codes import Codes
from fasttext_lite._core.search.nearest import Nearest
from fasttext_lite._core.search.queries import Queries

class Search:
    @property
    def nearest(self) -> Nearest: ...
    def __init__(
        self,
        embedder: Embedder,
        queries: Queries,
        k: int,
        norms: NDArray[np.float32] | None = None,
    ) -> None: ...
    def scan_codes(self, codes: Codes, start: int, stop: int) -> None: ...
    def scan_rows(self, start: int, stop: int) -> None: ...
    def scan_ids(self, ids: NDArray[np.int32], start: int, stop: int) -> None: ...
    def finish(self, others: Sequence[Search]) -> None: ...
