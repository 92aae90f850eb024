"""Filters for pipelines of datatrove: `LanguageFilter` and `ClassifierFilter`.

They take the arguments of datatrove's own `LanguageFilter` and `FastTextClassifierFilter`, keep the
same documents, and write the same metadata and statistics. They do not need the package
``fasttext``, map the model, so that all processes of a machine share one copy, and predict batches
of documents.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.errors import InputValueError, MissingExtraError
from fasttext_lite.loading import load
from fasttext_lite.model_path import ModelPath

try:
    from datatrove.io import cached_asset_path_or_download
    from datatrove.pipeline.filters.base_filter import BaseFilter
    from datatrove.utils.lid import FT176LID, GlotLID
    from datatrove.utils.logging import logger
    from datatrove.utils.text import SPLIT_TEXT_DOCUMENTS, split_into_parts
except ImportError as error:
    raise MissingExtraError(error.name or "datatrove", "datatrove") from error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from datatrove.data import Document
    from datatrove.pipeline.writers.disk_base import DiskWriter
    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.model import Model

    Chosen = tuple[str, float] | list[tuple[str, float]] | None

__all__ = ["ClassifierFilter", "LanguageFilter"]

_PREFIX = "__label__"
_BATCH = 256


class _ModelFilter(BaseFilter):  # type: ignore[misc]
    """A filter with a model that each process opens when it needs it.

    It pickles as the path of the model with a fingerprint of the file, if that is on this machine:
    a process that finds another file there raises.
    """

    def __init__(
        self,
        address: PathType,
        namespace: str,
        subfolder: str,
        exclusion_writer: DiskWriter | None,
        batch_size: int,
    ) -> None:
        super().__init__(exclusion_writer, batch_size)
        self._address = os.fsdecode(address)
        remote = "://" in self._address and not self._address.startswith("file://")
        self._file = None if remote else ModelPath(self._address)
        self._cache = {"namespace": namespace, "subfolder": subfolder}
        self._model: Model | None = None

    @property
    def model(self) -> Model:
        """The model: a local file is mapped where it is, another is downloaded as datatrove does.

        Raises
        ------
        MissingFileError, FileError, FormatError
            The file cannot be read, or is not a fastText model.
        ModelKindError
            The model has no labels.
        """
        if self._model is None:
            if self._file is not None:
                model = self._file.model
            else:
                desc = "fast-text model"
                model = load(cached_asset_path_or_download(self._address, **self._cache, desc=desc))
            model.classifier()  # raises if the model has no labels
            self._check(list(model.labels))
            self._model = model
        return self._model

    def _check(self, labels: list[str]) -> None:
        """Compare the labels of the model with those that the filter looks for."""
        raise NotImplementedError

    def _predict(
        self,
        texts: Sequence[str],
        k: int,
        *,
        labels: list[str] | None = None,
        newlines: Literal["raise", "space"] = "raise",
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        # One thread: datatrove distributes the work over processes.
        return self.model.predict_ids(
            texts, k, labels=labels, official_bias=True, threads=1, newlines=newlines
        )

    def filter(self, doc: Document) -> bool:
        """Return whether to keep a document; see `filter_batch`."""
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: list[Document]) -> list[bool]:
        """Return for each document whether to keep it, and add to its metadata."""
        raise NotImplementedError


class LanguageFilter(_ModelFilter):
    """Identifies the language of documents, and keeps those in the languages asked for.

    The arguments before `model`, the metadata (``language``, ``language_score``, with GlotLID
    ``language_script``, and ``top_language_…_score``) and the rules are those of
    `datatrove.pipeline.filters.LanguageFilter`. Scores have the bias of the official program. A
    document without any label, which ends a run of datatrove's own filter, has the language None
    and the score 0.

    Parameters
    ----------
    languages : str or list of str, optional
        The languages to keep, as the labels of the model without their prefix; by default all.
    language_threshold : float
        Keep documents with a larger score: of one of `languages`, or of the best language.
    exclusion_writer : DiskWriter, optional
        Receives the documents that are dropped.
    backend : {"ft176", "glotlid"}
        Which model to use if `model` is not given, downloaded to the cache of datatrove, and
        whether labels consist of a language and a script, as ``eng_Latn``.
    label_only : bool
        Keep all documents, and add to their metadata only.
    keep_top_pairs_threshold : float
        Add the scores of all languages (of `languages`, if given) above this; -1 adds none.
    model : str or os.PathLike, optional
        A path, or an address that datatrove can download.
    batch_size : int
        How many documents to predict at once.

    Raises
    ------
    MissingExtraError
        At import: datatrove is not installed.
    InputValueError
        `backend` is unknown; or, when the model is opened, its labels have no prefix.
    """

    name = "🌍 Language ID"

    def __init__(
        self,
        languages: list[str] | str | None = None,
        language_threshold: float = 0.65,
        exclusion_writer: DiskWriter | None = None,
        backend: Literal["ft176", "glotlid"] = "ft176",
        label_only: bool = False,
        keep_top_pairs_threshold: float = -1,
        *,
        model: PathType | None = None,
        batch_size: int = _BATCH,
    ) -> None:
        if backend not in ("ft176", "glotlid"):
            raise InputValueError(f'backend must be "ft176" or "glotlid", not {backend!r:.60}')
        official = (FT176LID if backend == "ft176" else GlotLID)()
        address = official.MODEL_URL if model is None else model
        super().__init__(address, "lid", official.MODEL_SUBFOLDER, exclusion_writer, batch_size)
        self.languages = [languages] if isinstance(languages, str) else languages
        self.language_threshold = language_threshold
        self.backend = backend
        self.label_only = label_only
        self.keep_top_pairs_threshold = keep_top_pairs_threshold

    def _check(self, labels: list[str]) -> None:
        for label in labels:
            if label.count("__") < 2:
                raise InputValueError(
                    f"{self._address}: the label {label!r:.60} does not begin with {_PREFIX!r}"
                )
        self._names = [label.split("__")[2] for label in labels]
        # The columns of `languages` in a matrix with one more column, of zeros, for unknown ones.
        columns = {name: column for column, name in enumerate(self._names)}
        self._columns = [columns.get(name, -1) for name in self.languages or []]
        if -1 in self._columns:
            unknown = [name for name in self.languages or [] if name not in columns]
            logger.warning(f"{self._address} has no labels for {unknown}: none will be found")

    def filter_batch(self, batch: list[Document]) -> list[bool]:
        """Return for each document whether to keep it, and add to its metadata."""
        texts = [doc.text for doc in batch]
        if self.languages is None and self.keep_top_pairs_threshold == -1:
            ids, scores = self._best(texts)
        else:
            ids, scores = self._predict(texts, -1, newlines="space")
        wanted: list[list[float]] = [[]] * len(batch)
        if self.languages:
            table = np.zeros((len(batch), len(self._names) + 1), np.float32)
            np.put_along_axis(table, ids, scores, axis=1)
            wanted = table[:, self._columns].tolist()
        return [self._decide(*one) for one in zip(batch, ids, scores, wanted, strict=True)]

    def _best(self, texts: list[str]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Predict the best label, which may depend on the number asked for if two are as good."""
        ids, scores = self._predict(texts, 2, newlines="space")
        tied = np.flatnonzero((ids[:, -1] >= 0) & (scores[:, 0] == scores[:, -1]))
        if tied.size:
            again, _ = self._predict([texts[i] for i in tied], -1, newlines="space")
            ids[tied, 0] = again[:, 0]
        return ids[:, :1], scores[:, :1]

    def _decide(
        self,
        doc: Document,
        ids: NDArray[np.int32],
        scores: NDArray[np.float32],
        wanted: list[float],
    ) -> bool:
        """Write the metadata of a document, and return whether to keep it.

        `wanted` are the scores of `languages`.
        """
        language = self._names[ids[0]] if ids[0] >= 0 else None
        score = float(scores[0])
        if self.backend == "glotlid" and language is not None:
            language, script = language.split("_")
            doc.metadata["language_script"] = script
        doc.metadata["language"] = language
        doc.metadata["language_score"] = score
        least = self.keep_top_pairs_threshold
        if least != -1:
            if self.languages:
                pairs = zip(self.languages, wanted, strict=True)
            else:
                top = np.flatnonzero((scores > least) & (ids >= 0))
                names = [self._names[i] for i in ids[top]]
                pairs = zip(names, scores[top].tolist(), strict=True)
            for name, value in pairs:
                if value > least:
                    doc.metadata[f"top_language_{name}_score"] = value
        if self.label_only:
            return True
        if self.languages is None:
            return score > self.language_threshold
        return any(value > self.language_threshold for value in wanted)


