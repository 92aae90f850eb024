"""What is on a map: its words and vectors, and the clusters of these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import whole
from fasttext_lite.clustering import cluster
from fasttext_lite.clusters import Clusters
from fasttext_lite.errors import (
    InputTypeError,
    InputValueError,
    ModelKindError,
)
from fasttext_lite.items import read_items
from fasttext_lite.model import Model
from fasttext_lite.text_index import TextIndex
from fasttext_lite.vectors import WordVectors
from fasttext_lite.words import LABEL_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fasttext_lite.items import Items
    from fasttext_lite.neighbor_graph import NearestGraph

__all__ = ["WORDS", "checked_labels", "clusters_of", "items_of", "numbered"]

# The first words that are laid out by default.
WORDS = 50_000


def items_of(source: Any, words: Any, of: str) -> tuple[Items, NDArray[np.int64] | None, str]:
    """Read what to map.

    Parameters
    ----------
    source, words, of
        As for `map_words`, with a path already opened.

    Returns
    -------
    items : Items
    counts : ndarray or None
        How often each occurs in the training text, if the model says: int64, shape (n,).
    of : str
        What the items are.

    Raises
    ------
    InputTypeError, InputValueError, UnknownWordError, NotANumberError, ModelKindError
        As for `map_words`.
    """
    if isinstance(source, TextIndex):
        return _texts_of(source, words), None, "texts"
    if of == "labels" and isinstance(source, WordVectors):
        return read_items(*_label_directions(source)), source.label_counts, of
    items = read_items(source, words, default=WORDS)
    return items, _counts_of(items), of


def _texts_of(index: TextIndex, words: Any) -> Items:
    if not hasattr(words, "__index__"):
        raise InputTypeError(
            f"words must be the number of texts to map, not {type(words).__name__}"
        )
    count = min(whole("words", words, 1), len(index))
    found = index.vectors(count)
    # Texts without known words.
    found[np.isnan(found).any(axis=1)] = 0
    return read_items(found, index.texts[:count])


def _label_directions(model: WordVectors) -> tuple[NDArray[np.float32], list[str]]:
    """Return the direction of each label of a supervised model, and the labels without prefix.

    This is its row of the output layer or, with hierarchical softmax, the signed sum of the rows on
    its path.
    """
    if not isinstance(model, Model):
        raise InputTypeError(f"labels are those of a model, not of {type(model).__name__}")
    loss = model._loss
    if not loss.label_count:
        raise ModelKindError(f"{model.info.path}: this model has no labels")
    found = np.empty((loss.label_count, model.dim), np.float32)
    for label, row in enumerate(found):
        loss.direction(label, row)
    return found, [label.removeprefix(LABEL_PREFIX) for label in model.labels]


def _counts_of(items: Items) -> NDArray[np.int64] | None:
    if items.model is None or items.ids is None:
        return None
    counts = items.model.counts
    found = np.where(items.ids >= 0, counts[items.ids.clip(min=0)], 0) if len(counts) else None
    # Files of word vectors have no counts.
    return found if found is not None and found.max(initial=0) > 1 else None


def clusters_of(
    items: Items, source: Any, words: Any, graph: NearestGraph, seed: int, progress: bool
) -> Clusters:
    """Return the clusters of items along their graph.

    Parameters
    ----------
    items : Items
    source, words
        Where they were read from.
    graph : NearestGraph
    seed : int
    progress : bool
    """
    if items.model is None:
        names = None if isinstance(items.names, range) else items.names
        return cluster(items.vectors, names, seed=seed, graph=graph, progress=progress)
    return cluster(source, words, seed=seed, graph=graph, progress=progress)


def checked_labels(labels: Any, names: Sequence[str] | range) -> NDArray[np.object_]:
    """Return a label for each item, as an array of str, int or None.

    Parameters
    ----------
    labels : mapping or iterable
        The label of each word, or the labels in the order of the words.
    names : sequence of str, or range
        The words.

    Raises
    ------
    InputTypeError, InputValueError
        `labels` is something else, or of another length.
    """
    if isinstance(labels, Mapping):
        labels = [labels.get(name) for name in names]
    if isinstance(labels, (str, bytes)) or not hasattr(labels, "__iter__"):
        raise InputTypeError(
            "clusters must be the result of cluster(…), a label for each word, or False, not "
            f"{type(labels).__name__}"
        )
    given = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    if len(given) != len(names):
        raise InputValueError(f"clusters has {len(given)} labels, but {len(names)} are mapped")
    wrong = next((one for one in given if not isinstance(one, (str, int, type(None)))), None)
    if wrong is not None:
        raise InputTypeError(f"clusters must hold str, int or None, not {type(wrong).__name__}")
    return np.array([*given, None], object)[:-1]


def numbered(clusters: Any, names: list[str]) -> tuple[NDArray[np.int32], list[str]]:
    """Return the cluster of each word, by falling size, and the names of the clusters.

    Parameters
    ----------
    clusters : Clusters, ndarray or False
        Clusters of these words or others, a label for each, or nothing; None, "" and -1 stand for
        no cluster.
    names : list of str
        The words.
    """
    titles = None
    if isinstance(clusters, Clusters):
        titles = clusters.names
        of_words = dict(zip(map(str, clusters.words), clusters.labels.tolist(), strict=True))
        given: list[Any] = [of_words.get(name, -1) for name in names]
    elif clusters is False:
        given = [None] * len(names)
    else:
        given = clusters.tolist()
    sizes = Counter(one for one in given if one not in (None, "", -1))
    # Those of equal size stay in the order in which they first occur.
    order = [one for one, _ in sizes.most_common()]
    numbers = {one: number for number, one in enumerate(order)}
    labels = np.array([numbers.get(one, -1) for one in given], np.int32)
    return labels, [str(one) if titles is None else titles[one] for one in order]
