"""Similarity queries with the names of gensim."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import flag
from fasttext_lite.compat.gensim.identity import deprecated
from fasttext_lite.compat.gensim.lookup import KEY_TYPES, Lookup, cosine, divided, lengths
from fasttext_lite.errors import EmptyInputError, InputValueError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Similarity", "best"]

# Keeps the denominator of equation 4 of Levy and Goldberg from being zero.
_EPSILON = 0.000001


class Similarity(Lookup):
    """Similarity queries on keys and vectors."""

    def most_similar(
        self,
        positive: Any = None,
        negative: Any = None,
        topn: int | None = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
        indexer: None = None,
    ) -> list[tuple[str, float]] | NDArray[np.float32]:
        """Find the keys nearest to the weighted mean of some keys, by cosine.

        Parameters
        ----------
        positive, negative : str, int, ndarray, or list of those or of (one, weight), optional
            Keys or vectors to add and to subtract. The weight is 1 or -1 by default.
        topn : int or None
            Number of results; None returns the similarities of all keys as an array.
        clip_start, clip_end : int
            Search the keys in this range.
        restrict_vocab : int, optional
            Search only the first `restrict_vocab` keys, and ignore the range.
        indexer : None
            The approximate indexes of gensim are not supported.

        Returns
        -------
        list of (str, float)
            Best first, without the keys of the query; ties by index.

        Raises
        ------
        InputValueError
            Both `positive` and `negative` are empty.
        UnknownWordError
            A key has no vector.
        UnsupportedError
            `indexer` is not None.
        """
        if isinstance(topn, Integral) and topn < 1:
            return []
        if indexer is not None:
            raise UnsupportedError(
                "indexers of gensim are not supported: the search is exact here, so leave out "
                "indexer"
            )
        keys: list[Any] = []
        weights: list[float] = []
        for items, weight in ((_listed(positive), 1.0), (_listed(negative), -1.0)):
            for item in items:
                key, factor = (item, weight) if _is_term(item) else (item[0], item[1])
                keys.append(key)
                weights.append(factor)
        if restrict_vocab:
            clip_start, clip_end = 0, restrict_vocab
        mean = self.get_mean_vector(
            keys, np.array(weights), post_normalize=True, ignore_missing=False
        )
        start, stop, _ = slice(clip_start, clip_end or len(self)).indices(len(self))
        if topn is None:
            return divided(self.vectors[start:stop] @ mean, self.norms[start:stop])
        asked = {
            self.get_index(key)
            for key in keys
            if isinstance(key, KEY_TYPES) and self.has_index_for(key)
        }
        return self._nearest(mean, topn, asked, start, stop)

    def _nearest(
        self, query: NDArray[np.float32], topn: int, left_out: set[int], start: int, stop: int
    ) -> list[tuple[str, float]]:
        """Return the keys with indexes in ``range(start, stop)`` that are nearest to a query."""
        scores = divided(self.vectors[start:stop] @ query, self.norms[start:stop])
        return self._named(scores, topn, left_out, start)

    def _named(
        self, scores: NDArray[np.float32], topn: int, asked: set[int], start: int = 0
    ) -> list[tuple[str, float]]:
        """Return the keys with the highest scores, without those of the query."""
        found = best(scores, topn + len(asked)) + start
        return [
            (self.index_to_key[i], float(scores[i - start]))
            for i in found.tolist()
            if i not in asked
        ][:topn]

    def similar_by_word(
        self, word: str, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> list[tuple[str, float]] | NDArray[np.float32]:
        """Find the keys nearest to one: see `most_similar`."""
        return self.similar_by_key(word, topn, restrict_vocab)

    def similar_by_key(
        self, key: Any, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> list[tuple[str, float]] | NDArray[np.float32]:
        """Find the keys nearest to one: see `most_similar`."""
        return self.most_similar(positive=[key], topn=topn, restrict_vocab=restrict_vocab)

    def similar_by_vector(
        self, vector: NDArray[Any], topn: int | None = 10, restrict_vocab: int | None = None
    ) -> list[tuple[str, float]] | NDArray[np.float32]:
        """Find the keys nearest to a vector: see `most_similar`."""
        return self.most_similar(positive=[vector], topn=topn, restrict_vocab=restrict_vocab)

    def most_similar_cosmul(
        self,
        positive: Any = None,
        negative: Any = None,
        topn: int | None = 10,
        restrict_vocab: int | None = None,
    ) -> list[tuple[str, float]] | NDArray[np.float32]:
        """Find the keys nearest to some keys, by the product of the cosines.

        Equation 4 of Levy and Goldberg 2014, "Linguistic regularities in sparse and explicit word
        representations", with cosines scaled to the range 0 to 1.

        Parameters
        ----------
        positive, negative : str, ndarray, or list of those, optional
            Keys or vectors.
        topn : int or None
            Number of results; None returns the scores of all keys as an array.
        restrict_vocab : None
            Has no effect, as in gensim.

        Returns
        -------
        list of (str, float)
            Best first, without the keys of the query; ties by index.

        Raises
        ------
        InputValueError
            `positive` is empty.
        UnknownWordError
            A key has no vector.
        """
        if isinstance(topn, Integral) and topn < 1:
            return []
        added, removed = _listed(positive), _listed(negative)
        if not added:
            raise InputValueError("cannot compute similarity with no input")
        scores = self._product(added) / (self._product(removed) + _EPSILON)
        if topn is None:
            return scores
        keys = [key for key in added + removed if not isinstance(key, np.ndarray)]
        return self._named(
            scores, topn, {self.get_index(key) for key in keys if key in self.key_to_index}
        )

    def _product(self, terms: list[Any]) -> NDArray[np.float32]:
        product = np.ones(len(self), np.float32)
        for term in terms:
            vector = term if isinstance(term, np.ndarray) else self.get_vector(term, norm=True)
            product *= (1 + divided(self.vectors @ vector, self.norms)) / 2
        return product

    def similarity(self, w1: Any, w2: Any) -> np.float32:
        """Return the cosine of the vectors of two keys."""
        return cosine(self[w1], self[w2])

    def distance(self, w1: Any, w2: Any) -> np.float32:
        """Return 1 minus the cosine of the vectors of two keys."""
        return np.float32(1 - self.similarity(w1, w2))

    @staticmethod
    def cosine_similarities(vector_1: NDArray[Any], vectors_all: NDArray[Any]) -> NDArray[Any]:
        """Return the cosines of one vector, shape (dim,), and each of several, shape (n, dim)."""
        return divided(vectors_all @ vector_1, lengths(vector_1) * lengths(vectors_all))

    def distances(self, word_or_vector: Any, other_words: Sequence[Any] = ()) -> NDArray[Any]:
        """Return 1 minus the cosines of a key or vector with some keys.

        Parameters
        ----------
        word_or_vector : str, int or ndarray
        other_words : sequence of (str or int)
            If empty, all keys.

        Raises
        ------
        UnknownWordError
            A key does not exist.
        """
        one = word_or_vector
        vector = self.get_vector(one) if isinstance(one, KEY_TYPES) else np.asarray(one)
        if other_words:
            others = self.vectors[[self.get_index(word) for word in other_words]]
            cosines = self.cosine_similarities(vector, others)
        else:
            cosines = divided(self.vectors @ vector, lengths(vector) * self.norms)
        np.subtract(1, cosines, out=cosines)
        return cosines

    def n_similarity(self, ws1: Any, ws2: Any) -> np.float32:
        """Return the cosine of the means of two lists of keys.

        Raises
        ------
        EmptyInputError
            A list is empty.
        """
        if not (len(ws1) and len(ws2)):
            raise EmptyInputError("At least one of the passed list is empty.")
        means = (self.get_mean_vector(ws, pre_normalize=False) for ws in (ws1, ws2))
        return cosine(*means)

    def most_similar_to_given(self, key1: Any, keys_list: Sequence[Any]) -> Any:
        """Return the key of a list that is nearest to another key."""
        return keys_list[int(np.argmax([self.similarity(key1, key) for key in keys_list]))]

    def closer_than(self, key1: Any, key2: Any) -> list[str]:
        """Return the keys that are closer to `key1` than `key2` is."""
        distances = self.distances(key1)
        index, threshold = self.get_index(key1), distances[self.get_index(key2)]
        nearer = np.flatnonzero(distances < threshold).tolist()
        return [self.index_to_key[i] for i in nearer if i != index]

    def words_closer_than(self, word1: Any, word2: Any) -> list[Any]:
        """Return the nearer keys: the name of `closer_than` in gensim 3."""
        deprecated("words_closer_than", "closer_than")
        return self.closer_than(word1, word2)

    def rank(self, key1: Any, key2: Any) -> int:
        """Return the rank of `key2`, from 1, among the keys ordered by distance from `key1`."""
        return len(self.closer_than(key1, key2)) + 1

    def rank_by_centrality(
        self, words: Sequence[Any], use_norm: bool = True
    ) -> list[tuple[np.float32, Any]]:
        """Rank keys by the dot products of their vectors with the unit mean of all of them.

        Parameters
        ----------
        words : sequence of (str or int)
            Keys that do not exist are left out.
        use_norm : bool
            Divide each vector by its norm first.

        Returns
        -------
        list of (float, key)
            The nearest key first.

        Raises
        ------
        InputValueError
            None of the keys exists.
        """
        use_norm = flag("use_norm", use_norm)
        used = [word for word in words if word in self]
        if not used:
            raise InputValueError("cannot select a word from an empty list")
        vectors = np.array([self.get_vector(word, norm=use_norm) for word in used], np.float32)
        scores = vectors @ self.get_mean_vector(vectors, post_normalize=True)
        return sorted(zip(scores, used, strict=True), reverse=True)

    def doesnt_match(self, words: Sequence[Any]) -> Any:
        """Return the key of a list that is farthest from the mean of the list."""
        return self.rank_by_centrality(words)[-1][1]

    def relative_cosine_similarity(self, wa: Any, wb: Any, topn: int = 10) -> float:
        """Return the cosine of two keys, divided by the sum of those of the `topn` nearest to `wa`.

        Equation 1 of Leeuwenberg, Vela, Dehdari and van Genabith 2016, "A minimally supervised
        approach for synonym extraction with word embeddings".

        Raises
        ------
        InputValueError
            `topn` is below 1.
        """
        nearest = self.similar_by_word(wa, topn)
        if not len(nearest):
            raise InputValueError(
                "Cannot calculate relative cosine similarity without any similar words."
            )
        return float(self.similarity(wa, wb)) / sum(score for _, score in nearest)


def best(scores: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Return the positions of the highest scores, best first, ties by position."""
    places = np.arange(len(scores))
    if count < len(scores):
        # Keep all scores that tie with the last one, so that ties are ordered by position.
        places = np.flatnonzero(scores >= np.partition(scores, -count)[-count])
    order: NDArray[np.int64] = places[np.argsort(-scores[places], kind="stable")][:count]
    return order


def _is_term(item: object) -> bool:
    return isinstance(item, (*KEY_TYPES, np.ndarray))


def _listed(value: Any) -> list[Any]:
    """Return a list of items: a single key or vector is one item, None is none."""
    if value is None:
        return []
    if isinstance(value, KEY_TYPES) or (isinstance(value, np.ndarray) and value.ndim == 1):
        return [value]
    return list(value)