class ClassifierFilter(_ModelFilter):
    """Keeps the documents, or their parts, with or without some labels.

    The arguments before `batch_size`, the metadata (the score of each label under its name with
    the prefix, on average over the parts of the document), the statistics and the rules are those
    of `datatrove.pipeline.filters.FastTextClassifierFilter`. Scores have the bias of the official
    program.

    Parameters
    ----------
    model_url : str or os.PathLike
        A path, or an address that datatrove can download.
    keep_labels, remove_labels : tuple or list of tuples, optional
        ``(label without prefix, score)``: keep what has one of the labels with at least this
        score, or remove it. At most one of both can be given; without them nothing is removed.
    save_labels_in_metadata : bool
    exclusion_writer : DiskWriter, optional
        Receives the documents that are dropped.
    newline_replacement : str
        Stands for each newline of a text.
    filter_mode : str
        What to predict and filter: ``"DOCUMENT"``, ``"PARAGRAPH"`` or ``"SENTENCE"``.
    batch_size : int
        How many documents to predict at once.

    Raises
    ------
    MissingExtraError
        At import: datatrove is not installed.
    InputValueError
        Both `keep_labels` and `remove_labels` are given; or, when the model is opened, it does not
        have one of them.
    """

    name = "🤖 fastText"

    def __init__(
        self,
        model_url: PathType,
        keep_labels: Chosen = None,
        remove_labels: Chosen = None,
        save_labels_in_metadata: bool = True,
        exclusion_writer: DiskWriter | None = None,
        newline_replacement: str = "",
        filter_mode: str = SPLIT_TEXT_DOCUMENTS,
        *,
        batch_size: int = _BATCH,
    ) -> None:
        if keep_labels and remove_labels:
            raise InputValueError("keep_labels and remove_labels exclude each other: use two steps")
        super().__init__(model_url, "filters", "fasttext", exclusion_writer, batch_size)
        self.keep_labels = _pairs(keep_labels)
        self.remove_labels = _pairs(remove_labels)
        self.save_labels_in_metadata = save_labels_in_metadata
        self.newline_replacement = newline_replacement
        self.filter_mode = filter_mode

    def _check(self, labels: list[str]) -> None:
        self._labels = labels
        available = [label.removeprefix(_PREFIX) for label in labels]
        for label, _ in self.keep_labels or self.remove_labels:
            if label not in available:
                raise InputValueError(
                    f"{self._address} has no label {label!r:.60}; its labels are {available!r:.500}"
                )

    def filter_batch(self, batch: list[Document]) -> list[bool]:
        """Return for each document whether to keep it; change its text and its metadata."""
        parts = [split_into_parts(doc.text, mode=self.filter_mode) for doc in batch]
        scores = iter(self._scores([part for one in parts for part in one]))
        return [
            self._decide(doc, [(part, next(scores)) for part in one])
            for doc, one in zip(batch, parts, strict=True)
        ]

    def _scores(self, parts: list[str]) -> list[dict[str, float]]:
        """Return the scores of the labels that are needed, for each part."""
        chosen = self.keep_labels or self.remove_labels
        texts = [part.strip().replace("\n", self.newline_replacement) for part in parts]
        labels = None
        if not self.save_labels_in_metadata:
            labels = [_PREFIX + label for label, _ in chosen]
            if not labels:
                return [{}] * len(parts)
        ids, scores = self._predict(texts, -1, labels=labels)
        counts, names = (ids >= 0).sum(axis=1).tolist(), self._labels
        return [
            dict(zip([names[i] for i in row[:count]], numbers, strict=False))
            for row, numbers, count in zip(ids.tolist(), scores.tolist(), counts, strict=True)
        ]

    def _decide(self, doc: Document, parts: list[tuple[str, dict[str, float]]]) -> bool:
        """Write the metadata and the kept text of a document; return whether it has any."""
        found: dict[str, list[float]] = {}
        kept = []
        for part, scores in parts:
            if self.save_labels_in_metadata:
                for label, score in scores.items():
                    found.setdefault(label, []).append(score)
            if self._keeps(scores):
                kept.append(part)
                self.stat_update("kept_span")
            else:
                self.stat_update("removed_span")
        doc.text = "".join(kept)
        for label, numbers in found.items():
            mean = numbers[0] if len(numbers) == 1 else np.mean(numbers).item()
            doc.metadata[label] = mean
        return bool(doc.text.strip())

    def _keeps(self, scores: dict[str, float]) -> bool:
        """Return whether a part with these scores of labels is kept."""
        hit = any(
            scores.get(_PREFIX + label, -np.inf) >= least
            for label, least in self.keep_labels or self.remove_labels
        )
        return hit if self.keep_labels else not hit


def _pairs(chosen: Chosen) -> list[tuple[str, float]]:
    """Return pairs of labels and scores as a list."""
    if chosen and isinstance(chosen[0], str):
        return [chosen]
    return list(chosen or [])
