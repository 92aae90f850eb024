"""The training functions of the official package, which this library does not support."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NoReturn

from fasttext_lite.errors import UnsupportedError

__all__ = [
    "cbow",
    "loss_name",
    "model_name",
    "refuse_training",
    "skipgram",
    "supervised",
    "train_supervised",
    "train_unsupervised",
]


class model_name(IntEnum):  # noqa: N801 - the official name
    """Kinds of models."""

    cbow = 1
    skipgram = 2
    supervised = 3


class loss_name(IntEnum):  # noqa: N801 - the official name
    """Losses."""

    hs = 1
    ns = 2
    softmax = 3
    ova = 4


def refuse_training(name: str) -> NoReturn:
    """Raise the error of a training function of this name.

    Raises
    ------
    UnsupportedError
        Always.
    """
    raise UnsupportedError(
        f"{name}() trains a model, but this library only reads trained models: train with the "
        "official package (pip install fasttext) or its command line, save the model, and open the "
        "file here"
    )


def train_supervised(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise `UnsupportedError`, which says what to do instead."""
    refuse_training("train_supervised")


def train_unsupervised(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise `UnsupportedError`, which says what to do instead."""
    refuse_training("train_unsupervised")


def cbow(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise `UnsupportedError`, which says what to do instead."""
    refuse_training("cbow")


def skipgram(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise `UnsupportedError`, which says what to do instead."""
    refuse_training("skipgram")


def supervised(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise `UnsupportedError`, which says what to do instead."""
    refuse_training("supervised")
