"""Layers of PyTorch over the rows of a model, for known and unknown words.

>>> import torch
>>> from fasttext_lite.integrations.torch import FastTextEmbedding
>>> layer = FastTextEmbedding("sample")
>>> rows, offsets = layer.bags(["war", "warish"])
>>> layer(rows, offsets).shape
torch.Size([2, 40])

The weight of `FastTextEmbedding` is the mapped file, copy on write. `FastTextBag` sums the vectors
of the words of a text under a learnt mask. ``docs/torch.md`` describes both.
"""

from __future__ import annotations

from fasttext_lite.errors import MissingExtraError

try:
    import torch as _torch  # noqa: F401
except ImportError:
    raise MissingExtraError("torch", "torch") from None

from fasttext_lite.integrations.torch.bags import TextBags, WordBags
from fasttext_lite.integrations.torch.embedding import FastTextEmbedding
from fasttext_lite.integrations.torch.texts import FastTextBag

__all__ = ["FastTextBag", "FastTextEmbedding", "TextBags", "WordBags"]
