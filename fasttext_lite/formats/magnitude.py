"""Files of Magnitude, ``.magnitude``: a SQLite database of words and their vectors.

The table ``magnitude`` has a row for each word: ``key``, and the columns ``dim_0``, ``dim_1``, …
with whole numbers, which are the vector times ``10**precision``. The table ``magnitude_format`` has
the sizes. The vectors have the length 1; pymagnitude returns them so, too.

Source: ``converter.py`` of pymagnitude.
"""

from __future__ import annotations

import tempfile
from array import array
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite.errors import FastTextLiteError, FormatError
from fasttext_lite.formats.word_vectors import word_vectors
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fasttext_lite.formats.file import ModelFile
    from fasttext_lite.parts import Parts

__all__ = ["read", "recognize"]

_MAGIC = b"SQLite format 3\0"
_NEWEST = 2
_MOST_PRECISION = 38
# Numbers that are converted at a time, and bytes that are copied at a time.
_NUMBERS = 1 << 16
_BLOCK = 1 << 22
# Steps of SQLite between two checks, and how many are fine for any file. A row takes about a step
# for each of its numbers, and each number takes at least a byte.
_STEPS = 1 << 16
_FREE_STEPS = 1 << 22
# magnitude_format has a row for each dimension, and some more.
_MOST_SETTINGS = 1 << 17
_SETTINGS = ("size", "dim", "precision", "version", "elmo")


def recognize(begin: bytes) -> bool:
    """Return whether a file that begins like this is a SQLite database."""
    return begin.startswith(_MAGIC)


def read(file: ModelFile, *, progress: bool = False) -> Parts:
    """Read a file of Magnitude into memory.

    Parameters
    ----------
    file : ModelFile
        Open.
    progress : bool
        Show a bar if reading takes over a second and stderr is a terminal.

    Returns
    -------
    Parts
        Words and their vectors. There are no subwords, and the counts are 0.

    Raises
    ------
    FileError
        The file cannot be read.
    FormatError
        The database is damaged, is of another program, or contradicts itself.
    FastTextLiteError
        This Python was built without SQLite.
    """
    try:
        import sqlite3
    except ImportError as error:
        raise FastTextLiteError(
            f"{file.name}: this Python cannot read SQLite databases ({error}): export the vectors "
            "as text with pymagnitude first"
        ) from None
    try:
        with _path(file) as path, closing(_connect(path, file)) as database:
            _check_tables(database, file)
            settings = _settings(database, file)
            words, offsets, vectors = _rows(database, file, settings, progress=progress)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise _error(
            file, "database", f"SQLite cannot read this file ({error}): it is damaged, or is not "
            "from Magnitude; download or copy it again"
        ) from None  # fmt: skip
    return _parts(file, settings, words, offsets, vectors)


def _error(file: ModelFile, field: str, reason: str) -> FormatError:
    return FormatError(field, 0, reason, file.name)


def _size(file: ModelFile) -> int:
    """Return the size of the database in bytes."""
    return file.size if file.content_size is None else file.content_size


@contextmanager
def _path(file: ModelFile) -> Iterator[str]:
    """Return a path where SQLite finds the database: the file's own, or that of a copy."""
    if file.path is not None and not file.packing:
        yield file.path
        return
    with tempfile.TemporaryDirectory(prefix="fasttext-lite-") as folder:
        copy = Path(folder, "copy.magnitude")
        content = file.seekable()
        with copy.open("wb") as target:
            while block := content.read(_BLOCK):
                target.write(block)
        yield str(copy)


def _connect(path: str, file: ModelFile) -> sqlite3.Connection:
    """Open the database so that nothing in it is executed, and no step is endless."""
    import sqlite3

    uri = Path(path).as_uri() + "?mode=ro&immutable=1"
    database = sqlite3.connect(uri, uri=True, isolation_level=None)
    database.text_factory = bytes
    left = (4 * _size(file) + _FREE_STEPS) // _STEPS

    def stop() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    database.set_progress_handler(stop, _STEPS)
    for name, value in (("trusted_schema", "OFF"), ("cell_size_check", "ON"), ("mmap_size", "0")):
        database.execute(f"PRAGMA {name}={value}")
    return database


def _check_tables(database: sqlite3.Connection, file: ModelFile) -> None:
    """Make sure that both tables are tables, so that reading them computes nothing."""
    for name in ("magnitude", "magnitude_format"):
        found = database.execute(
            "SELECT rootpage, sql FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)
        ).fetchone()
        if found is None:
            raise _error(
                file, name, f"this SQLite database has no table {name}: it is not from Magnitude"
            )
        rootpage, sql = found
        columns = database.execute(f"PRAGMA table_xinfo({name})").fetchall()
        if (
            not isinstance(rootpage, int)
            or rootpage < 1
            or not isinstance(sql, bytes)
            or not sql.upper().startswith(b"CREATE TABLE")
            or any(column[-1] != 0 for column in columns)
        ):
            raise _error(file, name, f"{name} is computed: it is not from Magnitude")


