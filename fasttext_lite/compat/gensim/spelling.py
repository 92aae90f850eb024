"""The keys of a model in the spelling of gensim, computed on access."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.errors import UnknownEncodingError, UnknownWordError
from fasttext_lite.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fasttext_lite.model import Model

__all__ = ["END", "KeyIndex", "Keys", "Spelling", "mean_of_rows"]

END = "</s>"
# The escape that "backslashreplace" writes for a byte that cannot be decoded.
_ESCAPE = re.compile(rb"\\x([89a-f][0-9a-f])")
# Number of words per block.
_BLOCK = 1 << 16


class Spelling:
    r"""Conversion between the bytes of a word and its key.

    Parameters
    ----------
    encoding : str
        The encoding of the words in the file. Bytes that it cannot decode are written ``\xe9`` in a
        key.

    Raises
    ------
    UnknownEncodingError
        Python does not know the encoding.
    """

    def __init__(self, encoding: str) -> None:
        try:
            name = codecs.lookup(encoding).name
        except LookupError:
            raise UnknownEncodingError(f"unknown encoding: {encoding}") from None
        self.encoding = encoding
        self.is_utf8 = name == "utf-8"

    def key(self, word: bytes) -> str:
        """Return the key of a word."""
        return word.decode(self.encoding, "backslashreplace")

    def index(self, model: Model, key: str) -> int:
        """Return the id of the word with this key, or -1."""
        try:
            word = key.encode(self.encoding)
        except UnicodeEncodeError:
            return -1
        found = model.word_id(word)
        if found < 0 and "\\x" in key:
            word = _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), word)
            if self.key(word) == key:
                found = model.word_id(word)
        return found

    def is_plain(self, key: object) -> bool:
        """Return whether a key certainly has the bytes and n-grams of its word."""
        return self.is_utf8 and isinstance(key, str) and key != END and "\\x" not in key

    def is_respelled(self, key: str, word: bytes) -> bool:
        """Return whether gensim uses other n-grams for a word than the official program.

        gensim uses the n-grams of the UTF-8 of the key, and also gives n-grams to "</s>".
        """
        return key == END or key.encode("utf-8", "surrogatepass") != word

    def respelled(self, model: Model) -> Iterator[tuple[int, str]]:
        """Yield the ids and keys of all words for which `is_respelled` holds."""
        end = model.word_id(END)
        if end >= 0:
            yield end, END
        for start in range(0, len(model), _BLOCK):
            text, starts = model.words[start : start + _BLOCK].packed()
            if self.is_utf8 and _is_utf8(text, starts):
                continue
            # A word without a byte above 127 is assumed to be ASCII in every encoding.
            high = np.concatenate([[0], np.cumsum(np.frombuffer(text, np.uint8) > 127)])
            for i in np.flatnonzero(np.diff(high[starts.astype(np.int64)])).tolist():
                word = text[starts[i] : starts[i + 1]]
                key = self.key(word)
                if self.is_respelled(key, word):
                    yield start + i, key


def mean_of_rows(model: Model, word_row: int, text: str) -> NDArray[np.float32]:
    """Return the mean of a word row, unless its index is -1, and the n-gram rows of a text."""
    rows = [word_row] if word_row >= 0 else []
    rows += _ngram_rows(model, text)
    if not rows:
        return np.zeros(model.dim, np.float32)
    vector: NDArray[np.float32] = np.mean([model.row(row) for row in rows], axis=0)
    return vector


def _ngram_rows(model: Model, text: str) -> list[int]:
    if text != END:
        return [row for _, row in model.subwords(text) if row >= len(model)]
    # In the model "</s>" has no n-grams: take them from a longer word.
    text = f"<{END}>"
    found = dict(model.subwords(text))
    parameters = model.info.parameters
    lengths = range(max(parameters.minn, 1), min(parameters.maxn, len(text)) + 1)
    ngrams = [
        text[start : start + length]
        for start in range(len(text))
        for length in lengths
        if start + length <= len(text) and (length > 1 or 0 < start < len(text) - 1)
    ]
    return [found[ngram] for ngram in ngrams if ngram in found]


def _is_utf8(text: bytes, starts: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> bool:
    """Return whether each of the concatenated words in `text` is UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    # The whole text is UTF-8, so a word is UTF-8 if it begins at the start of a character.
    data = np.frombuffer(text, np.uint8)
    firsts = data[starts[starts < len(data)].astype(np.int64)]
    return not ((firsts & 0xC0) == 0x80).any()


class Keys(Words):
    """The keys of a model in the order of their indexes; each str is made when it is asked for.

    Parameters
    ----------
    words : Words
    index : KeyIndex
    """

    __slots__ = ("_index",)

    def __init__(self, words: Words, index: KeyIndex) -> None:
        super().__init__(words._read_vocabulary, words._ids)
        self._index = index

    def _spell(self, word: bytes) -> str:
        return self._index.spelling.key(word)

    def _part(self, ids: range) -> Keys:
        return Keys(super()._part(ids), self._index)

    def _entry(self, word: object) -> int:
        return self._index.get(word, -1) if isinstance(word, str) else -1


class KeyIndex(Mapping[str, int]):
    """The index of each key, found in the vocabulary of the model.

    Parameters
    ----------
    model : Model
    spelling : Spelling
    """

    __slots__ = ("_model", "spelling")

    def __init__(self, model: Model, spelling: Spelling) -> None:
        self._model = model
        self.spelling = spelling

    def __len__(self) -> int:
        return len(self._model)

    def __iter__(self) -> Iterator[str]:
        return iter(Keys(self._model.words, self))

    def __contains__(self, key: object) -> bool:
        return self._find(key) >= 0

    def __getitem__(self, key: str) -> int:
        found = self._find(key)
        if found < 0:
            raise UnknownWordError(key)
        return found

    def __repr__(self) -> str:
        return f"<KeyIndex: {len(self)} keys>"

    def word(self, index: int) -> bytes:
        """Return the bytes of the word with this index."""
        return self._model.words[index].encode("utf-8", "surrogateescape")

    def _find(self, key: object) -> int:
        if isinstance(key, str):
            return self.spelling.index(self._model, key)
        hash(key)  # raises TypeError for unhashable keys, as a dict does
        return -1
