"""The normalised vectors of all words as a NumPy file, for libraries that search matrices."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np

from benchmarks.files import check_space, read_through, replacing

BLOCK = 100_000


def ensure_matrix(model: str) -> str:
    """Return the file of the word vectors of a model, each of length 1; write it if needed.

    Returns
    -------
    str
        Path of a ``.npy`` file beside the model: float32, shape (words, dim). It is computed with
        our package, whose vectors equal the official ones in every bit.
    """
    path = Path(model).with_suffix(".directions.npy")
    if not path.exists() or path.stat().st_mtime < Path(model).stat().st_mtime:
        source = import_module("fasttext_lite").load(model)
        shape = (len(source), source.dim)
        check_space(path, 4 * shape[0] * shape[1])
        with replacing(path) as unfinished:
            rows = np.lib.format.open_memmap(unfinished, "w+", np.float32, shape)
            for start in range(0, len(source), BLOCK):
                block = source[source.words[start : start + BLOCK]]
                block /= np.linalg.norm(block, axis=1, keepdims=True)
                rows[start : start + BLOCK] = block
            rows.flush()
            del rows
    read_through(path)
    return str(path)
