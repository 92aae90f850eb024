"""The packages that are measured, and how each one opens a model.

None of them is imported here: a process imports the one that it measures and no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = "ours"
OFFICIAL = "official"
FASTTEXT_NEW = "fasttext-new"
GENSIM = "gensim"


@dataclass(frozen=True)
class Library:
    """A package and the module that someone imports to open a model with it."""

    distribution: str
    module: str
    open: Callable[[str], Any]


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
    OFFICIAL: Library("fasttext", "fasttext", _open_official),
    FASTTEXT_NEW: Library("fasttext-new", "fasttext_new", _open_fasttext_new),
    GENSIM: Library("gensim", "gensim.models.fasttext", _open_gensim),
}
PEERS = [name for name in LIBRARIES if name != OURS]
