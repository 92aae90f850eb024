"""The safetensors container: a length, a JSON header, and contiguous arrays.

Format: https://github.com/huggingface/safetensors (unchanged since version 0.4). The whole header
is checked before it is used. Writing streams into a new file, which replaces the target when it is
complete.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.errors import FormatError, InputValueError
from fasttext_lite.formats.atomic import AtomicFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from numpy.typing import NDArray
    from typing_extensions import Self

__all__ = ["ALIGNMENT", "Header", "Tensor", "Writer", "looks_like", "read_header"]

ALIGNMENT = 64
_LENGTH = 8
# Headers of this package take a few kilobytes. The reference implementation allows 100 MB, but
# parsed JSON may take forty times its bytes in memory.
_LONGEST_HEADER = 1 << 20
_DTYPES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2,
    "BF16": 2, "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip
_NUMPY = {
    "U8": "u1", "I8": "i1", "F16": "<f2", "U32": "<u4", "I32": "<i4", "F32": "<f4", "U64": "<u8",
    "I64": "<i8",
}  # fmt: skip
_FILLER = "filler."


@dataclass(frozen=True)
class Tensor:
    """An array of the file: name, dtype in the notation of the container, shape, byte offset."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int = 0

    @property
    def size(self) -> int:
        """Size in bytes."""
        return prod(self.shape) * _DTYPES[self.dtype]


