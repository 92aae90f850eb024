"""Checks of the arguments of a search: words, tuples of words, query vectors, ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.arguments import whole
from fasttext_lite.errors import InputTypeError, InputValueError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import NDArray

    Word: TypeAlias = str | bytes

__all__ = ["query_vectors", "word_ids", "word_tuples"]


def query_vectors(
    query: Any, dim: int, vectors: Callable[[list[Word]], NDArray[np.float32]]
) -> tuple[bool, NDArray[np.float32], list[tuple[Word, ...]]]:
    """Read the query of a search: a word, a vector, or many of those.

    Parameters
    ----------
    query : str, bytes, array, or iterable
        An array of numbers is one vector, shape (dim,), or many, shape (n, dim). An array of
        strings (NumPy or Arrow) and any other iterable hold many queries. Arrays of numbers may be
        of any library with ``__array__`` or ``__dlpack__``, such as tensors of PyTorch.
    dim : int
        Number of dimensions of a vector.
    vectors : callable
        Returns the vectors of a list of words, shape (n, dim).

    Returns
    -------
    single : bool
        Whether `query` is one query rather than many.
    vectors : ndarray
        float32, shape (n, dim).
    words : list of tuple of str or bytes
        The word of each query, as a tuple of one item; empty for a vector.

    Raises
    ------
    InputTypeError
        A query is neither a word nor a vector of numbers.
    InputValueError
        A vector has another shape.
    """
    if isinstance(query, (str, bytes)):
        return True, vectors([query]), [(query,)]
    query = _array(query, "the query")
    if isinstance(query, np.ndarray) and query.dtype.kind not in "USTO":
        numbers = _numbers(query, dim, "the query")
        if query.ndim not in (1, 2) or query.shape[-1] != dim:
            raise InputValueError(
                f"a query array must have shape ({dim},) for one vector, or (n, {dim}) for many, "
                f"not {query.shape}"
            )
        return query.ndim == 1, numbers.reshape(-1, dim), [()] * (numbers.size // dim)
    queries = _items(query, "a query must be a word, a vector or an iterable of those")
    found = np.empty((len(queries), dim), np.float32)
    words: list[tuple[Word, ...]] = [
        (one,) if isinstance(one, (str, bytes)) else () for one in queries
    ]
    named = [i for i, word in enumerate(words) if word]
    if named:
        found[named] = vectors([queries[i] for i in named])
    for i, word in enumerate(words):
        if not word:
            found[i] = _vector(queries[i], dim, f"query {i}")
    return False, found, words


def word_tuples(names: Sequence[str], *given: Any) -> tuple[bool, list[tuple[Word, ...]]]:
    """Read one tuple of words from separate arguments, or many from an iterable.

    Parameters
    ----------
    names : sequence of str
        The names of the arguments, for error messages.
    *given
        A word for each name; or an iterable of tuples, then None for the other names.

    Returns
    -------
    single : bool
        Whether the words were given as separate arguments.
    tuples : list of tuple of str or bytes
        Each has one word per name.

    Raises
    ------
    InputTypeError
        An argument is missing or is not a word.
    InputValueError
        An item of the iterable is not a tuple with one word per name.
    """
    first, *others = given
    size = len(names)
    if isinstance(first, (str, bytes)):
        for name, word in zip(names[1:], others, strict=True):
            if word is None:
                raise InputTypeError(
                    f"{name} is missing: give {size} words, or one iterable of tuples of {size} "
                    "words"
                )
            if not isinstance(word, (str, bytes)):
                raise InputTypeError(f"{name} must be str or bytes, not {type(word).__name__}")
        return True, [given]
    if any(other is not None for other in others):
        raise InputTypeError(f"{names[0]} must be str or bytes, not {type(first).__name__}")
    found: list[tuple[Word, ...]] = []
    for i, item in enumerate(
        _items(first, f"{names[0]} must be a word or an iterable of tuples of {size} words")
    ):
        if not isinstance(item, Sequence) or isinstance(item, (str, bytes)) or len(item) != size:
            raise InputValueError(f"item {i} is not a tuple of {size} words: {item!r:.80}")
        found.append(tuple(item))
    return False, found


def word_ids(
    name: str,
    words: Iterable[Word | int],
    word_id: Callable[[Word], int],
    count: int,
    *,
    skip_unknown: bool,
) -> NDArray[np.int32]:
    """Return the ids of words, each given as a word or as its id.

    Parameters
    ----------
    name : str
        The name of the argument, for error messages.
    words : iterable of str, bytes or int
    word_id : callable
        Returns the id of a word, or -1.
    count : int
        Number of words in the vocabulary.
    skip_unknown : bool
        Leave unknown words out, instead of raising.

    Returns
    -------
    ndarray
        int32, shape (n,).

    Raises
    ------
    InputTypeError
        `words` is a single word, or an item is neither a word nor a whole number.
    InputValueError
        A word is unknown, or no word has this id.
    """
    if isinstance(words, (str, bytes)):
        raise InputTypeError(f"{name} must be an iterable of words, not a single one")
    ids = []
    for word in _items(words, f"{name} must be an iterable of words or ids"):
        if isinstance(word, (str, bytes)):
            found = word_id(word)
            if found >= 0:
                ids.append(found)
            elif not skip_unknown:
                raise InputValueError(f"{name}: {word!r} is not in the vocabulary")
        elif isinstance(word, bool) or not hasattr(word, "__index__"):
            raise InputTypeError(f"{name} must hold str, bytes or int, not {type(word).__name__}")
        else:
            found = whole(name, word)
            if not 0 <= found < count:
                raise InputValueError(f"{name}: no word has the id {found}; there are {count}")
            ids.append(found)
    return np.array(ids, np.int32)


def _items(values: Any, rule: str) -> list[Any]:
    """Return the items of an iterable; those of an array of strings are str or bytes."""
    if isinstance(values, np.ndarray):
        items = values.tolist()
        if isinstance(items, list):
            return items
    elif _is_arrow(values):
        try:
            return list(WordBatch(values))
        except InputTypeError:
            if getattr(values, "ndim", 1) != 1:
                raise
            # Ids, or a column of vectors. Items of pyarrow are no Python objects.
            return list(values.to_pylist() if hasattr(values, "to_pylist") else values)
    elif isinstance(values, Iterable):
        return list(values)
    raise InputTypeError(f"{rule}, not {type(values).__name__}")


def _is_arrow(values: Any) -> bool:
    return hasattr(values, "__arrow_c_array__") or hasattr(values, "__arrow_c_stream__")


def _array(value: Any, name: str) -> Any:
    """Return an array of another library as a NumPy array, and any other object as it is."""
    if isinstance(value, np.ndarray) or _is_arrow(value):
        return value
    try:
        if hasattr(value, "__array__"):
            return np.asarray(value)
        if hasattr(value, "__dlpack__"):
            return np.from_dlpack(value)
    except Exception as error:
        # Each library has errors of its own: of a tensor that is on a GPU, or has gradients.
        raise InputTypeError(
            f"{name} is a {type(value).__name__} that NumPy cannot read: {error}"
        ) from None
    return value


def _vector(value: Any, dim: int, name: str) -> NDArray[np.float32]:
    if value is None or isinstance(value, (bool, int, float, np.generic)):
        raise InputTypeError(
            f"{name} must be a word or a vector, not {type(value).__name__}: give the numbers of "
            "one vector as an array, np.array([...])"
        )
    found = _numbers(_array(value, name), dim, name)
    if found.shape not in ((dim,), (1, dim)):
        raise InputValueError(f"{name} must have shape ({dim},), not {found.shape}")
    return found.reshape(dim)


def _numbers(value: Any, dim: int, name: str) -> NDArray[np.float32]:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        array = np.empty(0, object)
    if array.dtype.kind not in "fiu":
        raise InputTypeError(
            f"{name} must be str, bytes or a vector of {dim} numbers, not {type(value).__name__}"
            + (f" of {array.dtype}" if isinstance(value, np.ndarray) else "")
        )
    with np.errstate(over="ignore"):
        return array.astype(np.float32)
