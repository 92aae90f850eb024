"""Spark: the texts of a column, labelled by the Python workers of the executors.

`annotate` adds columns to a data frame, and `annotator_udf` is an Arrow function for expressions
and SQL. Both work with classic sessions and with Spark Connect.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fasttext_lite.errors import (
    InputTypeError,
    InputValueError,
    MissingExtraError,
)
from fasttext_lite.integrations.shipping import at, file_of, tried

try:
    import pyarrow as pa
    from pyspark import SparkFiles
    from pyspark.sql import SparkSession

    # The stubs of pyspark lack it.
    from pyspark.sql.functions import arrow_udf  # type: ignore[attr-defined,unused-ignore]
    from pyspark.sql.types import (
        ArrayType,
        BinaryType,
        DataType,
        FloatType,
        LongType,
        StringType,
        StructField,
        StructType,
    )
except ImportError:
    raise MissingExtraError("pyspark 4.1 or newer, and pyarrow", "spark") from None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyspark.sql import Column, DataFrame

    from fasttext_lite.annotator import Annotator
    from fasttext_lite.arguments import PathType

__all__ = ["annotate", "annotator_udf"]


def annotate(
    df: DataFrame, path: PathType, column: str = "text", *, ship: bool = False, **options: Any
) -> DataFrame:
    """Add the labels and vectors of texts to a data frame.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        Of a classic session or of Spark Connect.
    path : str, bytes or os.PathLike
        The file of the model. Each Python worker maps it, so that the workers of a machine share
        one copy.
    column : str
        The name of the column of texts, exactly as it is in `df`.
    ship : bool
        False expects the file under this path on all machines, for instance on a shared disk. True
        sends it from this machine to every executor, once (``SparkSession.addArtifacts``).
    **options
        As for `fasttext_lite.Annotator`, except `dictionary`.

    Returns
    -------
    pyspark.sql.DataFrame
        With all columns of `df`, and of the added ones labels as string, probabilities as float,
        counts as long, vectors as array<float>, and for `k` other than 1 arrays of labels and
        probabilities. It is as lazy as `df`.

    Raises
    ------
    InputTypeError
        The column does not hold strings, or an option has the wrong type.
    InputValueError
        `df` has no such column, or has a column with the name of an added one.
    MissingFileError
        With ``ship=True``, or where vectors are added: there is no such file on this machine.
        Otherwise the workers look for it, and a worker that does not find it, or finds another one
        than there is here, raises an error that names the machine.
    """
    annotator = _annotator(path, column, ship, options)
    # With the names of `df`, which are checked; the types are those of Spark.
    schema = annotator.schema(pa.schema([(name, pa.null()) for name in df.columns]))
    kind = df.schema[column].dataType
    if not isinstance(kind, (StringType, BinaryType)):
        raise InputTypeError(f"column {column!r} of type {kind.simpleString()} holds no texts")
    fields = [*df.schema.fields, *_fields(list(schema)[len(df.columns) :])]
    sent = _Sent(annotator, df.sparkSession if ship else None)
    return df.mapInArrow(sent.iterate, StructType(fields))


def annotator_udf(path: PathType, *, ship: bool = False, **options: Any) -> Callable[..., Column]:
    """Return an Arrow function of a column of texts, for expressions and SQL.

    Parameters
    ----------
    path, ship, **options
        As for `annotate`. ``ship=True`` sends the file by the active session.

    Returns
    -------
    function
        As `pyspark.sql.functions.arrow_udf` returns it. Its value is a struct of what `annotate`
        adds, by default of ``label`` and ``probability``; or the label alone if nothing else is
        added, and so on.

    Raises
    ------
    InputTypeError, InputValueError, MissingFileError
        As for `annotate`; or there is no active session to send the file by.
    """
    annotator = _annotator(path, "text", ship, options)
    fields = _fields(annotator.schema())
    session = SparkSession.getActiveSession() if ship else None
    if ship and session is None:
        raise InputValueError("ship=True sends the file by the active session: there is none yet")
    sent, alone = _Sent(annotator, session), len(fields) == 1

    def added(texts: pa.Array) -> pa.Array:
        columns = {name: pa.array(column) for name, column in sent.annotator.columns(texts).items()}
        if alone:
            return next(iter(columns.values()))
        return pa.StructArray.from_arrays(list(columns.values()), names=list(columns))

    # Here, since the hints above are text in this module.
    added.__annotations__ = {"texts": pa.Array, "return": pa.Array}
    kind = fields[0].dataType if alone else StructType(fields)
    found: Callable[..., Column] = arrow_udf(added, kind)
    return found


class _Sent:
    """An annotator on its way to the workers, by the path of its file or with the file."""

    def __init__(self, annotator: Annotator, session: SparkSession | None) -> None:
        self._annotator, self._shipped = annotator, ""
        if session is not None:
            file, member = file_of(annotator)
            session.addArtifacts(file, file=True)
            self._shipped = Path(file).name
            self._member = member

    @property
    def annotator(self) -> Annotator:
        """The annotator in a worker."""
        if not self._shipped:
            return self._annotator
        return at(self._annotator, SparkFiles.get(self._shipped) + self._member)

    def iterate(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in self.annotator.iterate(batches):
            yield batch.cast(
                pa.schema([field.with_type(_readable(field.type)) for field in batch.schema])
            )


def _readable(kind: pa.DataType) -> pa.DataType:
    """Return a type that Spark reads: it knows no lists of fixed size."""
    return pa.list_(kind.value_type) if pa.types.is_fixed_size_list(kind) else kind


def _annotator(path: PathType, column: str, ship: bool, options: dict[str, Any]) -> Annotator:
    """Return an annotator, which is tried if this machine has the file."""
    if options.get("dictionary"):
        raise InputValueError("Spark reads no dictionary-encoded columns: leave out dictionary")
    return tried(path, column, ship, options)


def _fields(fields: Iterable[pa.Field]) -> list[StructField]:
    return [StructField(field.name, _spark_type(field.type)) for field in fields]


def _spark_type(kind: pa.DataType) -> DataType:
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return ArrayType(_spark_type(kind.value_type))
    if pa.types.is_int64(kind):
        return LongType()
    return FloatType() if pa.types.is_float32(kind) else StringType()
