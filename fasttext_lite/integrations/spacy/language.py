"""A component that identifies the language of a document."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fasttext_lite.arguments import real, whole
from fasttext_lite.errors import (
    MissingExtraError,
    MissingFileError,
)
from fasttext_lite.integrations.spacy.saved import FILE, SavedModel

try:
    from spacy.language import Language
    from spacy.pipeline import Pipe
    from spacy.tokens import Doc
    from spacy.util import ensure_path, minibatch
except ImportError as error:
    raise MissingExtraError(error.name or "spacy", "spacy") from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from fasttext_lite.classifier import Classifier

__all__ = ["LanguageDetector", "create_language_detector"]


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
        self._saved = SavedModel(model, f"components.{name}.model")
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
        (folder / FILE).write_bytes(self.to_bytes())

    def from_disk(self, path: str | Path, **kwargs: Any) -> LanguageDetector:
        """Expect the file that `to_disk` described; errors as for `FastTextVectors`."""
        file = ensure_path(path) / FILE
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
create_language_detector.__annotations__ = {
    "nlp": Language, "name": str, "model": str, "threshold": float, "labels": list[str] | None,
    "renormalize": bool, "threads": int,
}  # fmt: skip
Language.factory(
    "fasttext_lite_language",
    assigns=["doc._.language", "doc._.language_score"],
    default_config={"threshold": 0.0, "labels": None, "renormalize": False, "threads": 1},
    func=create_language_detector,
)
