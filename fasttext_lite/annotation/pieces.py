"""What the kinds of files have in common."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from fasttext_lite.errors import InputTypeError, InputValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ROWS", "SIZE", "Piece", "Rows", "located"]

# About how much is annotated at a time by one thread: long enough that the work outweighs what a
# call costs, short enough for an interrupt, and for a file of one row group to occupy all threads.
ROWS = 1 << 13
SIZE = 1 << 21


class Piece(NamedTuple):
    """A piece of a file, annotated.

    Attributes
    ----------
    data : object
        As the kind of file writes it.
    rows, kept : int
        Number of rows that were read, and that are written.
    """

    data: Any
    rows: int
    kept: int


class Rows(Protocol):
    """The rows of an open file."""

    @property
    def count(self) -> int | None:
        """Their number, if the head of the file tells it."""

    def pieces(self) -> Iterator[Any]:
        """Read the file."""

    def annotated(self, piece: Any) -> Piece:
        """Annotate what `pieces` yields, on any thread."""

    def write(self, pieces: Iterable[Any], sink: Any) -> None:
        """Write the data of annotated pieces, in their order, to a stream of Arrow."""


@contextmanager
def located(name: str, place: str = "") -> Iterator[None]:
    """Name the file, and the place of a piece in it, in an error about its content."""
    try:
        yield
    except (InputTypeError, InputValueError) as error:
        raise type(error)(f"{name}{place and ', '}{place}: {error}") from None
