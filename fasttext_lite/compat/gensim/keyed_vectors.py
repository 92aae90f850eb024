"""Keyed vectors with the names of gensim: in memory, and of a fastText model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import flag
from fasttext_lite.compat.gensim import evaluation, word2vec, word_movers
from fasttext_lite.compat.gensim.lookup import divided, lengths
from fasttext_lite.compat.gensim.similarity import Similarity
from fasttext_lite.compat.gensim.spelling import END, KeyIndex, Keys, Spelling
from fasttext_lite.errors import FastTextLiteError, UnknownWordError
from fasttext_lite.once import once

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.model import Model

__all__ = ["FastTextKeyedVectors", "KeyedVectors"]


class KeyedVectors(Similarity):
    """Vectors with keys, in memory.

    Parameters
    ----------
    keys : sequence of str
        Distinct keys.
    vectors : ndarray
        float32, shape (keys, dim).
    counts : ndarray
        int64, shape (keys,).
    """

    def __init__(
        self, keys: Sequence[Any], vectors: NDArray[np.float32], counts: NDArray[np.int64]
    ) -> None:
        self.vector_size = vectors.shape[1]
        self.index_to_key = list(keys)
        self.key_to_index = {key: i for i, key in enumerate(keys)}
        self._vectors = vectors
        self._counts = counts

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors of all keys: float32, shape (keys, dim), read-only."""
        view = self._vectors.view()
        view.flags.writeable = False
        return view

    @property
    def expandos(self) -> dict[str, NDArray[Any]]:
        """The attributes of each key: ``"count"``, int64, shape (keys,)."""
        return {"count": self._counts}

    def __reduce__(self) -> tuple[Any, ...]:
        return KeyedVectors, (self.index_to_key, self._vectors, self._counts)

    def get_vector(self, key: Any, norm: bool = False) -> NDArray[np.float32]:
        """Return the vector of a key.

        Parameters
        ----------
        key : str or int
        norm : bool
            Divide the vector by its norm.

        Returns
        -------
        ndarray
            float32, shape (dim,), read-only.

        Raises
        ------
        UnknownWordError
            The key does not exist.
        """
        norm = flag("norm", norm)
        vector = self.vectors[self.get_index(key)]
        return _read_only(divided(vector, lengths(vector))) if norm else vector

    def vectors_for_all(
        self, keys: Iterable[Any], allow_inference: bool = True, copy_vecattrs: bool = False
    ) -> KeyedVectors:
        """Return the vectors of some keys as a separate set.

        Parameters
        ----------
        keys : iterable of str
            Repeated keys, and keys without a vector, are left out.
        allow_inference : bool
            Also accept keys that are not in the vocabulary, if they have a vector.
        copy_vecattrs : bool
            Copy the counts of the keys. Otherwise the counts descend to 1 in the order of the keys.

        Returns
        -------
        KeyedVectors
        """
        copy_vecattrs = flag("copy_vecattrs", copy_vecattrs)
        known = self if flag("allow_inference", allow_inference) else self.key_to_index
        used = [key for key in dict.fromkeys(keys) if key in known]
        vectors = self[used] if used else np.empty((0, self.vector_size), np.float32)
        counts = np.arange(len(used), 0, -1)
        if copy_vecattrs:
            for i, key in enumerate(used):
                if self.has_index_for(key):
                    counts[i] = self.get_vecattr(key, "count")
        return KeyedVectors(used, vectors, counts)

    def wmdistance(
        self, document1: Iterable[Any], document2: Iterable[Any], norm: bool = True
    ) -> float:
        """Return the Word Mover's Distance of two lists of words: see `word_movers.distance`."""
        return word_movers.distance(self, document1, document2, norm)

    def evaluate_word_pairs(
        self,
        pairs: PathType,
        delimiter: str = "\t",
        encoding: str = "utf8",
        restrict_vocab: int | None = 300000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[Any, Any, float]:
        """Correlate similarities with human scores: see `evaluation.word_pairs`."""
        return evaluation.word_pairs(
            self, pairs, delimiter, encoding, restrict_vocab, case_insensitive, dummy4unknown
        )

    def evaluate_word_analogies(
        self,
        analogies: PathType,
        restrict_vocab: int | None = 300000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
        similarity_function: str = "most_similar",
    ) -> tuple[float, list[evaluation.Section]]:
        """Count the analogies that the vectors solve: see `evaluation.word_analogies`.

        `similarity_function` has no effect, as in gensim.
        """
        return evaluation.word_analogies(
            self, analogies, restrict_vocab, case_insensitive, dummy4unknown
        )

    def save_word2vec_format(
        self,
        fname: PathType,
        fvocab: PathType | None = None,
        binary: bool = False,
        total_vec: int | None = None,
        write_header: bool = True,
        prefix: str = "",
        append: bool = False,
        sort_attr: str = "count",
    ) -> None:
        """Write all vectors in a format of word2vec: see `word2vec.save`."""
        word2vec.save(
            self, fname, fvocab, binary, total_vec, write_header, prefix, append, sort_attr
        )


class FastTextKeyedVectors(KeyedVectors):
    """The vectors of a fastText model.

    `vectors`, and methods that need the scores of all words, compute the vectors of all words on
    first use and keep them, unless the file holds them as float32. Other methods read only the rows
    that they need; `most_similar` and related methods use the exact search of the model.

    Parameters
    ----------
    model : Model
    encoding : str
        The encoding of the words in the file.
    """

    compatible_hash = True

    def __init__(self, model: Model, encoding: str = "utf-8") -> None:
        self._model = model
        self._spelling = Spelling(encoding)
        parameters = model.info.parameters
        self.vector_size = model.dim
        self.min_n = parameters.minn
        self.max_n = parameters.maxn
        has_ngrams = model.unknown_words == "subwords" and parameters.maxn >= parameters.minn
        self.bucket = parameters.bucket if has_ngrams else 0
        self.key_to_index: KeyIndex = KeyIndex(model, self._spelling)
        self.index_to_key = Keys(model.words, self.key_to_index)

    def __reduce__(self) -> tuple[Any, ...]:
        return FastTextKeyedVectors, (self._model, self._spelling.encoding)

    def __contains__(self, word: object) -> bool:
        """Return whether a word has a vector: always true if the model has n-grams."""
        return self.bucket > 0 or word in self.key_to_index

    @property
    def expandos(self) -> dict[str, NDArray[Any]]:
        """The attributes of each key: ``"count"``, int64, shape (keys,)."""
        return {"count": self._model.counts}

    @once
    def vectors(self) -> NDArray[np.float32]:
        """The vectors of all words: float32, shape (words, dim), read-only."""
        try:
            return self._model.word_matrix
        except FastTextLiteError:
            vectors = self._model.word_vectors()
        for index, key in self._respelled.items():
            vectors[index] = self._mean_of_rows(index, key)
        return _read_only(vectors)

    @once
    def _respelled(self) -> dict[int, str]:
        """Keys by index of the words whose vectors differ from those of the model."""
        return dict(self._spelling.respelled(self._model)) if self._takes_keys else {}

    def _nearest(
        self, query: NDArray[np.float32], topn: int, left_out: set[int], start: int, stop: int
    ) -> list[tuple[str, float]]:
        respelled = [i for i in self._respelled if start <= i < stop and i not in left_out]
        ((ids, scores),) = self._model._neighbors.nearest(
            np.asarray(query, np.float32)[None],
            [[*left_out, *respelled]],
            topn,
            start=start,
            stop=stop,
        )
        found = dict(zip(ids.tolist(), scores.tolist(), strict=True))
        for i in respelled:
            vector = self._mean_of_rows(i, self._respelled[i])
            found[i] = float(divided(vector @ query, lengths(vector)))
        best = sorted(found, key=lambda i: (-found[i], i))[:topn]
        return [(self.index_to_key[i], float(np.float32(found[i]))) for i in best]

    @property
    def vectors_vocab(self) -> NDArray[np.float32]:
        """The word rows, without n-grams: float32, shape (words, dim), a view of the file.

        Raises
        ------
        FastTextLiteError
            The matrix is quantised, or the file holds word vectors instead.
        """
        return self._model.input_matrix[: len(self)]

    @property
    def vectors_ngrams(self) -> NDArray[np.float32]:
        """The rows of the buckets: float32, shape (buckets, dim), a view of the file.

        Raises
        ------
        FastTextLiteError
            The matrix is quantised, or the file holds word vectors instead.
        """
        return self._model.input_matrix[len(self) :]

    def get_vector(self, word: Any, norm: bool = False) -> NDArray[np.float32]:
        """Return the vector of a word.

        Parameters
        ----------
        word : str
            For any other object, also an int, the n-grams of its ``str`` are used, as in gensim.
        norm : bool
            Divide the vector by its norm.

        Returns
        -------
        ndarray
            float32, shape (dim,), read-only for a word of the vocabulary; zero for an unknown word
            without n-grams.

        Raises
        ------
        UnknownWordError
            The word is unknown, and the model has no n-grams to compute its vector from.
        """
        norm = flag("norm", norm)
        index = self.key_to_index.get(word, -1)
        if index >= 0:
            vector = self._known(index, word)
            return _read_only(divided(vector, lengths(vector)) if norm else vector)
        if self.bucket == 0:
            raise UnknownWordError("cannot calculate vector for OOV word without ngrams")
        text = str(word)
        if text == END or text in self._model:
            vector = self._mean_of_rows(-1, text)
        else:
            vector = self._model[text]
        return divided(vector, lengths(vector)) if norm else vector

    def get_sentence_vector(self, sentence: Sequence[Any]) -> NDArray[np.float32]:
        """Return the mean of the vectors of a list of words, each divided by its norm.

        Raises
        ------
        InputValueError
            The list is empty.
        """
        return self.get_mean_vector(sentence)

    def _stacked(self, keys: list[Any]) -> NDArray[np.float32]:
        if not self.bucket:
            return super()._stacked(keys)
        plain = [i for i, key in enumerate(keys) if self._spelling.is_plain(key)]
        if len(plain) == len(keys):
            return self._model.vectors(keys)
        out = np.empty((len(keys), self.vector_size), np.float32)
        out[plain] = self._model.vectors([keys[i] for i in plain])
        for i in set(range(len(keys))).difference(plain):
            out[i] = self.get_vector(keys[i])
        return out

    def _known(self, index: int, key: str) -> NDArray[np.float32]:
        if "vectors" in vars(self):
            vector: NDArray[np.float32] = self.vectors[index]
            return vector
        word = self.key_to_index.word(index)
        if self._takes_keys and self._spelling.is_respelled(key, word):
            return self._mean_of_rows(index, key)
        return self._model[word]

    @property
    def _takes_keys(self) -> bool:
        """Whether known words have the n-grams of their keys, as in gensim.

        In a file of word vectors these already include the n-grams of the official program.
        """
        return self.bucket > 0 and not self._model.holds_vectors

    def _mean_of_rows(self, word_row: int, text: str) -> NDArray[np.float32]:
        """Return the mean of a word row, unless its index is -1, and the n-gram rows of a text."""
        rows = [word_row] if word_row >= 0 else []
        rows += self._ngram_rows(text)
        if not rows:
            return np.zeros(self.vector_size, np.float32)
        vector: NDArray[np.float32] = np.mean([self._model.row(row) for row in rows], axis=0)
        return vector

    def _ngram_rows(self, text: str) -> list[int]:
        if text != END or self._model.info.parameters.hash_count:
            return [row for _, row in self._model.subwords(text) if row >= len(self._model)]
        # In the model "</s>" has no n-grams: take them from a longer word.
        text = f"<{END}>"
        found = dict(self._model.subwords(text))
        lengths = range(max(self.min_n, 1), min(self.max_n, len(text)) + 1)
        ngrams = [
            text[start : start + length]
            for start in range(len(text))
            for length in lengths
            if start + length <= len(text) and (length > 1 or 0 < start < len(text) - 1)
        ]
        return [found[ngram] for ngram in ngrams if ngram in found]


def _read_only(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    vectors.flags.writeable = False
    return vectors
