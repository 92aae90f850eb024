"""The packages that are measured, and how each one opens a model.

None of them is imported here: a process imports the one that it measures and no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = "ours"
OFFICIAL = "official"
FASTTEXT_PREDICT = "fasttext-predict"
FASTTEXT_NEW = "fasttext-new"
GENSIM = "gensim"
MODEL2VEC = "model2vec"
FAISS = "faiss"
USEARCH = "usearch"
NUMKONG = "numkong"
NUMPY = "numpy"


@dataclass(frozen=True)
class Library:
    """A package that is measured.

    Attributes
    ----------
    distribution : str
        What someone installs.
    module : str
        What someone imports.
    open : callable or None
        Opens a model file, where the package knows such files.
    has, lacks : str or None
        A name in the module that tells it from another package's module of the same name.
    """

    distribution: str
    module: str
    open: Callable[[str], Any] | None = None
    has: str | None = None
    lacks: str | None = None

    def version(self) -> str:
        """Import the module and return the name and version of what it came with.

        Raises
        ------
        ImportError
            If it can't be imported, or another package provides it.
        """
        module = import_module(self.module)
        if (self.has and not hasattr(module, self.has)) or (
            self.lacks and hasattr(module, self.lacks)
        ):
            raise ImportError(f"the module {self.module} there is not that of {self.distribution}")
        names = metadata.packages_distributions().get(self.module.partition(".")[0], [])
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
    OFFICIAL: Library("fasttext", "fasttext", _open_official, has="train_supervised"),
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
}
PEERS = [name for name in LIBRARIES if name != OURS]


def open_model(library: str, path: str) -> Any:
    """Open a model with a library that can."""
    opener = LIBRARIES[library].open
    if opener is None:
        raise ValueError(f"{library} opens no models")
    return opener(path)
