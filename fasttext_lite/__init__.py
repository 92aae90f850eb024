"""Open any fastText model in milliseconds and give every word, known or not, its vector.

>>> import fasttext_lite as ftl
>>> model = ftl.load("sample")
>>> model["government"].shape
(40,)

The public names are those in ``__all__`` of this module, of `fasttext_lite.evaluate` and of the
modules in `fasttext_lite.compat` and `fasttext_lite.integrations`. All other modules are internal
and may change in any version.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

# The compiled modules read numbers in the byte order of the machine, and offsets in large files do
# not fit in 32 bits. This is a plain ImportError: no module of this package can be imported.
if sys.byteorder != "little" or sys.maxsize < 1 << 32:
    raise ImportError(
        f"fasttext-lite needs a 64-bit little-endian machine; this is a {sys.byteorder}-endian "
        f"Python of {sys.maxsize.bit_length() + 1} bits"
    )

# NumPy comes first: between our own imports its import takes a quarter longer.
import numpy as np  # noqa: F401

try:
    import fasttext_lite._core.kernels.cpu  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "fasttext_lite._core.kernels.cpu":
        raise
    raise ImportError(
        f"{__path__[0]} holds the sources of fasttext-lite without the compiled modules: start "
        "Python in another folder to import the installed package, or compile the modules here "
        "with `python -m pip install -e .`"
    ) from error

from fasttext_lite.errors import (
    ClusterWarning,
    EmptyInputError,
    FastTextLiteError,
    FileError,
    FormatError,
    FormatWarning,
    InputTypeError,
    InputValueError,
    MapWarning,
    MissingExtraError,
    MissingFileError,
    ModelKindError,
    NotANumberError,
    UnknownEncodingError,
    UnknownWordError,
    UnsupportedError,
)
from fasttext_lite.loading import SAMPLE, load
from fasttext_lite.model import Model

if TYPE_CHECKING:
    from fasttext_lite import columns, evaluate
    from fasttext_lite.annotation import Annotated, annotate
    from fasttext_lite.annotator import Annotator
    from fasttext_lite.classifier import Classifier
    from fasttext_lite.clustering import cluster
    from fasttext_lite.clusters import Cluster, Clusters
    from fasttext_lite.conversion import Report, convert
    from fasttext_lite.cpu import cpu_features
    from fasttext_lite.downloading import download
    from fasttext_lite.evaluate.labels import Meter, Scores
    from fasttext_lite.exporting import Agreement, Exported, export
    from fasttext_lite.keywords import Keyword
    from fasttext_lite.maps import WordMap, map_words
    from fasttext_lite.neighbor_graph import NearestGraph, nearest_graph
    from fasttext_lite.neighbors import Neighbor
    from fasttext_lite.ngram_fitting import Band, NgramFit, fit_ngrams
    from fasttext_lite.parts import Info, Parameters, Section
    from fasttext_lite.predictions import Contribution, Evidence, Prediction, Predictions
    from fasttext_lite.publishing import push
    from fasttext_lite.remote import open_remote
    from fasttext_lite.text_index import Hit, IndexInfo, TextIndex
    from fasttext_lite.text_search import Vote
    from fasttext_lite.weighting import SIF
    from fasttext_lite.words import Words

__version__ = "0.1.0"

__all__ = [
    "SAMPLE",
    "SIF",
    "Agreement",
    "Annotated",
    "Annotator",
    "Band",
    "Classifier",
    "Cluster",
    "ClusterWarning",
    "Clusters",
    "Contribution",
    "EmptyInputError",
    "Evidence",
    "Exported",
    "FastTextLiteError",
    "FileError",
    "FormatError",
    "FormatWarning",
    "Hit",
    "IndexInfo",
    "Info",
    "InputTypeError",
    "InputValueError",
    "Keyword",
    "MapWarning",
    "Meter",
    "MissingExtraError",
    "MissingFileError",
    "Model",
    "ModelKindError",
    "NearestGraph",
    "Neighbor",
    "NgramFit",
    "NotANumberError",
    "Parameters",
    "Prediction",
    "Predictions",
    "Report",
    "Scores",
    "Section",
    "TextIndex",
    "UnknownEncodingError",
    "UnknownWordError",
    "UnsupportedError",
    "Vote",
    "WordMap",
    "Words",
    "__version__",
    "annotate",
    "cluster",
    "columns",
    "convert",
    "cpu_features",
    "download",
    "evaluate",
    "export",
    "fit_ngrams",
    "load",
    "map_words",
    "nearest_graph",
    "open_remote",
    "push",
]


# Imported on first use, since few programs use all of them.
_LATER = {
    "SIF": "fasttext_lite.weighting",
    "Agreement": "fasttext_lite.exporting",
    "Annotated": "fasttext_lite.annotation",
    "Annotator": "fasttext_lite.annotator",
    "Band": "fasttext_lite.ngram_fitting",
    "Classifier": "fasttext_lite.classifier",
    "Cluster": "fasttext_lite.clusters",
    "Clusters": "fasttext_lite.clusters",
    "Contribution": "fasttext_lite.predictions",
    "Evidence": "fasttext_lite.predictions",
    "Exported": "fasttext_lite.exporting",
    "Hit": "fasttext_lite.text_index",
    "IndexInfo": "fasttext_lite.text_index",
    "Info": "fasttext_lite.parts",
    "Keyword": "fasttext_lite.keywords",
    "Meter": "fasttext_lite.evaluate.labels",
    "NearestGraph": "fasttext_lite.neighbor_graph",
    "Neighbor": "fasttext_lite.neighbors",
    "NgramFit": "fasttext_lite.ngram_fitting",
    "Parameters": "fasttext_lite.parts",
    "Prediction": "fasttext_lite.predictions",
    "Predictions": "fasttext_lite.predictions",
    "Report": "fasttext_lite.conversion",
    "Scores": "fasttext_lite.evaluate.labels",
    "Section": "fasttext_lite.parts",
    "TextIndex": "fasttext_lite.text_index",
    "Vote": "fasttext_lite.text_search",
    "WordMap": "fasttext_lite.maps",
    "Words": "fasttext_lite.words",
    "annotate": "fasttext_lite.annotation",
    "cluster": "fasttext_lite.clustering",
    "columns": "fasttext_lite.columns",
    "convert": "fasttext_lite.conversion",
    "cpu_features": "fasttext_lite.cpu",
    "download": "fasttext_lite.downloading",
    "evaluate": "fasttext_lite.evaluate",
    "export": "fasttext_lite.exporting",
    "open_remote": "fasttext_lite.remote",
    "push": "fasttext_lite.publishing",
    "map_words": "fasttext_lite.maps",
    "nearest_graph": "fasttext_lite.neighbor_graph",
    "fit_ngrams": "fasttext_lite.ngram_fitting",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(_LATER[name])
    found = globals()[name] = getattr(module, name, module)
    return found


def __dir__() -> list[str]:
    return __all__
