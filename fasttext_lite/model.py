"""What a user holds: a model, whatever file it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from fasttext_lite._core.lookup.embed import Embedder
from fasttext_lite._core.lookup.lookup import Lookup
from fasttext_lite._core.lookup.ngrams import NgramSet
from fasttext_lite._core.text.batch import WordBatch, encode
from fasttext_lite.errors import FastTextLiteError, InputTypeError, InputValueError
from fasttext_lite.integrity import check_numbers, check_unchanged
from fasttext_lite.once import once
from fasttext_lite.parallel import run_in_chunks, run_over
from fasttext_lite.parts import LABEL_PREFIX
from fasttext_lite.queries import query_vectors, word_tuples
from fasttext_lite.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from fasttext_lite._core.labels.line import LineReader
    from fasttext_lite._core.labels.losses import Loss
    from fasttext_lite._core.labels.sentences import SentenceEmbedder
    from fasttext_lite._core.lookup.vocabulary import Vocabulary
    from fasttext_lite.arguments import PathType
    from fasttext_lite.classifier import Classifier
    from fasttext_lite.evaluate.labels import Scores
    from fasttext_lite.neighbors import Neighbor, NeighborSearch
    from fasttext_lite.parts import Info, Parts
    from fasttext_lite.predictions import Contribution, Prediction, Predictions, PredictOptions
    from fasttext_lite.queries import SearchOptions

    Recipe: TypeAlias = "tuple[Callable[..., Model], tuple[Any, ...]]"

__all__ = ["Model"]

T = TypeVar("T")


class Model(Lookup):
    """A fastText model: immutable, and safe to use from many threads at once.

    Made by `fasttext_lite.load`. It pickles as its path with a fingerprint of the file, so that
    processes share one file and notice if they find another (``docs/files-and-processes.md``).

    Words are str, or bytes for words that are no UTF-8; such bytes come out in a str as lone
    surrogates (``errors="surrogateescape"``) and are understood in that form too.

    Parameters
    ----------
    parts : Parts
        What a file format handed over.
    recipe : callable
        Returns a function and its arguments that make the same model again.

    Examples
    --------
    >>> import fasttext_lite as ftl
    >>> model = ftl.load("sample")
    >>> "government" in model, "governmentish" in model
    (True, False)
    >>> model["governmentish"].dtype
    dtype('float32')
    """

    def __init__(self, parts: Parts, recipe: Callable[[], Recipe]) -> None:
        self._parts = parts
        self._recipe = recipe

    @once
    def _embedder(self) -> Embedder:
        parts = self._parts
        vectors = parts.vectors.rows if parts.vectors else None
        return Embedder(self._vocabulary, parts.subwords, parts.input.rows, vectors, parts.closed)

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

        loss = self._loss  # first, since it refuses models of other kinds
        return Classifier(self._reader, loss)

    @once
    def _predict_one(self) -> Callable[..., Prediction]:
        # Of the compiled class, so that the shortest texts take no further Python frame.
        return self._classifier._predictor.predict

    @once
    def _counts(self) -> NDArray[np.int64]:
        counts = np.frombuffer(self._vocabulary.counts(0, len(self._vocabulary)), np.int64)
        counts.flags.writeable = False
        return counts

    @property
    def _vocabulary(self) -> Vocabulary:
        return self._parts.vocabulary.get()

    def __reduce__(self) -> Recipe:
        return self._recipe()

    def __copy__(self) -> Model:
        return self

    def __deepcopy__(self, memo: object) -> Model:
        return self

    def __repr__(self) -> str:
        info = self.info
        labels = f", {info.label_count} labels" if info.label_count else ""
        return f"<Model {info.path!r}: {info.kind}, {len(self)} words{labels}, dim {self.dim}>"

    @property
    def info(self) -> Info:
        """What the head of the file says: kind, sizes, parameters, sections."""
        return self._parts.info

    @property
    def dim(self) -> int:
        """Number of dimensions of a vector."""
        return self.info.parameters.dim

    @property
    def words(self) -> Words:
        """The words in the order of their ids, each made when it is asked for."""
        return Words(self._vocabulary, range(self.info.word_count))

    @property
    def labels(self) -> Words:
        """The labels in the order of their ids, as in the file, with their prefix."""
        return Words(self._vocabulary, range(self.info.word_count, len(self._vocabulary)))

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each word occurred in training: int64, shape (words,), read-only."""
        return self._counts[: self.info.word_count]

    @property
    def label_counts(self) -> NDArray[np.int64]:
        """How often each label occurred in training: int64, shape (labels,), read-only."""
        return self._counts[self.info.word_count :]

    @property
    def input_matrix(self) -> NDArray[np.float32]:
        """The rows of words and n-grams as they stand in the file.

        float32, shape (rows, dim), a read-only view, usually at an odd byte offset (NumPy calls
        that unaligned and copies where it has to).

        Raises
        ------
        FastTextLiteError
            The matrix is quantised, float16 or int8, or the file holds the vectors of the words
            instead of their own rows.
        """
        if self._parts.vectors:
            raise FastTextLiteError(
                "this file holds the vectors of its words, not their own rows: there is no input "
                "matrix to view"
            )
        return _view(self._parts.input.view, "input")

    @property
    def word_matrix(self) -> NDArray[np.float32]:
        """The vectors of the words, as a compact file or a file of vectors holds them.

        float32, shape (words, dim), a read-only view.

        Raises
        ------
        FastTextLiteError
            The file holds rows that are summed for each word, or float16 or int8:
            ``model[model.words]`` computes the vectors.
        """
        vectors = self._parts.vectors
        if vectors is None:
            raise FastTextLiteError(
                "this file does not hold the vectors of its words but what they are summed from: "
                "take model[model.words], or convert the model"
            )
        return _view(vectors.view, "word")

    @property
    def output_matrix(self) -> NDArray[np.float32]:
        """The rows of the output layer: one a label if supervised, else one a word.

        float32, shape (rows, dim), a read-only view of the file.

        Raises
        ------
        FastTextLiteError
            The matrix is quantised, float16 or int8, or not in the file.
        """
        output = self._parts.output
        if output is None:
            raise FastTextLiteError("this file holds no output matrix")
        return _view(output.view, "output")

    def __len__(self) -> int:
        return self.info.word_count

    def __contains__(self, word: object) -> bool:
        return isinstance(word, (str, bytes)) and self.word_id(word) >= 0

    def word_id(self, word: str | bytes) -> int:
        """Return the id of a word, or -1 if the vocabulary does not have it.

        Where a file has a word twice, its last id counts.
        """
        i = self._vocabulary.id(word)
        return i if i < self.info.word_count else -1

    def subwords(self, word: str | bytes) -> list[tuple[str, int]]:
        """List what the vector of a word is the mean of.

        Parameters
        ----------
        word : str or bytes

        Returns
        -------
        list of (str, int)
            The word itself with its own row, if it has one, then its n-grams with theirs, by
            start and from short to long. n-grams that pruning dropped are left out.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> [text for text, row in ftl.load("sample").subwords("war")]
        ['war', '<wa', '<war', '<war>', 'war', 'war>', 'ar>']
        """
        text = encode(word)
        own = self._embedder.own_row(text)
        found = [(_decode(text), own)] if own >= 0 else []
        return found + self._with_rows(self._parts.subwords.ngrams(text))

    def ngrams(self, words: Iterable[str | bytes]) -> list[tuple[str, int]]:
        """List the distinct n-grams of many words with their rows, in first-seen order.

        Parameters
        ----------
        words : iterable of str or bytes

        Returns
        -------
        list of (str, int)
            Each n-gram once, with its row of the input matrix; different n-grams may share a row.
        """
        distinct = NgramSet(self._parts.subwords)
        distinct.add(WordBatch(words))
        return self._with_rows(distinct.items())

    def _with_rows(self, ngrams: list[tuple[bytes, int]]) -> list[tuple[str, int]]:
        """Decode n-grams, and count their rows from behind the words whatever the file holds."""
        shift = self.info.word_count - self._parts.subwords.first_row
        return [(_decode(ngram), row + shift) for ngram, row in ngrams]

    @overload
    def get(self, word: str | bytes) -> NDArray[np.float32] | None: ...
    @overload
    def get(self, word: str | bytes, default: T) -> NDArray[np.float32] | T: ...
    def get(self, word: str | bytes, default: Any = None) -> Any:
        """Return the vector of a word, or `default` where nothing at all is known of it.

        That is an unknown word without a single n-gram that has a row. ``model[word]`` gives
        zeros for it, or raises `UnknownWordError` where the model has no n-grams at all because
        its format or its conversion left them out.
        """
        embedder = self._embedder
        return embedder.vector(word) if embedder.knows(word) else default

    def vectors(
        self,
        words: Iterable[str | bytes],
        out: NDArray[np.float32] | None = None,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """Return the vectors of many words.

        Parameters
        ----------
        words : iterable of str or bytes, or array of strings
            A NumPy array, or an Arrow array of any library that gives it by the Arrow C data
            interface (utf8, binary, their large forms and views): what is UTF-8 there is read
            where it is.
        out : ndarray, optional
            float32, C-contiguous, shape (n, dim): filled and returned instead of a fresh array.
        threads : int, optional
            By default the cores that this process may use, for more than some thousand words.

        Returns
        -------
        ndarray
            float32, shape (n, dim). An unknown word is the mean of its n-grams; zeros where it
            has none.

        Raises
        ------
        InputTypeError
            `words` holds something else than str and bytes, or is a single one.
        InputValueError
            `out` does not fit, or an array holds nulls or is not one-dimensional.
        UnknownWordError
            A word is unknown, and the file has no n-grams to make its vector from.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> ftl.load("sample").vectors(["war", "peace"]).shape
        (2, 40)
        """
        batch = WordBatch(words)
        if out is None:
            out = np.empty((len(batch), self.dim), np.float32)
        else:
            _check_out(out, (len(batch), self.dim))
        embedder, target = self._embedder, out
        run_over(lambda start, stop: embedder.fill(batch, start, stop, target), batch, threads)
        return out

    def word_vectors(self, threads: int | None = None) -> NDArray[np.float32]:
        """Compute the vectors of all words, without a str for any of them.

        Parameters
        ----------
        threads : int, optional
            By default the cores that this process may use.

        Returns
        -------
        ndarray
            float32, shape (words, dim), fresh, in the order of `words`.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> model = ftl.load("sample")
        >>> model.word_vectors().shape == (len(model), model.dim)
        True
        """
        out = np.empty((len(self), self.dim), np.float32)
        embedder = self._embedder

        def fill(start: int, stop: int) -> None:
            embedder.fill_entries(np.arange(start, stop, dtype=np.int32), out[start:stop])

        run_in_chunks(fill, len(self), threads)
        return out

    def row(self, index: int) -> NDArray[np.float32]:
        """Return one row of the input matrix, decoded where that is quantised.

        Parameters
        ----------
        index : int
            As `subwords` and `ngrams` give it.

        Returns
        -------
        ndarray
            float32, shape (dim,), fresh.

        Raises
        ------
        InputValueError
            There is no such row.
        """
        out = np.zeros(self.dim, np.float32)
        parts = self._parts
        row = index - self.info.word_count + parts.subwords.first_row
        if parts.vectors and row < 0:
            raise InputValueError(
                f"row {index}: this file holds the vectors of its {self.info.word_count} words, "
                "not their own rows"
            )
        parts.input.rows.sum(np.array([row], np.int64), out)
        return out

    def verify(self, *, full: bool = False, threads: int | None = None) -> bool:
        """Make sure that the file is still what it was when the model was opened.

        Reading from a mapped file that another program has cut ends the process, and what is
        written into it shows up in the answers; this tells before. Nothing can tell while a read
        is under way: who has to reckon with such programs loads with ``mmap=False``.

        Parameters
        ----------
        full : bool
            Also read everything once: the dictionary has to be whole, and each number finite.
        threads : int, optional
            For `full`; by default the cores that this process may use.

        Returns
        -------
        bool
            Whether the path still leads to this file, unchanged. False where it was replaced or
            deleted, or, with ``mmap=False``, written to: the model answers from the old bytes.

        Raises
        ------
        FileError
            The mapped file has another size or time of modification than when it was opened.
        FormatError
            With `full`: the dictionary is damaged, or a number is not finite.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> ftl.load("sample").verify(full=True)
        True
        """
        check_unchanged(self._parts)
        if full:
            check_numbers(self._parts, threads)
        backing = self._parts.backing
        return backing is not None and backing.is_current()

    @overload
    def similarity(self, a: str | bytes, b: str | bytes) -> float: ...
    @overload
    def similarity(self, a: Iterable[Sequence[str | bytes]]) -> NDArray[np.float64]: ...
    def similarity(self, a: Any, b: Any = None) -> float | NDArray[np.float64]:
        """Return the cosine of the vectors of two words, or those of many pairs.

        Parameters
        ----------
        a, b : str or bytes
            Or only an iterable of pairs. Words need not be known.

        Returns
        -------
        float or ndarray
            For pairs float64, shape (n,). 0 where one of the vectors is zeros.

        Raises
        ------
        InputTypeError, InputValueError
            What should be a word is none, or what should be a pair.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> model = ftl.load("sample")
        >>> model.similarity([("war", "peace"), ("war", "war")]).shape
        (2,)
        """
        single, pairs = word_tuples("ab", a, b)
        vectors = self.vectors([word for pair in pairs for word in pair]).astype(np.float64)
        left, right = vectors[::2], vectors[1::2]
        dots, own, other = (
            np.einsum("ij,ij->i", *both) for both in ((left, right), (left, left), (right, right))
        )
        norms = np.sqrt(own) * np.sqrt(other)
        cosines = np.divide(dots, norms, out=np.zeros(len(pairs)), where=norms != 0)
        return float(cosines[0]) if single else cosines

    @overload
    def neighbors(  # type: ignore[overload-overlap]
        self, query: str | bytes, k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[Neighbor]: ...
    @overload
    def neighbors(
        self,
        query: Sequence[str | bytes | NDArray[Any]],
        k: int = 10,
        **options: Unpack[SearchOptions],
    ) -> list[list[Neighbor]]: ...
    @overload
    def neighbors(
        self, query: Any, k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[Neighbor] | list[list[Neighbor]]: ...
    def neighbors(
        self,
        query: Any,
        k: int = 10,
        *,
        max_words: int | None = None,
        among: Iterable[str | bytes | int] | None = None,
        exclude: Iterable[str | bytes | int] = (),
        threads: int | None = None,
        progress: bool = False,
    ) -> list[Neighbor] | list[list[Neighbor]]:
        """Return the known words nearest to a word or a vector, best first.

        The search is exact: the answer is that of float64 cosines with all vectors. Many queries
        in one call share one pass over the vectors. If the file does not hold the vectors of its
        words (``.bin``, ``.ftz``, supervised models), the first call computes them and keeps one
        byte per number; `fasttext_lite.convert` writes a file that holds them, and with
        ``neighbors_index=True`` one in which single queries are several times as fast.

        Parameters
        ----------
        query : str, bytes, ndarray, or iterable
            A word, known or not, or a vector, shape (dim,). A known word is left out of its own
            answer. Many queries are an iterable of words and vectors, an array of strings (NumPy
            or Arrow), or an array of numbers, shape (n, dim).
        k : int
            Number of words; all words if there are fewer.
        max_words : int, optional
            Search only the first `max_words` words; files list words by falling frequency.
        among : iterable of str, bytes or int, optional
            Search only these words, given as words or ids.
        exclude : iterable of str, bytes or int
            Words or ids to leave out of all answers; unknown words are ignored.
        threads : int, optional
            By default the cores that this process may use.
        progress : bool
            Show a bar on stderr for what the first call computes, if that is a terminal.

        Returns
        -------
        list of Neighbor, or list of list of Neighbor
            ``(word, score)``, where the score is the cosine, ties by id; for many queries one list
            per query. Words whose vector has an infinite number or NaN are left out.

        Raises
        ------
        InputTypeError
            A query is neither a word nor a vector of numbers, or an option has the wrong type.
        InputValueError
            A vector has the wrong shape, an option is out of range, `among` holds an unknown word
            or is given together with `max_words`.
        UnknownWordError
            The word of a query is unknown, and the file has no n-grams to compute its vector from.
        FileError
            The mapped file has changed since it was opened.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> model = ftl.load("sample")
        >>> [near.word for near in model.neighbors("king", k=2)]
        ['queen', 'son']
        """
        single, vectors, words = query_vectors(query, self.dim, self.vectors)
        check_unchanged(self._parts)
        answers = self._neighbors.search(
            vectors,
            words,
            k,
            max_words=max_words,
            among=among,
            exclude=exclude,
            threads=threads,
            progress=progress,
        )
        return answers[0] if single else answers

    @overload
    def analogies(
        self,
        a: str | bytes,
        b: str | bytes,
        c: str | bytes,
        k: int = 10,
        **options: Unpack[SearchOptions],
    ) -> list[Neighbor]: ...
    @overload
    def analogies(
        self, a: Iterable[Sequence[str | bytes]], *, k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[list[Neighbor]]: ...
    def analogies(
        self,
        a: Any,
        b: Any = None,
        c: Any = None,
        k: int = 10,
        *,
        max_words: int | None = None,
        among: Iterable[str | bytes | int] | None = None,
        exclude: Iterable[str | bytes | int] = (),
        threads: int | None = None,
        progress: bool = False,
    ) -> list[Neighbor] | list[list[Neighbor]]:
        """Return the known words nearest to a - b + c, best first.

        As in the official program, each of the three vectors is first divided by its norm plus
        1e-8, and the three words are left out of the answer.

        Parameters
        ----------
        a, b, c : str or bytes
            Words, known or not; or only `a`, an iterable of such triples.
        k, max_words, among, exclude, threads, progress
            As for `neighbors`.

        Returns
        -------
        list of Neighbor, or list of list of Neighbor
            As for `neighbors`; for triples one list per triple.

        Raises
        ------
        InputTypeError, InputValueError
            A word is missing or is not one, an item is not a triple, or as for `neighbors`.
        UnknownWordError, FileError
            As for `neighbors`.

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
        check_unchanged(self._parts)
        answers = self._neighbors.search(
            queries,
            triples,
            k,
            max_words=max_words,
            among=among,
            exclude=exclude,
            threads=threads,
            progress=progress,
        )
        return answers[0] if single else answers

    def sentence_vector(self, text: str | bytes) -> NDArray[np.float32]:
        """Return the vector of a text of one line.

        In a supervised model it is the mean of all rows of the line: words, n-grams, word n-grams
        and the end token, labels left out. In others it is the mean of the word vectors, each
        divided by its length, words whose vector is zeros left out.

        Parameters
        ----------
        text : str or bytes

        Returns
        -------
        ndarray
            float32, shape (dim,); zeros where nothing of the text is known.

        Raises
        ------
        InputTypeError, InputValueError
            `text` is no text, or holds a newline.

        Examples
        --------
        >>> import fasttext_lite as ftl
        >>> ftl.load("sample").sentence_vector("war and peace").shape
        (40,)
        """
        return self._sentences.vector(text)

    def sentence_vectors(
        self, texts: Iterable[str | bytes], threads: int | None = None
    ) -> NDArray[np.float32]:
        """Return the vectors of many texts.

        Parameters
        ----------
        texts : iterable of str or bytes
        threads : int, optional
            By default the cores that this process may use, for more than some thousand texts.

        Returns
        -------
        ndarray
            float32, shape (n, dim): the rows are those of `sentence_vector`.

        Raises
        ------
        InputTypeError, InputValueError
            `texts` holds something else than str and bytes, is a single one, or one of them holds
            a newline.
        """
        batch = WordBatch(texts, "text")
        out = np.empty((len(batch), self.dim), np.float32)
        sentences = self._sentences
        run_over(lambda start, stop: sentences.fill(batch, start, stop, out), batch, threads)
        return out

    @overload
    def predict(  # type: ignore[overload-overlap]
        self,
        texts: str | bytes,
        k: int = 1,
        threshold: float = 0.0,
        **options: Unpack[PredictOptions],
    ) -> Prediction: ...
    @overload
    def predict(
        self,
        texts: Iterable[str | bytes],
        k: int = 1,
        threshold: float = 0.0,
        **options: Unpack[PredictOptions],
    ) -> Predictions: ...
    def predict(
        self,
        texts: str | bytes | Iterable[str | bytes],
        k: int = 1,
        threshold: float = 0.0,
        *,
        threads: int | None = None,
        official_bias: bool = True,
    ) -> Prediction | Predictions:
        """Return the most probable labels of a text, or of many: see `Classifier.predict`.

        Raises
        ------
        ModelKindError
            The model is not supervised, or its file has no output layer.
        """
        if isinstance(texts, (str, bytes)):
            return self._predict_one(texts, k, threshold, official_bias)
        return self._classifier.predict(
            texts, k, threshold, threads=threads, official_bias=official_bias
        )

    def predict_ids(
        self,
        texts: Iterable[str | bytes],
        k: int = 1,
        threshold: float = 0.0,
        *,
        threads: int | None = None,
        official_bias: bool = True,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return label ids and probabilities as arrays: see `Classifier.predict_ids`."""
        return self._classifier.predict_ids(
            texts, k, threshold, threads=threads, official_bias=official_bias
        )

    def test(
        self,
        path: PathType,
        k: int = 1,
        threshold: float = 0.0,
        *,
        threads: int | None = None,
    ) -> Scores:
        """Compare predictions with the labels in the lines of a file: see `Classifier.test`."""
        return self._classifier.test(path, k, threshold, threads=threads)

    def explain(self, text: str | bytes, label: str | bytes | None = None) -> list[Contribution]:
        """List what each part of a text adds to the score of a label: see `Classifier.explain`."""
        return self._classifier.explain(text, label)

    def classifier(
        self, label_prefix: str | bytes = LABEL_PREFIX, strip_prefix: bool = False
    ) -> Classifier:
        """Return a classifier with other options.

        Parameters
        ----------
        label_prefix : str or bytes
            Words of a text that begin with it and that the model does not know are labels, and are
            left out of the text. The file does not say which prefix the model was trained with.
        strip_prefix : bool
            Leave the prefix out of the labels of a prediction.

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

        loss = self._loss
        return Classifier(self._reader, loss, label_prefix, strip_prefix, self.classifier)


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _view(view: NDArray[np.float32] | None, name: str) -> NDArray[np.float32]:
    if view is None:
        raise FastTextLiteError(
            f"the {name} matrix is quantised or of another type: it has no float32 numbers to view"
        )
    return view


def _check_out(out: object, shape: tuple[int, int]) -> None:
    if not isinstance(out, np.ndarray):
        raise InputTypeError(f"out must be a NumPy array, not {type(out).__name__}")
    if out.dtype != np.float32 or out.shape != shape:
        raise InputValueError(
            f"out must be float32 of shape {shape}, not {out.dtype} of shape {out.shape}"
        )
    if not out.flags.c_contiguous or not out.flags.writeable:
        raise InputValueError("out must be C-contiguous and writeable")
