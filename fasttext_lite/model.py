"""A fastText model, read from a file of any format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from fasttext_lite._core.text.batch import WordBatch
from fasttext_lite.once import once
from fasttext_lite.parallel import run_over
from fasttext_lite.queries import query_vectors, word_tuples
from fasttext_lite.vectors import WordVectors
from fasttext_lite.words import LABEL_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Literal, TypeAlias

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Unpack

    from fasttext_lite._core.labels.line import LineReader
    from fasttext_lite._core.labels.losses import Loss
    from fasttext_lite._core.labels.sentences import SentenceEmbedder
    from fasttext_lite.arguments import PathType
    from fasttext_lite.classifier import Classifier
    from fasttext_lite.evaluate.labels import Scores
    from fasttext_lite.keywords import Keyword
    from fasttext_lite.neighbors import Neighbor, NeighborSearch, SearchOptions
    from fasttext_lite.parts import Parts
    from fasttext_lite.predictions import (
        Contribution,
        Evidence,
        Labels,
        Prediction,
        Predictions,
        PredictOptions,
    )
    from fasttext_lite.texts import TextOptions

    Vectors: TypeAlias = NDArray[np.float32]

__all__ = ["Model"]


class Model(WordVectors):
    """A fastText model: immutable, and safe to use from many threads at once.

    `fasttext_lite.load` returns one. ``model[word]`` is the vector of a word, known or not, and
    ``model[words]`` are those of many; ``word in model``, ``len(model)`` and iteration cover the
    known words. A model pickles as its path and a fingerprint of the file, so that processes share
    one file and detect a different one (``docs/files-and-processes.md``).

    Words are str, or bytes for words that are not UTF-8. A str represents such bytes by lone
    surrogates (``errors="surrogateescape"``), in arguments and in results.

    Parameters
    ----------
    parts : Parts
        The parts of the model, as a file format reads them.

    Examples
    --------
    >>> import fasttext_lite as ftl
    >>> model = ftl.load("sample")
    >>> "government" in model, "governmentish" in model
    (True, False)
    >>> model["governmentish"].dtype
    dtype('float32')
    """

    # Modules that only some methods need are imported inside these methods: a program that looks up
    # a few words spends most of its time on imports.

    @once
    def _neighbors(self) -> NeighborSearch:
        from fasttext_lite.neighbors import NeighborSearch

        return NeighborSearch(self._embedder, self._parts)

    @once
    def _reader(self) -> LineReader:
        from fasttext_lite.layers import make_reader

        return make_reader(self._parts)

    @once
    def _loss(self) -> Loss:
        from fasttext_lite.layers import make_loss

        return make_loss(self._parts)

    @once
    def _sentences(self) -> LineReader | SentenceEmbedder:
        if self.info.kind == "supervised":
            return self._reader
        from fasttext_lite._core.labels.sentences import SentenceEmbedder

        return SentenceEmbedder(self._embedder)

    @once
    def _classifier(self) -> Classifier:
        from fasttext_lite.classifier import Classifier

        loss = self._loss  # first: it raises if the model is not supervised
        return Classifier(self._reader, loss)

    @once
    def _stripped(self) -> Classifier:
        from fasttext_lite.classifier import Classifier

        loss = self._loss
        return Classifier(self._reader, loss, strip_prefix=True)

    @once
    def _predict_one(self) -> Callable[..., Prediction]:
        # A compiled method, called without another Python frame.
        return self._classifier._predictor.predict

    def __reduce__(self) -> tuple[type[Model], tuple[Parts]]:
        return type(self), (self._parts,)

    def __copy__(self) -> Model:
        return self

    def __deepcopy__(self, memo: object) -> Model:
        return self

    def __repr__(self) -> str:
        info = self.info
        labels = f", {info.label_count} labels" if info.label_count else ""
        mapped = ", mapped" if self._parts.origin else ""
        return (
            f"<Model {info.path!r}: {info.kind}, {len(self)} words{labels}, dim {self.dim}{mapped}>"
        )

    def mapped(self, map: ArrayLike | PathType) -> Model:  # noqa: A002 - as in `convert`
        """Return a model whose vectors are those of this one, multiplied by a matrix.

        Every row of the file is mapped when it is read: ``mapped[word]`` is ``model[word] @ map``
        for known and unknown words, since the mean of mapped rows is the mapped mean. All other
        answers follow from the mapped rows: sentence vectors divide the mapped vectors by their
        norms, and neighbors are those of the mapped vectors. The file is shared and not copied.

        Parameters
        ----------
        map : array_like or path
            Shape (dim, new dim), or a ``.npy`` file with such an array; used as float32. Vectors
            are rows that are multiplied from the right, as in
            ``scipy.linalg.orthogonal_procrustes`` and vecmap. Matrices that multiply column
            vectors from the left, such as those of MUSE and of the alignment scripts of fastText,
            have to be transposed.

        Returns
        -------
        Model
            It pickles as the path of the file and the matrix.

        Raises
        ------
        InputTypeError
            `map` does not hold numbers.
        InputValueError
            `map` has another shape, or holds an infinite number or NaN.
        ModelKindError
            The model is supervised and the rows of `map` are not orthonormal. The output layer is
            mapped as well; only an orthogonal map keeps its products with the vectors, and thus
            the predictions.
        FileError, FormatError
            A ``.npy`` file cannot be read.

        Examples
        --------
        >>> import numpy as np
        >>> import fasttext_lite as ftl
        >>> model = ftl.load("sample")
        >>> doubled = model.mapped(2 * np.eye(model.dim))
        >>> bool((doubled["governmentish"] == 2 * model["governmentish"]).all())
        True
        """
        from fasttext_lite.mapping import map_parts

        return type(self)(map_parts(self._parts, map))

    @overload
    def similarity(self, a: str | bytes, b: str | bytes) -> float: ...
    @overload
    def similarity(self, a: Iterable[Sequence[str | bytes]]) -> NDArray[np.float64]: ...
    def similarity(self, a: Any, b: Any = None) -> float | NDArray[np.float64]:
        """Return the cosine of the vectors of two words, or of the words of many pairs.

        Parameters
        ----------
        a, b : str or bytes
            Words, known or not. For many pairs, pass only `a`, an iterable of pairs.

        Returns
        -------
        float or ndarray
            The cosine; for many pairs float64, shape (n,). 0 if one of the vectors is zero.

        Raises
        ------
        InputTypeError, InputValueError
            `b` is missing, a word is neither str nor bytes, or an item is not a pair.
        """
        single, pairs = word_tuples("ab", a, b)
        vectors = self.vectors([word for pair in pairs for word in pair]).astype(np.float64)
        left, right = vectors[::2], vectors[1::2]
        dots, x, y = (
            np.einsum("ij,ij->i", *both) for both in ((left, right), (left, left), (right, right))
        )
        norms = np.sqrt(x) * np.sqrt(y)
        cosines = np.divide(dots, norms, out=np.zeros(len(pairs)), where=norms != 0)
        return float(cosines[0]) if single else cosines

    @overload
    def neighbors(  # type: ignore[overload-overlap]
        self, query: str | bytes, k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[Neighbor]: ...
    @overload
    def neighbors(
        self, query: Sequence[str | bytes | NDArray[Any]], k: int = 10,
        **options: Unpack[SearchOptions],
    ) -> list[list[Neighbor]]: ...  # fmt: skip
    @overload
    def neighbors(
        self, query: Any, k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[Neighbor] | list[list[Neighbor]]: ...
    def neighbors(
        self, query: Any, k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[Neighbor] | list[list[Neighbor]]:
        """Return the known words nearest to a word or a vector, best first.

        The search is exact, by float64 cosines with all vectors, unless `approximate` or `accuracy`
        is given. Many queries in one call share one pass over the vectors. If the file does not
        hold the vectors of its words (``.bin``, ``.ftz``, supervised models), the first call
        computes them and keeps one byte per number; `fasttext_lite.convert` writes a file that
        does, with ``neighbors_index=True`` for faster single queries, and with ``graph=True`` for
        approximate ones.

        Parameters
        ----------
        query : str, bytes, array, or iterable
            A word, known or not, or a vector, shape (dim,). A known word is not its own neighbor.
            For many queries: an iterable of words and vectors, an array of strings (NumPy or
            Arrow), or an array of numbers, shape (n, dim), of any library with ``__array__`` or
            ``__dlpack__``. A phrase is not a word: search with ``model.sentence_vector(phrase)``.
        k : int
            Number of words per query, at most.
        max_words : int, optional
            Search only the first `max_words` words; files list words by falling frequency.
        among : iterable of str, bytes or int, optional
            Search only these words, given as words or ids.
        exclude : iterable of str, bytes or int, optional
            Words or ids to leave out of all results; unknown words are ignored.
        min_score : float, optional
            Leave out words with a lower cosine.
        approximate : bool, default False
            The same as ``accuracy=0.95``.
        accuracy : float, optional
            Find about this share of the nearest words, by a graph in the file (``docs/search.md``).
        threads : int, optional
            Number of threads; by default one per core available to this process.
        progress : bool, default False
            Show a progress bar while the first call computes vectors, if stderr is a terminal.

        Returns
        -------
        list of Neighbor, or list of list of Neighbor
            ``(word, score)`` pairs; the score is the cosine, ties are ordered by id. For many
            queries one list each. Words whose vector has an infinite number or NaN are left out.

        Raises
        ------
        InputTypeError
            A query is neither a word nor a vector of numbers, or an option has the wrong type.
        InputValueError
            A vector has the wrong shape, an option is out of range, or `among` holds an unknown
            word or is given together with `max_words`.
        UnknownWordError, FileError, ModelKindError, FormatError
            As for `vectors`; the mapped file has changed since it was opened; or it has no graph
            for an approximate search, or a damaged one.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> model = ftl.load("sample")
        >>> [near.word for near in model.neighbors("king", k=2)]
        ['queen', 'son']
        """
        single, vectors, words = query_vectors(query, self.dim, self.vectors)
        self._parts.check_unchanged()
        answers = self._neighbors.search(vectors, words, k, **options)
        return answers[0] if single else answers

    @overload
    def analogies(
        self, a: str | bytes, b: str | bytes, c: str | bytes, k: int = 10,
        **options: Unpack[SearchOptions],
    ) -> list[Neighbor]: ...  # fmt: skip
    @overload
    def analogies(
        self, a: Iterable[Sequence[str | bytes]], *, k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[list[Neighbor]]: ...
    def analogies(
        self, a: Any, b: Any = None, c: Any = None, k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[Neighbor] | list[list[Neighbor]]:
        """Return the known words nearest to a - b + c, best first.

        As in the official program, each of the three vectors is first divided by its norm plus
        1e-8, and the three words are left out of the result.

        Parameters
        ----------
        a, b, c : str or bytes
            Words, known or not. For many analogies, pass only `a`, an iterable of triples.
        k, max_words, among, exclude, min_score, approximate, accuracy, threads, progress
            As for `neighbors`, like the results and errors.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> model = ftl.load("sample")
        >>> "france" in [near.word for near in model.analogies("paris", "berlin", "germany")]
        True
        """
        single, triples = word_tuples("abc", a, b, c)
        vectors = self.vectors([word for triple in triples for word in triple])
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            units = vectors / (norms + np.float32(1e-8))
            queries = units[::3] - units[1::3] + units[2::3]
        self._parts.check_unchanged()
        answers = self._neighbors.search(queries, triples, k, **options)
        return answers[0] if single else answers

    def sentence_vector(
        self, text: str | bytes, *, newlines: Literal["raise", "space"] = "raise",
        errors: Literal["strict", "replace"] = "strict",
    ) -> Vectors:  # fmt: skip
        """Return the vector of a text of one line: float32, shape (dim,).

        In a supervised model it is the mean of all rows of the line: words, n-grams, word n-grams
        and the end token, without labels. In other models it is the mean of the nonzero word
        vectors, each divided by its norm. It is zero if no part of the text is known.

        `newlines` and `errors` are as for `Classifier.predict`. Raises `InputTypeError` if `text`
        is neither str nor bytes, `InputValueError` if it holds a newline.
        """
        return self._sentences.vector(text, newlines=newlines, errors=errors)

    def sentence_vectors(
        self, texts: Iterable[str | bytes], *, out: Vectors | None = None,
        threads: int | None = None, **options: Unpack[TextOptions],
    ) -> Vectors:  # fmt: skip
        """Return the vectors of many texts: float32, shape (n, dim).

        `out` and `threads` are as for `vectors`, each row and the errors as for
        `sentence_vector`, `missing`, `newlines` and `errors` as for `Classifier.predict`; the
        vector of a missing text is zero.
        """
        batch = WordBatch(texts, "text", **options)
        target, sentences = self._target(len(batch), out), self._sentences
        run_over(lambda start, stop: sentences.fill(batch, start, stop, target), batch, threads)
        return target

    def evidence(
        self, texts: Iterable[str | bytes], *, threads: int | None = None,
        **options: Unpack[TextOptions],
    ) -> Evidence:  # fmt: skip
        """Count the known words of many texts, and the rows that speak for their labels.

        A supervised model adds the end token ``</s>`` to every line, so that it predicts labels for
        an empty text too. The row of this token is not counted: a text without features is one
        that the model knows nothing of.

        Parameters
        ----------
        texts : iterable of str or bytes
        threads, missing, newlines, errors
            As for `Classifier.predict`. A missing text has no words and no features.

        Returns
        -------
        Evidence
            ``(words, features)``, both int64, shape (n,). The features are the rows of words,
            n-grams and word n-grams: those that `explain` lists, without that of the end token. An
            unknown word has features if its n-grams have rows; word n-grams with unknown words or
            with the end token count, as they do in a prediction. In a model that is not
            supervised, the features are the rows of the word vectors.

        Raises
        ------
        InputTypeError, InputValueError
            As for `sentence_vectors`.
        """
        from fasttext_lite.predictions import Evidence

        batch = WordBatch(texts, "text", **options)
        found = Evidence(np.zeros(len(batch), np.int64), np.zeros(len(batch), np.int64))
        sentences = self._sentences
        run_over(lambda start, stop: sentences.count(batch, start, stop, *found), batch, threads)
        return found

    @overload
    def predict(  # type: ignore[overload-overlap]
        self, texts: str | bytes, k: int = 1, threshold: float = 0.0,
        **options: Unpack[PredictOptions],
    ) -> Prediction: ...  # fmt: skip
    @overload
    def predict(
        self, texts: Iterable[str | bytes], k: int = 1, threshold: float = 0.0,
        **options: Unpack[PredictOptions],
    ) -> Predictions: ...  # fmt: skip
    def predict(
        self, texts: str | bytes | Iterable[str | bytes], k: int = 1, threshold: float = 0.0,
        **options: Unpack[PredictOptions],
    ) -> Prediction | Predictions:  # fmt: skip
        """Return the most probable labels of a text, or of many: see `Classifier.predict`.

        Raises `ModelKindError` if the model is not supervised, or its file has no output layer.
        """
        if not options and isinstance(texts, (str, bytes)):
            return self._predict_one(texts, k, threshold)
        return self._classifier.predict(texts, k, threshold, **options)

    def predict_ids(
        self, texts: Iterable[str | bytes], k: int = 1, threshold: float = 0.0,
        **options: Unpack[PredictOptions],
    ) -> tuple[NDArray[np.int32], Vectors]:  # fmt: skip
        """Return label ids and probabilities as two arrays: see `Classifier.predict_ids`."""
        return self._classifier.predict_ids(texts, k, threshold, **options)

    def probabilities(
        self, texts: Iterable[str | bytes], labels: Labels | None = None, *,
        renormalize: bool = False, out: Vectors | None = None, threads: int | None = None,
        **options: Unpack[TextOptions],
    ) -> Vectors:  # fmt: skip
        """Return a matrix of texts and labels: see `Classifier.probabilities`.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> model = ftl.load("lid.176.ftz")  # doctest: +SKIP
        >>> model.probabilities(["Wo ist der Bahnhof?"], ["__label__de", "__label__nl"])
        ... # doctest: +SKIP
        array([[0.98, 0.001]], dtype=float32)
        """
        return self._classifier.probabilities(
            texts, labels, renormalize=renormalize, out=out, threads=threads, **options
        )

    def keywords(self, label: str | bytes | int, k: int = 10) -> list[Keyword]:
        """List the words and n-grams that speak most for a label: see `Classifier.keywords`."""
        return self._classifier.keywords(label, k)

    def test(
        self, path: PathType, k: int = 1, threshold: float = 0.0, *, threads: int | None = None
    ) -> Scores:
        """Compare predictions with the labels in the lines of a file: see `Classifier.test`."""
        return self._classifier.test(path, k, threshold, threads=threads)

    def explain(
        self, text: str | bytes, label: str | bytes | None = None, *,
        newlines: Literal["raise", "space"] = "raise",
        errors: Literal["strict", "replace"] = "strict",
    ) -> list[Contribution]:  # fmt: skip
        """List what each part of a text adds to the score of a label: see `Classifier.explain`."""
        return self._classifier.explain(text, label, newlines=newlines, errors=errors)

    def classifier(
        self, label_prefix: str | bytes = LABEL_PREFIX, strip_prefix: bool = False
    ) -> Classifier:
        """Return a classifier with other options.

        Parameters
        ----------
        label_prefix : str or bytes
            Unknown words of a text that begin with this prefix are labels, and are left out of the
            text. The file does not record the prefix that the model was trained with.
        strip_prefix : bool
            Remove the prefix from predicted labels.

        Returns
        -------
        Classifier

        Raises
        ------
        InputTypeError
            `label_prefix` is neither str nor bytes.
        ModelKindError
            The model is not supervised, or its file has no output layer.
        """
        from fasttext_lite.classifier import Classifier

        loss = self._loss  # first, as above
        return Classifier(self._reader, loss, label_prefix, strip_prefix, self.classifier)
