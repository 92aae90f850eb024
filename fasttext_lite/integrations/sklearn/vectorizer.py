"""`FastTextVectorizer`: texts as vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.errors import (
    InputTypeError,
    InputValueError,
)
from fasttext_lite.integrations.sklearn.estimator import (
    ModelEstimator,
    NotFittedError,
    TransformerMixin,
    choose,
    column_of,
    is_flat,
    joined,
)
from fasttext_lite.texts import is_missing
from fasttext_lite.weighting import SIF

if TYPE_CHECKING:
    from typing import Literal

    from numpy.typing import ArrayLike, DTypeLike, NDArray
    from typing_extensions import Self

    from fasttext_lite.arguments import PathType
    from fasttext_lite.model import Model

__all__ = ["FastTextVectorizer"]

_DTYPES = ("float16", "float32", "float64")


class FastTextVectorizer(TransformerMixin, ModelEstimator):  # type: ignore[misc]
    """Turns texts into vectors: an array of shape (samples, dim).

    Parameters
    ----------
    model : path or Model
        As for `fasttext_lite.load`. A path is opened when the estimator is first used.
    weighting : {"mean", "sif"} or SIF
        ``"mean"`` gives the vectors of `Model.sentence_vectors`. ``"sif"`` gives those of
        `fasttext_lite.SIF`, in which frequent words count less; `fit` then finds the directions
        that its texts share most, which `transform` removes. A `SIF` of this model is used as it
        is, and `fit` changes nothing in it.
    input : {"text", "words"}
        What a sample is. ``"words"``: a list of words, whose vector is that of the words with
        spaces between them, or one word in each sample, whose vector is that of `Model.vectors`.
    a : float
        For ``"sif"``: the parameter of its weights.
    components : int
        For ``"sif"``: the number of directions that are removed.
    dtype : {"float32", "float64", "float16"} or dtype
        The type of the result.
    missing : {"raise", "empty"}
        What to do with missing texts (None, NaN, NA, nulls): raise, or return zeros.
    newlines : {"space", "raise"}
        What to do with newlines in texts: read them as spaces, or raise.
    threads : int, optional
        Number of threads of a call; by default one per core available to this process.

    Attributes
    ----------
    kind_, n_words_, dim_
        The kind of the model, its number of words and of dimensions; set by `fit`.
    common_ : ndarray
        For ``"sif"``: the removed directions, float32, shape (components, dim); set by `fit`.

    Raises
    ------
    MissingExtraError
        At import: scikit-learn is not installed.

    Examples
    --------
    >>> from fasttext_lite.integrations.sklearn import FastTextVectorizer
    >>> FastTextVectorizer("sample", weighting="sif").fit_transform(["a war", "peace"]).shape
    (2, 40)
    """

    def __init__(
        self,
        model: PathType | Model,
        *,
        weighting: Literal["mean", "sif"] | SIF = "mean",
        input: Literal["text", "words"] = "text",  # noqa: A002 - as in scikit-learn
        a: float = 1e-3,
        components: int = 1,
        dtype: DTypeLike = "float32",
        missing: Literal["raise", "empty"] = "raise",
        newlines: Literal["space", "raise"] = "space",
        threads: int | None = None,
    ) -> None:
        self.model = model
        self.weighting = weighting
        self.input = input
        self.a = a
        self.components = components
        self.dtype = dtype
        self.missing = missing
        self.newlines = newlines
        self.threads = threads

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803 - as in scikit-learn
        """Check the options; for ``"sif"`` find the directions that the texts share most.

        Parameters
        ----------
        X : sequence of str or bytes, or of lists of words
            A list, or a column of NumPy, pandas, Polars or Arrow.
        y : ignored

        Returns
        -------
        FastTextVectorizer
            This object.

        Raises
        ------
        InputTypeError, InputValueError
            `X` is not a column of texts, or an option is invalid.
        FileError, FormatError
            The model cannot be opened.
        """
        self._check()
        model = self._describe()
        if self.weighting == "sif":
            texts = self._texts(column_of(X))
            self._sif = SIF(model, self.a, self.components)
            self._sif.fit(texts, self.threads, missing=self.missing, newlines=self.newlines)
            self.common_ = self._sif.common
        else:
            column_of(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:  # noqa: N803
        """Fit, and return the vectors of the same texts; see `fit` and `transform`."""
        samples = list(X) if hasattr(X, "__next__") else X
        return self.fit(samples, y).transform(samples)

    def transform(self, X: Any) -> Any:  # noqa: N803
        """Return the vectors of texts.

        Parameters
        ----------
        X : iterable of str or bytes, or of lists of words
            As for `fit`.

        Returns
        -------
        ndarray or DataFrame
            Of `dtype`, shape (samples, dim); a data frame after ``set_output``. The vector of a
            text of which nothing is known is zero.

        Raises
        ------
        NotFittedError
            ``weighting="sif"``, and `fit` was not called.
        InputTypeError, InputValueError, UnknownWordError
            As for `fit`, and as for `Model.vectors`.
        MissingFileError, FileError
            The file is not where it was when the estimator was pickled, or is another one.
        """
        dtype = self._check()
        column = column_of(X)
        if self.weighting != "mean":
            sif = self._fitted()
            texts = self._texts(column)
            found = sif.vectors(texts, self.threads, missing=self.missing, newlines=self.newlines)
        elif self.input == "words" and is_flat(column):
            found = self._word_vectors(column)
        else:
            found = self._opened().sentence_vectors(
                self._texts(column),
                threads=self.threads,
                missing=self.missing,
                newlines=self.newlines,
            )
        return found.astype(dtype, copy=False)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Return the names of the columns: ``fasttextvectorizer0`` and so on.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray
            str objects, shape (dim,).
        """
        prefix = type(self).__name__.lower()
        return np.array([f"{prefix}{i}" for i in range(self._opened().dim)], object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = isinstance(self.weighting, str) and self.weighting == "sif"
        tags.transformer_tags.preserves_dtype = []
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return self.weighting != "sif" or hasattr(self, "common_")

    def __getstate__(self) -> dict[str, Any]:
        # It is made again from the path and the directions.
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_sif"}

    def _check(self) -> np.dtype[Any]:
        if not isinstance(self.weighting, SIF):
            choose("weighting", self.weighting, ("mean", "sif"))
        choose("input", self.input, ("text", "words"))
        try:
            dtype = np.dtype(self.dtype)
        except TypeError:
            dtype = None
        if dtype is None or dtype.name not in _DTYPES or self.dtype is None:
            raise InputValueError(
                f"dtype must be one of {', '.join(_DTYPES)}, not {self.dtype!r:.60}"
            )
        return dtype

    def _fitted(self) -> SIF:
        if isinstance(self.weighting, SIF):
            if self.weighting.common.shape[1] != self._opened().dim:
                raise InputValueError("weighting is a SIF of a model with other dimensions")
            return self.weighting
        if not hasattr(self, "common_"):
            raise NotFittedError(
                'weighting="sif" removes directions that fit finds: call fit first, or set '
                'weighting="mean"'
            )
        if "_sif" not in self.__dict__:
            self._sif = SIF.fitted(self._opened(), self.a, self.components, self.common_)
        return self._sif

    def _texts(self, column: Any) -> Any:
        """Return the samples as texts."""
        if self.input == "text":
            return column
        if is_flat(column):
            raise InputTypeError(
                'with input="words" and the weights of SIF each sample must be a list of words, '
                'not a word: set input="text" or weighting="mean"'
            )
        return [joined(words, i) for i, words in enumerate(column)]

    def _word_vectors(self, column: Any) -> NDArray[np.float32]:
        model = self._opened()
        if self.missing == "raise":
            return model.vectors(column, threads=self.threads)
        words = list(column)
        known = np.array([not is_missing(word) for word in words], bool)
        found = np.zeros((len(words), model.dim), np.float32)
        present = [word for word, is_there in zip(words, known, strict=True) if is_there]
        found[known] = model.vectors(present, threads=self.threads)
        return found
