"""Labels and vectors as functions of DuckDB.

>>> import duckdb
>>> from fasttext_lite.integrations.duckdb import register
>>> con = duckdb.connect()
>>> register(con, "sample", label=None, sentence_vector="embed")
>>> con.sql("SELECT typeof(embed('the king'))").fetchall()
[('FLOAT[40]',)]

DuckDB calls a function with some thousand texts at a time, from several threads. Arrow arrays go in
and out, for which DuckDB needs pyarrow.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fasttext_lite import columns
from fasttext_lite.errors import InputTypeError, InputValueError, MissingExtraError
from fasttext_lite.loading import load

try:
    import pyarrow
except ImportError:
    raise MissingExtraError("pyarrow", "duckdb") from None

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    import duckdb

    from fasttext_lite.arguments import PathType
    from fasttext_lite.columns import Column
    from fasttext_lite.predictions import Labels

__all__ = ["register"]

_LABEL = "STRUCT(label VARCHAR, probability FLOAT)"


def register(
    con: duckdb.DuckDBPyConnection,
    path: PathType,
    *,
    label: str | None = "label",
    vector: str | None = None,
    sentence_vector: str | None = None,
    k: int = 1,
    threshold: float = 0.0,
    labels: Labels | None = None,
    renormalize: bool = False,
    official_bias: bool = False,
    strip_prefix: bool = True,
    missing: Literal["raise", "empty"] = "empty",
    newlines: Literal["raise", "space"] = "raise",
    errors: Literal["strict", "replace"] = "strict",
    sha256: str | None = None,
    threads: int | None = 1,
) -> None:
    """Make functions of a connection, of one VARCHAR each, from a model.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    path : str, bytes or os.PathLike
        As for `fasttext_lite.load`; the model is opened at once.
    label : str or None
        Name of a function: the most probable label with its probability, STRUCT(label VARCHAR,
        probability FLOAT). It is NULL where a text is NULL or has no label. If `k` is not 1, it is
        a list of them, best first; NULL where a text is NULL. None makes no such function.
    vector : str or None
        Name of a function: the vector of the text as one word, FLOAT[dim].
    sentence_vector : str or None
        Name of a function: the vector of the text, FLOAT[dim]. ``array_cosine_similarity`` and the
        like accept it.
    k, threshold, labels, renormalize, official_bias, missing, newlines, errors
        As for `fasttext_lite.columns.labels`; the last three for sentence vectors, too.
    strip_prefix : bool
        Remove ``__label__`` from the labels.
    sha256 : str, optional
        As for `fasttext_lite.load`.
    threads : int or None
        Number of threads of a call; DuckDB calls from several threads itself.

    Raises
    ------
    FileError, FormatError
        As for `fasttext_lite.load`.
    ModelKindError
        `label` is given, and the model has no labels.
    InputTypeError, InputValueError
        An option has the wrong type or value, or no function is named. Queries raise the errors of
        `fasttext_lite.columns` as errors of DuckDB.
    duckdb.Error
        The connection has such a function already.
    """
    names = [name for name in (label, vector, sentence_vector) if name is not None]
    for one in names:
        if not isinstance(one, str):
            raise InputTypeError(f"the name of a function must be str, not {type(one).__name__}")
    if not names or len(set(names)) < len(names):
        raise InputValueError(
            "no function is named: pass label, vector or sentence_vector"
            if not names
            else f"two functions have the same name: {', '.join(names)}"
        )
    model = load(path, sha256=sha256)
    texts: dict[str, Any] = {
        "missing": missing, "newlines": newlines, "errors": errors, "threads": threads
    }  # fmt: skip
    of_labels: dict[str, Any] = texts | {
        "k": k, "threshold": threshold, "labels": labels, "renormalize": renormalize,
        "official_bias": official_bias, "strip_prefix": strip_prefix, "dictionary": False,
    }  # fmt: skip
    dim = f"FLOAT[{model.dim}]"
    made: list[tuple[str | None, str, Callable[..., Column]]] = [
        (label, _LABEL if k == 1 else f"{_LABEL}[]", partial(columns.labels, model, **of_labels)),
        (vector, dim, partial(columns.vectors, model, threads=threads)),
        (sentence_vector, dim, partial(columns.sentence_vectors, model, **texts)),
    ]
    wanted = [(name, kind, answer) for name, kind, answer in made if name is not None]
    for _, _, answer in wanted:
        # Checks the options, before anything is registered.
        answer([])
    # The stubs of DuckDB do not know that the two kinds may be given as str.
    connection: Any = con
    for name, kind, answer in wanted:
        connection.create_function(
            name, _in_arrow(answer), ["VARCHAR"], kind, type="arrow", null_handling="special"
        )


def _in_arrow(answer: Callable[..., Column]) -> Callable[[Any], Any]:
    return lambda texts: pyarrow.array(answer(texts))
