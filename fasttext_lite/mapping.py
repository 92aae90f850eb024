"""Linear maps of all rows of a model: the check of the matrix, and the mapped parts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import path_name
from fasttext_lite.errors import FormatError, InputTypeError, InputValueError, ModelKindError
from fasttext_lite.lines import open_binary

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.parts import Parts

__all__ = ["map_parts"]

# Products of the rows of an orthogonal map may differ by this from those of the identity.
_ORTHOGONAL = 1e-4


def map_parts(parts: Parts, given: ArrayLike | PathType) -> Parts:
    """Check a map, and return the parts of the mapped model.

    Parameters
    ----------
    parts : Parts
    given : array_like or path
        As for `Model.mapped`, like the errors.
    """
    dim = parts.info.parameters.dim
    matrix = _checked(_read(given, dim), dim)
    if parts.info.kind == "supervised":
        wide = matrix.astype(np.float64)
        error = np.abs(wide @ wide.T - np.eye(dim)).max()
        if error > _ORTHOGONAL:
            raise ModelKindError(
                "this model is supervised: its output layer has to follow the map, which keeps the "
                "predictions only if the rows of the map are orthonormal; map @ map.T differs from "
                f"the identity by {error:.2g}"
            )
    return parts.mapped(matrix)


def _checked(array: NDArray[Any], dim: int) -> NDArray[np.float32]:
    _check_kind(array.dtype, array.shape, dim)
    with np.errstate(over="ignore"):
        matrix = np.array(array, np.float32, order="C")
    wrong = np.argwhere(~np.isfinite(matrix))
    if len(wrong):
        i, j = wrong[0].tolist()
        raise InputValueError(
            f"a map must hold finite float32 numbers; map[{i}, {j}] is {array[i, j]}"
        )
    matrix.flags.writeable = False
    return matrix


def _check_kind(dtype: np.dtype[Any], shape: tuple[int, ...], dim: int) -> None:
    if dtype.kind not in "fiu":
        raise InputTypeError(f"a map must hold real numbers, not {dtype}")
    if len(shape) != 2 or shape[0] != dim or shape[1] < 1:
        turned = len(shape) == 2 and shape[1] == dim
        raise InputValueError(
            f"a map of this model must have shape ({dim}, n), not {shape}: vectors of {dim} "
            "numbers are multiplied from the right" + ("; transpose the map" if turned else "")
        )


def _read(given: ArrayLike | PathType, dim: int) -> NDArray[Any]:
    if isinstance(given, (str, bytes, os.PathLike)):
        return _read_file(path_name(given), dim)
    try:
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as problem:
        raise InputTypeError(f"a map must be a matrix of numbers or a path: {problem}") from None


def _read_file(path: str, dim: int) -> NDArray[Any]:
    """Read a matrix from a ``.npy`` file, version 1.0, which NumPy writes for all matrices.

    The format is that of https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
    """
    with open_binary(path) as file:
        try:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise ValueError(f"version {version} of the format is not supported")
            shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
        except OSError:
            raise
        except Exception as problem:
            # NumPy raises errors of many kinds for a damaged head.
            raise FormatError("head", 0, f"not a .npy file: {problem}", path) from None
        _check_kind(dtype, shape, dim)
        start, size = file.tell(), dtype.itemsize * shape[0] * shape[1]
        left = os.fstat(file.fileno()).st_size - start
        data = file.read(size) if left == size else b""
        if len(data) != size:
            reason = f"an array of shape {shape} takes {size} bytes, but {left} follow"
            raise FormatError("array", start, reason, path)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if by_columns else "C")
