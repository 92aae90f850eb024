"""Filters for pipelines of NeMo Curator: `FastTextLangId` and `FastTextQualityFilter`.

They take the arguments of the filters of these names in NeMo Curator, and return the same scores;
they do not need the package ``fasttext``, and map the model, so that all workers of a machine share
one copy. `BatchScoreFilter` is the stage `ScoreFilter` with whole batches predicted at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.errors import InputTypeError, InputValueError, MissingExtraError
from fasttext_lite.model_path import ModelPath

try:
    import pandas
    from nemo_curator.stages.text.filters.doc_filter import DocumentFilter
    from nemo_curator.stages.text.filters.score_filter import ScoreFilter
except ImportError as error:
    raise MissingExtraError(error.name or "nemo_curator", "nemo") from error

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.model import Model

__all__ = ["BatchScoreFilter", "FastTextLangId", "FastTextQualityFilter"]

_PREFIX = "__label__"


class _ModelFilter(DocumentFilter):  # type: ignore[misc]
    """A filter with a model that each worker opens.

    It pickles as the path of the model with a fingerprint of the file, if that is on this machine:
    a worker that finds another file there raises.
    """

    def __init__(self, model_path: PathType | None, name: str) -> None:
        super().__init__()
        if model_path is None:
            raise InputValueError("model_path is missing: pass the path of a fastText model")
        self._file = ModelPath(model_path)
        self._name = name

    @property
    def model(self) -> Model:
        """The model.

        Raises
        ------
        MissingFileError, FileError, FormatError
            The file cannot be read, or is not a fastText model.
        ModelKindError
            The model has no labels.
        """
        return self._file.model

    def model_check_or_download(self) -> None:
        """Open the model once on each node, so that a wrong path ends the pipeline at once."""
        self.load_model()

    def load_model(self) -> None:
        """Open the model in a worker."""
        self.model.classifier()

    def score_document(self, text: str) -> Any:
        """Return the score of one text; see `score_documents`."""
        return self.score_documents([text])[0]

    def score_documents(self, texts: Iterable[str]) -> list[Any]:
        """Return the score of each of many texts."""
        raise NotImplementedError

    def _best(self, texts: list[str]) -> tuple[NDArray[np.int32], list[float]]:
        """Return the id of the best label of each text, -1 if it has none, and its score."""
        # One thread: NeMo Curator gives a stage one core.
        ids, scores = self.model.predict_ids(texts, official_bias=True, newlines="space", threads=1)
        return ids[:, 0], scores[:, 0].tolist()


class FastTextLangId(_ModelFilter):
    """Identifies the language of documents, and keeps those in one language, or with a good score.

    Arguments, scores and rules are those of
    `nemo_curator.stages.text.filters.fasttext.FastTextLangId`. A score is the text of a list, as
    ``"[0.98, 'en']"``; it has the bias of the official program. A document without any label,
    which ends a run of their filter, has the score ``"[0.0, '']"``.

    Parameters
    ----------
    model_path : str or os.PathLike
    min_langid_score : float
        Keep documents with at least this score.
    lang : str, optional
        Keep documents in this language only: ``"en"``, or with a script as ``"eng_Latn"``. Case
        does not matter, and a language without a script stands for all of its scripts.

    Raises
    ------
    MissingExtraError
        At import: NeMo Curator is not installed.
    InputValueError
        `model_path` is missing.
    """

    def __init__(
        self,
        model_path: PathType | None = None,
        min_langid_score: float = 0.3,
        lang: str | None = None,
    ) -> None:
        super().__init__(model_path, "lang_id")
        self._cutoff = min_langid_score
        self._language = lang.casefold() if lang else None

    def score_documents(self, texts: Iterable[str]) -> list[str]:
        """Return the score and the language of each text.

        Raises
        ------
        InputTypeError
            A text is no str.
        """
        labels = self.model.labels
        found = self._best([text.strip() if isinstance(text, str) else text for text in texts])
        return [
            str([score, labels[label].removeprefix(_PREFIX) if label >= 0 else ""])
            for label, score in zip(*found, strict=True)
        ]

    def keep_document(self, score: str) -> bool:
        """Return whether a document with this score is kept.

        Raises
        ------
        InputTypeError
            The score is no str.
        """
        if not isinstance(score, str):
            raise InputTypeError(
                f"a score must be a str as \"[0.98, 'en']\", not {type(score).__name__}"
            )
        # `ast.literal_eval` would take as long as the prediction.
        number, _, language = score[1:-1].partition(", ")
        if float(number) < self._cutoff:
            return False
        if self._language is None:
            return True
        found = language[1:-1].casefold()
        return self._language in (found, found.split("_", 1)[0])


class FastTextQualityFilter(_ModelFilter):
    """Scores the quality of documents, and keeps good ones, and of the others some by chance.

    Arguments, scores and rules are those of
    `nemo_curator.stages.text.filters.fasttext.FastTextQualityFilter`; scores have the bias of the
    official program. The numbers drawn are those of `numpy.random` after ``seed(seed)``, but the
    filter draws them from a generator of its own.

    Parameters
    ----------
    model_path : str or os.PathLike
    label : str
        The label of good documents, with its prefix.
    alpha : float
        A document is kept if a number of the Pareto distribution of this shape is larger than 1
        minus its score.
    seed : int

    Raises
    ------
    MissingExtraError
        At import: NeMo Curator is not installed.
    InputValueError
        `model_path` is missing; or, when the model is opened, it does not have the label.
    """

    def __init__(
        self,
        model_path: PathType | None = None,
        label: str = "__label__hq",
        alpha: float = 3,
        seed: int = 42,
    ) -> None:
        super().__init__(model_path, "fasttext_quality_filter")
        self._label = label
        self._alpha = alpha
        self._random = np.random.RandomState(seed)

    def load_model(self) -> None:
        """Open the model in a worker, and look for the label in it."""
        super().load_model()
        self.model.predict_ids([], labels=[self._label])

    def score_documents(self, texts: Iterable[str]) -> list[float]:
        """Return the score of each text: the probability of the label if it is the best one.

        Otherwise it is 1 minus the probability of the best label.

        Raises
        ------
        InputTypeError
            A text is no str.
        """
        good = self.model.labels.index(self._label)
        given = [text.replace(_PREFIX, " ") if isinstance(text, str) else text for text in texts]
        ids, scores = self._best(given)
        return [
            score if label in (good, -1) else 1 - score
            for label, score in zip(ids, scores, strict=True)
        ]

    def keep_document(self, score: float) -> bool:
        """Return whether a document with this score is kept, which depends on chance."""
        return bool(self._random.pareto(self._alpha) > 1 - score)


class BatchScoreFilter(ScoreFilter):  # type: ignore[misc]
    """The stage `ScoreFilter` of NeMo Curator, which scores all documents of a batch at once.

    Its parameters are those of `nemo_curator.stages.text.filters.ScoreFilter`. Filters of other
    kinds run as there, document by document.
    """

    def compute_filter_mask(
        self,
        df: pandas.DataFrame,
        filter_obj: DocumentFilter,
        text_field: str,
        score_field: str | None,
        invert: bool,
    ) -> pandas.Series:
        """Return for each row whether it is kept, and write the scores to `score_field`."""
        if not isinstance(filter_obj, _ModelFilter):
            return super().compute_filter_mask(df, filter_obj, text_field, score_field, invert)
        scores = pandas.Series(filter_obj.score_documents(df[text_field]), index=df.index)
        if score_field is not None:
            df[score_field] = scores
        kept = np.array([filter_obj.keep_document(score) for score in scores], np.bool_)
        return pandas.Series(kept != invert, index=df.index)
