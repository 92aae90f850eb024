"""Files of one row a line, JSON or plain text, annotated block by block."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyarrow import compute
from pyarrow import json as arrow_json

from fasttext_lite.annotation.pieces import ROWS, SIZE, Piece, located
from fasttext_lite.errors import FileError, FormatError, InputValueError
from fasttext_lite.frames import near
from fasttext_lite.lines import read_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fasttext_lite.annotation.filters import Filter
    from fasttext_lite.annotator import Annotator

__all__ = ["JsonLines", "TextLines"]


class Lines(NamedTuple):
    """Consecutive lines of a file.

    Attributes
    ----------
    number : int
        Of the first line, from 1.
    offset : int
        Of the first line, in bytes.
    lines : list of bytes
        Without their newlines.
    """

    number: int
    offset: int
    lines: list[bytes]


class TextLines:
    """A file of texts, one a line.

    An annotated line begins with the added columns, each followed by a tab, and ends with the text
    as it was, whatever that holds.

    Parameters
    ----------
    file : pyarrow.NativeFile
        Decompresses itself.
    name : str
        For error messages.
    annotator : Annotator
    keep : Filter or None

    Raises
    ------
    InputValueError
        `keep` is no condition on the columns.
    """

    # Not known before the file is read.
    count: int | None = None

    def __init__(
        self, file: pa.NativeFile, name: str, annotator: Annotator, keep: Filter | None
    ) -> None:
        self._file = file
        self._name = name
        self._annotator = annotator
        self._keep = keep
        if keep is not None:
            with located(name):
                keep.readable(pa.table({**self._named([], []), **self._columns([])}).schema)

    def pieces(self) -> Iterator[Lines]:
        """Yield the lines."""
        number, offset = 1, 0
        try:
            for block, _ in read_blocks(self._file, SIZE >> 1):
                for start in range(0, len(block), ROWS):
                    lines = block[start : start + ROWS]
                    yield Lines(number, offset, lines)
                    number += len(lines)
                    offset += sum(map(len, lines)) + len(lines)
        except FileError as error:
            # Raised by reading alone.
            raise FileError(
                f"line {number} or one after it cannot be read: {error.strerror}", self._name
            ) from None

    def annotated(self, piece: Lines) -> Piece:
        """Return a piece as it is written, without the rows that are not kept.

        Raises
        ------
        InputValueError
            The filter cannot be evaluated.
        """
        lines = piece.lines
        with located(self._name, f"lines from {piece.number:,} on"):
            return self._written(pa.array(lines, pa.binary()), lines, lines)

    def write(self, pieces: Iterable[pa.Buffer], sink: pa.NativeFile) -> None:
        """Write annotated pieces in their order."""
        for piece in pieces:
            sink.write(piece)

    def _columns(self, texts: Any) -> dict[str, pa.Array]:
        """Return the added columns."""
        found = self._annotator.columns(texts)
        return {name: pa.array(column) for name, column in found.items()}

    def _named(self, lines: list[bytes], texts: Any) -> dict[str, pa.Array]:
        """Return what a filter may name besides the added columns."""
        del lines
        return {self._annotator.column: _utf8(texts)}

    def _written(self, begins: pa.Array, lines: list[bytes], texts: Any) -> Piece:
        """Return the rows that are kept, as they are written.

        Parameters
        ----------
        begins : pyarrow.Array
            What is written of each line.
        lines : list of bytes
        texts : list of str or bytes, or pyarrow.Array
            Those of the lines.
        """
        columns = self._columns(texts)
        if self._keep is not None:
            rows = self._keep.rows(pa.table({**self._named(lines, texts), **columns}))
            begins = begins.take(rows)
            columns = {name: column.take(rows) for name, column in columns.items()}
        text = compute.binary_join_element_wise(*self._parts(begins, columns), b"")
        size = compute.sum(compute.binary_length(text)).as_py()
        return Piece(text.buffers()[2][:size] if size else b"", len(lines), len(begins))

    def _parts(
        self, lines: pa.Array, columns: dict[str, pa.Array]
    ) -> Iterator[pa.Array | pa.Scalar]:
        for column in columns.values():
            yield compute.fill_null(_plain(column), b"")
            yield b"\t"
        yield lines
        yield b"\n"


class JsonLines(TextLines):
    """A file of JSON objects, one a line.

    The added columns are written after the fields of an object, which stay as they are, byte by
    byte. Empty lines are left out. Parameters are as for `TextLines`.
    """

    def annotated(self, piece: Lines) -> Piece:
        """Return a piece as it is written, without the rows that are not kept.

        Raises
        ------
        FormatError
            A line is no JSON object, or its field of texts holds something else.
        InputValueError
            No line has the field of texts, or one has a field of the name of an added column.
        """
        lines = [line for line in map(bytes.strip, piece.lines) if line]
        packed = pa.array(lines, pa.binary())
        texts = self._texts(lines, packed)
        if texts is None:
            # Slower, but it finds the line that is wrong, if there is one.
            texts = [fields.get(self._annotator.column) for fields in self._objects(piece)]
        with located(self._name):
            self._check_fields(piece, texts)
        with located(self._name, f"lines from {piece.number:,} on"):
            # A line up to its last brace.
            return self._written(compute.binary_slice(packed, 0, -1), lines, texts)

    def _named(self, lines: list[bytes], texts: Any) -> dict[str, pa.Array]:
        return {"json": _utf8(lines), **super()._named(lines, texts)}

    def _parts(
        self, lines: pa.Array, columns: dict[str, pa.Array]
    ) -> Iterator[pa.Array | pa.Scalar | bytes]:
        yield lines
        separator = compute.if_else(
            compute.match_substring_regex(lines, r"^\{\s*$"), pa.scalar(b""), pa.scalar(b", ")
        )
        for name, column in columns.items():
            yield separator
            yield f"{json.dumps(name)}: ".encode()
            yield compute.fill_null(_as_json(column), b"null")
            separator = b", "
        yield b"}\n"

    def _texts(self, lines: list[bytes], packed: pa.Array) -> pa.Array | None:
        """Return the texts of some lines; None if Arrow does not read these as one object each."""
        begin, end = compute.starts_with(packed, "{"), compute.ends_with(packed, "}")
        if begin.true_count < len(lines) or end.true_count < len(lines):
            return None
        block = b"\n".join(lines)
        if not block:
            return pa.array([], pa.string())
        field = pa.field(self._annotator.column, pa.string())
        try:
            table = arrow_json.read_json(
                pa.BufferReader(block),
                arrow_json.ReadOptions(use_threads=False, block_size=len(block)),
                arrow_json.ParseOptions(pa.schema([field]), unexpected_field_behavior="ignore"),
            )
        except pa.ArrowException:
            return None
        # A line may hold two objects, or an object two lines.
        return table.column(0).combine_chunks() if len(table) == len(lines) else None

    def _objects(self, piece: Lines) -> Iterator[dict[str, Any]]:
        """Yield the object of each line that is not empty."""
        offset = piece.offset
        for number, line in enumerate(piece.lines, piece.number):
            if line.strip():
                yield self._object(line, f"line {number:,}", offset)
            offset += len(line) + 1

    def _object(self, line: bytes, field: str, offset: int) -> dict[str, Any]:
        try:
            found = json.loads(line.decode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError) as error:
            raise FormatError(field, offset, f"this is not JSON: {error}", self._name) from None
        if not isinstance(found, dict):
            kind = "an array" if isinstance(found, list) else f"{found!r:.40}"
            raise FormatError(
                field, offset, f"this is {kind}; each line must be a JSON object", self._name
            )
        text = found.get(self._annotator.column)
        if text is not None and not isinstance(text, str):
            raise FormatError(
                field,
                offset,
                f"the field {self._annotator.column!r} must hold a text, not {text!r:.40}",
                self._name,
            )
        return found

    def _check_fields(self, piece: Lines, texts: Any) -> None:
        """Check the names of the fields, of those lines in which something may be wrong."""
        column = self._annotator.column
        if piece.number == 1 and len(texts) and _is_null(texts):
            names = {name: None for fields in self._objects(piece) for name in fields}
            if column not in names:
                raise InputValueError(
                    f"no line of the first {len(piece.lines):,} has a field "
                    f"{column!r}{near(column, [*names])}"
                )
        block = b"\n".join(piece.lines)
        taken = [name for name in self._annotator.names if json.dumps(name).encode() in block]
        if taken:
            for fields in self._objects(piece):
                for name in taken:
                    if name in fields:
                        raise InputValueError(
                            f"there is a field {name!r} already: pass another name for the added "
                            "one"
                        )


def _is_null(texts: Any) -> bool:
    if isinstance(texts, pa.Array):
        return bool(texts.null_count == len(texts))
    return all(text is None for text in texts)


def _utf8(texts: Any) -> pa.Array:
    """Return texts as strings of Arrow; what is not UTF-8 becomes U+FFFD."""
    if not isinstance(texts, pa.Array):
        texts = [one.encode(errors="replace") if isinstance(one, str) else one for one in texts]
        texts = pa.array(texts, pa.binary())
    try:
        return texts.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        # One by one, which few files need.
        found = texts.cast(pa.binary()).to_pylist()
        return pa.array([one and one.decode(errors="replace") for one in found], pa.string())


def _as_json(column: pa.Array) -> pa.Array:
    """Return each item as JSON, in bytes."""
    kind = column.type
    if pa.types.is_string(kind):
        # Few are distinct.
        encoded = column.dictionary_encode()
        words = [json.dumps(word).encode() for word in encoded.dictionary.to_pylist()]
        return pa.array(words, pa.binary()).take(encoded.indices)
    if not pa.types.is_nested(kind):
        return column.cast(pa.string()).cast(pa.binary())
    if pa.types.is_string(kind.value_type):
        lists = [None if one is None else json.dumps(one).encode() for one in column.to_pylist()]
        return pa.array(lists, pa.binary())
    joined = compute.binary_join(column.cast(pa.list_(pa.string())), ", ")
    # JSON has no names for these.
    joined = compute.replace_substring_regex(joined, "-?(nan|inf)", "null")
    return compute.binary_join_element_wise("[", joined, "]", "").cast(pa.binary())


def _plain(column: pa.Array) -> pa.Array:
    """Return each item in bytes, those of a list separated by spaces."""
    if pa.types.is_nested(column.type):
        column = compute.binary_join(column.cast(pa.list_(pa.string())), " ")
    return column.cast(pa.string()).cast(pa.binary())
