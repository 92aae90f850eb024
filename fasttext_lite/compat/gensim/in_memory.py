"""Keys and vectors in memory, which grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import flag, whole
from fasttext_lite.compat.gensim.lookup import KEY_TYPES, divided, lengths, read_only
from fasttext_lite.compat.gensim.similarity import Similarity
from fasttext_lite.errors import InputValueError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from typing_extensions import Self

__all__ = ["InMemory"]


class InMemory(Similarity):
    """Keys and vectors in memory; the parameters are those of `KeyedVectors`."""

    def __init__(
        self, vector_size: int, count: int = 0, dtype: Any = np.float32, mapfile_path: None = None
    ) -> None:
        size = whole("vector_size", vector_size, 1)
        if np.dtype(dtype) != np.float32:
            raise UnsupportedError(f"vectors are float32 here, not {np.dtype(dtype)}")
        self._set([], np.empty((0, size), np.float32), None)

    def _set(
        self, keys: Sequence[Any], vectors: NDArray[np.float32], counts: NDArray[np.int64] | None
    ) -> None:
        """Set keys, vectors, shape (keys, dim), and counts, shape (keys,), which are not copied."""
        self.vector_size = vectors.shape[1]
        self.index_to_key = list(keys)
        places: dict[Any, int] = {}
        for index, key in enumerate(self.index_to_key):
            # Of equal keys the first one counts.
            places.setdefault(key, index)
        self.key_to_index = places
        self._vectors = read_only(vectors)
        self._counts = counts if counts is None else read_only(counts)
        vars(self).pop("norms", None)

    @classmethod
    def _of(
        cls, keys: Sequence[Any], vectors: NDArray[np.float32], counts: NDArray[np.int64] | None
    ) -> Self:
        made = cls.__new__(cls)
        made._set(keys, vectors, counts)
        return made

    def add_vectors(
        self, keys: Any, weights: Any, extras: None = None, replace: bool = False
    ) -> None:
        """Add keys and their vectors.

        Parameters
        ----------
        keys : str or int, or list of those
        weights : array or list of arrays
            A vector for each key.
        extras : None
            Attributes of keys are not supported.
        replace : bool
            Replace the vectors of existing keys; by default they stay as they are.

        Raises
        ------
        InputValueError
            The shape of `weights` is not (keys, dim).
        UnsupportedError
            There are `extras`.
        """
        if extras:
            raise UnsupportedError("attributes of keys are not supported here: leave out extras")
        keys = [keys] if isinstance(keys, KEY_TYPES) else list(keys)
        rows = np.asarray(weights, np.float32)
        if rows.ndim == 1 and len(keys) == 1:
            rows = rows[np.newaxis]
        if rows.shape != (len(keys), self.vector_size):
            raise InputValueError(
                f"the vectors of {len(keys)} keys must have shape ({len(keys)}, "
                f"{self.vector_size}), not {rows.shape}"
            )
        known = dict(self.key_to_index)
        new: dict[Any, int] = {}
        for place, key in enumerate(keys):
            if key not in known:
                new.setdefault(key, place)
        vectors = np.concatenate([self._vectors, rows[list(new.values())]])
        if flag("replace", replace):
            for place, key in enumerate(keys):
                if key in known:
                    vectors[known[key]] = rows[place]
        counts = self._counts
        if counts is not None:
            counts = np.concatenate([counts, np.zeros(len(new), np.int64)])
        self._set([*self.index_to_key, *new], vectors, counts)

    def add_vector(self, key: Any, vector: Any) -> int:
        """Add a key with its vector, and return its index."""
        self.add_vectors([key], [vector])
        return self.key_to_index[key]

    def __setitem__(self, keys: Any, weights: Any) -> None:
        self.add_vectors(keys, weights, replace=True)

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors of all keys: float32, shape (keys, dim), read-only."""
        return self._vectors

    @property
    def expandos(self) -> dict[str, NDArray[Any]]:
        """The attributes of each key: ``"count"``, int64, shape (keys,), read-only, if known."""
        return {} if self._counts is None else {"count": self._counts}

    def get_vector(self, key: Any, norm: bool = False) -> NDArray[np.float32]:
        """Return the vector of a key.

        Parameters
        ----------
        key : str or int
        norm : bool
            Divide the vector by its norm.

        Returns
        -------
        ndarray
            float32, shape (dim,), read-only.

        Raises
        ------
        UnknownWordError
            The key does not exist.
        """
        norm = flag("norm", norm)
        vector = self.vectors[self.get_index(key)]
        return read_only(divided(vector, lengths(vector))) if norm else vector
