"""Vectors of texts for an index: by which model, with which weights, in which case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.arguments import decode, flag, real
from fasttext_lite.cosines import cosines, unit
from fasttext_lite.errors import FileError, InputTypeError, InputValueError
from fasttext_lite.loading import SAMPLE, load
from fasttext_lite.model import Model
from fasttext_lite.parallel import run_over
from fasttext_lite.spelling import DIM, letters
from fasttext_lite.spelling import reader as spelling_reader
from fasttext_lite.weighting import SIF

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from numpy.typing import NDArray

    Text: TypeAlias = str | bytes | None

__all__ = ["TextEmbedding", "model_of"]

# The least mean cosine of vectors that were computed by a model and by a converted copy of it.
_SAME = 0.99


class TextEmbedding:
    """Computes the vectors of texts and queries.

    Parameters
    ----------
    model : Model
    weighting : {"mean"} or SIF
        ``"mean"`` for the vectors of `Model.sentence_vectors`; a `SIF` of this model for its
        vectors.
    lowercase : bool
        Whether texts are converted to lower case first.
    spelling : float
        The share of the spelling in the cosines, from 0 to 1.

    Raises
    ------
    InputTypeError, InputValueError
        An argument has the wrong type or value.
    """

    def __init__(
        self, model: Model, weighting: str | SIF, *, lowercase: bool, spelling: float
    ) -> None:
        if not isinstance(model, Model):
            raise InputTypeError(f"model must be a Model, not {type(model).__name__}")
        if not isinstance(weighting, (str, SIF)):
            raise InputTypeError(f"weighting must be str or SIF, not {type(weighting).__name__}")
        if isinstance(weighting, str) and weighting != "mean":
            raise InputValueError(f"weighting must be 'mean' or a SIF, not {weighting!r:.60}")
        if isinstance(weighting, SIF) and weighting.model is not model:
            raise InputValueError("weighting is the SIF of another model")
        self.model = model
        self.weighting = weighting
        self.lowercase = flag("lowercase", lowercase)
        self.spelling = real("spelling", spelling, 0, 1)
        share = np.float32(self.spelling)
        self._factors = np.sqrt(1 - share), np.sqrt(share)

    @property
    def dim(self) -> int:
        """Number of dimensions of a vector."""
        return self.model.dim + (DIM if self.spelling else 0)

    def prepared(self, text: Text) -> str:
        """Return a text as it is given to the model: in lower case, if this is asked for."""
        if isinstance(text, bytes):
            text = decode(text)
        if not text or text.isspace():
            return ""
        return text.lower() if self.lowercase else text

    def vectors(self, texts: Sequence[Text], threads: int | None = None) -> NDArray[np.float32]:
        """Return the vectors of texts: float32, shape (n, dim); zero for a text without words."""
        prepared = [self.prepared(text) for text in texts]
        if isinstance(self.weighting, SIF):
            found = self.weighting.vectors(prepared, threads, newlines="space", errors="replace")
        else:
            found = self.model.sentence_vectors(
                prepared, threads=threads, newlines="space", errors="replace"
            )
        for i, text in enumerate(prepared):
            # A supervised model has a vector for the empty text.
            if not text:
                found[i] = 0
        if not self.spelling:
            return found
        batch = WordBatch([letters(text) for text in prepared], "text", errors="replace")
        spelt, reader = np.empty((len(batch), DIM), np.float32), spelling_reader()
        run_over(lambda start, stop: reader.fill(batch, start, stop, spelt), batch, threads)
        return self._joined(found, spelt)

    def vector(self, text: str | bytes) -> NDArray[np.float32]:
        """Return the vector of one text: float32, shape (1, dim)."""
        prepared = self.prepared(text)
        if not prepared or isinstance(self.weighting, SIF):
            return self.vectors([text], 1)
        found = self.model.sentence_vector(prepared, newlines="space", errors="replace")
        found = found.reshape(1, -1)
        if not self.spelling:
            return found
        spelt = spelling_reader().vector(letters(prepared))
        return self._joined(found, spelt.reshape(1, -1))

    def _joined(
        self, meant: NDArray[np.float32], spelt: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return vectors whose cosines are weighted means of those of both parts."""
        of_model, of_spelling = self._factors
        return np.concatenate([unit(meant) * of_model, unit(spelt) * of_spelling], axis=1)

    def padded(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return vectors of the model as vectors of this object, without a spelling."""
        spelt = np.zeros((len(vectors), self.dim - self.model.dim), np.float32)
        return np.concatenate([vectors, spelt], axis=1)

    def description(self) -> dict[str, Any]:
        """Return what a file says about this object, besides the directions of a SIF."""
        found: dict[str, Any] = {
            "lowercase": self.lowercase,
            "spelling": self.spelling,
            "weighting": "mean",
        }
        if isinstance(self.weighting, SIF):
            found["weighting"] = {"a": self.weighting._a, "components": self.weighting._components}
        return found | {"model": _place(self.model)}

    @property
    def common(self) -> NDArray[np.float32] | None:
        """The directions that a SIF removes; None if there is no SIF."""
        return self.weighting.common if isinstance(self.weighting, SIF) else None

    def agrees(self, texts: Sequence[str], stored: NDArray[np.float32]) -> bool:
        """Return whether texts have these vectors, up to a loss of precision.

        Parameters
        ----------
        texts : sequence of str
        stored : ndarray
            float32, shape (n, dim); NaN for texts without a vector.
        """
        computed = self.vectors(texts)
        if computed.shape != stored.shape:
            return False
        both = np.isfinite(stored).all(axis=1) & computed.any(axis=1)
        return not both.any() or float(np.mean(cosines(stored[both], computed[both]))) > _SAME

    @staticmethod
    def described(
        model: Model, description: dict[str, Any], common: NDArray[np.float32] | None
    ) -> TextEmbedding:
        """Return the object that a file describes.

        Parameters
        ----------
        model : Model
        description : dict
            As from `description`, checked.
        common : ndarray or None
            The directions that a SIF removes.
        """
        weighting: str | SIF = "mean"
        if common is not None:
            given = description["weighting"]
            weighting = SIF.fitted(model, given["a"], given["components"], common.copy())
        return TextEmbedding(
            model,
            weighting,
            lowercase=description["lowercase"],
            spelling=description["spelling"],
        )


def _place(model: Model) -> dict[str, Any] | None:
    """Return the path and the fingerprint of the file of a model; None if it has none."""
    file = model._parts.file
    if file is None or file.path is None or model._parts.origin is not None:
        return None
    size, checksum = file.fingerprint()
    path = "sample" if file.name == SAMPLE else file.name
    return {"path": path, "size": size, "crc32": checksum}


def model_of(place: dict[str, Any] | None, path: str) -> Model:
    """Open the model that the vectors of an index were made with.

    Parameters
    ----------
    place : dict or None
        Path and fingerprint of the model, as in the file of the index.
    path : str
        Path of the index, for errors.

    Raises
    ------
    FileError
        The model is not there, or is another file.
    """
    advice = "pass the model: TextIndex.open(path, model)"
    if place is None:
        raise FileError(f"the index does not name the file of its model: {advice}", path)
    try:
        model = load(place["path"])
    except FileError as error:
        raise FileError(
            f"the model of this index cannot be opened: {error}; put it there, or {advice}", path
        ) from None
    file = model._parts.file
    if file is None or file.fingerprint() != (place["size"], place["crc32"]):
        raise FileError(
            f"{place['path']} is another file than the model of this index, which had "
            f"{place['size']:,} bytes: {advice}",
            path,
        )
    return model
