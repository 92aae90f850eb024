"""The answers of a model, and of an index of texts, to requests: JSON objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fasttext_lite.errors import ModelKindError
from fasttext_lite.integrations.serving.parameters import Endpoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fasttext_lite.model import Model
    from fasttext_lite.text_index import TextIndex

__all__ = ["Answers", "IndexAnswers", "ModelAnswers", "as_json"]

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def as_json(value: object) -> str:
    r"""Return JSON; halves of surrogate pairs, for words that are not UTF-8, are kept.

    Examples
    --------
    >>> as_json("naïve"), as_json("a\udcff")
    ('"naïve"', '"a\\udcff"')
    """
    text = _ENCODER.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def _short(number: float) -> float | None:
    """Return a number whose shortest decimal form reads back as the same float32."""
    found = float(str(np.float32(number)))
    # JSON has no infinite number and no NaN.
    return found if abs(found) < np.inf else None


def _vector(numbers: NDArray[np.float32]) -> str:
    """Return an array of JSON with the shortest decimal forms."""
    if np.isfinite(numbers).all():
        # `json` would write them anew, which takes as long as making them.
        return f"[{', '.join(numbers.astype(str).tolist())}]"
    return as_json([_short(number) for number in numbers.tolist()])


# The parameters of a search.
_SEARCH = {"k": (int, 1, 10), "min_score": (float, -1.0, None), "accuracy": (float, 0.0, None)}


class Answers(Protocol):
    """What a server answers.

    Attributes
    ----------
    path : str or None
        The file that it has.
    endpoints : dict of str to Endpoint
        By the names in the addresses.
    lacking : dict of str to str
        Why there are no others.
    """

    path: str | None
    endpoints: dict[str, Endpoint]
    lacking: dict[str, str]

    def info(self) -> dict[str, Any]:
        """Describe the file."""


class ModelAnswers:
    """The answers of a model.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.path: str | None = model.info.path
        self.endpoints = {
            "vectors": Endpoint({"word": self._vectors, "text": self._text_vectors}, {}),
            "neighbors": Endpoint(
                {"word": self._neighbors, "text": self._text_neighbors}, _SEARCH, most=len(model)
            ),
        }
        self.lacking = {
            "search": "this server has a model, which holds words, not an index of texts: "
            "/neighbors finds words"
        }
        try:
            model.classifier()
        except ModelKindError as error:
            self.lacking["predict"] = str(error)
        else:
            self.endpoints["predict"] = Endpoint(
                {"text": self._labels},
                {"k": (int, 1, 1), "threshold": (float, 0.0, 0.0)},
                most=len(model.labels),
            )

    def info(self) -> dict[str, Any]:
        """Describe the model."""
        info = self._model.info
        return {
            "target": "model",
            "kind": info.kind,
            "dim": self._model.dim,
            "words": len(self._model),
            "labels": info.label_count,
            "graph": self._model._parts.graph is not None,
        }

    def _vectors(self, words: list[str]) -> list[str]:
        found = self._model.vectors(words, threads=1)
        return [
            f'{{"word": {as_json(word)}, "known": {as_json(word in self._model)}, '
            f'"vector": {_vector(vector)}}}'
            for word, vector in zip(words, found, strict=True)
        ]

    def _text_vectors(self, texts: list[str]) -> list[str]:
        found = self._model.sentence_vectors(texts, newlines="space", threads=1)
        return [
            f'{{"text": {as_json(text)}, "vector": {_vector(vector)}}}'
            for text, vector in zip(texts, found, strict=True)
        ]

    def _neighbors(self, words: list[str], **options: Any) -> list[str]:
        found = self._model.neighbors(words, threads=1, **options)
        return [
            as_json({"word": word, "known": word in self._model, "neighbors": _near(near)})
            for word, near in zip(words, found, strict=True)
        ]

    def _text_neighbors(self, texts: list[str], **options: Any) -> list[str]:
        vectors = self._model.sentence_vectors(texts, newlines="space", threads=1)
        found = self._model.neighbors(vectors, threads=1, **options)
        return [
            as_json({"text": text, "neighbors": _near(near)})
            for text, near in zip(texts, found, strict=True)
        ]

    def _labels(self, texts: list[str], k: int, threshold: float) -> list[str]:
        found = self._model.predict(texts, k, threshold, newlines="space", threads=1)
        return [
            as_json(
                {
                    "text": text,
                    "labels": one.labels,
                    "probabilities": [_short(p) for p in one.probabilities.tolist()],
                }
            )
            for text, one in zip(texts, found, strict=True)
        ]


class IndexAnswers:
    """The answers of an index of texts, and of its model.

    Parameters
    ----------
    index : TextIndex
    """

    def __init__(self, index: TextIndex) -> None:
        self._index = index
        self.path = index.info.path
        model = ModelAnswers(index.model)
        search = Endpoint({"query": self._hits}, _SEARCH, most=len(index))
        self.endpoints = model.endpoints | {"search": search}
        self.lacking = model.lacking

    def info(self) -> dict[str, Any]:
        """Describe the index."""
        info = self._index.info
        return {
            "target": "index",
            "dim": info.dim,
            "texts": info.count,
            "labels": info.labels,
            "graph": bool(info.accuracy),
        }

    def _hits(self, queries: list[str], **options: Any) -> list[str]:
        # A search of many divides them among threads.
        return [self._hits_of(query, options) for query in queries]

    def _hits_of(self, query: str, options: dict[str, Any]) -> str:
        found = self._index.search(query.replace("\n", " "), threads=1, **options)
        hits = [
            {"id": hit.id, "text": hit.text, "score": _short(hit.score), "label": hit.label}
            for hit in found
        ]
        return as_json({"query": query, "hits": hits})


def _near(found: Any) -> list[dict[str, Any]]:
    return [{"word": word, "score": _short(score)} for word, score in found]
