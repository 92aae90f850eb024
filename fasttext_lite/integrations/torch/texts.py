"""Texts as sums of the vectors of their words under a learnt mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fasttext_lite.errors import InputValueError
from fasttext_lite.integrations.torch.bags import TextBags, check_bags, check_offsets
from fasttext_lite.integrations.torch.embedding import FastTextEmbedding
from fasttext_lite.integrations.torch.state import StoredRows
from fasttext_lite.integrations.torch.storage import Stored, ZeroRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fasttext_lite.arguments import PathType
    from fasttext_lite.integrations.torch.storage import Options, SharedFile
    from fasttext_lite.model import Model

__all__ = ["FastTextBag", "WordMask"]


class FastTextBag(nn.Module):  # type: ignore[misc]
    """A text as the mean of E(w) * M(w) over its words: their vectors, each under a mask.

    E(w) is the vector of the word, known or not. M(w) is learnt, and has a factor for each
    dimension, 1 at first.

    Parameters
    ----------
    model : FastTextEmbedding, Model or path
        A layer is used as it is; `freeze`, `sparse`, `widen` and `shared` are then its own.
    freeze, sparse, widen, shared
        As for `FastTextEmbedding`. The mask is trained even if the vectors are frozen; its
        gradients are sparse and its memory is shared if theirs are.
    mode : {"mean", "sum"}
        How words become a text.
    mask : {"words", "one"}
        "words": each row of the model has a mask, and M(w) is the mean of those of the rows of the
        word, so that unknown words have masks, too. Only rows that are trained take memory.
        "one": all words have the same mask.

    Attributes
    ----------
    embedding : FastTextEmbedding
    mask : WordMask or Parameter
        What is added to 1; for "one" shape (dim,).
    bags : TextBags
        ``layer.bags(texts)`` returns the rows, offsets and ends of texts, for ``collate_fn``.

    Raises
    ------
    MissingFileError, FileError, FormatError, InputTypeError, InputValueError
        As for `FastTextEmbedding`.

    Examples
    --------
    >>> layer = FastTextBag("sample")
    >>> layer(["war and peace", ["a", "whereabouts"]]).shape
    torch.Size([2, 40])
    """

    mask: WordMask | nn.Parameter

    def __init__(
        self,
        model: FastTextEmbedding | Model | PathType,
        freeze: bool = True,
        sparse: bool = True,
        mode: str = "mean",
        *,
        mask: str = "words",
        widen: bool = False,
        shared: bool | PathType = False,
    ) -> None:
        super().__init__()
        for name, value, known in (
            ("mode", mode, ("mean", "sum")), ("mask", mask, ("words", "one")),
        ):  # fmt: skip
            if value not in known:
                raise InputValueError(f"{name} must be one of {', '.join(known)}, not {value!r}")
        if not isinstance(model, FastTextEmbedding):
            model = FastTextEmbedding(model, freeze, sparse, widen=widen, shared=shared)
        self.embedding, self.mode = model, mode
        self.bags = TextBags.like(model.bags)
        if mask == "words":
            self.mask = WordMask(model.num_embeddings, model.embedding_dim, model._options)
        else:
            zeros = torch.zeros(model.embedding_dim)
            self.mask = nn.Parameter(zeros.share_memory_() if model.shared else zeros)

    def extra_repr(self) -> str:
        """Describe the layer."""
        return f"mode={self.mode!r}"

    def forward(
        self,
        rows: Tensor | Iterable[Any],
        offsets: Tensor | None = None,
        texts: Tensor | None = None,
    ) -> Tensor:
        """Return the vector of each text.

        Parameters
        ----------
        rows, offsets, texts : Tensor
            As `bags` returns them. Or texts, each a str or a sequence of words, alone.

        Returns
        -------
        Tensor
            float32, shape (texts, dim); zeros for a text without words.

        Raises
        ------
        InputTypeError, InputValueError, UnknownWordError
            As for `FastTextEmbedding`.
        """
        if offsets is None or texts is None:
            rows, offsets, texts = (part.to(self._device()) for part in self.bags(rows))
        elif not torch.compiler.is_compiling():
            check_bags(rows, offsets, self.embedding.num_embeddings)
            check_offsets("texts", texts, len(offsets) - 1, "words")
        words = self.embedding(rows, offsets)
        masked = words + words * self._masks(rows, offsets)
        places = torch.arange(len(masked), device=masked.device)
        return functional.embedding_bag(
            places, masked, texts.long(), mode=self.mode, include_last_offset=True
        )

    def _device(self) -> torch.device:
        return next(self.parameters()).device

    def _masks(self, rows: Tensor, offsets: Tensor) -> Tensor:
        if isinstance(self.mask, WordMask):
            return self.mask(rows, offsets, self.embedding.sparse)
        return self.mask


class WordMask(StoredRows):
    """A mask for each row of a model: zeros that take memory where they are trained.

    Parameters
    ----------
    count, dim : int
    options : Options
        Those of the rows of the model.

    Attributes
    ----------
    weight : Parameter
        float32, shape (count, dim).
    """

    weight: nn.Parameter

    def __init__(self, count: int, dim: int, options: Options) -> None:
        super().__init__()
        self._options = options._replace(trained=True, widen=False)
        self._shape = count, dim
        self._open({})

    def _open(self, made: Mapping[str, SharedFile]) -> None:
        stored = Stored(ZeroRows(*self._shape), self._options, made=made.get("weight"))
        self._store("weight", stored)

    def _fingerprint(self) -> Tensor:
        return torch.tensor(self._shape)

    def forward(self, rows: Tensor, offsets: Tensor, sparse: bool) -> Tensor:
        """Return the mean of the rows of each bag: shape (bags, dim)."""
        return functional.embedding_bag(
            rows.long(), self.weight, offsets.long(), sparse=sparse, include_last_offset=True
        )
