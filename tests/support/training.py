"""Train small models with the official program, working around its faults."""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ATTEMPTS = 20
LARGEST_WEIGHT = 100

# mallopt's option for the byte that glibc fills freed memory with; allocated memory is filled with
# its complement. As float32, four bytes of 0x40 are 3.004, and four of the complement -1.498.
M_PERTURB = -6
HARMLESS_BYTE = 0x40


def train_official(
    path: Path,
    lines: Sequence[str],
    *,
    model: str,
    quantize: Mapping[str, Any] | None = None,
    **options: Any,
) -> None:
    """Train a model and save it.

    Parameters
    ----------
    path : Path
        Where to save the model.
    lines : sequence of str
        Training lines.
    model : {"cbow", "skipgram", "supervised"}
        Kind of model.
    quantize : mapping, optional
        Options of the official ``quantize``; None keeps the model dense.
    **options
        Options of the official ``train_supervised`` or ``train_unsupervised``.
    """
    with TemporaryDirectory() as directory:
        text = Path(directory, "text.txt")
        text.write_text("\n".join(lines) + "\n", encoding="utf-8")
        usable = (_train(path, text, model, quantize, options) for _ in range(ATTEMPTS))
        if not any(usable):
            raise RuntimeError(f"no usable model in {ATTEMPTS} attempts")


def _train(
    path: Path,
    text: Path,
    model: str,
    quantize: Mapping[str, Any] | None,
    options: Mapping[str, Any],
) -> bool:
    """Train, quantise and save a model; return False if it contains NaN."""
    import fasttext

    common = {"minCount": 1, "epoch": 2, "thread": 10, "verbose": 0, **options}
    try:
        with harmless_memory():
            if model == "supervised":
                trained = fasttext.train_supervised(str(text), **common)
            else:
                trained = fasttext.train_unsupervised(str(text), model=model, **common)
        clear_remainder(trained)
        if quantize is not None:
            trained.quantize(str(text), thread=10, verbose=0, **quantize)
    except RuntimeError as error:
        if "NaN" not in str(error):
            raise
        return False
    trained.save_model(str(path))
    vectors = np.array([trained.get_word_vector(word) for word in trained.words])
    return bool(np.isfinite(vectors).all())


def clear_remainder(trained: Any) -> None:
    """Set weights to zero that the trainer left uninitialised.

    The trainer fills the input matrix in ten equal parts, one per thread, and leaves the remainder
    at the end of the last row uninitialised. A dimension divisible by ten has no remainder: use
    one if the last row belongs to a word, or training may always end with NaN.
    """
    matrices = trained.get_input_matrix(), trained.get_output_matrix()
    for matrix in matrices:
        matrix[~(np.abs(matrix) < LARGEST_WEIGHT)] = 0
    trained.set_matrices(*matrices)


@contextmanager
def harmless_memory() -> Iterator[None]:
    """Make glibc fill uninitialised memory with small numbers."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", lambda option, value: None)
    set_option(M_PERTURB, HARMLESS_BYTE)
    try:
        yield
    finally:
        set_option(M_PERTURB, 0)
