"""Folders of model2vec, written; `fasttext_lite.formats.model2vec` describes and reads them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.errors import FileError, InputValueError
from fasttext_lite.formats.atomic import AtomicFile
from fasttext_lite.formats.model2vec import TOKENIZER
from fasttext_lite.formats.safetensors import Tensor, Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fasttext_lite.source import Source

__all__ = ["check_folder", "write_folder"]

# Of Arora et al., as in `fasttext_lite.SIF`.
_SIF = 1e-3
# What the official program separates words by.
_SPACES = "[ \t\n\v\f\r]+"
_FILES = ("README.md", "config.json", "model.safetensors", "modules.json", TOKENIZER)
_CARD = """---
library_name: model2vec
tags:
- fasttext
- model2vec
- sentence-transformers
- static-embeddings
---

# Word vectors of {name}

{count} words of `{name}`, {dim} dimensions. A text is split at white space, and its vector is the
mean of the vectors of its words{weights}. Unknown words are left out: the n-grams of fastText are
not in this folder.

```python
from model2vec import StaticModel

StaticModel.from_pretrained("path").encode("a text")
```

```python
from sentence_transformers import SentenceTransformer

SentenceTransformer("path").encode("a text")
```
"""


def check_folder(source: str, target: str) -> None:
    """Check that a folder can be written, and that it is not the source.

    Raises
    ------
    FileError
        The target is a file, holds other files than a folder of this kind, or is that of the
        source; or it cannot be made.
    """
    path = Path(os.path.realpath(target))
    if path.is_dir():
        other = sorted({entry.name for entry in path.iterdir()} - set(_FILES))
        if other:
            raise FileError(
                f"this folder holds other files, such as {other[0]!r:.100}, which would be lost: "
                "name a new folder",
                target,
            )
        if source and Path(os.path.realpath(source)).parent == path:
            raise FileError("the target is the folder of the source; name another one", target)
    elif path.exists():
        raise FileError("this is a file: model2vec is a folder, so name a new one", target)
    elif not path.parent.is_dir():
        raise FileError("the folder for this folder does not exist", target)


def write_folder(source: Source, target: str) -> tuple[int, int]:
    """Write words and their vectors as a folder, which replaces the target when it is complete.

    Words that are not UTF-8 are left out, since no tokenizer finds them; of a word that occurs
    twice the one that is looked up is written.

    Returns
    -------
    size, word_count : int
        Total size of the files in bytes, and the number of words that were written.

    Raises
    ------
    FileError
        The folder cannot be written, or the source changes during the call.
    InputValueError
        No word can be written.
    """
    path = Path(os.path.realpath(target))
    beside = path.with_name(f"{path.name}.{os.urandom(4).hex()}.part")
    try:
        beside.mkdir()
        try:
            written = _write_files(source, beside)
            _replace(path, beside)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot be written: {error.strerror or error}", target) from None
    return written


def _replace(path: Path, new: Path) -> None:
    """Give a new folder the name of another one, which is kept if this fails."""
    if not path.exists():
        new.replace(path)
        return
    old = new.with_suffix(".old")
    path.replace(old)
    try:
        new.replace(path)
    except BaseException:
        old.replace(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _write_files(source: Source, folder: Path) -> tuple[int, int]:
    unknown = "[UNK]"
    while source.vocabulary.id(unknown.encode()) >= 0:
        unknown = f"[{unknown}]"
    kept: list[NDArray[np.int32]] = []
    with AtomicFile(str(folder / TOKENIZER)) as file:
        begin, end = _tokenizer(unknown)
        file.write(begin)
        count = 0
        for ids, words in _words(source):
            lines = [f"{json.dumps(word, ensure_ascii=False)}:{count + i},\n" for i, word in
                     enumerate(words)]  # fmt: skip
            file.write("".join(lines).encode())
            kept.append(ids)
            count += len(words)
        file.write(f"{json.dumps(unknown)}:{count}".encode() + end)
    if not count:
        raise InputValueError("no word of this model is UTF-8, so no tokenizer could find one")
    size = file.written
    ids = np.concatenate(kept)
    frequencies = source.packed(np.arange(source.word_count, dtype=np.int32)).counts
    total = int(frequencies.sum())
    size += _write_matrix(source, folder, ids, frequencies[ids] / total if total > 0 else None)
    name = Path(source.parts.info.path).name
    weighted = ", each times a weight that is less for frequent words (SIF)" if total > 0 else ""
    card = _CARD.format(name=name, count=f"{count:,}", dim=source.dim, weights=weighted)
    config = {
        "model_type": "model2vec", "architectures": ["StaticModel"], "hidden_dim": source.dim,
        "seq_length": 1_000_000, "max_length": None, "normalize": False,
        "embedding_dtype": "float32",
    } | ({"sif_coefficient": _SIF} if total > 0 else {})  # fmt: skip
    module = {"idx": 0, "name": "0", "path": ".",
              "type": "sentence_transformers.models.StaticEmbedding"}  # fmt: skip
    for file_name, content in (
        ("README.md", card),
        ("config.json", json.dumps(config, indent=4)),
        ("modules.json", json.dumps([module], indent=4)),
    ):
        with AtomicFile(str(folder / file_name)) as file:
            file.write(content.encode())
        size += file.written
    return size, count


def _tokenizer(unknown: str) -> tuple[bytes, bytes]:
    """Return what is before and after the words in a tokenizer of words between white space."""
    tokenizer: dict[str, Any] = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": _SPACES}, "behavior": "Removed",
                          "invert": False},
        "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "unk_token": unknown, "vocab": {}},
    }  # fmt: skip
    begin, end = json.dumps(tokenizer).encode()[:-3], b"}}}"
    return begin, end


def _words(source: Source) -> Iterator[tuple[NDArray[np.int32], list[str]]]:
    """Yield the ids and the texts of words that a tokenizer can find, in blocks."""
    vocabulary, start = source.vocabulary, 0
    for block in source.packed_blocks(np.arange(source.word_count, dtype=np.int32)):
        offsets = block.offsets.tolist()
        ids, words = [], []
        for i, (first, last) in enumerate(pairwise(offsets), start):
            word = bytes(block.text[first:last])
            with contextlib.suppress(UnicodeDecodeError):
                text = word.decode()
                if vocabulary.id(word) == i:
                    ids.append(i)
                    words.append(text)
        start += len(offsets) - 1
        yield np.array(ids, np.int32), words


def _write_matrix(
    source: Source, folder: Path, ids: NDArray[np.int32], shares: NDArray[np.float64] | None
) -> int:
    """Write the vectors and weights of words, and zeros for unknown ones."""
    tensors = [Tensor("embeddings", "F32", (len(ids) + 1, source.dim))]
    if shares is not None:
        tensors.append(Tensor("weights", "F32", (len(ids) + 1,)))
    with Writer(str(folder / "model.safetensors"), tensors, {"format": "pt"}) as file:
        for block in source.blocks("words", lambda a, b: source.vectors(ids[a:b]), len(ids)):
            file.write("embeddings", block)
        file.write("embeddings", np.zeros((1, source.dim), np.float32))
        if shares is not None:
            weights = _SIF / (_SIF + np.append(shares, 0))
            file.write("weights", weights.astype(np.float32))
    return file.size
