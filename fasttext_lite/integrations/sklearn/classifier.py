"""`FastTextClassifier`: the labels of a supervised model."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import flag, real
from fasttext_lite.errors import (
    FastTextLiteError,
    InputTypeError,
    InputValueError,
)
from fasttext_lite.integrations.sklearn.estimator import (
    ClassifierMixin,
    ModelEstimator,
    column_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from numpy.typing import NDArray
    from typing_extensions import Self

    from fasttext_lite.arguments import PathType
    from fasttext_lite.classifier import Classifier
    from fasttext_lite.model import Model
    from fasttext_lite.predictions import Labels

__all__ = ["FastTextClassifier"]


class FastTextClassifier(ClassifierMixin, ModelEstimator):  # type: ignore[misc]
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
        column = column_of(X)
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
            column_of(X),
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
            column_of(X),
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
