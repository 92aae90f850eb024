"""A function over batches of rows that adds what a model says of their texts."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from fasttext_lite import arrays
from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.arguments import decode, flag, real, whole
from fasttext_lite.columns import (
    Column,
    PredictedLabels,
    evidence_of,
    sentence_vectors_of,
    vectors_of,
)
from fasttext_lite.errors import (
    InputTypeError,
    InputValueError,
    MissingExtraError,
    ModelKindError,
)
from fasttext_lite.frames import frame_of, near
from fasttext_lite.model_path import ModelPath
from fasttext_lite.predictions import check_bias, label_list
from fasttext_lite.texts import text_option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Literal, TypeVar

    from fasttext_lite._core.text.columns import Array
    from fasttext_lite.arguments import PathType
    from fasttext_lite.classifier import Classifier
    from fasttext_lite.model import Model
    from fasttext_lite.predictions import Labels

    B = TypeVar("B")

__all__ = ["Annotator"]

_COLUMNS = ("label", "probability", "vector", "sentence_vector", "evidence", "known_words")


class Annotator:
    """Adds the labels and vectors of texts to batches of rows, in the form of the batch.

    It pickles as the path of the model and its options, so it can be sent to the workers of any
    engine. Each process opens the model when it first needs it, and all processes of a machine
    share the mapped file. Pickles of equal annotators are equal, before and after use.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The file of the model, as for `fasttext_lite.load`, under the same path on all machines. A
        relative path is that of the process that makes the annotator. The file is opened at first
        use; ``annotator.model`` opens it at once.
    column : str
        The name of the column of texts, or of words for `vector`.
    label : str or None
        Name of an added column: the most probable label, a string. None adds no such column.
    probability : str or None
        Name of an added column: its probability, float32.
    vector : str or None
        Name of an added column: the vector of the text as one word, float32, shape (dim,).
    sentence_vector : str or None
        Name of an added column: the vector of the text, as `Model.sentence_vector` returns it.
    evidence : str or None
        Name of an added column: the number of rows that speak for the labels of the text, int64,
        ``features`` of `Model.evidence`. 0 says that the model knows nothing of the text.
    known_words : str or None
        Name of an added column: the number of known words, int64, ``words`` of `Model.evidence`.
    k : int
        1 adds one label and one probability; any other number lists of them, at most `k`, best
        first, and -1 lists of all.
    threshold : float
        Leave out labels that are less probable than this.
    labels, renormalize, official_bias
        As for `Classifier.predict`.
    strip_prefix : bool
        Remove ``__label__`` from the labels.
    dictionary : bool
        Dictionary-encode the labels: a dictionary of Arrow, a category of pandas or Polars. Not
        every engine reads these, so by default labels are plain strings.
    missing : {"empty", "raise"}
        What to do with missing texts (nulls, None, NaN, NA): all that is added is null, or an error
        is raised.
    newlines, errors
        As for `Classifier.predict`.
    sha256 : str, optional
        As for `fasttext_lite.load`: each process checks the file when it opens it.
    threads : int or None
        Number of threads of a call; None for one per core. Engines run several workers, so by
        default a call has one thread.

    Raises
    ------
    InputTypeError, InputValueError
        An option has the wrong type or is out of range, nothing is added, or two columns have the
        same name.

    Examples
    --------
    >>> import fasttext_lite as ftl
    >>> annotate = ftl.Annotator("sample", label=None, probability=None, evidence="known")
    >>> annotate({"text": ["the king", "", None]})["known"]
    [18, 0, None]
    """

    def __init__(
        self,
        path: PathType,
        column: str = "text",
        *,
        label: str | None = "label",
        probability: str | None = "probability",
        vector: str | None = None,
        sentence_vector: str | None = None,
        evidence: str | None = None,
        known_words: str | None = None,
        k: int = 1,
        threshold: float = 0.0,
        labels: Labels | None = None,
        renormalize: bool = False,
        official_bias: bool = False,
        strip_prefix: bool = True,
        dictionary: bool = False,
        missing: Literal["raise", "empty"] = "empty",
        newlines: Literal["raise", "space"] = "raise",
        errors: Literal["strict", "replace"] = "strict",
        sha256: str | None = None,
        threads: int | None = 1,
    ) -> None:
        biased, renormalized = check_bias(official_bias, renormalize)
        for name, value in (("missing", missing), ("newlines", newlines), ("errors", errors)):
            text_option(name, value)
        k = whole("k", k, -1)
        if k == 0:
            raise InputValueError("k must be at least 1, or -1 for all labels, not 0")
        self._source = ModelPath(path, sha256)
        self._state: dict[str, Any] = {
            "path": self._source.path,
            "column": _name("column", column),
            "label": _optional_name("label", label),
            "probability": _optional_name("probability", probability),
            "vector": _optional_name("vector", vector),
            "sentence_vector": _optional_name("sentence_vector", sentence_vector),
            "evidence": _optional_name("evidence", evidence),
            "known_words": _optional_name("known_words", known_words),
            "k": k,
            "threshold": real("threshold", threshold),
            "labels": None if labels is None else _distinct(labels),
            "renormalize": renormalized,
            "official_bias": biased,
            "strip_prefix": flag("strip_prefix", strip_prefix),
            "dictionary": flag("dictionary", dictionary),
            "missing": str(missing),
            "newlines": str(newlines),
            "errors": str(errors),
            "sha256": sha256,
            "threads": None if threads is None else whole("threads", threads, 1),
        }
        if not self.names:
            raise InputValueError(f"nothing is added: name at least one of {', '.join(_COLUMNS)}")
        for i, name in enumerate(self.names):
            if name in self.names[:i]:
                raise InputValueError(f"two added columns have the name {name!r}")
            self._check_free(name, [self.column])

    @property
    def path(self) -> str:
        """The path of the model, absolute, or ``"sample"``."""
        return self._source.path

    @property
    def column(self) -> str:
        """The name of the column of texts."""
        column: str = self._state["column"]
        return column

    @property
    def names(self) -> list[str]:
        """The names of the added columns, in order."""
        return [self._state[one] for one in _COLUMNS if self._state[one] is not None]

    @property
    def model(self) -> Model:
        """The model, which is opened when this is first used in a process.

        Raises
        ------
        MissingFileError, FileError, FormatError
            As for `fasttext_lite.load`; or the file is another one than that where the annotator
            was pickled.
        """
        return self._source.model

    @property
    def _classifier(self) -> Classifier:
        model = self.model
        try:
            return model._stripped if self._state["strip_prefix"] else model._classifier
        except ModelKindError as error:
            raise ModelKindError(
                f"{error}; for vectors alone pass label=None and probability=None"
            ) from None

    def identity(self) -> dict[str, Any]:
        """Return what the answers depend on: the options, and the size and checksum of the file."""
        apart = ("path", "sha256", "threads")
        options = {name: value for name, value in self._state.items() if name not in apart}
        return {**options, "model": self._source.fingerprint()}

    def __reduce__(self) -> tuple[Callable[..., Annotator], tuple[type[Annotator], str]]:
        # One text: equal strings of a tuple or dict are pickled differently if they are not the
        # same objects.
        state = {**self._state, "fingerprint": self._source.fingerprint()}
        return _restored, (type(self), json.dumps(state, sort_keys=True))

    def __repr__(self) -> str:
        added = ", ".join(
            f"{one}={self._state[one]!r}" for one in _COLUMNS if self._state[one] is not None
        )
        return f"<Annotator of {self.column!r} by {self.path!r}: {added}>"

    def __call__(self, batch: B) -> B:
        """Return a batch with more columns.

        Parameters
        ----------
        batch : dict, pandas or polars DataFrame, pyarrow RecordBatch, Table or RecordBatchReader
            A dict has lists or arrays. A reader, as DuckDB returns it, is read while its answer is
            read.

        Returns
        -------
        batch
            In the same form, with all columns of `batch`, which is not changed. Added to a dict
            whose texts are in a list are lists, with None for nulls; to other dicts NumPy arrays,
            in which null strings are None, null numbers NaN, and null counts 0. Vectors are
            FixedSizeList<float32>[dim] in Arrow, Array in Polars, arrays of shape (n, dim) in
            NumPy, and one array per row elsewhere.

        Raises
        ------
        InputTypeError
            The batch has another form, or the column holds no texts.
        InputValueError
            The batch has no such column, or has a column with the name of an added one; or a text
            holds a newline.
        ModelKindError
            Labels are asked for, and the model has none.
        """
        pyarrow = sys.modules.get("pyarrow")
        if pyarrow is not None and isinstance(batch, pyarrow.RecordBatchReader):
            batches: B = pyarrow.RecordBatchReader.from_batches(
                self.schema(batch.schema), self.iterate(batch)
            )
            return batches
        frame = frame_of(batch)
        names = frame.names
        count = names.count(self.column)
        if count != 1:
            what = f"{count} columns" if count else "no column"
            hint = "" if count else near(self.column, names)
            raise InputValueError(f"the batch has {what} {self.column!r}{hint}")
        for name in self.names:
            self._check_free(name, names)
        column = frame.column(self.column)
        if isinstance(column, (str, bytes)):
            raise InputTypeError(
                f"column {self.column!r} is one text: an annotator takes a batch of rows, with a "
                "list or an array in each column (in datasets: map(…, batched=True))"
            )
        try:
            texts = self._gather(column)
        except (InputTypeError, InputValueError) as error:
            raise type(error)(
                f"column {self.column!r} of type {frame.type_of(self.column)}: {error}"
            ) from None
        extended: B = frame.extended(
            self.column, self._arrays(texts), dictionary=self._state["dictionary"]
        )
        return extended

    def iterate(self, batches: Iterable[B]) -> Iterator[B]:
        """Yield each of many batches with more columns, as ``DataFrame.mapInArrow`` of Spark asks.

        Batches, results and errors are as for a call.
        """
        for batch in batches:
            yield self(batch)

    def columns(self, texts: Iterable[str | bytes]) -> dict[str, Column]:
        """Return the added columns alone.

        Parameters
        ----------
        texts : iterable of str or bytes, or array of strings

        Returns
        -------
        dict of str to Column
            By name, in the order of `names`.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> annotate = ftl.Annotator("sample", label=None, probability=None, vector="v")
        >>> annotate.columns(["king", None])
        {'v': <Column of 2: list<float32>[40]>}
        """
        found = self._arrays(self._gather(texts))
        if not self._state["dictionary"]:
            found = {name: arrays.plain(one) for name, one in found.items()}
        return {name: Column(one) for name, one in found.items()}

    def schema(self, schema: Any = None) -> Any:
        """Return the types of a batch with more columns, for engines that ask for them.

        Parameters
        ----------
        schema : pyarrow.Schema, optional
            That of a batch.

        Returns
        -------
        pyarrow.Schema
            Of a batch with the added columns, or without argument of the added columns alone. Only
            vectors need the model for this.

        Raises
        ------
        MissingExtraError
            pyarrow is not installed.
        InputValueError
            The batch has no such column, or has a column with the name of an added one.
        """
        try:
            import pyarrow
        except ImportError:
            raise MissingExtraError("pyarrow", "arrow") from None
        label = pyarrow.string()
        if self._state["dictionary"]:
            label = pyarrow.dictionary(pyarrow.int32(), label)
        number = pyarrow.float32()
        types: dict[str, Callable[[], Any]] = {
            "label": lambda: label if self._state["k"] == 1 else pyarrow.list_(label),
            "probability": lambda: number if self._state["k"] == 1 else pyarrow.list_(number),
            "vector": lambda: pyarrow.list_(number, self.model.dim),
            "sentence_vector": lambda: pyarrow.list_(number, self.model.dim),
            "evidence": pyarrow.int64,
            "known_words": pyarrow.int64,
        }
        found = pyarrow.schema([]) if schema is None else schema
        if schema is not None and self.column not in schema.names:
            raise InputValueError(
                f"the schema has no column {self.column!r}{near(self.column, schema.names)}"
            )
        for one, make in types.items():
            name = self._state[one]
            if name is not None:
                self._check_free(name, found.names)
                found = found.append(pyarrow.field(name, make()))
        return found

    def _check_free(self, name: str, taken: list[Any]) -> None:
        if name in taken:
            option = next(one for one in _COLUMNS if self._state[one] == name)
            raise InputValueError(
                f"there is a column {name!r} already: pass another name ({option}=…), or None to "
                "leave it out"
            )

    def _gather(self, texts: Iterable[str | bytes]) -> WordBatch:
        state = self._state
        return WordBatch(texts, "text", state["missing"], state["newlines"], state["errors"])

    def _arrays(self, batch: WordBatch) -> dict[str, Array]:
        """Return the added columns by name, labels dictionary-encoded."""
        state, present, threads = self._state, batch.present(), self._state["threads"]
        found: dict[str, Array] = {}
        if state["label"] is not None or state["probability"] is not None:
            options = ("labels", "renormalize", "official_bias", "threads")
            answers = PredictedLabels(
                self._classifier, batch, state["k"], state["threshold"],
                **{option: state[option] for option in options},
            )  # fmt: skip
            found["label"] = answers.shaped(answers.names())
            found["probability"] = answers.shaped(answers.probabilities())
        if state["vector"] is not None:
            found["vector"] = vectors_of(self.model, batch, present, threads)
        if state["sentence_vector"] is not None:
            found["sentence_vector"] = sentence_vectors_of(self.model, batch, present, threads)
        if state["evidence"] is not None or state["known_words"] is not None:
            evidence = evidence_of(self.model, batch, threads)
            found["evidence"] = arrays.counts(evidence.features, present)
            found["known_words"] = arrays.counts(evidence.words, present)
        return {state[one]: found[one] for one in _COLUMNS if state[one] is not None}


def _restored(kind: type[Annotator], text: str) -> Annotator:
    """Return the annotator of a pickle."""
    state = json.loads(text)
    fingerprint = state.pop("fingerprint")
    found = kind(**state)
    fingerprint = fingerprint and tuple(fingerprint)
    found._source = ModelPath.restored(found.path, state["sha256"], fingerprint)
    return found


def _name(option: str, name: object) -> str:
    if not isinstance(name, str):
        raise InputTypeError(f"{option} must be str, not {type(name).__name__}")
    return str(name)


def _optional_name(option: str, name: object) -> str | None:
    return None if name is None else _name(option, name)


def _distinct(labels: Labels) -> list[str | int]:
    """Return distinct labels in an order of their own, since that of the caller does not count."""
    names: set[str] = set()
    ids: set[int] = set()
    for label in label_list(labels):
        if isinstance(label, (str, bytes)):
            names.add(decode(label) if isinstance(label, bytes) else str(label))
        else:
            ids.add(label)
    return [*sorted(names), *sorted(ids)]
