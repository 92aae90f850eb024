"""The training functions of the official package, which this library does not support."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn

from fasttext_lite.errors import UnsupportedError

if TYPE_CHECKING:
    from fasttext_lite.model import Model

__all__ = [
    "KEPT",
    "Args",
    "cbow",
    "loss_name",
    "model_name",
    "refuse_training",
    "skipgram",
    "supervised",
    "train_supervised",
    "train_unsupervised",
]


# Training parameters that a file stores: their official names, and those in `Parameters`.
KEPT = {
    "dim": "dim",
    "ws": "ws",
    "epoch": "epoch",
    "minCount": "min_count",
    "minn": "minn",
    "maxn": "maxn",
    "neg": "neg",
    "wordNgrams": "word_ngrams",
    "bucket": "bucket",
    "lrUpdateRate": "lr_update_rate",
    "t": "t",
}


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


_KINDS = {
    "cbow": model_name.cbow,
    "skip-gram": model_name.skipgram,
    "supervised": model_name.supervised,
}


@dataclass
class Args:
    """The training arguments of a model, and official defaults for those that no file stores.

    `loss` and `model` are None for word vectors, whose files do not store them.
    """

    input: str = ""
    output: str = ""
    lr: float = 0.05
    lrUpdateRate: int = 100
    dim: int = 100
    ws: int = 5
    epoch: int = 5
    minCount: int = 5
    minCountLabel: int = 0
    neg: int = 5
    wordNgrams: int = 1
    loss: loss_name | None = loss_name.ns
    model: model_name | None = model_name.skipgram
    bucket: int = 2000000
    minn: int = 3
    maxn: int = 6
    thread: int = 12
    t: float = 1e-4
    label: str = "__label__"
    verbose: int = 2
    pretrainedVectors: str = ""
    saveOutput: bool = False
    seed: int = 0
    qout: bool = False
    retrain: bool = False
    qnorm: bool = False
    cutoff: int = 0
    dsub: int = 2
    autotuneValidationFile: str = ""
    autotuneMetric: str = "f1"
    autotunePredictions: int = 1
    autotuneDuration: int = 300
    autotuneModelSize: str = ""

    @classmethod
    def of(cls, model: Model) -> Args:
        """Return the arguments of a model, as the official program has them after loading."""
        info = model.info
        kept = {official: getattr(info.parameters, ours) for official, ours in KEPT.items()}
        return cls(
            **kept,
            loss=loss_name.__members__.get(info.parameters.loss),
            model=_KINDS.get(info.kind),
            qout=info.quantized_output,
        )


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