def _settings(database: sqlite3.Connection, file: ModelFile) -> dict[str, int]:
    """Read the sizes, and check them against the size of the file."""
    found: dict[str, int] = {"version": 1, "elmo": 0}
    seen = set()
    rows = database.execute("SELECT key, value FROM magnitude_format NOT INDEXED")
    for number, (key, value) in enumerate(rows):
        if number == _MOST_SETTINGS:
            raise _error(file, "magnitude_format", f"it has more than {_MOST_SETTINGS} rows")
        name = key.lower().decode("latin-1") if isinstance(key, bytes) else None
        if name not in _SETTINGS or name in seen:
            continue
        if not isinstance(value, int):
            raise _error(file, name, f"{name} is not a whole number")
        seen.add(name)
        found[name] = value
    missing = [name for name in _SETTINGS if name not in found]
    if missing:
        raise _error(file, missing[0], f"magnitude_format does not say the {missing[0]}")
    if found["version"] > _NEWEST:
        raise _error(
            file, "version", f"this is version {found['version']} of the format of Magnitude, but "
            f"only versions up to {_NEWEST} are supported"
        )  # fmt: skip
    if found["elmo"]:
        raise _error(
            file, "elmo", "this is an ELMo model, whose vectors depend on the sentence: open it "
            "with pymagnitude"
        )  # fmt: skip
    columns = {
        column[1].lower() for column in database.execute("PRAGMA table_xinfo(magnitude)").fetchall()
    }
    dim, size = found["dim"], found["size"]
    if not 1 <= dim <= len(columns):
        raise _error(file, "dim", f"dim is {dim}, but the table has {len(columns)} columns")
    for i in range(dim):
        if b"dim_%d" % i not in columns:
            raise _error(file, "dim", f"dim is {dim}, but the table has no column dim_{i}")
    # Each row has a byte for the type of each of its columns.
    if not 0 <= size <= _size(file) // (dim + 2):
        raise _error(
            file, "size", f"size is {size}, but {_size(file)} bytes cannot hold that many vectors "
            f"of {dim} numbers: the file is truncated or damaged; download or copy it again"
        )  # fmt: skip
    if not 0 <= found["precision"] <= _MOST_PRECISION:
        raise _error(
            file, "precision", f"precision is {found['precision']}, outside [0, {_MOST_PRECISION}]"
        )
    return found


def _rows(
    database: sqlite3.Connection, file: ModelFile, settings: dict[str, int], *, progress: bool
) -> tuple[bytearray, NDArray[np.uint64], NDArray[np.float32]]:
    """Read words and vectors: all words, where each ends, and the numbers."""
    size, dim = settings["size"], settings["dim"]
    words = bytearray()
    offsets = np.zeros(size + 1, np.uint64)
    vectors = np.empty((size, dim), np.float32)
    numbers = array("q")
    ends = array("Q")
    at = 0

    def flush() -> None:
        nonlocal at
        stop = at + len(ends)
        vectors[at:stop] = np.frombuffer(numbers, np.int64).reshape(-1, dim)
        offsets[at + 1 : stop + 1] = ends
        advance(len(ends))
        at = stop
        del numbers[:], ends[:]

    # In brackets a name that is missing is an error; in quotes it would be a text.
    columns = ", ".join(f"[dim_{i}]" for i in range(dim))
    with progress_bar("reading", size, "words", show=progress) as advance:
        for number, row in enumerate(
            database.execute(f"SELECT [key], {columns} FROM magnitude NOT INDEXED")  # noqa: S608
        ):
            if number == size:
                raise _error(file, "size", f"size is {size}, but the table has more rows")
            if not isinstance(row[0], bytes):
                raise _error(file, f"row {number + 1}", "its key is not a text")
            words += row[0]
            if len(words) > _size(file):
                raise _error(file, f"row {number + 1}", "the words are longer than the file")
            try:
                numbers.extend(row[1:])
            except TypeError:
                raise _error(
                    file, f"row {number + 1}", "its vector holds something else than whole numbers"
                ) from None
            ends.append(len(words))
            if len(numbers) >= _NUMBERS:
                flush()
        if ends:
            flush()
    if at < size:
        raise _error(
            file, "size", f"size is {size}, but the table has {at} rows: the file is truncated or "
            "damaged; download or copy it again"
        )  # fmt: skip
    vectors /= np.float32(10.0 ** settings["precision"])
    return words, offsets, vectors


def _parts(
    file: ModelFile,
    settings: dict[str, int],
    words: bytearray,
    offsets: NDArray[np.uint64],
    vectors: NDArray[np.float32],
) -> Parts:
    size = len(vectors)
    counts = np.zeros(size, np.int64)
    vocabulary = Vocabulary.stored(memoryview(words).toreadonly(), offsets, counts, size, 0)
    vectors.flags.writeable = False
    name = f"Magnitude (SQLite), version {settings['version']}"
    return word_vectors(file, name, vocabulary, vectors, word_bytes=len(words))
