"""Arrow arrays over NumPy arrays: made, shown as NumPy arrays, converted to related types.

A child of a null item is null as well, since some readers of structs look at the child alone. The
numbers of null items are NaN, so that a reader that overlooks the nulls does not overlook these.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite._core.text.columns import Array, take_strings
from fasttext_lite.errors import InputValueError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    Mask: TypeAlias = NDArray[np.bool_]
    Ids: TypeAlias = NDArray[np.int32]
    # A format, the schemas of children, and that of a dictionary or None.
    Schema: TypeAlias = tuple[str, list[Any], Any]

__all__ = [
    "as_list",
    "as_numpy",
    "codes",
    "counts",
    "decoded",
    "distinct_strings",
    "floats",
    "indices",
    "lists",
    "mask",
    "negotiated",
    "plain",
    "rows",
    "struct",
    "type_name",
]

# The formats of the Arrow C data interface that represent the same values.
_KINDS = {
    "strings": ("u", "U", "vu"),
    "floats": ("e", "f", "g"),
    "integers": tuple("cCsSiIlL"),
    "lists": ("+l", "+L", "+vl", "+vL", "+w"),
}
_NAMES = {"u": "string", "f": "float32", "l": "int64", "i": "int32"}
# The largest number that an offset can hold.
_MOST = 2**31 - 1


def _validity(present: Mask | None) -> tuple[NDArray[np.uint8] | None, int]:
    """Return a validity bitmap, None if nothing is null, and the number of nulls."""
    nulls = 0 if present is None else len(present) - int(np.count_nonzero(present))
    if present is None or not nulls:
        return None, 0
    return np.packbits(present, bitorder="little"), nulls


def floats(values: NDArray[np.float32], present: Mask | None = None) -> Array:
    """Return an array of numbers: float32, shape (n,), C-contiguous; nulls are set to NaN."""
    if present is not None:
        values[~present] = np.nan
    bits, nulls = _validity(present)
    return Array("f", len(values), (bits, values), nulls)


def counts(values: NDArray[np.int64], present: Mask | None = None) -> Array:
    """Return an array of whole numbers."""
    bits, nulls = _validity(present)
    return Array("l", len(values), (bits, values), nulls)


def rows(values: NDArray[np.float32], present: Mask | None = None) -> Array:
    """Return an array of vectors, shape (n, dim), as lists of fixed size; nulls are set to NaN."""
    if present is not None:
        values[~present] = np.nan
    bits, nulls = _validity(present)
    count, dim = values.shape
    return Array(f"+w:{dim}", count, (bits,), nulls, {"item": floats(values.reshape(-1))})


def struct(children: dict[str, Array], count: int, present: Mask | None = None) -> Array:
    """Return an array of structs from the arrays of their fields."""
    bits, nulls = _validity(present)
    return Array("+s", count, (bits,), nulls, children)


def lists(lengths: NDArray[np.int64], items: Array, present: Mask | None = None) -> Array:
    """Return an array of lists with these lengths, which are 0 where an item is null."""
    bits, nulls = _validity(present)
    return Array("+l", len(lengths), (bits, _offsets(lengths)), nulls, {"item": items})


def _offsets(lengths: NDArray[np.int64]) -> Ids:
    """Return where each of many strings or lists begins, and where the last one ends.

    Raises
    ------
    InputValueError
        They do not fit into one Arrow array.
    """
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    if offsets[-1] > _MOST:
        raise InputValueError(
            f"{offsets[-1]:,} bytes or items do not fit into one Arrow array, which holds "
            f"{_MOST:,}: pass smaller batches"
        )
    return offsets.astype(np.int32)


def distinct_strings(texts: Sequence[str]) -> tuple[Array, Ids]:
    """Return an array of the distinct strings, and the index of each in it: int32, shape (n,).

    Bytes that are not UTF-8 (``errors="surrogateescape"``) become U+FFFD, as Arrow requires.
    """
    index: dict[bytes, int] = {}
    ids = np.empty(len(texts), np.int32)
    for i, text in enumerate(texts):
        encoded = text.encode("utf-8", "surrogateescape")
        valid = encoded.decode("utf-8", "replace").encode()
        ids[i] = index.setdefault(valid, len(index))
    offsets = _offsets(np.array([len(text) for text in index], np.int64))
    data = np.frombuffer(b"".join(index), np.uint8)
    return Array("u", len(index), (None, offsets, data)), ids


def indices(ids: Ids, values: Array, present: Mask | None = None) -> Array:
    """Return a dictionary-encoded array; `ids` of nulls are set to 0."""
    if present is not None:
        ids[~present] = 0
    bits, nulls = _validity(present)
    return Array("i", len(ids), (bits, ids), nulls, dictionary=values)


def codes(array: Array) -> Ids:
    """Return the indices of a dictionary-encoded array, -1 for nulls."""
    valid, ids = mask(array), _buffer(array, 1)
    return ids if valid is None else np.where(valid, ids, np.int32(-1))


def decoded(array: Array) -> Array:
    """Return a dictionary-encoded array of strings as an array of strings."""
    assert array.dictionary is not None  # noqa: S101
    starts, data = _buffer(array.dictionary, 1), _buffer(array.dictionary, 2)
    wanted = codes(array)
    # An id of -1 has the last length, which is none.
    lengths = np.append(np.diff(starts), 0)[wanted].astype(np.int64)
    offsets = _offsets(lengths)
    out = np.empty(offsets[-1], np.uint8)
    take_strings(data, starts, wanted, out)
    return Array("u", array.length, (array.buffers[0], offsets, out), array.null_count)


def plain(array: Array) -> Array:
    """Return an array in which strings are not dictionary-encoded."""
    if array.dictionary is not None:
        return decoded(array)
    children = {name: plain(child) for name, child in array.children.items()}
    return Array(array.format, array.length, array.buffers, array.null_count, children)


def mask(array: Array) -> Mask | None:
    """Return which items are not null, or None if none is."""
    if array.buffers[0] is None:
        return None
    bits = np.unpackbits(_buffer(array, 0), count=array.length, bitorder="little")
    return bits.view(np.bool_)


def as_numpy(array: Array) -> NDArray[Any]:
    """Return the items as a NumPy array: see `Column.to_numpy`."""
    valid = mask(array)
    if array.dictionary is not None:
        # Each string is decoded once; nulls have the last item, None.
        names = np.empty(array.dictionary.length + 1, object)
        names[:-1] = as_numpy(array.dictionary)
        return names[codes(array)]
    if array.format in ("u", "+l"):
        return _objects(array, valid)
    found: NDArray[Any]
    if array.format == "+s":
        fields = {name: as_numpy(child) for name, child in array.children.items()}
        found = np.empty(array.length, [(name, one.dtype) for name, one in fields.items()])
        for name, one in fields.items():
            found[name] = one
        return found
    if array.format[:2] == "+w":
        items = as_numpy(array.children["item"])
        return items.reshape(array.length, int(array.format[3:]))
    found = _buffer(array, 1).view()
    found.flags.writeable = False
    return found


def _objects(array: Array, valid: Mask | None) -> NDArray[np.object_]:
    """Return strings or lists as objects, None for nulls."""
    ends = _buffer(array, 1).tolist()
    text = b"" if array.children else _buffer(array, 2).tobytes()
    items = as_numpy(array.children["item"]) if array.children else None
    found = np.empty(array.length, object)
    for i in range(array.length):
        if valid is None or valid[i]:
            one = slice(ends[i], ends[i + 1])
            found[i] = text[one].decode() if items is None else items[one]
    return found


def as_list(array: Array) -> list[Any]:
    """Return the items as Python objects, None for nulls; vectors are NumPy arrays."""
    valid = mask(array)
    found: list[Any]
    if array.format[:2] == "+w":
        found = list(as_numpy(array))
    elif array.format == "+l":
        ends, items = _buffer(array, 1).tolist(), as_list(array.children["item"])
        found = [items[start:end] for start, end in pairwise(ends)]
    else:
        found = as_numpy(array).tolist()
    if valid is not None:
        for i in np.flatnonzero(~valid).tolist():
            found[i] = None
    return found


def _buffer(array: Array, i: int) -> NDArray[Any]:
    buffer = array.buffers[i]
    assert buffer is not None  # noqa: S101 - only bitmaps are left out
    return buffer


def negotiated(array: Array, wanted: Schema) -> Array:
    """Return an array in the type that a consumer asks for, or in its own if it has only that.

    Raises
    ------
    InputValueError
        The type is that of other values.
    """
    form, children, dictionary = wanted
    own = (array.dictionary or array).format
    asked = form if dictionary is None else dictionary[0]
    if (
        _kind(own) != _kind(asked)
        or len(array.children) != len(children)
        or (own[:2] == asked[:2] == "+w" and own != asked)
    ):
        raise InputValueError(
            f"this is a column of {type_name(array)}, which is not converted to another type "
            f"(the Arrow format asked for is {asked!r})"
        )
    if array.dictionary is not None:
        return decoded(array) if dictionary is None else array
    parts = {
        name: negotiated(child, one)
        for (name, child), one in zip(array.children.items(), children, strict=True)
    }
    return Array(array.format, array.length, array.buffers, array.null_count, parts)


def _kind(form: str) -> str:
    """Return what values an Arrow format represents."""
    form = form.partition(":")[0]
    return next((kind for kind, forms in _KINDS.items() if form in forms), form)


def type_name(array: Array) -> str:
    """Return the type of an array as Arrow writes it."""
    if array.dictionary is not None:
        return f"dictionary<{type_name(array.dictionary)}>"
    if array.format == "+s":
        fields = ", ".join(f"{name}: {type_name(one)}" for name, one in array.children.items())
        return f"struct<{fields}>"
    if array.format[0] == "+":
        size = f"[{array.format[3:]}]" if array.format[1] == "w" else ""
        return f"list<{type_name(array.children['item'])}>{size}"
    return _NAMES[array.format]
