"""The words or labels of a model as a sequence that decodes each str on access."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from fasttext_lite.arguments import decode
from fasttext_lite.errors import InputValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.vocabulary import Vocabulary

__all__ = ["LABEL_PREFIX", "Words"]

# The default prefix of labels in training; no file records the prefix.
LABEL_PREFIX = "__label__"
# Number of words in a repr.
_SHOWN = 6


class Words(Sequence[str]):
    """Some entries of a vocabulary, in order: words or labels.

    An item is decoded on access, and a slice is another such sequence. The vocabulary is read
    lazily: the length is known without it. Bytes that are not UTF-8 become lone surrogates
    (``errors="surrogateescape"``). The sequence pickles as a tuple of str.

    Parameters
    ----------
    read_vocabulary : callable
        Returns the `Vocabulary`; called on each access.
    ids : range
        Ids of the entries.
    """

    __slots__ = ("_ids", "_read_vocabulary")

    def __init__(self, read_vocabulary: Callable[[], Vocabulary], ids: range) -> None:
        self._read_vocabulary = read_vocabulary
        self._ids = ids

    def __reduce__(self) -> tuple[type[tuple[str, ...]], tuple[list[str]]]:
        return tuple, (list(self),)

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Words: ...
    def __getitem__(self, index: int | slice) -> str | Words:
        if isinstance(index, slice):
            return self._part(self._ids[index])
        return self._spell(self._read_vocabulary().bytes(self._ids[index]))

    def __iter__(self) -> Iterator[str]:
        return self._decoded(self._ids)

    def __reversed__(self) -> Iterator[str]:
        return self._decoded(reversed(self._ids))

    def _decoded(self, ids: Iterable[int]) -> Iterator[str]:
        return map(self._spell, map(self._read_vocabulary().bytes, ids))

    def __contains__(self, word: object) -> bool:
        return self._place(word) >= 0

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (str, bytes)) or not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(repr(word) for word in self[:_SHOWN])
        more = ", …" if len(self) > _SHOWN else ""
        return f"<{type(self).__name__}: {len(self)} of [{shown}{more}]>"

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the position of a word, found through the index of the vocabulary.

        Parameters
        ----------
        value : str or bytes
            Anything else is not in the sequence.
        start, stop : int, optional
            Search only positions in ``range(len(self))[start:stop]``.

        Raises
        ------
        InputValueError
            The word is not in the sequence. It is a ValueError.
        """
        place = self._place(value)
        if place not in range(len(self))[start:stop]:
            raise InputValueError(f"{value!r} is not in the vocabulary")
        return place

    def _place(self, word: object) -> int:
        """Return the position of a word, or -1."""
        entry = self._entry(word)
        return self._ids.index(entry) if entry in self._ids else -1

    def count(self, value: object) -> int:
        """Return the number of occurrences of a word: more than 1 only in some damaged files."""
        word = decode(value) if isinstance(value, bytes) else value
        return sum(1 for other in self if other == word)

    def packed(self) -> tuple[bytes, NDArray[np.uint64]]:
        """Return the bytes of these words in one buffer.

        Returns
        -------
        text : bytes
            The words, one after the other without separators.
        offsets : ndarray
            uint64, shape (n + 1,), in bytes: word i is ``text[offsets[i]:offsets[i + 1]]``.
        """
        ids = np.arange(self._ids.start, self._ids.stop, self._ids.step, dtype=np.int32)
        text, offsets, _ = self._read_vocabulary().pack(ids)
        return text, offsets

    # What a sequence of other names for the same words replaces.

    _spell = staticmethod(decode)

    def _part(self, ids: range) -> Words:
        return Words(self._read_vocabulary, ids)

    def _entry(self, word: object) -> int:
        """Return the id of a word, or -1."""
        if not isinstance(word, (str, bytes)):
            return -1
        try:
            return self._read_vocabulary().id(word)
        except InputValueError:
            # No bytes decode to this str.
            return -1
