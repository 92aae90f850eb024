"""Which annotated rows are kept: a condition in SQL, which DuckDB evaluates."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.errors import InputTypeError, InputValueError, MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Filter"]


class Filter:
    """A condition on the columns of a row, as it follows ``WHERE`` in SQL.

    Parameters
    ----------
    condition : str

    Raises
    ------
    InputTypeError
        `condition` is not a str.
    MissingExtraError
        DuckDB is not installed.
    """

    def __init__(self, condition: str) -> None:
        if not isinstance(condition, str):
            raise InputTypeError(f"filter must be str, not {type(condition).__name__}")
        try:
            import duckdb
        except ImportError:
            raise MissingExtraError("duckdb", "annotate") from None
        self._duckdb = duckdb
        self._condition = condition
        # By schema, since files of a folder have equal ones.
        self._names: dict[pa.Schema, list[str]] = {}
        # Each thread has a connection of its own.
        self._local = threading.local()

    def readable(self, schema: pa.Schema) -> list[str]:
        """Check that the condition is one on these columns, and list those that it may name.

        DuckDB does not read columns of every type.

        Parameters
        ----------
        schema : pyarrow.Schema

        Returns
        -------
        list of str

        Raises
        ------
        InputValueError
            DuckDB does not accept the condition.
        """
        if schema not in self._names:
            self._names[schema] = self._readable(schema)
        return self._names[schema]

    def rows(self, batch: pa.RecordBatch | pa.Table) -> pa.Array:
        """Return the indices of the rows for which the condition is true.

        Parameters
        ----------
        batch : pyarrow.RecordBatch or pyarrow.Table

        Returns
        -------
        pyarrow.Array
            int64, ascending.

        Raises
        ------
        InputValueError
            DuckDB does not accept the condition, or cannot evaluate it.
        """
        import pyarrow as pa

        # Rows of DuckDB would have types of its own, and it has one space of names for all cases.
        number = "row"
        while number in {name.lower() for name in batch.schema.names}:
            number += "_"
        columns = [*batch.columns, pa.array(np.arange(len(batch)))]
        table = pa.table(columns, [*batch.schema.names, number])
        try:
            found = self._connection().from_arrow(table).filter(self._condition).project(number)
            return found.to_arrow_table().column(0).combine_chunks()
        except self._duckdb.Error as error:
            raise InputValueError(self._told(error)) from None

    def _readable(self, schema: pa.Schema) -> list[str]:
        table = schema.empty_table()
        names = [name for name in schema.names if self._reads(table.select([name]))]
        self.rows(table.select(names))
        return names

    def _connection(self) -> Any:
        if not hasattr(self._local, "connection"):
            # A condition reads rows, not files.
            config: dict[str, Any] = {"threads": 1, "enable_external_access": False}
            self._local.connection = self._duckdb.connect(":memory:", config=config)
        return self._local.connection

    def _reads(self, table: pa.Table) -> bool:
        try:
            self._connection().from_arrow(table)
        except self._duckdb.Error:
            return False
        return True

    def _told(self, error: Exception) -> str:
        reason = " ".join(str(error).split("\n\n")[0].split())
        hint = ""
        if "Referenced column" in reason:
            hint = "; a text stands in single quotes, as in label in ('en', 'de')"
        return f"the filter {self._condition!r} cannot be evaluated: {reason}{hint}"
