"""Vectors for known and unknown words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.errors import (
    InputTypeError,
    InputValueError,
    MissingExtraError,
    MissingFileError,
)
from fasttext_lite.integrations.spacy.saved import FILE, SavedModel

try:
    from spacy.attrs import IDS
    from spacy.util import ensure_path, registry
    from spacy.vectors import BaseVectors
    from thinc.api import get_current_ops
except ImportError as error:
    raise MissingExtraError(error.name or "spacy", "spacy") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from fasttext_lite.model import Model

__all__ = ["FastTextVectors", "create_vectors"]


class FastTextVectors(BaseVectors):  # type: ignore[misc]
    """The vectors of a model: of its words, and of other words by their n-grams.

    ``nlp.vocab.vectors`` of a pipeline whose configuration has ``[nlp.vectors]`` with ``@vectors =
    "fasttext_lite.Vectors.v1"``. The file is mapped, so that all processes share it, and it is
    opened when a vector is first needed. The vectors cannot be changed.

    Saved with a pipeline are the path and a fingerprint of the file, not the file.

    Parameters
    ----------
    path : str
        As for `fasttext_lite.load`.
    attr : str
        The attribute of a token that is looked up: ``"ORTH"``, its text, or ``"LOWER"`` or
        ``"NORM"``.
    strings : spacy.strings.StringStore, optional
        Those of the vocabulary.

    Raises
    ------
    InputTypeError, InputValueError, FileError
        `path` is not a path, or there is no such attribute.
    """

    # spaCy's name for vectors that are computed for any word.
    mode = "floret"
    n_keys = -1
    is_full = True

    def __init__(self, path: str, attr: str = "ORTH", *, strings: Any = None) -> None:
        if not isinstance(attr, str):
            raise InputTypeError(f"attr must be str, not {type(attr).__name__}")
        self._attr = attr.upper()
        if self._attr not in ("ORTH", "LOWER", "NORM", "TEXT"):
            raise InputValueError(f"attr must be ORTH, LOWER or NORM, not {attr!r:.60}")
        self.attr = IDS["ORTH" if self._attr == "TEXT" else self._attr]
        self._saved = SavedModel(path, "nlp.vectors.path")
        self._ops = get_current_ops()
        self.name: str | None = None
        self.strings = () if strings is None else strings
        # spaCy gives unpickled vectors another store than that of the vocabulary.
        self._pickled_strings: Any = None

    @property
    def model(self) -> Model:
        """The model.

        Raises
        ------
        MissingFileError, FileError, FormatError
            The file cannot be opened, or is not the one that the pipeline was saved with.
        """
        return self._saved.model

    @property
    def minn(self) -> int:
        """The least number of characters of an n-gram."""
        return self.model.info.parameters.minn

    @property
    def maxn(self) -> int:
        """The largest number of characters of an n-gram."""
        return self.model.info.parameters.maxn

    @property
    def vectors_length(self) -> int:
        """The number of dimensions."""
        return self.shape[1]

    @property
    def shape(self) -> tuple[int, int]:
        """The number of known words, at least 1, and that of dimensions.

        0 dimensions if the file is missing: spaCy asks before it has read where the file is.
        """
        try:
            return max(len(self.model), 1), self.model.dim
        except MissingFileError:
            return 1, 0

    @property
    def size(self) -> int:
        """The product of `shape`; 0 would mean that there are no vectors."""
        rows, dim = self.shape
        return rows * dim

    @property
    def data(self) -> Any:
        """An empty array of the library in use; spaCy asks for its type."""
        return self._ops.xp.zeros((0, self.model.dim), dtype="f")

    def __len__(self) -> int:
        return self.shape[0]

    def __contains__(self, key: int | str) -> bool:
        return self.model.get(self._word(key)) is not None

    def __getitem__(self, key: int | str) -> Any:
        return self.get_batch([key])[0]

    def get_batch(self, keys: Iterable[int | str]) -> Any:
        """Return the vectors of many words.

        Parameters
        ----------
        keys : iterable of int or str
            Words, or their hashes in the `StringStore`.

        Returns
        -------
        array
            float32, shape (n, dim), of NumPy or CuPy. Zero for a word that is unknown and has no
            n-grams in the model.
        """
        if hasattr(keys, "dtype"):
            distinct, places = np.unique(self._to_numpy(keys), return_inverse=True)
            found = self._vectors([self._word(key) for key in distinct.tolist()])[places]
        else:
            found = self._vectors([self._word(key) for key in keys])
        return self._ops.asarray2f(found)

    def add(self, key: int | str, *, vector: Any = None, row: int | None = None) -> int:
        """Do nothing, and return -1: the vectors are those of a file."""
        return -1

    def to_ops(self, ops: Any) -> None:
        """Return arrays of this library from now on."""
        self._ops = ops

    def to_bytes(self, **kwargs: Any) -> bytes:
        """Return the path and the fingerprint of the file, as JSON."""
        return self._saved.dumps()

    def from_bytes(self, data: bytes, **kwargs: Any) -> FastTextVectors:
        """Expect the file that `to_bytes` described.

        Raises
        ------
        MissingFileError, FileError, FormatError
            The file is missing or another one, or `data` is damaged.
        """
        self._saved.loads(data, "from_bytes")
        self._saved.check()
        return self

    def to_disk(self, path: str | Path, **kwargs: Any) -> None:
        """Write the path and the fingerprint of the file into a folder, as JSON."""
        folder = ensure_path(path)
        folder.mkdir(exist_ok=True)
        (folder / FILE).write_bytes(self.to_bytes())

    def from_disk(self, path: str | Path, **kwargs: Any) -> FastTextVectors:
        """Expect the file that `to_disk` described.

        Raises
        ------
        MissingFileError, FileError, FormatError
            As for `from_bytes`.
        """
        file = ensure_path(path) / FILE
        if file.exists():
            self._saved.loads(file.read_bytes(), str(file))
        self._saved.check()
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FastTextVectors):
            return NotImplemented
        return self._attr == other._attr and self._saved == other._saved

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        # The strings are pickled with the vocabulary, once.
        return _unpickled, (self._saved, self._attr, self.name, self.strings)

    def _word(self, key: int | str) -> str:
        if isinstance(key, str):
            return key
        try:
            return str(self.strings[int(key)])
        except KeyError:
            if self._pickled_strings is None:
                raise
            return str(self._pickled_strings[int(key)])

    def _vectors(self, words: list[str]) -> NDArray[np.float32]:
        model = self.model
        if model.unknown_words == "subwords":
            return model.vectors(words, threads=1)
        found = np.zeros((len(words), model.dim), np.float32)
        known = [i for i, word in enumerate(words) if word in model]
        found[known] = model.vectors([words[i] for i in known], threads=1)
        return found

    def _to_numpy(self, keys: Any) -> NDArray[Any]:
        found: NDArray[Any] = keys.get() if hasattr(keys, "get") else np.asarray(keys)
        return found


def _unpickled(saved: SavedModel, attr: str, name: str | None, strings: Any) -> FastTextVectors:
    found = FastTextVectors(saved.path, attr, strings=strings)
    found._saved, found.name, found._pickled_strings = saved, name, strings
    return found


def create_vectors(path: str, attr: str = "ORTH") -> Callable[[Any], FastTextVectors]:
    """Return what makes vectors for a vocabulary: ``fasttext_lite.Vectors.v1``.

    Parameters
    ----------
    path, attr
        As for `FastTextVectors`.
    """
    FastTextVectors(path, attr)  # raises if an option is wrong

    def make(vocab: Any) -> FastTextVectors:
        return FastTextVectors(path, attr, strings=vocab.strings)

    return make


# spaCy reads the types of options, which annotations hold only as text.
create_vectors.__annotations__ = {"path": str, "attr": str}
registry.vectors("fasttext_lite.Vectors.v1", func=create_vectors)
