"""Folders of model2vec, which sentence-transformers opens, too: a matrix and a tokenizer.

``model.safetensors`` has a row for each token, ``tokenizer.json`` numbers the tokens. The vector of
a token is its row of ``embeddings``, or row ``mapping[token]``, times ``weights[token]``; that of a
text is the mean over its tokens.

Source: ``model2vec/persistence/persistence.py`` and ``StaticEmbedding`` of sentence-transformers.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite.errors import FileError, FormatError
from fasttext_lite.formats.word_vectors import word_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fasttext_lite.formats.file import ModelFile
    from fasttext_lite.formats.safetensors import Header, Tensor
    from fasttext_lite.parts import Parts

__all__ = ["TOKENIZER", "is_static_embedding", "read"]

_MATRICES = ("embeddings", "embedding.weight")
_FLOATS = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "i1"}
_WHOLE = {"I32": "<i4", "I64": "<i8", "U32": "<u4", "U64": "<u8"}
TOKENIZER = "tokenizer.json"
_LARGEST_TOKENIZER = 1 << 30
_LONGEST_ROW = 1 << 20


def is_static_embedding(header: Header) -> bool:
    """Return whether a safetensors file has the matrix of a static embedding."""
    return any(name in header.tensors for name in _MATRICES)


def read(header: Header, file: ModelFile | None) -> Parts:
    """Read the tokens of a folder and their vectors into memory.

    Parameters
    ----------
    header : Header
        Of ``model.safetensors``.
    file : ModelFile
        The file, beside which is ``tokenizer.json``.

    Returns
    -------
    Parts
        Tokens and their vectors. There are no subwords, and the counts are 0. The token for unknown
        words is left out.

    Raises
    ------
    FileError
        The file is not on a disk, or its tokenizer is missing or cannot be read.
    FormatError
        The arrays or the tokenizer are damaged, or do not fit each other.
    """
    if file is None or file.path is None or file.packing:
        raise FileError(
            "this is the matrix of a static embedding, whose words are in tokenizer.json beside "
            "it: open the folder by its path",
            header.path,
        )
    matrix = _matrix(header)
    count = len(matrix)
    mapping = _numbers(header, "mapping", _WHOLE)
    if mapping is not None and len(mapping):
        if not 0 <= mapping.min() <= mapping.max() < count:
            raise _error(header, "mapping", f"it names a row outside [0, {count})")
        count = len(mapping)
    tokens = _tokens(os.path.join(os.path.dirname(file.path), TOKENIZER), count)  # noqa: PTH118, PTH120
    weights = _numbers(header, "weights", _FLOATS)
    if weights is not None and len(weights) != count:
        raise _error(header, "weights", f"it has {len(weights)} numbers for {count} tokens")
    ids = np.array([token_id for _, token_id in tokens], np.int64)
    rows = ids if mapping is None else mapping.astype(np.int64)[ids]
    vectors = np.ascontiguousarray(matrix[rows], np.float32)
    if weights is not None:
        vectors *= weights[ids, None].astype(np.float32)
    words = b"".join(word for word, _ in tokens)
    offsets = np.zeros(len(tokens) + 1, np.uint64)
    np.cumsum([len(word) for word, _ in tokens], out=offsets[1:])
    counts = np.zeros(len(tokens), np.int64)
    vocabulary = Vocabulary.stored(words, offsets, counts, len(tokens), 0)
    vectors.flags.writeable = False
    name = "static embedding (model2vec, sentence-transformers)"
    return word_vectors(file, name, vocabulary, vectors, word_bytes=len(words))


def _error(header: Header, name: str, reason: str) -> FormatError:
    offset = header.tensors[name].offset if name in header.tensors else 0
    return FormatError(name, offset, reason, header.path)


def _array(header: Header, tensor: Tensor, dtypes: dict[str, str]) -> NDArray[Any]:
    if tensor.dtype not in dtypes:
        raise _error(
            header, tensor.name, f"it is {tensor.dtype}, but must be one of {', '.join(dtypes)}"
        )
    found: NDArray[Any] = np.ndarray(
        tensor.shape, dtypes[tensor.dtype], header.data, tensor.offset if tensor.size else 0
    )
    return found


def _matrix(header: Header) -> NDArray[Any]:
    tensor = next(header.tensors[name] for name in _MATRICES if name in header.tensors)
    if len(tensor.shape) != 2 or not 1 <= tensor.shape[1] <= _LONGEST_ROW:
        raise _error(
            header, tensor.name, f"its shape is {list(tensor.shape)}, but must be [tokens, dim]"
        )
    return _array(header, tensor, _FLOATS)


def _numbers(header: Header, name: str, dtypes: dict[str, str]) -> NDArray[Any] | None:
    """Return an array of one number for each token; None if the file has none."""
    tensor = header.tensors.get(name)
    if tensor is None:
        return None
    if len(tensor.shape) != 1:
        raise _error(header, name, f"its shape is {list(tensor.shape)}, but must be [tokens]")
    return _array(header, tensor, dtypes)


def _tokens(path: str, count: int) -> list[tuple[bytes, int]]:
    """Return the tokens of a tokenizer and their numbers, ordered by these."""

    def error(field: str, reason: str) -> FormatError:
        return FormatError(field, 0, reason, path)

    try:
        with open(path, "rb") as file:  # noqa: PTH123
            text = file.read(_LARGEST_TOKENIZER + 1)
    except OSError as problem:
        raise FileError.from_os(problem, path) from None
    if len(text) > _LARGEST_TOKENIZER:
        raise error("size", f"it is larger than {_LARGEST_TOKENIZER} bytes")
    try:
        tokenizer = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise error("tokenizer", f"this is not valid JSON: {problem}") from None
    if not isinstance(tokenizer, dict) or not isinstance(model := tokenizer.get("model"), dict):
        raise error("model", "the tokenizer has no model")
    vocabulary = model.get("vocab")
    unknown: Any = None
    if isinstance(vocabulary, dict):
        numbers = dict(vocabulary)
        unknown = model.get("unk_token")
    elif isinstance(vocabulary, list) and all(
        isinstance(entry, list) and entry and isinstance(entry[0], str) for entry in vocabulary
    ):
        numbers = {entry[0]: i for i, entry in enumerate(vocabulary)}
        place = model.get("unk_id")
        if isinstance(place, int) and 0 <= place < len(vocabulary):
            unknown = vocabulary[place][0]
    else:
        raise error("model.vocab", "the tokenizer has no vocabulary")
    added = tokenizer.get("added_tokens") or []
    if not isinstance(added, list) or not all(isinstance(entry, dict) for entry in added):
        raise error("added_tokens", "it is not a list of tokens")
    for entry in added:
        numbers[entry.get("content")] = entry.get("id")
    names: dict[int, bytes] = {}
    for token, number in numbers.items():
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < count:
            raise error(
                "model.vocab", f"the token {token!r:.60} has the number {number!r:.60}, but the "
                f"model has {count} vectors"
            )  # fmt: skip
        if number in names:
            raise error("model.vocab", f"two tokens have the number {number}")
        try:
            names[number] = token.encode()
        except (AttributeError, UnicodeEncodeError):
            raise error("model.vocab", f"token {number} is not a text of UTF-8") from None
    if isinstance(unknown, str):
        names.pop(numbers.get(unknown, -1), None)
    return [(names[number], number) for number in sorted(names)]
