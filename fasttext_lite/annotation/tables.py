"""Parquet files, annotated row group by row group."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet

from fasttext_lite.annotation.pieces import ROWS, SIZE, Piece, located
from fasttext_lite.errors import FileError, InputTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fasttext_lite.annotation.filters import Filter
    from fasttext_lite.annotator import Annotator

__all__ = ["ParquetRows"]

# What a writer calls a codec that is read.
_CODECS = {"UNCOMPRESSED": "NONE", "LZ4_RAW": "LZ4"}

_TEXTS = frozenset(
    ("string", "large_string", "string_view", "binary", "large_binary", "binary_view", "null")
)


class ParquetRows:
    """The rows of a Parquet file.

    Parameters
    ----------
    file : pyarrow.NativeFile
    name : str
        For error messages.
    annotator : Annotator
    keep : Filter or None

    Raises
    ------
    FileError
        This is not a Parquet file, or it cannot be read.
    InputTypeError
        The column of texts is of another type.
    InputValueError
        It has no column of texts, or one of the name of an added column; or `keep` is no condition
        on its columns.
    """

    def __init__(
        self, file: pa.NativeFile, name: str, annotator: Annotator, keep: Filter | None
    ) -> None:
        self._name = name
        self._annotator = annotator
        self._keep = keep
        with _reading(name):
            self._file = parquet.ParquetFile(file, pre_buffer=True)
            table = self._file.schema_arrow.empty_table()
        with located(name):
            self._schema = annotator(table).schema
            _check_texts(table.schema.field(annotator.column))
            self._named = [] if keep is None else keep.readable(self._schema)

    @property
    def count(self) -> int:
        """The number of rows."""
        count: int = self._file.metadata.num_rows
        return count

    def pieces(self) -> Iterator[tuple[int, int, pa.RecordBatch]]:
        """Yield the number of a row group, that of a row, and the rows from there on."""
        row = 0
        with _reading(self._name):
            for group in range(self._file.num_row_groups):
                about = self._file.metadata.row_group(group)
                most = SIZE * about.num_rows // max(about.total_byte_size, 1)
                rows = max(1, min(ROWS, most))
                for batch in self._file.iter_batches(rows, row_groups=[group]):
                    yield group, row, batch
                    row += len(batch)

    def annotated(self, piece: tuple[int, int, pa.RecordBatch]) -> Piece:
        """Return a piece with the added columns, and the rows that are kept of it."""
        group, row, batch = piece
        with located(self._name, f"rows from {row:,} on"):
            found = self._annotator(batch)
            if self._keep is not None:
                found = found.take(self._keep.rows(found.select(self._named)))
        return Piece((group, found), len(batch), len(found))

    def write(self, pieces: Iterable[tuple[int, pa.RecordBatch]], sink: pa.NativeFile) -> None:
        """Write annotated pieces in their order, a row group for each of the source."""
        with parquet.ParquetWriter(sink, self._schema, compression=self._codec()) as writer:
            for _, group in groupby(pieces, key=itemgetter(0)):
                table = pa.Table.from_batches([batch for _, batch in group], self._schema)
                if len(table):
                    writer.write_table(table, row_group_size=len(table))

    def _codec(self) -> str:
        """Return the codec of most columns."""
        about = self._file.metadata
        if not about.num_row_groups or not about.num_columns:
            return "SNAPPY"
        first = about.row_group(0)
        codecs = Counter(first.column(i).compression for i in range(first.num_columns))
        codec: str = codecs.most_common(1)[0][0]
        return _CODECS.get(codec, codec)


def _check_texts(field: pa.Field) -> None:
    """Refuse a column by its type, since a file may hold numbers far behind missing ones."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if str(kind) not in _TEXTS:
        raise InputTypeError(f"column {field.name!r} of type {field.type} holds no texts")


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"cannot be read as Parquet: {error}", name) from None
