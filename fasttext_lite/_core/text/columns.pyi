from typing import Any

import numpy as np
from numpy.typing import NDArray

class Array:
    @property
    def format(self) -> str: ...
    @property
    def length(self) -> int: ...
    @property
    def buffers(self) -> tuple[NDArray[np.generic] | None, ...]: ...
    @property
    def null_count(self) -> int: ...
    @property
    def children(self) -> dict[str, Array]: ...
    @property
    def dictionary(self) -> Array | None: ...
    def __init__(
        self,
        format: str,  # noqa: A002
        length: int,
        buffers: tuple[NDArray[np.generic] | None, ...],
        null_count: int = 0,
        children: dict[str, Array] | None = None,
        dictionary: Array | None = None,
    ) -> None: ...
    def schema_capsule(self) -> object: ...
    def array_capsule(self) -> object: ...

def read_schema(capsule: object) -> tuple[str, list[Any], Any]: ...
def take_strings(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    ids: NDArray[np.int32],
    out: NDArray[np.uint8],
) -> None: ...
