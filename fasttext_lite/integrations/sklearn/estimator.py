"""What the estimators share: a model in a file, and checks of their samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fasttext_lite.arguments import decode
from fasttext_lite.errors import (
    InputTypeError,
    InputValueError,
    MissingExtraError,
)
from fasttext_lite.model import Model
from fasttext_lite.model_path import ModelPath
from fasttext_lite.texts import is_missing, text_option

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
    from sklearn.exceptions import NotFittedError
except ImportError:
    raise MissingExtraError("scikit-learn", "sklearn") from None

if TYPE_CHECKING:
    from typing import Literal

    from fasttext_lite.arguments import PathType

__all__ = [
    "ClassifierMixin",
    "ModelEstimator",
    "NotFittedError",
    "TransformerMixin",
    "choose",
    "column_of",
    "is_flat",
    "joined",
]


class ModelEstimator(BaseEstimator):  # type: ignore[misc]
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


def choose(name: str, value: object, known: tuple[str, ...]) -> None:
    """Raise unless an option is one of the known ones."""
    if not isinstance(value, str):
        raise InputTypeError(f"{name} must be str, not {type(value).__name__}")
    if value not in known:
        raise InputValueError(f"{name} must be {' or '.join(map(repr, known))}, not {value!r:.60}")


def column_of(samples: Any) -> Any:
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


def is_flat(column: Any) -> bool:
    """Return whether samples are words, not lists of words."""
    return not any(
        not isinstance(sample, (str, bytes)) and not is_missing(sample) for sample in column
    )


def joined(words: Any, row: int) -> Any:
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
