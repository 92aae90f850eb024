"""Vectors of spaCy for known and unknown words, and a component that identifies languages.

>>> import spacy
>>> vectors = {"@vectors": "fasttext_lite.Vectors.v1", "path": "sample"}
>>> nlp = spacy.blank("en", config={"nlp": {"vectors": vectors}})
>>> bool(nlp("governmentish").vector.any())
True

spaCy finds both by the entry points of this package: nothing has to be imported.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import path_name, real, whole
from fasttext_lite.errors import (
    FormatError,
    InputTypeError,
    InputValueError,
    MissingExtraError,
    MissingFileError,
)
from fasttext_lite.model_path import ModelPath

try:
    from spacy.attrs import IDS
    from spacy.language import Language
    from spacy.pipeline import Pipe
    from spacy.tokens import Doc
    from spacy.util import ensure_path, minibatch, registry
    from spacy.vectors import BaseVectors
    from thinc.api import get_current_ops
except ImportError as error:
    raise MissingExtraError(error.name or "spacy", "spacy") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from fasttext_lite.classifier import Classifier
    from fasttext_lite.model import Model

__all__ = ["FastTextVectors", "LanguageDetector", "create_language_detector", "create_vectors"]

_FILE = "fasttext_lite.json"


class _SavedModel:
    """The path of a model in a configuration, and what is saved of it beside that.

    A path that the configuration names is the place of the file. If the configuration is the saved
    one and its path is relative, the file is where it was when the pipeline was saved.

    Parameters
    ----------
    path : str
    option : str
        What names another path when the pipeline is loaded, for the message of an error.
    """

    def __init__(self, path: str, option: str) -> None:
        self.path = path_name(path)
        self._option = option
        self._source = ModelPath(self.path)

    @property
    def model(self) -> Model:
        return self._source.shared

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SavedModel) and self.dumps() == other.dumps()

    __hash__ = None  # type: ignore[assignment]

    def dumps(self) -> bytes:
        """Return the path and the fingerprint of the file as JSON."""
        state = {
            "path": self.path,
            "absolute": self._source.path,
            "fingerprint": self._source.fingerprint(),
        }
        return json.dumps(state).encode()

    def loads(self, data: bytes, place: str) -> None:
        """Expect the file that was saved.

        Raises
        ------
        FormatError
            This is not what `dumps` returned.
        """
        try:
            state = json.loads(data)
            path, absolute, fingerprint = (
                state[name] for name in ("path", "absolute", "fingerprint")
            )
            if fingerprint is not None:
                size, checksum = fingerprint
                fingerprint = whole("size", size), whole("checksum", checksum)
            if not isinstance(path, str) or not isinstance(absolute, str):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            raise FormatError(
                _FILE, 0, "this is not what the vectors or the component were saved as: save the "
                "pipeline again", place,
            ) from None  # fmt: skip
        here = absolute if path == self.path else self._source.path
        self._source = ModelPath.restored(here, None, fingerprint)

    def check(self) -> None:
        """Raise if the file is missing, with what to do about it."""
        try:
            _ = self.model
        except MissingFileError:
            raise MissingFileError(
                "there is no such file: put the model there, or name its place when the pipeline "
                f"is loaded, by spacy.load(…, config={{{self._option!r}: …}})",
                self._source.path,
            ) from None


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
        self._saved = _SavedModel(path, "nlp.vectors.path")
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
        (folder / _FILE).write_bytes(self.to_bytes())

    def from_disk(self, path: str | Path, **kwargs: Any) -> FastTextVectors:
        """Expect the file that `to_disk` described.

        Raises
        ------
        MissingFileError, FileError, FormatError
            As for `from_bytes`.
        """
        file = ensure_path(path) / _FILE
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


def _unpickled(saved: _SavedModel, attr: str, name: str | None, strings: Any) -> FastTextVectors:
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


class LanguageDetector(Pipe):  # type: ignore[misc]
    """A component that sets ``doc._.language`` and ``doc._.language_score``.

    ``nlp.add_pipe("fasttext_lite_language", config={"model": "lid.176.ftz"})``. The language is the
    best label of the model without ``__label__``, and the score its probability. They are None and
    0.0 if the model knows nothing of a text, or if the probability is below `threshold`.
    `nlp.pipe` predicts many texts at a time. All processes share the mapped file. Newlines count as
    spaces.

    Parameters
    ----------
    name : str
        The name of the component.
    model : str
        A supervised model, as for `fasttext_lite.load`. It is opened at first use.
    threshold : float
    labels : list of str, optional
        The labels to choose among, as for `Classifier.predict`.
    renormalize : bool
        As for `Classifier.predict`.
    threads : int
        Number of threads for a batch of texts.

    Raises
    ------
    InputTypeError, InputValueError, FileError
        An option is invalid.
    ModelKindError
        The model is not supervised. If its file is missing, this and unknown labels are found at
        first use.
    """

    def __init__(
        self,
        name: str,
        model: str,
        *,
        threshold: float = 0.0,
        labels: list[str] | None = None,
        renormalize: bool = False,
        threads: int = 1,
    ) -> None:
        self.name = name
        self._threshold = real("threshold", threshold)
        self._labels = labels
        self._renormalize = renormalize
        self._threads = whole("threads", threads, least=1)
        self._saved = _SavedModel(model, f"components.{name}.model")
        # A saved pipeline says later where a file is that is not here.
        with suppress(MissingFileError):
            self.classifier.predict([], labels=labels)
        for extension, default in (("language", None), ("language_score", 0.0)):
            if not Doc.has_extension(extension):
                Doc.set_extension(extension, default=default)

    @property
    def classifier(self) -> Classifier:
        """The classifier, whose labels have no prefix.

        Raises
        ------
        ModelKindError
            The model is not supervised.
        MissingFileError, FileError, FormatError
            The file cannot be opened, or is not the one that the pipeline was saved with.
        """
        return self._saved.model.classifier(strip_prefix=True)

    @property
    def labels(self) -> tuple[str, ...]:
        """The languages, as ``doc._.language`` names them; none if the file is missing."""
        try:
            labels = self._saved.model.labels
        except MissingFileError:
            # As for the shape of vectors.
            return ()
        return tuple(label.removeprefix("__label__") for label in labels)

    def __call__(self, doc: Doc) -> Doc:
        """Set the language of a document."""
        self._annotate([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Set the languages of a stream of documents, `batch_size` at a time."""
        handle = self.get_error_handler()
        for batch in minibatch(stream, size=batch_size):
            try:
                self._annotate(batch)
                yield from batch
            except Exception as error:  # noqa: PERF203 - as in spaCy
                handle(self.name, self, batch, error)

    def _annotate(self, docs: list[Doc]) -> None:
        predictions = self.classifier.predict(
            [doc.text for doc in docs],
            1,
            self._threshold,
            labels=self._labels,
            renormalize=self._renormalize,
            threads=self._threads,
            newlines="space",
            errors="replace",
        )
        for doc, found in zip(docs, predictions, strict=True):
            doc._.language = found.labels[0] if found.labels else None
            doc._.language_score = float(found.probabilities[0]) if found.labels else 0.0

    def to_bytes(self, **kwargs: Any) -> bytes:
        """Return the path and the fingerprint of the file, as JSON."""
        return self._saved.dumps()

    def from_bytes(self, data: bytes, **kwargs: Any) -> LanguageDetector:
        """Expect the file that `to_bytes` described; errors as for `FastTextVectors`."""
        self._saved.loads(data, "from_bytes")
        self._saved.check()
        return self

    def to_disk(self, path: str | Path, **kwargs: Any) -> None:
        """Write the path and the fingerprint of the file into a folder, as JSON."""
        folder = ensure_path(path)
        folder.mkdir(exist_ok=True)
        (folder / _FILE).write_bytes(self.to_bytes())

    def from_disk(self, path: str | Path, **kwargs: Any) -> LanguageDetector:
        """Expect the file that `to_disk` described; errors as for `FastTextVectors`."""
        file = ensure_path(path) / _FILE
        self._saved.loads(file.read_bytes(), str(file))
        self._saved.check()
        return self


def create_language_detector(
    nlp: Language,
    name: str,
    model: str,
    threshold: float,
    labels: list[str] | None,
    renormalize: bool,
    threads: int,
) -> LanguageDetector:
    """Return a component: the factory ``fasttext_lite_language``; options as `LanguageDetector`."""
    return LanguageDetector(
        name,
        model,
        threshold=threshold,
        labels=labels,
        renormalize=renormalize,
        threads=threads,
    )


# spaCy reads the types of options, which annotations hold only as text.
create_vectors.__annotations__ = {"path": str, "attr": str}
create_language_detector.__annotations__ = {
    "nlp": Language, "name": str, "model": str, "threshold": float, "labels": list[str] | None,
    "renormalize": bool, "threads": int,
}  # fmt: skip
registry.vectors("fasttext_lite.Vectors.v1", func=create_vectors)
Language.factory(
    "fasttext_lite_language",
    assigns=["doc._.language", "doc._.language_score"],
    default_config={"threshold": 0.0, "labels": None, "renormalize": False, "threads": 1},
    func=create_language_detector,
)
