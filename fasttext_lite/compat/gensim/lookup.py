"""Keys to vectors: the methods that all sets of keyed vectors in gensim share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import flag
from fasttext_lite.compat.gensim.identity import Emulated, deprecated
from fasttext_lite.errors import InputValueError, UnknownWordError, UnsupportedError
from fasttext_lite.once import once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["CHANGES", "KEY_TYPES", "Lookup", "cosine", "divided", "lengths", "read_only"]

KEY_TYPES = (str, int, np.integer)

CHANGES = "the vectors of this package are read-only; to_gensim() returns an object of gensim"
_RENAMED = "gensim 4 renamed it:"
LEFT_OUT = {
    "adjust_vectors": CHANGES,
    "allocate_vecattrs": CHANGES,
    "intersect_word2vec_format": CHANGES,
    "resize_vectors": CHANGES,
    "set_vecattr": CHANGES,
    "similarity_unseen_docs": "gensim has it for Doc2Vec models only",
    "sort_by_descending_frequency": CHANGES,
    "unit_normalize_all": f"{CHANGES}; use get_normed_vectors()",
    "index2entity": f"{_RENAMED} index_to_key",
    "index2word": f"{_RENAMED} index_to_key",
    "vectors_norm": f"{_RENAMED} get_normed_vectors()",
    "vocab": f"{_RENAMED} key_to_index, and get_vecattr(key, 'count') for the counts",
}


class Lookup(Emulated, ABC):
    """Vectors by key.

    Attributes
    ----------
    vector_size : int
        Number of dimensions.
    index_to_key : sequence of str
    key_to_index : mapping of str to int
    """

    vector_size: int
    index_to_key: Sequence[Any]
    key_to_index: Mapping[Any, int]

    def __getattr__(self, name: str) -> Any:
        if name in LEFT_OUT:
            raise UnsupportedError(f"{type(self).__name__} has no {name} here: {LEFT_OUT[name]}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    @abstractmethod
    def vectors(self) -> NDArray[np.float32]:
        """The vectors of all keys: float32, shape (keys, dim), read-only."""

    @property
    @abstractmethod
    def expandos(self) -> dict[str, NDArray[Any]]:
        """The attributes of each key: ``"count"``, int64, shape (keys,)."""

    @abstractmethod
    def get_vector(self, key: Any, norm: bool = False) -> NDArray[np.float32]:
        """Return the vector of a key: float32, shape (dim,)."""

    def __str__(self) -> str:
        return f"{type(self).__name__}<vector_size={self.vector_size}, {len(self)} keys>"

    def __len__(self) -> int:
        return len(self.index_to_key)

    def __contains__(self, key: object) -> bool:
        return self.has_index_for(key)

    def __getitem__(self, key_or_keys: Any) -> NDArray[np.float32]:
        """Return the vector of a key, shape (dim,), or of several keys, shape (n, dim)."""
        if isinstance(key_or_keys, KEY_TYPES):
            return self.get_vector(key_or_keys)
        keys = list(key_or_keys)
        if not keys:
            raise InputValueError("need at least one key")
        return self._stacked(keys)

    def _stacked(self, keys: list[Any]) -> NDArray[np.float32]:
        return np.array([self.get_vector(key) for key in keys], np.float32)

    def get_index(self, key: Any, default: Any = None) -> Any:
        """Return the index of a key; an int below the number of keys is an index itself.

        Raises
        ------
        UnknownWordError
            The key does not exist, and `default` is None.
        """
        index = self.key_to_index.get(key, -1)
        if index >= 0:
            return index
        if isinstance(key, (int, np.integer)) and 0 <= key < len(self):
            return key
        if default is None:
            raise UnknownWordError(f"Key '{key}' not present")
        return default

    def has_index_for(self, key: Any) -> bool:
        """Return whether `get_index` finds a key."""
        return bool(self.get_index(key, -1) >= 0)

    def get_vecattr(self, key: Any, attr: str) -> Any:
        """Return an attribute of a key.

        Parameters
        ----------
        key : str or int
        attr : str
            ``"count"``: number of occurrences of the word in training, int64.

        Raises
        ------
        UnknownWordError
            The key or the attribute does not exist.
        """
        index = self.get_index(key)
        if attr not in self.expandos:
            raise UnknownWordError(attr)
        return self.expandos[attr][index]

    def word_vec(self, word: Any, norm: bool = False) -> NDArray[np.float32]:
        """Return the vector of a key: the name of `get_vector` in gensim 3."""
        deprecated("word_vec", "get_vector")
        return self.get_vector(word, norm)

    def init_sims(self, replace: bool = False) -> None:
        """Compute `norms`: the name of `fill_norms` in gensim 3.

        Raises
        ------
        UnsupportedError
            `replace` is true: the vectors are not replaced by those of length 1.
        """
        deprecated("init_sims", "fill_norms")
        if flag("replace", replace):
            raise UnsupportedError(
                f"init_sims cannot replace the vectors: {LEFT_OUT['unit_normalize_all']}"
            )
        self.fill_norms()

    @once
    def norms(self) -> NDArray[np.float32]:
        """The length of each vector: float32, shape (keys,), read-only."""
        return read_only(lengths(self.vectors))

    def fill_norms(self, force: bool = False) -> None:
        """Compute `norms`; they never change, so `force` has no effect."""
        self.norms  # noqa: B018 - computed and kept

    def get_normed_vectors(self) -> NDArray[np.float32]:
        """Return a new array of all vectors divided by their norms: float32, shape (keys, dim).

        A zero vector stays zero; gensim divides it by zero.
        """
        return divided(self.vectors, self.norms[:, np.newaxis])

    def get_mean_vector(
        self,
        keys: Any,
        weights: Any = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = True,
    ) -> NDArray[Any]:
        """Return the weighted mean of the vectors of some keys.

        Parameters
        ----------
        keys : list of (str or int or ndarray)
            Keys or vectors; a given vector is not normalised.
        weights : list of float or ndarray, optional
            One weight per key. The sum is divided by the sum of the absolute weights.
        pre_normalize, post_normalize : bool
            Divide each vector, and the mean, by its norm.
        ignore_missing : bool
            Leave out keys that do not exist.

        Returns
        -------
        ndarray
            float32, or float64 if `weights` is a float64 array; shape (dim,).

        Raises
        ------
        InputValueError
            There are no keys, or the number of weights differs.
        UnknownWordError
            A key does not exist, and `ignore_missing` is False.
        """
        pre_normalize = flag("pre_normalize", pre_normalize)
        post_normalize = flag("post_normalize", post_normalize)
        ignore_missing = flag("ignore_missing", ignore_missing)
        if len(keys) == 0:
            raise InputValueError("cannot compute mean with no input")
        if weights is None:
            weights = np.ones(len(keys), np.float32)
        elif isinstance(weights, list):
            weights = np.array(weights, np.float32)
        if len(keys) != weights.shape[0]:
            raise InputValueError("keys and weights array must have same number of elements")
        mean: NDArray[Any] = np.zeros(self.vector_size, np.float32)
        total = 0
        for key, weight in zip(keys, weights, strict=True):
            if isinstance(key, np.ndarray):
                vector = key
            elif key in self:
                vector = self.get_vector(key, norm=pre_normalize)
            elif ignore_missing:
                continue
            else:
                raise UnknownWordError(f"Key '{key}' not present in vocabulary")
            mean += weight * vector
            total += abs(weight)
        if total > 0:
            mean = mean / total
        return divided(mean, lengths(mean)).astype(np.float32) if post_normalize else mean


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view of an array that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


def lengths(vectors: NDArray[Any]) -> NDArray[Any]:
    """Return the length of a vector or of each row, without a matrix of squares in memory."""
    found: NDArray[Any] = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return found


def cosine(a: NDArray[Any], b: NDArray[Any]) -> np.float32:
    """Return the cosine of two vectors: exactly 1 if they are equal, 0 if one of them is zero."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return np.float32(divided(a @ b, np.sqrt((a @ a) * (b @ b))))


def divided(numbers: NDArray[Any], by: NDArray[Any]) -> NDArray[Any]:
    """Divide; division by zero gives zero."""
    shape = np.broadcast_shapes(numbers.shape, by.shape)
    out: NDArray[Any] = np.zeros(shape, np.result_type(numbers, by))
    np.divide(numbers, by, out=out, where=by > 0)
    return out
