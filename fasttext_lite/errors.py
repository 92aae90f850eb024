"""The errors of this package, which derive from `FastTextLiteError`, and its warnings.

Each error also derives from the built-in exception that fits it, so that code which catches
``OSError``, ``ValueError``, ``TypeError`` or ``KeyError`` works.
"""

from __future__ import annotations

import errno as _errno

__all__ = [
    "ClusterWarning",
    "EmptyInputError",
    "FastTextLiteError",
    "FileError",
    "FormatError",
    "FormatWarning",
    "InputTypeError",
    "InputValueError",
    "MapWarning",
    "MissingExtraError",
    "MissingFileError",
    "ModelKindError",
    "NotANumberError",
    "UnknownEncodingError",
    "UnknownWordError",
    "UnsupportedError",
]


class FastTextLiteError(Exception):
    """The root of all errors of this package."""


class FormatError(FastTextLiteError, ValueError):
    """A file does not conform to its format.

    Attributes
    ----------
    field : str
        Name of the invalid field.
    offset : int
        Byte offset of that field in the file.
    reason : str
        What is wrong, and what to do about it.
    path : str or None
        Path of the file.
    """

    def __init__(self, field: str, offset: int, reason: str, path: str | None = None) -> None:
        super().__init__(field, offset, reason, path)
        self.field = field
        self.offset = offset
        self.reason = reason
        self.path = path

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.reason} (field: {self.field}; byte {self.offset})"

    def __reduce__(self) -> tuple[type[FormatError], tuple[str, int, str, str | None]]:
        return type(self), (self.field, self.offset, self.reason, self.path)


class FormatWarning(UserWarning):
    """A file was read although it contradicts itself, as the caller asked for."""


class ClusterWarning(UserWarning):
    """A clustering has put a large part of all words into one cluster."""


class MapWarning(UserWarning):
    """Something has no place on a map."""


class FileError(FastTextLiteError, OSError):
    """A file cannot be opened, read or mapped."""

    def __init__(self, reason: str, path: str, code: int = _errno.EINVAL) -> None:
        super().__init__(code, reason, path)

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"

    @classmethod
    def from_os(cls, error: OSError, path: str) -> FileError:
        """Convert an error of the operating system to a `FileError` that names the file."""
        if isinstance(error, FileNotFoundError):
            return MissingFileError("there is no such file", path, error.errno or _errno.ENOENT)
        return FileError(error.strerror or str(error), path, error.errno or _errno.EIO)

    def __reduce__(self) -> tuple[type[FileError], tuple[str, str, int]]:
        return type(self), (self.strerror or "", self.filename, self.errno or 0)


class MissingFileError(FileError, FileNotFoundError):
    """The file does not exist."""


class InputTypeError(FastTextLiteError, TypeError):
    """An argument has the wrong type."""


class InputValueError(FastTextLiteError, ValueError):
    """An argument has the right type but an invalid value."""


class ModelKindError(FastTextLiteError, ValueError):
    """A model of this kind does not support the operation."""


class NotANumberError(FastTextLiteError, RuntimeError):
    """The model holds NaN where a number is needed."""


class EmptyInputError(InputValueError, ZeroDivisionError):
    """An argument is empty, so a mean or ratio over its items is undefined."""


class UnknownEncodingError(InputValueError, LookupError):
    """Python does not know a text encoding of this name."""


class UnsupportedError(FastTextLiteError, NotImplementedError, AttributeError):
    """The emulated package offers this; this library does not."""


class MissingExtraError(FastTextLiteError, ImportError):
    """An optional library that the operation requires is not installed."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(
            f"this needs {library}: python -m pip install 'fasttext-lite[{extra}]'", name=library
        )
        self._extra = extra

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        return type(self), (self.name or "", self._extra)


class UnknownWordError(FastTextLiteError, KeyError):
    """The model has no vector for a word, and no n-grams to compute one from."""

    def __str__(self) -> str:
        return Exception.__str__(self)
