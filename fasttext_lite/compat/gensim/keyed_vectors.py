"""Keyed vectors with the names of gensim: in memory, and of a fastText model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite._core.lookup.buckets import PruneIndex
from fasttext_lite.arguments import flag, whole
from fasttext_lite.compat.gensim import conversion, evaluation, word2vec, word_movers
from fasttext_lite.compat.gensim.files import open_model, save
from fasttext_lite.compat.gensim.in_memory import InMemory
from fasttext_lite.compat.gensim.lookup import CHANGES, divided, lengths, read_only
from fasttext_lite.compat.gensim.spelling import END, KeyIndex, Keys, Spelling, mean_of_rows
from fasttext_lite.errors import (
    FastTextLiteError,
    UnknownWordError,
    UnsupportedError,
)
from fasttext_lite.formats.word_vectors import parameters_of_vectors
from fasttext_lite.kept import choose_buckets
from fasttext_lite.once import once
from fasttext_lite.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.model import Model

__all__ = ["FastTextKeyedVectors", "KeyedVectors"]


class KeyedVectors(InMemory):
    """Vectors with keys, in memory; empty at first.

    Parameters
    ----------
    vector_size : int
        Number of dimensions.
    count : int
        Has no effect: memory is not allocated in advance.
    dtype : type
        float32.
    mapfile_path : None
        Has no effect, as in gensim.

    Examples
    --------
    >>> vectors = KeyedVectors(2)
    >>> vectors.add_vectors(["one", "two"], [[1, 0], [0, 2]])
    >>> vectors.get_vector("two", norm=True)
    array([0., 1.], dtype=float32)
    """

    @classmethod
    def _of_model(cls, model: Model, encoding: str = "utf-8") -> KeyedVectors:
        """Return the words of a model and their vectors, which are not copied where possible."""
        keys = FastTextKeyedVectors(model, encoding).index_to_key
        try:
            vectors = model.word_matrix
        except FastTextLiteError:
            vectors = model.word_vectors()
        counts = model.counts
        if not counts.any():
            # As gensim counts the words of a file without counts.
            counts = np.arange(len(keys), 0, -1)
        return KeyedVectors._of(keys, vectors, counts)

    @classmethod
    def load(cls, fname: PathType, mmap: str | None = None) -> KeyedVectors:
        """Open vectors that `save` wrote, or any file that `fasttext_lite.load` opens.

        Parameters
        ----------
        fname : path
        mmap : {None, "r", "r+", "w+", "c"}
            Has no effect: files are mapped, and their vectors are read-only.

        Returns
        -------
        KeyedVectors
            `FastTextKeyedVectors` if the file holds a fastText model.

        Raises
        ------
        MissingFileError
            The file does not exist. It is a FileNotFoundError.
        FileError, FormatError
            The file cannot be read; the pickles of gensim are not.
        UnsupportedError
            The model is supervised.
        """
        model = open_model(fname)
        if model.info.kind == "vectors" and model.unknown_words == "error":
            return cls._of_model(model)
        return FastTextKeyedVectors(model)

    @classmethod
    def load_word2vec_format(
        cls,
        fname: PathType,
        fvocab: None = None,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: str = "strict",
        limit: int | None = None,
        datatype: Any = np.float32,
        no_header: bool = False,
    ) -> KeyedVectors:
        r"""Read a file of word vectors, in any format that `fasttext_lite.load` opens.

        Parameters
        ----------
        fname : path
        fvocab : None
            Files of counts are not supported.
        binary, no_header : bool
            Have no effect: the file shows what it is.
        encoding : str
            The encoding of the words.
        unicode_errors : str
            Has no effect: bytes that `encoding` cannot decode are written ``\xe9`` in a key.
        limit : int, optional
            Read only the first `limit` words; 0 is no limit.
        datatype : type
            float32.

        Raises
        ------
        FileError, FormatError
            As for `load`.
        UnsupportedError
            `fvocab` is not None, or `datatype` is not float32.
        """
        if fvocab is not None:
            raise UnsupportedError("load_word2vec_format reads no counts here: leave out fvocab")
        if np.dtype(datatype) != np.float32:
            raise UnsupportedError(f"vectors are float32 here, not {np.dtype(datatype)}")
        limit = whole("limit", limit or 0, 0)
        return cls._of_model(open_model(fname, limit or None), encoding)

    def save(self, fname: PathType, *args: Any, **kwargs: Any) -> None:
        """Write keys and vectors as one compact file, which `load` opens.

        It replaces the target when it is complete. `fasttext_lite.load` opens it as well; gensim
        does not.

        Parameters
        ----------
        fname : path
        *args, **kwargs
            The other arguments of gensim have no effect: there is one file, and no pickle.

        Raises
        ------
        FileError
            The file cannot be written.
        InputTypeError
            A key is not a str.
        """
        counts = np.zeros(len(self), np.int64) if self._counts is None else self._counts
        save(
            fname,
            self.index_to_key,
            counts,
            lambda start, stop: self._vectors[start:stop],
            parameters=parameters_of_vectors(self.vector_size),
        )

    def to_gensim(self) -> Any:
        """Return a ``gensim.models.KeyedVectors`` with copies of the keys and vectors.

        Raises
        ------
        MissingExtraError
            gensim is not installed: ``pip install 'fasttext-lite[gensim]'``.
        """
        return conversion.keyed_vectors(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return KeyedVectors._of, (self.index_to_key, self._vectors, self._counts)

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
        return KeyedVectors._of(used, vectors, counts)

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

    _module = "gensim.models.fasttext"
    _name = "FastTextKeyedVectors"
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

    @classmethod
    def load(cls, fname: PathType, mmap: str | None = None) -> FastTextKeyedVectors:
        """Open a fastText model: see `KeyedVectors.load`."""
        return cls(open_model(fname))

    def save(self, fname: PathType, *args: Any, **kwargs: Any) -> None:
        """Write the keys, as UTF-8, their vectors and n-grams: see `KeyedVectors.save`."""
        source = Source(self._model._parts, None, progress=False)
        parameters = self._model.info.parameters
        subwords = "all" if self.bucket else "none"
        buckets, rows = choose_buckets(source, np.empty(0, np.int32), subwords, None)
        prune = None if buckets is None else PruneIndex(buckets, None, parameters.bucket)
        save(
            fname,
            self.index_to_key,
            self._model.counts,
            self._vectors_of,
            parameters=parameters,
            closed=self.bucket == 0,
            token_count=self._model.info.token_count,
            prune=prune,
            bucket_rows=len(rows),
            buckets=lambda start, stop: source.rows(rows[start:stop]),
        )

    def to_gensim(self) -> Any:
        """Return a ``gensim.models.fasttext.FastTextKeyedVectors`` in memory.

        It has rows for words and n-grams, so that gensim can compute vectors of unknown words.
        Where the file holds the vectors of its words, their rows are solved for; buckets that
        pruning dropped are zero.

        Raises
        ------
        MissingExtraError
            gensim is not installed: ``pip install 'fasttext-lite[gensim]'``.
        """
        return conversion.fasttext_keyed_vectors(self, self._model)

    def add_vectors(self, *args: Any, **kwargs: Any) -> None:
        """Raise `UnsupportedError`: a model is read-only."""
        raise UnsupportedError(f"FastTextKeyedVectors cannot add vectors: {CHANGES}")

    def __contains__(self, word: object) -> bool:
        """Return whether a word has a vector: always true if the model has n-grams."""
        return self.bucket > 0 or word in self.key_to_index

    @property
    def expandos(self) -> dict[str, NDArray[Any]]:
        """The attributes of each key: ``"count"``, int64, shape (keys,), read-only."""
        return {"count": self._model.counts}

    @once
    def vectors(self) -> NDArray[np.float32]:
        """The vectors of all words: float32, shape (words, dim), read-only."""
        try:
            return self._model.word_matrix
        except FastTextLiteError:
            vectors = self._model.word_vectors()
        self._respell(vectors, 0)
        return read_only(vectors)

    def _vectors_of(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the vectors of a range of words: float32, shape (n, dim)."""
        if "vectors" in vars(self):
            return self.vectors[start:stop]
        out = np.empty((stop - start, self.vector_size), np.float32)
        self._model._embedder.fill_entries(np.arange(start, stop, dtype=np.int32), out)
        self._respell(out, start)
        return out

    def _respell(self, vectors: NDArray[np.float32], start: int) -> None:
        """Set the vectors of words that differ from those of the model; row 0 is word `start`."""
        ids = np.fromiter(self._respelled, np.int64)
        first, last = np.searchsorted(ids, [start, start + len(vectors)])
        for index in ids[first:last].tolist():
            vectors[index - start] = mean_of_rows(self._model, index, self._respelled[index])

    @once
    def _respelled(self) -> dict[int, str]:
        """Keys by ascending index of the words whose vectors differ from those of the model."""
        return dict(sorted(self._spelling.respelled(self._model))) if self._takes_keys else {}

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
            vector = mean_of_rows(self._model, i, self._respelled[i])
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
            return read_only(divided(vector, lengths(vector)) if norm else vector)
        if self.bucket == 0:
            raise UnknownWordError("cannot calculate vector for OOV word without ngrams")
        text = str(word)
        if text == END or text in self._model:
            vector = mean_of_rows(self._model, -1, text)
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
            return mean_of_rows(self._model, index, key)
        return self._model[word]

    @property
    def _takes_keys(self) -> bool:
        """Whether known words have the n-grams of their keys, as in gensim.

        In a file of word vectors these already include the n-grams of the official program.
        """
        return self.bucket > 0 and not self._model.holds_vectors
