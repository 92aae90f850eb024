"""Clustering without a number of clusters: Chinese Whispers, DBSCAN or Leiden on one graph."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fasttext_lite.arguments import flag, real, whole
from fasttext_lite.clusters import Clusters, Recipe
from fasttext_lite.errors import (
    ClusterWarning,
    InputTypeError,
    InputValueError,
    MissingExtraError,
)
from fasttext_lite.items import read_items
from fasttext_lite.neighbor_graph import NearestGraph, graph_of_items
from fasttext_lite.whispers import WEIGHTINGS, connect, random_orders, run_whispers, weigh

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.items import Names, Source
    from fasttext_lite.whispers import WeightedGraph

__all__ = ["METHODS", "WORDS", "cluster"]

# The first words of a model that are clustered by default.
WORDS = 200_000
METHODS = ("whispers", "dbscan", "leiden")
# The threshold "auto": quartiles below the first one; and the shares of words to cut off if the
# largest cluster holds more than this share of at least so many words.
_FENCE = 1.5
_CUT_OFF, _COLLAPSED, _SEVERAL = (0.02, 0.05, 0.1), 0.1, 1000
# Cosines of equal directions differ by less.
_ROUNDING = 1e-6
# A larger share in one cluster, of at least so many words, is worth a warning.
_LARGE, _MANY = 0.2, 100


def cluster(
    source: Source,
    words: Names = WORDS,
    k: int = 20,
    threshold: float | Literal["auto"] = "auto",
    weighting: str = "log",
    method: str = "whispers",
    seed: int = 0,
    *,
    mutual: bool = True,
    min_samples: int = 5,
    resolution: float = 1.0,
    graph: NearestGraph | None = None,
    approximate: bool | None = None,
    threads: int | None = None,
    progress: bool = False,
    resume: PathType | None = None,
) -> Clusters:
    """Cluster words or vectors without a given number of clusters.

    Each is linked to its nearest neighbors, and Chinese Whispers [1]_ runs over the graph: each
    node takes the class with the largest sum of weights among its neighbors, in random order, until
    nothing changes.

    Parameters
    ----------
    source : Model, path or array_like
        A model, the path of one, or vectors of shape (n, dim).
    words : int, path, iterable of str or bytes, or None
        Of a model: the first so many words; these words, each once, known or not (a file has one
        per line); or all. Of an array: the names of its rows.
    k : int
        Number of nearest neighbors of each word, below the number of words.
    threshold : float or "auto"
        Two neighbors are linked if their cosine is above this one, and the weight of their edge is
        the difference. ``"auto"`` cuts off words whose nearest neighbor is unusually far: more than
        1.5 times the distance of the quartiles of these cosines below the first quartile, as long
        as a quarter of the words at most lose any of their neighbors. If one
        cluster then holds more than 10 % of at least 1000 words, the graph may have collapsed: the
        2, 5 or 10 % whose nearest neighbor is farthest are cut off instead, if the largest cluster
        is below 10 % then, and below half of what it was.
    weighting : {"log", "cosine", "linear"}
        What the weight of an edge is divided by, so that hubs count less: the logarithm of the
        degree of the neighbor, plus 1, to base 2; nothing; or this degree. ``"linear"`` finds more
        and smaller clusters, ``"cosine"`` fewer and larger ones.
    method : {"whispers", "dbscan", "leiden"}
        ``"dbscan"`` asks scikit-learn, ``"leiden"`` scikit-network, about the same graph (extra
        `cluster`).
    seed : int
        Of the random order, from 0 to 2³² - 1. With the same seed and the same neighbors the
        clusters are the same.
    mutual : bool
        Link two words if each is among the nearest of the other. Otherwise one direction is
        enough, and most graphs of words collapse into one large cluster.
    min_samples : int
        Of DBSCAN: the number of neighbors that make a core, with the word itself.
    resolution : float
        Of Leiden: a larger one finds more and smaller clusters.
    graph : NearestGraph, optional
        The neighbors, if they were searched before, as by `nearest_graph` or in the `graph` of
        other clusters; `k`, `approximate` and `resume` are then not used.
    approximate, threads, progress, resume
        As for `nearest_graph`.

    Returns
    -------
    Clusters

    Warns
    -----
    ClusterWarning
        The largest cluster holds more than 20 % of at least 100 words.

    Raises
    ------
    InputTypeError, InputValueError
        An argument has the wrong type or value: there are no words or vectors, `k` is not below
        their number, a vector holds NaN, or `graph` belongs to another number of rows.
    UnknownWordError
        A word is unknown, and the model has no n-grams.
    NotANumberError
        The vector of a word holds NaN.
    FormatError, FileError
        The model cannot be opened, or `resume` is a file of another kind or cannot be written.
    MissingExtraError
        The library of a method is not installed, or faiss for a search of more than 300,000 words.

    References
    ----------
    .. [1] Chris Biemann, Chinese Whispers: an efficient graph clustering algorithm and its
       application to natural language processing problems, TextGraphs 2006.

    Examples
    --------
    >>> import fasttext_lite as ftl
    >>> clusters = ftl.cluster(ftl.load("sample"))
    >>> clusters.of("winter") == clusters.of("summer")
    True
    """
    if not isinstance(threshold, str):
        threshold = real("threshold", threshold, -1, 1)
    elif threshold != "auto":
        raise InputValueError(f"threshold must be a number or 'auto', not {threshold!r}")
    _choice("weighting", weighting, WEIGHTINGS)
    _choice("method", method, METHODS)
    seed, mutual = whole("seed", seed, 0, 2**32 - 1), flag("mutual", mutual)
    min_samples = whole("min_samples", min_samples, 1)
    resolution = real("resolution", resolution, 0)
    k, progress = whole("k", k, 1), flag("progress", progress)
    if method != "whispers":
        _library(method)
    items = read_items(source, words, default=WORDS)
    if graph is None:
        graph = graph_of_items(
            items, k, approximate=approximate, threads=threads, progress=progress, resume=resume
        )
    elif not isinstance(graph, NearestGraph):
        raise InputTypeError(f"graph must be a NearestGraph, not {type(graph).__name__}")
    elif len(graph) != len(items.vectors):
        raise InputValueError(
            f"the graph is one of {len(graph)} rows, but there are {len(items.vectors)}"
        )
    recipe = Recipe(method, weighting, np.nan, mutual, seed, 0)

    def partition(least: float) -> _Partition:
        return _divide(
            graph, replace(recipe, threshold=least), min_samples, resolution, progress=progress
        )

    given = None if isinstance(threshold, str) else threshold
    found = Clusters(
        items, graph, *(_automatic(graph, partition) if given is None else partition(given))
    )
    if found.largest_share > _LARGE and len(graph) >= _MANY:
        _warn_of_collapse(found)
    return found


class _Partition(NamedTuple):
    degrees: NDArray[np.int32]
    classes: NDArray[np.int32]
    recipe: Recipe


def _divide(
    graph: NearestGraph, recipe: Recipe, min_samples: int, resolution: float, *, progress: bool
) -> _Partition:
    """Divide the nodes into classes by the method of a recipe."""
    edges = connect(graph, recipe.threshold, mutual=recipe.mutual)
    degrees = np.diff(edges.starts).astype(np.int32)
    weigh(edges, recipe.weighting)
    if recipe.method == "whispers":
        orders = random_orders(len(graph), recipe.seed)
        classes, passes = run_whispers(edges, orders, progress=progress)
        recipe = replace(recipe, passes=passes)
    elif recipe.method == "dbscan":
        classes = _dbscan(edges, min_samples)
    else:
        classes = _leiden(edges, resolution, recipe.seed)
    return _Partition(degrees, classes, recipe)


def _automatic(graph: NearestGraph, partition: Callable[[float], _Partition]) -> _Partition:
    """Choose a threshold by the cosines of rows and their nearest neighbor.

    The first is Tukey's lower fence, below which a cosine counts as an outlier: 1.5 times the
    distance of the quartiles below the first. Words with known categories are purest there, as long
    as the graph does not collapse. Graphs of many words may, and then cutting off a few percent of
    them usually helps. A few clusters that are large by nature stay so.

    Where all rows have equally near neighbors, as in well separated groups, the fence is too high:
    three quarters of the rows keep all of their neighbors.
    """
    nearest = graph.cosines[graph.ids[:, 0] >= 0, 0]
    if not len(nearest):
        return partition(0.0)
    first, third = np.quantile(nearest, [0.25, 0.75])
    fence = first - _FENCE * (third - first)
    last = graph.cosines[graph.ids[:, -1] >= 0, -1]
    if len(last):
        fence = min(fence, np.quantile(last, 0.25))
    found = partition(float(fence) - _ROUNDING)
    share = _largest_share(found)
    if share <= _COLLAPSED or len(graph) < _SEVERAL:
        return found
    for level in np.quantile(nearest, _CUT_OFF):
        if level > fence:
            other = partition(float(level) - _ROUNDING)
            if _largest_share(other) <= min(_COLLAPSED, share / 2):
                return other
    return found


def _largest_share(found: _Partition) -> float:
    classes = found.classes
    return float(np.bincount(classes[classes >= 0], minlength=1).max()) / len(classes)


def _choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str):
        raise InputTypeError(f"{name} must be str, not {type(value).__name__}")
    if value not in allowed:
        raise InputValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def _library(method: str) -> Any:
    try:
        if method == "dbscan":
            from sklearn.cluster import DBSCAN

            return DBSCAN
        from sknetwork.clustering import Leiden
    except ImportError:
        library = "scikit-learn" if method == "dbscan" else "scikit-network"
        raise MissingExtraError(library, "cluster") from None
    return Leiden


def _dbscan(edges: WeightedGraph, min_samples: int) -> NDArray[np.int32]:
    """Return the labels of scikit-learn's DBSCAN: all linked rows are near enough."""
    # Its own distance, 0, is added to each row.
    found = _library("dbscan")(eps=1, min_samples=min_samples, metric="precomputed")
    matrix = _matrix(edges)
    matrix.data[:] = 1
    labels: NDArray[np.int32] = found.fit_predict(matrix).astype(np.int32)
    return labels