@dataclass(frozen=True)
class Header:
    """A checked header: arrays by name, and the metadata.

    Attributes
    ----------
    data : memoryview
        The whole file.
    path : str
    tensors : dict of str to Tensor
        By name, in file order; offsets count from the beginning of the file.
    metadata : dict of str to str
    """

    data: memoryview
    path: str
    tensors: dict[str, Tensor]
    metadata: dict[str, str]

    def array(self, name: str, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return a view of an array, which must have this dtype and shape.

        Raises
        ------
        FormatError
            The array is missing, has another dtype or shape, or does not begin at a multiple of 64
            bytes.
        """
        tensor = self.tensors.get(name)
        if tensor is None:
            raise FormatError(name, _LENGTH, f"the file has no array {name!r}", self.path)
        if tensor.dtype != dtype or tensor.shape != shape:
            raise FormatError(
                name,
                tensor.offset,
                f"{name} is {tensor.dtype} of shape {list(tensor.shape)}, but must be {dtype} of "
                f"shape {list(shape)} according to the metadata",
                self.path,
            )
        if tensor.offset % ALIGNMENT and tensor.size:
            raise FormatError(
                name,
                tensor.offset,
                f"{name} does not begin at a multiple of {ALIGNMENT} bytes",
                self.path,
            )
        view: NDArray[Any] = np.ndarray(shape, _NUMPY[dtype], self.data, tensor.offset)
        return view


def looks_like(begin: bytes) -> bool:
    """Return whether a file that begins like this is a safetensors file.

    The length of the header, under 16 MB, precedes its JSON. A fastText file of 123 dimensions also
    has "{" in this place, but zeros after it; a file of word vectors has no zeros before it.

    Parameters
    ----------
    begin : bytes
        At least 12 bytes, or all bytes of a shorter file.
    """
    text = begin[_LENGTH : _LENGTH + 4]
    return text[:1] == b"{" and 0 not in text and begin[3:_LENGTH] == bytes(5)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def read_header(data: memoryview, path: str) -> Header:
    """Read and check the header of a file.

    Raises
    ------
    FormatError
        The header is damaged, or the arrays do not exactly fill the file: there is a hole or an
        overlap, a size does not fit its shape, or the file is truncated or too long.
    """

    def error(field: str, offset: int, reason: str) -> FormatError:
        return FormatError(field, offset, reason, path)

    length = int.from_bytes(data[:_LENGTH], "little")
    if length > _LONGEST_HEADER or length > len(data) - _LENGTH:
        raise error(
            "header length",
            0,
            f"the header of this safetensors file has {length} bytes, which is too long for a file "
            f"of {len(data)}: it is truncated or damaged",
        )
    start = _LENGTH + length
    try:
        header = json.loads(bytes(data[_LENGTH:start]), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as problem:
        raise error(
            "header", _LENGTH, f"the header of this safetensors file is not valid JSON: {problem}"
        ) from None
    if not isinstance(header, dict):
        raise error("header", _LENGTH, "the header of this safetensors file is not a JSON object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise error("__metadata__", _LENGTH, "the metadata is not an object of strings")
    tensors = []
    for name, entry in header.items():
        tensor = _tensor(name, entry, start)
        if tensor is None:
            raise error(name, _LENGTH, f"the header holds an invalid description of {name!r}")
        tensors.append(tensor)
    tensors.sort(key=lambda tensor: (tensor.offset, tensor.size))
    end = start
    for tensor in tensors:
        if tensor.offset != end:
            kind = "overlaps the array before it" if tensor.offset < end else "follows a hole"
            raise error(tensor.name, tensor.offset, f"{tensor.name} {kind}")
        end = tensor.offset + tensor.size
    if end != len(data):
        raise error(
            "end of file",
            min(end, len(data)),
            f"the arrays end at byte {end}, but the file has {len(data)}: it is "
            f"{'truncated' if end > len(data) else 'too long'}",
        )
    return Header(data, path, {tensor.name: tensor for tensor in tensors}, metadata)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _tensor(name: str, entry: object, start: int) -> Tensor | None:
    """Read the description of an array; None if it contradicts itself."""
    if not isinstance(entry, dict):
        return None
    dtype, shape, offsets = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        return None
    if not isinstance(shape, list) or len(shape) > 8 or not all(map(_whole, shape)):
        return None
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(_whole, offsets)):
        return None
    tensor = Tensor(name, dtype, tuple(shape), start + offsets[0])
    return tensor if offsets[1] - offsets[0] == tensor.size else None


class Writer:
    """Writes a file array by array; it replaces its target when the ``with`` block ends.

    Parameters
    ----------
    path : str
        The target, as for `AtomicFile`.
    tensors : sequence of Tensor
        The arrays in the order in which they will be written; their offsets are ignored.
    metadata : mapping of str to str

    Raises
    ------
    FileError
        The target is write-protected, or its folder is missing, read-only or full.
    InputValueError
        An array was not written completely, or was given too many bytes.
    """

    def __init__(self, path: str, tensors: Sequence[Tensor], metadata: Mapping[str, str]) -> None:
        self._header, self._plan = _lay_out(tensors, metadata)
        self._file = AtomicFile(path, self.size)
        self._at = 0
        self._written = 0

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return len(self._header) + sum(tensor.size for tensor in self._plan)

    def __enter__(self) -> Self:
        self._file.__enter__()
        try:
            self._file.write(self._header)
        except BaseException:
            self._file.__exit__(*sys.exc_info())
            raise
        return self

    def write(self, name: str, block: NDArray[Any] | bytes) -> None:
        """Write the next bytes of an array; arrays must be written in order."""
        while self._plan[self._at].name != name:
            self._next()
        view = block.data if isinstance(block, np.ndarray) else memoryview(block)
        self._file.write(view)
        self._written += view.nbytes

    def _place(self, name: str) -> tuple[Tensor, int]:
        """Return an array and its byte offset."""
        at = len(self._header)
        for tensor in self._plan:
            if tensor.name == name:
                break
            at += tensor.size
        return tensor, at

    def read(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """Read rows of an array that is completely written."""
        tensor, at = self._place(name)
        shape = (stop - start, *tensor.shape[1:])
        row = prod(shape[1:]) * _DTYPES[tensor.dtype]
        data = self._file.read(at + start * row, (stop - start) * row)
        view: NDArray[Any] = np.frombuffer(data, _NUMPY[tensor.dtype]).reshape(shape)
        return view

    def view(self, name: str) -> NDArray[Any]:
        """Map an array that is completely written; drop the view before the file is complete."""
        tensor, at = self._place(name)
        # Before an array without bytes there may be a filler that is not written yet.
        data = self._file.view(at + tensor.size) if tensor.size else bytes(at)
        return np.ndarray(tensor.shape, _NUMPY[tensor.dtype], data, at)

    def _next(self) -> None:
        """Move to the next array, or write the current one if it is a filler."""
        tensor = self._plan[self._at]
        if tensor.name.startswith(_FILLER):
            self._file.write(bytes(tensor.size))
        elif self._written != tensor.size:
            raise InputValueError(
                f"{tensor.name}: {self._written} of {tensor.size} bytes were written"
            )
        self._at += 1
        self._written = 0

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            try:
                while self._at < len(self._plan):
                    self._next()
            except BaseException:
                self._file.__exit__(*sys.exc_info())
                raise
        self._file.__exit__(kind, value, trace)


def _lay_out(tensors: Sequence[Tensor], metadata: Mapping[str, str]) -> tuple[bytes, list[Tensor]]:
    """Return the header, and the arrays with fillers, so that each begins at a multiple of 64.

    The container allows no holes, so alignment needs fillers. The header is padded with spaces.
    """
    plan: list[Tensor] = []
    entries: dict[str, Any] = {"__metadata__": dict(metadata)}
    at = 0

    def add(tensor: Tensor) -> None:
        nonlocal at
        entries[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [at, at + tensor.size],
        }
        plan.append(tensor)
        at += tensor.size

    for tensor in tensors:
        if at % ALIGNMENT:
            add(Tensor(f"{_FILLER}{len(plan)}", "U8", (-at % ALIGNMENT,)))
        add(tensor)
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + _LENGTH) % ALIGNMENT)
    return len(text).to_bytes(_LENGTH, "little") + text, plan
