"""Models with learnt rows, written to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite.arguments import path_name
from fasttext_lite.conversion import convert
from fasttext_lite.errors import InputValueError
from fasttext_lite.exporting import export
from fasttext_lite.integrations.torch.storage import rows_of
from fasttext_lite.model import Model
from fasttext_lite.parts import Matrix

if TYPE_CHECKING:
    from torch import Tensor

    from fasttext_lite.arguments import PathType
    from fasttext_lite.parts import Parts

__all__ = ["save"]


def save(
    parts: Parts, weight: Tensor | None, ngrams: Tensor | None, path: PathType, dtype: str | None,
    *, progress: bool,
) -> None:  # fmt: skip
    """Write a model with other rows.

    Parameters
    ----------
    parts : Parts
    weight, ngrams : Tensor or None
        The rows as in `FastTextEmbedding`; None for those of the file.
    path, dtype, progress
        As for `FastTextEmbedding.save`.

    Raises
    ------
    FileError, FormatError, InputTypeError, InputValueError
        As for `FastTextEmbedding.save`.
    """
    target = path_name(path)
    learnt = parts.replace(
        read_vocabulary=lambda: parts.vocabulary,
        info=parts.info._replace(quantized_input=weight is None and parts.info.quantized_input),
        input=_matrix(parts.input, ngrams if parts.vectors else weight),
        vectors=_matrix(parts.vectors, weight) if parts.vectors else None,
        norms=None,
        codes=None,
        graph=None,
        origin=None if weight is not None else parts.origin,
    )
    if target.lower().endswith(".bin"):
        if dtype is not None:
            raise InputValueError("the official format .bin is float32: leave dtype out")
        export(Model(learnt), target, "bin", progress=progress)
        return
    rows = (learnt.vectors or learnt.input).rows
    kept = rows.dtype if isinstance(rows, DenseRows) else "float32"
    convert(
        Model(learnt), target, dtype or kept, neighbors_index=parts.codes is not None,
        progress=progress,
    )  # fmt: skip


def _matrix(original: Matrix, tensor: Tensor | None) -> Matrix:
    if tensor is None:
        return original
    held = tensor.detach().cpu()
    if held.dtype not in (torch.float32, torch.float16):
        held = held.float()
    rows = rows_of(held.contiguous())
    view = None
    if rows.dtype == "float32":
        view = held.contiguous().numpy()
        view.flags.writeable = False
    return Matrix(rows, view)
