"""Write small files of Magnitude as its converter does, well-formed or not."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SCHEMA", "database", "magnitude"]

SCHEMA = (
    "CREATE TABLE `magnitude` (key TEXT COLLATE NOCASE, {dims}, magnitude REAL);",
    "CREATE TABLE `magnitude_format` (key TEXT COLLATE NOCASE, value INTEGER);",
)


def database(*statements: str | tuple[str, Sequence[Any]]) -> bytes:
    """Return a SQLite database after these statements, each with its values or without."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "database")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA page_size = 512")
            for statement in statements:
                connection.execute(*([statement] if isinstance(statement, str) else statement))
            connection.commit()
        return path.read_bytes()


def magnitude(
    rows: Sequence[tuple[Any, Sequence[Any]]],
    dim: int,
    settings: Mapping[str, Any] | None = None,
    schema: Sequence[str] = SCHEMA,
) -> bytes:
    """Return a file with these words and vectors, which are stored as they are given.

    Parameters
    ----------
    rows : sequence of (word, numbers)
    dim : int
        Number of columns.
    settings : mapping, optional
        Values of magnitude_format that replace the true ones; those of None are left out.
    schema : sequence of str
    """
    truth = {"version": 2, "elmo": 0, "size": len(rows), "dim": dim, "precision": 7, "entropy": 0}
    dims = ", ".join(f"dim_{i} INTEGER" for i in range(dim))
    marks = ", ".join("?" * (dim + 2))
    return database(
        *(statement.replace("{dims}", dims) for statement in schema),
        *(
            (f"INSERT INTO magnitude VALUES ({marks})", (word, *numbers, 1.5))  # noqa: S608
            for word, numbers in rows
        ),
        *(
            ("INSERT INTO magnitude_format VALUES (?, ?)", (key, value))
            for key, value in (truth | dict(settings or {})).items()
            if value is not None
        ),
        "CREATE INDEX `magnitude_key_idx` ON `magnitude` (key)",
        "CREATE INDEX `magnitude_dim_0_idx` ON `magnitude` (dim_0)",
    )
