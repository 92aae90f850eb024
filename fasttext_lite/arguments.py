"""Checks of arguments: numbers, paths, output arrays, text."""

from __future__ import annotations

import errno
import math
import os
from operator import index
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.errors import FastTextLiteError, FileError, InputTypeError, InputValueError

if TYPE_CHECKING:
    from typing import BinaryIO, TypeAlias

    from numpy.typing import NDArray
    from typing_extensions import TypeIs

    PathType: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]

__all__ = [
    "absolute_path",
    "check_out",
    "content_error",
    "decode",
    "flag",
    "is_path",
    "path_name",
    "real",
    "whole",
]

# A longer text is the content of a file, not its path.
_LONGEST_PATH = 32767 if os.name == "nt" else 4096


def whole(name: str, value: object, least: int | None = None, most: int | None = None) -> int:
    """Return a whole number as int.

    Parameters
    ----------
    name : str
        Name of the argument, for error messages.
    value : object
        An int, or an object with ``__index__`` such as ``numpy.int64``, but not bool.
    least, most : int, optional
        Inclusive bounds.

    Raises
    ------
    InputTypeError
        `value` is not a whole number.
    InputValueError
        `value` is out of bounds.

    Examples
    --------
    >>> import numpy as np
    >>> whole("k", np.int64(3), least=1)
    3
    """
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InputTypeError(f"{name} must be int, not {type(value).__name__}") from None
    _check_bounds(name, number, least, most)
    return number


def real(name: str, value: object, least: float | None = None, most: float | None = None) -> float:
    """Return a real number as float.

    Parameters
    ----------
    name : str
        Name of the argument, for error messages.
    value : object
        An int or float, or an object with ``__float__`` such as ``numpy.float32``, but not bool.
    least, most : float, optional
        Inclusive bounds.

    Raises
    ------
    InputTypeError
        `value` is not a number.
    InputValueError
        `value` is NaN or out of bounds.
    """
    if isinstance(value, (bool, np.bool_)) or not (
        hasattr(value, "__float__") or hasattr(value, "__index__")
    ):
        raise InputTypeError(f"{name} must be a number, not {type(value).__name__}")
    try:
        number = float(value)  # type: ignore[arg-type]
    except TypeError:
        raise InputTypeError(f"{name} must be a number, not {type(value).__name__}") from None
    except OverflowError:
        raise InputValueError(f"{name} is too large: {value!r}") from None
    if math.isnan(number):
        raise InputValueError(f"{name} must be a number, not NaN")
    _check_bounds(name, number, least, most)
    return number


def _check_bounds(name: str, number: float, least: float | None, most: float | None) -> None:
    if least is not None and number < least:
        raise InputValueError(f"{name} must be at least {least}, not {number}")
    if most is not None and number > most:
        raise InputValueError(f"{name} must be at most {most}, not {number}")


def flag(name: str, value: object) -> bool:
    """Return a truth value as bool.

    Parameters
    ----------
    name : str
        Name of the argument, for the message of an error.
    value : object
        A bool, a ``numpy.bool_``, or 0 or 1.

    Raises
    ------
    InputTypeError
        `value` is something else.

    Examples
    --------
    >>> flag("progress", 1)
    True
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    try:
        number = index(value)  # type: ignore[arg-type]
    except TypeError:
        number = -1
    if number not in (0, 1):
        raise InputTypeError(f"{name} must be bool, not {type(value).__name__}")
    return number == 1


def check_out(out: object, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return `out` if results of this shape can be written into it.

    Raises
    ------
    InputTypeError
        `out` is not a NumPy array.
    InputValueError
        `out` is not float32, has another shape, or is not C-contiguous or not writeable.
    """
    if not isinstance(out, np.ndarray):
        raise InputTypeError(f"out must be a NumPy array, not {type(out).__name__}")
    if out.dtype != np.float32 or out.shape != shape:
        raise InputValueError(
            f"out must be float32 of shape {shape}, not {out.dtype} of shape {out.shape}"
        )
    if not out.flags.c_contiguous or not out.flags.writeable:
        raise InputValueError("out must be C-contiguous and writeable")
    return out


def decode(text: bytes) -> str:
    """Decode UTF-8; other bytes become lone surrogates (``errors="surrogateescape"``)."""
    return text.decode("utf-8", "surrogateescape")


def is_path(source: PathType | BinaryIO) -> TypeIs[PathType]:
    """Return whether `source` is treated as a path: it has no ``read`` method."""
    return isinstance(source, (str, bytes, os.PathLike)) or not hasattr(source, "read")


def path_name(path: PathType) -> str:
    """Return a path as str.

    ``~`` at the beginning is the home folder, as in a shell, and an address that begins with
    ``file:`` is the path in it.

    Raises
    ------
    InputTypeError
        `path` is not a path: it is of another type, or holds the bytes of a file.
    FileError
        The path holds a null character, or is longer than a path can be.
    """
    if isinstance(path, (bytearray, memoryview)):
        raise content_error(path)
    try:
        name = os.fsdecode(path)
    except TypeError:
        raise InputTypeError(
            f"a path must be str, bytes or os.PathLike, not {type(path).__name__}"
        ) from None
    # A null character in many bytes is that of a number in a file; in few it is a slip.
    if len(name) > _LONGEST_PATH or (
        "\0" in name and len(name) > (15 if isinstance(path, bytes) else 255)
    ):
        raise content_error(path)
    if "\0" in name:
        raise FileError("a path must not hold a null character", name)
    if name[:1] == "~":
        return os.path.expanduser(name)  # noqa: PTH111 - pathlib costs import time
    return _path_of_address(name) if name[:5].lower() == "file:" else name


def content_error(content: PathType | bytearray | memoryview) -> FastTextLiteError:
    """Return an error about the content of a file where a path belongs; it does not print it."""
    if isinstance(content, (bytes, bytearray, memoryview)):
        size = content.nbytes if isinstance(content, memoryview) else len(content)
        return InputTypeError(
            f"a path must be str, bytes or os.PathLike, but these are {size:,} bytes: the bytes of "
            "a model are opened by fasttext_lite.load(io.BytesIO(data))"
        )
    size = len(os.fsdecode(content))
    return FileError(
        "this is too long for a path, or has several lines: if it is the content of a file, pass "
        "its path, or io.BytesIO(data) with its bytes",
        f"<{type(content).__name__} of {size:,} characters>",
        errno.ENAMETOOLONG,
    )


def _path_of_address(name: str) -> str:
    """Return the path in a ``file:`` address."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    address = urlsplit(name)
    if address.netloc not in ("", "localhost"):
        raise FileError(
            "this address names a file on another computer: copy it to this one, and write "
            "file:///path",
            name,
        )
    return url2pathname(address.path)


def absolute_path(path: PathType) -> str:
    """Return a path as str, absolute; links in it are kept.

    Raises
    ------
    InputTypeError, FileError
        As for `path_name`.
    """
    return os.path.join(os.getcwd(), path_name(path))  # noqa: PTH109, PTH118 - costs import time
