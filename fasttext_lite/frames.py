"""Batches of rows in the forms of several libraries: a column of texts out, more columns in.

A library is asked for only if the program has imported it: the batch would not exist otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fasttext_lite import arrays
from fasttext_lite.columns import Column
from fasttext_lite.errors import InputTypeError

if TYPE_CHECKING:
    from fasttext_lite._core.text.columns import Array

__all__ = ["Frame", "frame_of", "near"]


_HINTS = {
    "DuckDBPyRelation": "call relation.map(annotator), or pass relation.arrow()",
    "LazyFrame": "collect it, or use the expressions of fasttext_lite.integrations.polars",
}


class Frame(Protocol):
    """A batch of rows."""

    @property
    def names(self) -> list[Any]:
        """The names of the columns."""

    def column(self, name: str) -> Any:
        """Return a column, as a call for many texts reads it."""

    def type_of(self, name: str) -> str:
        """Return the type of a column, for errors."""

    def extended(self, name: str, added: dict[str, Array], *, dictionary: bool) -> Any:
        """Return a batch of the same form with more columns.

        Parameters
        ----------
        name : str
            The column of texts.
        added : dict of str to Array
            Strings are dictionary-encoded.
        dictionary : bool
            Whether they stay so, where the form has that.
        """


def frame_of(batch: object) -> Frame:
    """Return the frame over a batch.

    Raises
    ------
    InputTypeError
        The batch has no form that is known here.
    """
    found: type[Any] | None = None
    pyarrow, pandas, polars = (sys.modules.get(name) for name in ("pyarrow", "pandas", "polars"))
    if isinstance(batch, Mapping):
        found = _Columns
    elif pyarrow is not None and isinstance(batch, (pyarrow.RecordBatch, pyarrow.Table)):
        found = _ArrowFrame
    elif pandas is not None and isinstance(batch, pandas.DataFrame):
        found = _PandasFrame
    elif polars is not None and isinstance(batch, polars.DataFrame):
        found = _PolarsFrame
    if found is None:
        kind = type(batch).__name__
        raise InputTypeError(
            "a batch must be a dict of arrays or lists, a RecordBatch, Table or RecordBatchReader "
            f"of pyarrow, or a DataFrame of pandas or Polars, not {kind}; "
            f"{_HINTS.get(kind, 'for texts alone call columns(texts)')}"
        )
    frame: Frame = found(batch)
    return frame


def near(name: str, names: list[Any]) -> str:
    """Return names like one that does not exist, or the first ones, for an error."""
    from difflib import get_close_matches

    given = [one for one in names if isinstance(one, str)]
    folded = {one.lower(): one for one in reversed(given)}
    found = [folded[one] for one in get_close_matches(name.lower(), folded, 3)]
    if found:
        return f" (near ones: {', '.join(map(repr, found))})"
    more = ", …" if len(names) > 10 else ""
    return f" (there are: {', '.join(map(repr, names[:10]))}{more})" if names else " (it has none)"


class _Columns:
    """A dict of arrays or lists, as Ray and `datasets` hand over."""

    def __init__(self, batch: Mapping[str, Any]) -> None:
        self._batch = batch

    @property
    def names(self) -> list[Any]:
        return list(self._batch)

    def column(self, name: str) -> Any:
        return self._batch[name]

    def type_of(self, name: str) -> str:
        column = self._batch[name]
        return str(getattr(column, "dtype", None) or type(column).__name__)

    def extended(self, name: str, added: dict[str, Array], *, dictionary: bool) -> dict[str, Any]:
        as_list = isinstance(self._batch[name], (list, tuple))
        convert = arrays.as_list if as_list else arrays.as_numpy
        return {**self._batch, **{one: convert(array) for one, array in added.items()}}


class _ArrowFrame:
    def __init__(self, batch: Any) -> None:
        self._batch = batch

    @property
    def names(self) -> list[Any]:
        return list(self._batch.schema.names)

    def column(self, name: str) -> Any:
        return self._batch.column(name)

    def type_of(self, name: str) -> str:
        return str(self._batch.schema.field(name).type)

    def extended(self, name: str, added: dict[str, Array], *, dictionary: bool) -> Any:
        pyarrow = sys.modules["pyarrow"]
        schema, columns = self._batch.schema, list(self._batch.columns)
        for one, array in added.items():
            columns.append(pyarrow.array(Column(array if dictionary else arrays.plain(array))))
            schema = schema.append(pyarrow.field(one, columns[-1].type))
        return type(self._batch).from_arrays(columns, schema=schema)


class _PandasFrame:
    def __init__(self, batch: Any) -> None:
        self._batch = batch

    @property
    def names(self) -> list[Any]:
        return list(self._batch.columns)

    def column(self, name: str) -> Any:
        return self._batch[name]

    def type_of(self, name: str) -> str:
        return str(self._batch[name].dtype)

    def extended(self, name: str, added: dict[str, Array], *, dictionary: bool) -> Any:
        return self._batch.assign(
            **{one: _for_pandas(array, dictionary) for one, array in added.items()}
        )


def _for_pandas(array: Array, dictionary: bool) -> Any:
    """Return what pandas assigns as a column, of one dtype whatever the rows are."""
    pandas = sys.modules["pandas"]
    if array.dictionary is not None and dictionary:
        codes = arrays.codes(array)
        return pandas.Categorical.from_codes(codes, arrays.as_numpy(array.dictionary))
    values = arrays.as_numpy(array)
    if array.dictionary is not None:
        # The default of this version: objects, or strings.
        return pandas.array(values, dtype=pandas.Series(["a"]).dtype)
    if array.format == "l":
        present = arrays.mask(array)
        absent = np.zeros(len(values), np.bool_) if present is None else ~present
        return pandas.arrays.IntegerArray(values.copy(), absent)
    if array.format == "f":
        return values.copy()
    found = np.empty(len(values), object)
    for i, one in enumerate(arrays.as_list(array)):
        found[i] = one
    return found


class _PolarsFrame:
    def __init__(self, batch: Any) -> None:
        self._batch = batch

    @property
    def names(self) -> list[Any]:
        return list(self._batch.columns)

    def column(self, name: str) -> Any:
        return self._batch.get_column(name)

    def type_of(self, name: str) -> str:
        return str(self._batch.schema[name])

    def extended(self, name: str, added: dict[str, Array], *, dictionary: bool) -> Any:
        polars = sys.modules["polars"]
        return self._batch.with_columns(
            [
                polars.Series(Column(array if dictionary else arrays.plain(array))).alias(one)
                for one, array in added.items()
            ]
        )