def _leiden(edges: WeightedGraph, resolution: float, seed: int) -> NDArray[np.int32]:
    """Return the labels of scikit-network's Leiden."""
    found = _library("leiden")(resolution=resolution, random_state=seed)
    labels: NDArray[np.int32] = found.fit_predict(_matrix(edges)).astype(np.int32)
    return labels


def _matrix(edges: WeightedGraph) -> Any:
    """Return a graph as a sparse matrix of SciPy, which both libraries need."""
    from scipy.sparse import csr_matrix

    count = len(edges.starts) - 1
    matrix = csr_matrix((edges.weights, edges.neighbors, edges.starts), (count, count))
    matrix.sort_indices()
    return matrix


def _warn_of_collapse(found: Clusters) -> None:
    recipe = found.recipe
    steps = [f"raise threshold above {recipe.threshold:.2f}", f"lower k below {found.graph.k}"]
    if not recipe.mutual:
        steps.insert(0, "link mutual neighbors only")
    if recipe.method == "leiden":
        steps.append("raise resolution")
    elif recipe.method == "whispers" and recipe.weighting == "cosine":
        steps.append("use weighting='log'")
    warnings.warn(
        f"the largest cluster holds {found.largest_share:.0%} of all: if these do not belong "
        f"together, the graph has collapsed; {', '.join(steps[:-1])} or {steps[-1]}",
        ClusterWarning,
        stacklevel=3,
    )
