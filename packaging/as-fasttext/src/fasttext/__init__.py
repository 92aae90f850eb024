"""fastText models by fasttext-lite, under the name of the official package.

The environment variable ``FASTTEXT_LITE_TRAINING`` is the argument `training` of
``fasttext_lite.compat.fasttext.install``.
"""

import importlib.machinery
import os
import sys
import warnings
from pathlib import Path

from fasttext_lite.compat.fasttext import install

_folder = Path(__file__).parents[1]
_hidden = importlib.machinery.PathFinder.find_spec(
    "fasttext", [entry for entry in sys.path if Path(entry).resolve() != _folder.resolve()]
)
if _hidden is not None and _hidden.origin is not None:
    warnings.warn(
        f"import fasttext gives fasttext-lite, by {_folder}, and hides {_hidden.origin}: uninstall "
        "fasttext-lite-as-fasttext or the other package",
        RuntimeWarning,
        stacklevel=2,
    )

# Afterwards `sys.modules` holds the modules of the compatibility layer in place of this one.
install(force=True, training=os.environ.get("FASTTEXT_LITE_TRAINING", "absent"))
