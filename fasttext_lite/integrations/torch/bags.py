"""Words and texts to the rows of their vectors: functions for ``collate_fn``, sent as a path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import torch

from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.model import Model
from fasttext_lite.model_path import ModelPath

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from torch import Tensor

    from fasttext_lite.arguments import PathType

__all__ = ["TextBags", "WordBags", "check_bags", "check_offsets", "flatten"]

# The separators of the official program.
_WORD = re.compile("[^ \n\r\t\v\f\0]+")


class WordBags:
    """A function from words to rows and offsets, which pickles as the path of a model.

    Parameters
    ----------
    model : Model or path
        A path is opened on the first call, in each process.
    """

    def __init__(self, model: Model | PathType) -> None:
        self._source = model if isinstance(model, Model) else ModelPath(model)

    @property
    def model(self) -> Model:
        """The model; that of a path is opened when this is first used."""
        return self._source if isinstance(self._source, Model) else self._source.model

    def __call__(self, words: Iterable[str | bytes]) -> tuple[Tensor, Tensor]:
        """Return the rows of each word: see `Model.bags`.

        Returns
        -------
        rows, offsets : Tensor
            int64, shape (rows,) and (words + 1,).
        """
        rows, offsets = self.model.bags(words)
        return torch.from_numpy(rows), torch.from_numpy(offsets)


class TextBags(WordBags):
    """A function from texts to rows, offsets and ends of texts, which pickles as a path.

    A text is a str, which is split at the separators of the official program, or its words.
    """

    @classmethod
    def like(cls, bags: WordBags) -> TextBags:
        """Return a function for texts, with the model of one for words."""
        made = cls.__new__(cls)
        made._source = bags._source
        return made

    def __call__(  # type: ignore[override]
        self, texts: Iterable[str | Iterable[str | bytes]]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the rows of each word, and the words of each text.

        Returns
        -------
        rows, offsets, texts : Tensor
            int64: those of words, as for `WordBags`, and where the words of each text begin, with
            the end of the last.

        Raises
        ------
        InputTypeError
            `texts` is a single text, or an item is neither a text nor a sequence of words.
        """
        words, ends = flatten(texts)
        return *super().__call__(words), torch.from_numpy(ends)


def flatten(
    texts: Iterable[str | Iterable[str | bytes]], *, split: bool = True
) -> tuple[list[str | bytes], NDArray[np.int64]]:
    """Return the words of texts, and where each text begins and ends among them.

    Without `split`, a text must be a sequence of words.
    """
    if isinstance(texts, (str, bytes)):
        raise InputTypeError("this is a single text: pass a list of texts, or of lists of words")
    words: list[str | bytes] = []
    ends = [0]
    for i, text in enumerate(texts):
        if split and isinstance(text, str):
            words += _WORD.findall(text)
        else:
            try:
                if isinstance(text, (str, bytes)):
                    raise TypeError
                words += text
            except TypeError:
                wanted = "str or a sequence of words" if split else "a sequence of words"
                raise InputTypeError(
                    f"item {i} must be {wanted}, not {type(text).__name__}"
                ) from None
        ends.append(len(words))
    return words, np.array(ends, np.int64)


def check_bags(rows: Tensor, offsets: Tensor, count: int) -> None:
    """Check the rows of bags, which must be below `count`, and their offsets.

    Raises
    ------
    InputTypeError
        An argument is not a tensor of integers.
    InputValueError
        A shape, a row or an offset is out of range.
    """
    _check_integers("rows", rows)
    check_offsets("offsets", offsets, len(rows), "rows")
    if rows.device != offsets.device:
        raise InputValueError(f"rows are on {rows.device}, but offsets on {offsets.device}")
    # Reading numbers back would wait for another device.
    if len(rows) and rows.device.type == "cpu":
        least, most = (int(bound) for bound in torch.aminmax(rows))
        if least < 0 or most >= count:
            raise InputValueError(
                f"row {least if least < 0 else most} is outside the {count} rows of this layer"
            )


def check_offsets(name: str, offsets: Tensor, count: int, items: str) -> None:
    """Check offsets: they begin with 0, do not fall, and end with `count`.

    Raises
    ------
    InputTypeError, InputValueError
        As for `check_bags`.
    """
    _check_integers(name, offsets)
    if offsets.device.type != "cpu":
        return
    if not len(offsets) or int(offsets[0]) != 0 or int(offsets[-1]) != count:
        ends = f"{int(offsets[0])} and {int(offsets[-1])}" if len(offsets) else "empty"
        raise InputValueError(
            f"{name} must begin with 0 and end with the number of {items}, {count}, as with "
            f"include_last_offset=True of EmbeddingBag; they are {ends}"
        )
    falls = torch.nonzero(offsets[1:] < offsets[:-1])
    if len(falls):
        i = int(falls[0])
        before, after = int(offsets[i]), int(offsets[i + 1])
        raise InputValueError(f"{name} must not fall: number {i + 1} is {after}, after {before}")


def _check_integers(name: str, tensor: Tensor) -> None:
    if not isinstance(tensor, torch.Tensor):
        raise InputTypeError(f"{name} must be a tensor, not {type(tensor).__name__}")
    if tensor.dtype not in (torch.int64, torch.int32):
        raise InputTypeError(f"{name} must be int64 or int32, not {tensor.dtype}")
    if tensor.ndim != 1:
        raise InputValueError(f"{name} must have one dimension, not {tensor.ndim}")
