"""Vectors and labels of texts as estimators of scikit-learn.

>>> from sklearn.linear_model import LogisticRegression
>>> from sklearn.pipeline import make_pipeline
>>> from fasttext_lite.integrations.sklearn import FastTextVectorizer
>>> pipeline = make_pipeline(FastTextVectorizer("sample"), LogisticRegression())
>>> pipeline.fit(["the king", "a queen", "the army", "a war"], [0, 0, 1, 1]).predict(["warlike"])
array([1])

Both estimators learn from a file, not from `fit`, and work before it, except for
``weighting="sif"``. A clone or a pickle holds the path of the model, so that all processes of a
search share one mapped file.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import decode, flag, real
from fasttext_lite.errors import (
    FastTextLiteError,
    InputTypeError,
    InputValueError,
    MissingExtraError,
)
from fasttext_lite.model import Model
from fasttext_lite.model_path import ModelPath
from fasttext_lite.texts import is_missing, text_option
from fasttext_lite.weighting import SIF

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
    from sklearn.exceptions import NotFittedError
except ImportError:
    raise MissingExtraError("scikit-learn", "sklearn") from None

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from numpy.typing import ArrayLike, DTypeLike, NDArray
    from typing_extensions import Self

    from fasttext_lite.arguments import PathType
    from fasttext_lite.classifier import Classifier
    from fasttext_lite.predictions import Labels

__all__ = ["FastTextClassifier", "FastTextVectorizer"]

_DTYPES = ("float16", "float32", "float64")


class _ModelEstimator(BaseEstimator):  # type: ignore[misc]
    """An estimator with a model in a file, which is opened when it is needed."""

    model: Model | PathType
    missing: Literal["raise", "empty"]
    newlines: Literal["space", "raise"]

    def _opened(self) -> Model:
        if isinstance(self.model, Model):
            return self.model
        found: tuple[Any, ModelPath] | None = self.__dict__.get("_source")
        if found is None or found[0] is not self.model:
            found = self._source = self.model, ModelPath(self.model)
        return found[1].shared

    def _describe(self) -> Model:
        """Open the model, and store what the HTML of an estimator shows of it."""
        text_option("missing", self.missing)
        text_option("newlines", self.newlines)
        model = self._opened()
        self.kind_ = model.info.kind
        self.n_words_ = len(model)
        self.dim_ = model.dim
        return model

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = self.missing == "empty"
        return tags


class FastTextVectorizer(TransformerMixin, _ModelEstimator):  # type: ignore[misc]
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
            texts = self._texts(_column(X))
            self._sif = SIF(model, self.a, self.components)
            self._sif.fit(texts, self.threads, missing=self.missing, newlines=self.newlines)
            self.common_ = self._sif.common
        else:
            _column(X)
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
        column = _column(X)
        if self.weighting != "mean":
            sif = self._fitted()
            texts = self._texts(column)
            found = sif.vectors(texts, self.threads, missing=self.missing, newlines=self.newlines)
        elif self.input == "words" and _is_flat(column):
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
            _choose("weighting", self.weighting, ("mean", "sif"))
        _choose("input", self.input, ("text", "words"))
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
        if _is_flat(column):
            raise InputTypeError(
                'with input="words" and the weights of SIF each sample must be a list of words, '
                'not a word: set input="text" or weighting="mean"'
            )
        return [_joined(words, i) for i, words in enumerate(column)]

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


class FastTextClassifier(ClassifierMixin, _ModelEstimator):  # type: ignore[misc]
    """Predicts the labels of texts by a supervised model, which is trained already.

    Parameters
    ----------
    model : path or Model
        A supervised model, as for `fasttext_lite.load`. A path is opened at first use.
    threshold : float
        `predict` returns `otherwise` for texts whose best label is less probable than this.
    otherwise : str
        What `predict` returns then, and for texts of which the model knows nothing; scores count it
        as wrong.
    labels : iterable of str, bytes or int, optional
        The labels to choose among, as for `Classifier.predict`; by default all.
    renormalize : bool
        Make each row of `predict_proba` sum to 1, as scikit-learn asks for; see
        `Classifier.predict`. A text of which the model knows nothing has equal probabilities.
        False returns the numbers of the model, and zeros for such a text.
    strip_prefix : bool
        Remove ``__label__`` from the labels.
    missing : {"raise", "empty"}
        What to do with missing texts (None, NaN, NA, nulls): raise, or treat them as texts of which
        the model knows nothing.
    newlines : {"space", "raise"}
        What to do with newlines in texts: read them as spaces, or raise.
    threads : int, optional
        Number of threads of a call; by default one per core available to this process.

    Attributes
    ----------
    classes_ : ndarray
        The labels, str objects in sorted order, before `fit`, too.
    kind_, n_words_, dim_
        The kind of the model, its number of words and of dimensions; set by `fit`.

    Raises
    ------
    MissingExtraError
        At import: scikit-learn is not installed.
    """

    def __init__(
        self,
        model: PathType | Model,
        *,
        threshold: float = 0.0,
        otherwise: str = "",
        labels: Labels | None = None,
        renormalize: bool = True,
        strip_prefix: bool = True,
        missing: Literal["raise", "empty"] = "raise",
        newlines: Literal["space", "raise"] = "space",
        threads: int | None = None,
    ) -> None:
        self.model = model
        self.threshold = threshold
        self.otherwise = otherwise
        self.labels = labels
        self.renormalize = renormalize
        self.strip_prefix = strip_prefix
        self.missing = missing
        self.newlines = newlines
        self.threads = threads

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803 - as in scikit-learn
        """Check the options and the labels. Nothing is learned from the texts.

        Parameters
        ----------
        X : sequence of str or bytes
            A list, or a column of NumPy, pandas, Polars or Arrow.
        y : sequence of labels, optional
            Labels that the model does not have are never predicted.

        Returns
        -------
        FastTextClassifier
            This object.

        Raises
        ------
        InputTypeError, InputValueError
            `X` is not a column of texts, the model has none of the labels in `y`, or an option is
            invalid.
        ModelKindError
            The model is not supervised.
        FileError, FormatError
            The model cannot be opened.
        """
        column = _column(X)
        self._check()
        self._describe()
        classes = self._columns()[0]
        if y is not None:
            given = list(y)
            if hasattr(column, "__len__") and len(given) != len(column):
                raise InputValueError(f"X has {len(column)} samples, but y has {len(given)}")
            if given and not set(classes) & {str(label) for label in given}:
                some = ", ".join(map(repr, classes[:3]))
                raise InputValueError(
                    f"the model has none of the labels in y, such as {given[0]!r:.60}; it has "
                    f"labels such as {some}"
                )
        return self

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return the most probable label of each text.

        Parameters
        ----------
        X : iterable of str or bytes
            As for `fit`.

        Returns
        -------
        ndarray
            Objects, shape (samples,): str, or `otherwise`.

        Raises
        ------
        InputTypeError, InputValueError, NotANumberError
            As for `Classifier.predict`.
        ModelKindError, FileError, FormatError
            As for `fit`; or the file is not where it was when the estimator was pickled, or is
            another one.
        """
        threshold = self._check()
        model = self._opened()
        ids, _ = self._classifier(model).predict_ids(
            _column(X),
            1,
            threshold,
            labels=self.labels,
            renormalize=self.renormalize,
            threads=self.threads,
            missing=self.missing,
            newlines=self.newlines,
        )
        # The last one, for the id -1, which means that there is no label.
        names = np.array([*self._names(model), self.otherwise], object)
        return names[ids[:, 0]]

    def predict_proba(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """Return the probability of each label for each text.

        Parameters
        ----------
        X : iterable of str or bytes
            As for `fit`.

        Returns
        -------
        ndarray
            float32, shape (samples, labels), in the order of `classes_`.

        Raises
        ------
        InputTypeError, InputValueError, NotANumberError, ModelKindError, FileError, FormatError
            As for `predict`.
        """
        self._check()
        _, ids = self._columns()
        found = self._classifier(self._opened()).probabilities(
            _column(X),
            ids,
            renormalize=self.renormalize,
            threads=self.threads,
            missing=self.missing,
            newlines=self.newlines,
        )
        if self.renormalize:
            found[~found.any(axis=1)] = 1 / len(ids)
        return found

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels in the order of the columns of `predict_proba`."""
        try:
            return self._columns()[0]
        except FastTextLiteError as error:
            # Not an attribute, so that notebooks show an estimator whose file is missing.
            raise AttributeError(f"classes_ cannot be read from the model: {error}") from error

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags

    def _check(self) -> float:
        flag("renormalize", self.renormalize)
        flag("strip_prefix", self.strip_prefix)
        if not isinstance(self.otherwise, str):
            raise InputTypeError(f"otherwise must be str, not {type(self.otherwise).__name__}")
        return real("threshold", self.threshold)

    def _classifier(self, model: Model) -> Classifier:
        return model.classifier(strip_prefix=self.strip_prefix)

    def _names(self, model: Model) -> list[str]:
        """Return the names of all labels, in the order of their ids."""
        model.classifier()  # raises if there are no labels
        prefix = "__label__" if self.strip_prefix else ""
        return [label.removeprefix(prefix) for label in model.labels]

    def _columns(self) -> tuple[NDArray[Any], list[int]]:
        """Return the names and the ids of the labels to choose among, sorted by name."""
        model = self._opened()
        names = self._names(model)
        ids: Iterable[int] = range(len(names))
        if self.labels is not None:
            ids = set(self._classifier(model)._label_ids(self.labels).tolist())
        ordered = sorted(ids, key=names.__getitem__)
        classes = [names[i] for i in ordered]
        if not classes:
            raise InputValueError("labels is empty: name at least one")
        for one, other in pairwise(classes):
            if one == other:
                raise InputValueError(
                    f"two labels are {one!r} without their prefix: set strip_prefix=False"
                )
        return np.array(classes, object), ordered


def _choose(name: str, value: object, known: tuple[str, ...]) -> None:
    if not isinstance(value, str):
        raise InputTypeError(f"{name} must be str, not {type(value).__name__}")
    if value not in known:
        raise InputValueError(f"{name} must be {' or '.join(map(repr, known))}, not {value!r:.60}")


def _column(samples: Any) -> Any:
    """Return samples that are one column."""
    if isinstance(samples, (str, bytes)):
        raise InputTypeError("X is one text: pass a list of texts")
    shape = getattr(samples, "shape", None)
    if isinstance(samples, dict) or (shape is not None and len(shape) != 1):
        what = f"{type(samples).__name__}" + (f" of shape {tuple(shape)}" if shape else "")
        raise InputValueError(
            f"X must be one column of texts, not a {what}: pass X['text'], or in a "
            "ColumnTransformer the name 'text' in place of the list ['text']"
        )
    return samples


def _is_flat(column: Any) -> bool:
    """Return whether samples are words, not lists of words."""
    return not any(
        not isinstance(sample, (str, bytes)) and not is_missing(sample) for sample in column
    )


def _joined(words: Any, row: int) -> Any:
    """Return a list of words as a text; a missing list as it is."""
    if is_missing(words):
        return words
    if isinstance(words, (str, bytes)) or not hasattr(words, "__iter__"):
        raise InputTypeError(
            f"sample {row} must be a list of words, as others are, not {type(words).__name__}"
        )
    found = []
    for word in words:
        if not isinstance(word, (str, bytes)):
            raise InputTypeError(
                f"sample {row} holds {type(word).__name__}: words must be str or bytes"
            )
        found.append(decode(word) if isinstance(word, bytes) else word)
    return " ".join(found)
