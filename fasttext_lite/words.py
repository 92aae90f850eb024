"""The words of a vocabulary as a sequence that makes each str when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from fasttext_lite.errors import InputValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.vocabulary import Vocabulary

__all__ = ["Words"]

_SHOWN = 6


class Words(Sequence[str]):
    """Some entries of a vocabulary, in order: words or labels.

    Nothing is stored: an item is decoded when it is asked for, and a slice is such a sequence
    again. Bytes that are no UTF-8 come as lone surrogates (``errors="surrogateescape"``).

    Parameters
    ----------
    vocabulary : Vocabulary
    ids : range
        The entries of the vocabulary that the sequence shows.
    """

    __slots__ = ("_ids", "_vocabulary")

    def __init__(self, vocabulary: Vocabulary, ids: range) -> None:
        self._vocabulary = vocabulary
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Words: ...
    def __getitem__(self, index: int | slice) -> str | Words:
        if isinstance(index, slice):
            return Words(self._vocabulary, self._ids[index])
        return self._decode(self._ids[index])

    def __iter__(self) -> Iterator[str]:
        return map(self._decode, self._ids)

    def __reversed__(self) -> Iterator[str]:
        return map(self._decode, reversed(self._ids))

    def __contains__(self, word: object) -> bool:
        try:
            return isinstance(word, (str, bytes)) and self._vocabulary.id(word) in self._ids
        except InputValueError:
            # A str with a lone surrogate that stands for no byte is not the text of any word.
            return False

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (str, bytes)) or not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(repr(word) for word in self[:_SHOWN])
        more = ", …" if len(self) > _SHOWN else ""
        return f"<Words: {len(self)} of [{shown}{more}]>"

    def index(self, value: str | bytes, start: int = 0, stop: int | None = None) -> int:
        """Return the place of a word, found through the index of the vocabulary.

        Raises
        ------
        ValueError
            The word is not there.
        """
        stop = len(self) if stop is None else stop
        place = -1
        found = self._vocabulary.id(value)
        if found in self._ids:
            place = self._ids.index(found)
        if place not in range(*slice(start, stop).indices(len(self))):
            raise InputValueError(f"{value!r} is not in the vocabulary")
        return place

    def count(self, value: object) -> int:
        """Return how often a word is there; only a damaged vocabulary holds one twice."""
        return sum(1 for word in self if word == value)

    def packed(self) -> tuple[bytes, NDArray[np.uint64]]:
        """Return the bytes of these words end to end, and where each begins.

        Returns
        -------
        bytes
        ndarray
            uint64, one more than there are words; word ``i`` is ``text[starts[i]:starts[i + 1]]``.
        """
        ids = np.arange(self._ids.start, self._ids.stop, self._ids.step, dtype=np.int32)
        text, starts, _ = self._vocabulary.pack(ids)
        return text, np.frombuffer(starts, np.uint64)

    def _decode(self, i: int) -> str:
        return self._vocabulary.bytes(i).decode("utf-8", "surrogateescape")
