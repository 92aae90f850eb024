"""The measured packages, and how each one opens a model.

None of them is imported here: a process imports only the one that it measures.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = "ours"
OFFICIAL = "official"
FASTTEXT_PREDICT = "fasttext-predict"
FASTTEXT_NEW = "fasttext-new"
FASTTEXT_TURBO = "fasttext-turbo"
GENSIM = "gensim"
MODEL2VEC = "model2vec"
FAISS = "faiss"
USEARCH = "usearch"
NUMKONG = "numkong"
NUMPY = "numpy"
HNSWLIB = "hnswlib"
VOYAGER = "voyager"
NETWORKX = "networkx"
DLIB = "dlib"
IGRAPH = "igraph"
NETWORKIT = "networkit"
RAPIDFUZZ = "rapidfuzz"
SQLITE = "sqlite"
TORCH = "torch"


@dataclass(frozen=True)
class Library:
    """A measured package.

    Attributes
    ----------
    distribution : str
        Name of the distribution.
    module : str
        Name of the module.
    open : callable or None
        Opens a model file; None if the package reads no such files.
    has, lacks : str or None
        A name that the module has or lacks, unlike another package's module of the same name.
    exact : bool
        Whether the distribution must be the named one.
    rival : str or None
        A distribution that provides the same names, and is not taken for this one.
    """

    distribution: str
    module: str
    open: Callable[[str], Any] | None = None
    has: str | None = None
    lacks: str | None = None
    exact: bool = False
    rival: str | None = None

    def version(self) -> str:
        """Import the module and return the name and version of its distribution.

        Raises
        ------
        ImportError
            The module can't be imported, or another package provides it.
        """
        module = import_module(self.module)
        if self.module in sys.stdlib_module_names:
            return f"{self.distribution} {module.sqlite_version}"
        names = metadata.packages_distributions().get(self.module.partition(".")[0], [])
        if (
            (self.has and not hasattr(module, self.has))
            or (self.lacks and hasattr(module, self.lacks))
            or (self.exact and self.distribution not in names)
            or self.rival in names
        ):
            raise ImportError(f"the module {self.module} is not that of {self.distribution}")
        name = self.distribution if self.distribution in names or not names else names[0]
        return f"{name} {metadata.version(name)}"


def _open_ours(path: str) -> Any:
    return import_module("fasttext_lite").load(path)


def _open_official(path: str) -> Any:
    return import_module("fasttext").load_model(path)


def _open_fasttext_new(path: str) -> Any:
    return import_module("fasttext_new").load_model(path)


def _open_gensim(path: str) -> Any:
    return import_module("gensim.models.fasttext").load_facebook_vectors(path)


LIBRARIES = {
    OURS: Library("fasttext-lite", "fasttext_lite", _open_ours),
    OFFICIAL: Library(
        "fasttext", "fasttext", _open_official, has="train_supervised", rival="fasttext-turbo"
    ),
    FASTTEXT_PREDICT: Library(
        "fasttext-predict", "fasttext", _open_official, lacks="train_supervised"
    ),
    FASTTEXT_NEW: Library("fasttext-new", "fasttext_new", _open_fasttext_new),
    GENSIM: Library("gensim", "gensim.models.fasttext", _open_gensim),
    MODEL2VEC: Library("model2vec", "model2vec"),
    FAISS: Library("faiss-cpu", "faiss"),
    USEARCH: Library("usearch", "usearch"),
    NUMKONG: Library("numkong", "numkong"),
    NUMPY: Library("numpy", "numpy"),
    FASTTEXT_TURBO: Library("fasttext-turbo", "fasttext", _open_official, exact=True),
    HNSWLIB: Library("hnswlib", "hnswlib"),
    VOYAGER: Library("voyager", "voyager"),
    NETWORKX: Library("chinese-whispers", "chinese_whispers"),
    DLIB: Library("dlib-bin", "dlib"),
    IGRAPH: Library("igraph", "igraph"),
    NETWORKIT: Library("networkit", "networkit"),
    RAPIDFUZZ: Library("rapidfuzz", "rapidfuzz"),
    SQLITE: Library("sqlite", "sqlite3"),
    TORCH: Library("torch", "torch"),
}
PEERS = [name for name in LIBRARIES if name != OURS]


def open_model(library: str, path: str) -> Any:
    """Open a model with a library that reads model files."""
    opener = LIBRARIES[library].open
    if opener is None:
        raise ValueError(f"{library} opens no models")
    return opener(path)
