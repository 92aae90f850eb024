"""Maps of words, texts or labels: similar ones are close to each other, and clusters have names."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.arguments import flag, path_name, whole
from fasttext_lite.clusters import Clusters
from fasttext_lite.cosines import unit
from fasttext_lite.errors import InputTypeError, InputValueError, MapWarning
from fasttext_lite.formats.atomic import AtomicFile, check_target
from fasttext_lite.items import Items
from fasttext_lite.maps.grouping import (
    WORDS,
    checked_labels,
    clusters_of,
    items_of,
    numbered,
)
from fasttext_lite.maps.layout import lay_out, place, require_layout, vote
from fasttext_lite.maps.parts import MapParts
from fasttext_lite.neighbor_graph import MatrixSearch, NearestGraph, graph_of_items
from fasttext_lite.parallel import chunks_with_bar
from fasttext_lite.text_index import opened
from fasttext_lite.vectors import WordVectors
from fasttext_lite.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.items import Names, Source
    from fasttext_lite.text_index import TextIndex

    Label: TypeAlias = str | int | None

__all__ = ["KINDS", "SUFFIXES", "WordMap", "check_map_target", "map_words"]

# What files a map is written to.
SUFFIXES = (".html", ".png", ".svg", ".pdf", ".parquet", ".tsv")
# The default of `k`, and the neighbors of a word by which clusters are found.
_K, _CLUSTERED = 15, 20
# Words that a warning names, and words whose places are searched at a time.
_NAMED, _TOGETHER = 5, 64
KINDS = ("words", "texts", "labels")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WordMap(MapParts):
    """Words with their places on a map, their clusters and their neighbors.

    Attributes
    ----------
    words : list of str, length n
        Frequent ones first, if they come from a model.
    xy : ndarray
        float32, shape (n, 2): the places; their mean is 0.
    labels : ndarray
        int32, shape (n,): the cluster of each word, numbered by falling size; -1 for none.
    names : list of str
        The names of the clusters.
    neighbors : ndarray
        int32, shape (n, k): the nearest words by their cosines, best first, as indices into
        `words`; -1 in the places that are left.
    cosines : ndarray
        float32, shape (n, k).
    counts : ndarray or None
        int64, shape (n,): how often each word occurs in the training text, if the model knows.
    kind : str
        What the words are: ``"words"``, ``"texts"`` or ``"labels"``.
    clusters : Clusters or None
        Where the labels and names come from.
    """

    clusters: Clusters | None

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        return f"<WordMap: {len(self):,} {self.kind}, {len(self.names):,} clusters>"

    def write(self, path: PathType, *, title: str | None = None) -> None:
        """Write the map to a file; an existing one is replaced when the new one is complete.

        Parameters
        ----------
        path : str, bytes or os.PathLike
            Its suffix says what is written:

            - ``.html``: a page that shows the map in a browser, and needs no other file;
            - ``.png``, ``.svg``, ``.pdf``: a picture (extra `map`);
            - ``.parquet``: a table with the columns ``word``, ``x``, ``y``, ``cluster``,
              ``cluster_id``, ``neighbors`` and ``count``, as embedding-atlas reads it (extra
              `arrow`);
            - ``.tsv``: the same without neighbors.
        title : str, optional
            Of the page or picture.

        Raises
        ------
        InputTypeError, InputValueError
            `path` is no path or has another suffix; `title` is no str.
        FileError
            The file cannot be written.
        MissingExtraError
            A library that the format needs is not installed.
        """
        name = check_map_target(path)
        if title is not None and not isinstance(title, str):
            raise InputTypeError(f"title must be str, not {type(title).__name__}")
        suffix = PurePath(name).suffix.lower()
        if suffix == ".html":
            from fasttext_lite.maps.pages import page

            data = page(self, title or f"Map of {self.kind}")
        elif suffix == ".parquet":
            from fasttext_lite.maps.tables import parquet_table

            data = parquet_table(self)
        elif suffix == ".tsv":
            from fasttext_lite.maps.tables import tab_table

            data = tab_table(self)
        else:
            from fasttext_lite.maps.drawing import picture

            data = picture(self, suffix[1:], title)
        with AtomicFile(name, len(data)) as file:
            file.write(data)


def check_map_target(path: PathType) -> str:
    """Return the path of a map to write, as str.

    Raises
    ------
    InputTypeError, InputValueError
        It is no path, or its suffix is not one of `SUFFIXES`.
    FileError
        Its folder does not exist.
    """
    name = path_name(path)
    if PurePath(name).suffix.lower() not in SUFFIXES:
        raise InputValueError(
            f"{name}: the name of a map must end with one of {', '.join(SUFFIXES)}"
        )
    check_target("", name)
    return name


def map_words(
    source: Source | TextIndex,
    words: Names = WORDS,
    *,
    of: str = "words",
    clusters: Clusters | Mapping[str, Label] | Iterable[Label] | bool | None = None,
    k: int | None = None,
    placed: int | str = 0,
    seed: int = 0,
    threads: int | None = None,
    progress: bool = False,
) -> WordMap:
    """Lay words, texts or labels out in two dimensions, so that similar ones are close.

    The layout is t-SNE by openTSNE (extra `map`) on the graph of the nearest neighbors by cosine.
    It shows which words are near each other; distances between groups that are far apart say
    little. Words whose vectors are zeros have no place: they are left out, with a warning.

    Parameters
    ----------
    source : Model, path, TextIndex or array_like
        A model, a collection of texts, the path of one of these, or vectors of shape (n, dim).
    words : int, path, iterable of str or bytes, or None
        Of a model: the first so many words, which are the most frequent ones; these words, known
        or not (a file has one per line); or all. Of a collection: the first so many texts. Of an
        array: the names of its rows.
    of : {"words", "texts", "labels"}
        ``"labels"`` maps the labels of a supervised model by the rows of its output layer. For an
        array it says what the rows are.
    clusters : Clusters, mapping, sequence, bool or None
        The result of `cluster`; or a label for each word (None, an empty str or -1 for none), in
        their order or by word. By default clusters are computed; False for none.
    k : int, optional
        Number of neighbors of each word, by default 15, or all others if there are fewer.
    placed : int or "all"
        So many further words of the model are put between their nearest neighbors on the finished
        map, which takes far less time than to lay them out.
    seed : int
        Equal calls with equal seeds return equal maps on one machine.
    threads : int, optional
        Number of threads; by default one per core available to this process.
    progress : bool
        Show progress bars on stderr if it is a terminal.

    Returns
    -------
    WordMap

    Raises
    ------
    InputTypeError, InputValueError
        An argument has the wrong type or value: there are no words, `k` is not below their number,
        a vector holds NaN.
    UnknownWordError
        A word is unknown, and the model has no n-grams.
    NotANumberError
        The vector of a word holds NaN.
    ModelKindError
        The model has no labels.
    MissingExtraError
        openTSNE is not installed.
    """
    seed, progress = whole("seed", seed, 0, 2**32 - 1), flag("progress", progress)
    if of not in KINDS:
        raise InputValueError(f"of must be one of {', '.join(map(repr, KINDS))}, not {of!r}")
    require_layout()
    if isinstance(source, (str, bytes, os.PathLike)):
        source = opened(source)
    items, counts, of = items_of(source, words, of)
    more = _further(items, placed)
    given = clusters
    if not (given is None or isinstance(given, (bool, Clusters))):
        given = checked_labels(given, items.names)
    directed: NDArray[np.bool_] = np.any(items.vectors, axis=1)
    if not directed.all():
        items = _directed(items, directed, of)
        counts = None if counts is None else counts[directed]
        given = given[directed] if isinstance(given, np.ndarray) else given
    count = len(items.names)
    if k is None:
        k = min(_K, count - 1)
    elif whole("k", k, 1) >= count:
        raise InputValueError(f"k must be below the number of {of}, {count}, not {k}")
    graph = _graph(items, given, k, threads, progress)
    if given is None or given is True:
        given = clusters_of(items, source, words, graph, seed, progress) if count > 1 else False
    names = list(map(str, items.names))
    labels, titles = numbered(given, names)
    units, ids = unit(items.vectors), graph.ids[:, :k]
    xy = lay_out(units, ids, seed=seed, threads=threads, progress=progress)
    kept = given if isinstance(given, Clusters) else None
    found = WordMap(names, xy, labels, titles, ids, graph.cosines[:, :k], counts, of, kept)
    if not len(more) or not isinstance(source, WordVectors):
        return found
    return _placed(found, units, source, more, threads, progress)


def _directed(items: Items, directed: NDArray[np.bool_], of: str) -> Items:
    """Leave out what has a vector of zeros."""
    left = [str(items.names[i]) for i in np.flatnonzero(~directed).tolist()]
    named = f"{', '.join(map(repr, left[:_NAMED]))}{', …' if len(left) > _NAMED else ''}"
    if not directed.any():
        raise InputValueError(f"there is nothing to map: all vectors are zeros, of {named}")
    warnings.warn(
        f"{len(left):,} {of} are left out of the map, since their vectors are zeros: {named}",
        MapWarning,
        stacklevel=3,
    )
    names = [str(items.names[i]) for i in np.flatnonzero(directed).tolist()]
    # Without the model, since these are not the words that were asked for.
    return Items(names, items.vectors[directed], None, None)


def _further(items: Items, placed: int | str) -> range:
    """Return the ids of the words that are placed on the finished map."""
    if placed == "all":
        number = 1 << 62
    elif isinstance(placed, str):
        raise InputValueError(f"placed must be a number of words or 'all', not {placed!r}")
    else:
        number = whole("placed", placed, 0)
    if not number:
        return range(0)
    if items.model is None or items.ids is None or not isinstance(items.names, Words):
        raise InputValueError("placed needs a model, and a number of words to lay out")
    first = len(items.names)
    return range(first, min(first + number, len(items.model)))


def _graph(
    items: Items, clusters: object, k: int, threads: int | None, progress: bool
) -> NearestGraph:
    """Return the neighbors of all items, at least as many as the map and the clusters need."""
    count = len(items.names)
    if count == 1:
        return NearestGraph(np.empty((1, 0), np.int32), np.empty((1, 0), np.float32), False)
    if (
        isinstance(clusters, Clusters)
        and clusters.graph.k >= k
        and len(clusters.words) == count
        and all(a == b for a, b in zip(clusters.words, items.names, strict=True))
    ):
        return clusters.graph
    wanted = min(max(k, _CLUSTERED), count - 1)
    return graph_of_items(
        items, wanted, approximate=None, threads=threads, progress=progress, resume=None
    )


def _placed(
    found: WordMap,
    units: NDArray[np.float32],
    model: WordVectors,
    more: range,
    threads: int | None,
    progress: bool,
) -> WordMap:
    """Return a map with further words of the model."""
    search = MatrixSearch(units, threads)
    k = max(found.neighbors.shape[1], 1)

    def nearest(start: int, stop: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        vectors = model.vectors(model.words[more.start + start : more.start + stop], threads=1)
        with np.errstate(invalid="ignore"):
            vectors[~np.isfinite(vectors).all(axis=1)] = 0
        return search.nearest(vectors, k)

    blocks = list(chunks_with_bar(nearest, len(more), threads, _TOGETHER, "places", progress))
    ids, cosines = map(np.concatenate, zip(*blocks, strict=True))
    # Words whose vectors are zeros or no numbers have no place.
    directed = np.flatnonzero(ids[:, 0] >= 0)
    ids, cosines = ids[directed], cosines[directed]
    counts = found.counts
    if counts is not None:
        counts = np.concatenate([counts, model.counts[directed + more.start]])
    return WordMap(
        found.words + [model.words[i] for i in (directed + more.start).tolist()],
        np.concatenate([found.xy, place(found.xy, ids, cosines)]),
        np.concatenate([found.labels, vote(found.labels, ids, cosines)]),
        found.names,
        np.concatenate([found.neighbors, ids]),
        np.concatenate([found.cosines, cosines]),
        counts,
        found.kind,
        found.clusters,
    )
