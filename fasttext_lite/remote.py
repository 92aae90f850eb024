"""Vectors from a compact file that is not downloaded: only what a question needs is read.

Blocks are read into a sparse copy of the file, `SparseFile`, before they are used. Each question
first finds out which blocks that are: of the hash index, then of the texts, then of the rows. The
answer is then computed by the `Model` over the copy, with the same code and the same bits as for a
local file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fasttext_lite._core.lookup.subwords import Subwords, fnv1a
from fasttext_lite._core.text.batch import WordBatch, to_bytes
from fasttext_lite.arguments import decode, whole
from fasttext_lite.errors import (
    FileError,
    FormatError,
    InputTypeError,
    InputValueError,
    ModelKindError,
)
from fasttext_lite.formats import compact
from fasttext_lite.formats.safetensors import read_header
from fasttext_lite.graph import fingerprint
from fasttext_lite.hub.addresses import Hub, is_address, parse
from fasttext_lite.hub.cache import is_offline
from fasttext_lite.hub.ranges import FileSystemRanges, StoreRanges, WebRanges
from fasttext_lite.hub.repositories import describe
from fasttext_lite.hub.sparse import SparseFile
from fasttext_lite.model import Model
from fasttext_lite.neighbors import Neighbor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from fasttext_lite._core.lookup.rows import DenseRows
    from fasttext_lite.hub.ranges import RangeSource
    from fasttext_lite.parts import GraphArrays, Info

__all__ = ["RemoteModel", "open_remote"]

_FIRST = 1 << 16
_SMALLEST = 8
_MOST_PROBES = 1024
# Nodes of the graph whose neighbors are looked at in one turn.
_EXPANDED = 16


class RemoteModel:
    """A compact file that is read by ranges, see `open_remote`.

    Attributes
    ----------
    info : Info
    dim : int
    fetched : int
        Number of bytes that were read so far.
    requests : int
        Number of requests so far.
    """

    def __init__(self, source: RangeSource, path: str) -> None:
        if source.size < _SMALLEST:
            raise FormatError("header length", 0, f"the file has {source.size} bytes", path)
        self._file = file = SparseFile(source)
        first = getattr(source, "first", None)
        if first is not None:
            file.put(0, first)
        self._need(0, min(_FIRST, source.size))
        # A longer header than a compact file may have is refused by `read_header`.
        header_end = 8 + min(int.from_bytes(file.data[:8], "little"), 1 << 20)
        self._need(0, min(header_end, source.size))
        self._header = read_header(file.data, path)
        self._parts = compact.read(file.data, path)
        self._model = Model(self._parts)
        self._path = path
        self._entries = self.info.word_count + self.info.label_count
        self._graph_checked = False

    def __repr__(self) -> str:
        info = self.info
        return f"<RemoteModel {self._path}: {info.word_count} words, {self.dim} dimensions>"

    def __len__(self) -> int:
        return self.info.word_count

    def __contains__(self, word: object) -> bool:
        if not isinstance(word, (str, bytes)):
            return False
        found = int(self._ids([to_bytes(word)])[0])
        return 0 <= found < self.info.word_count

    def __getitem__(self, word: str | bytes) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self.vectors([word])[0]
        return vector

    @property
    def info(self) -> Info:
        """Kind, sizes and training parameters, as of `Model`."""
        return self._model.info

    @property
    def dim(self) -> int:
        """Number of dimensions of the vectors."""
        return self._model.dim

    @property
    def fetched(self) -> int:
        """Number of bytes that were read so far."""
        return self._file.fetched

    @property
    def requests(self) -> int:
        """Number of requests so far."""
        return self._file.source.requests

    def words(self, start: int, stop: int) -> list[str]:
        """Return the words with the ids from `start` to `stop`, exclusive.

        Raises
        ------
        InputTypeError, InputValueError
            `start` or `stop` is no number of a word.
        """
        stop = whole("stop", stop, 0, self.info.word_count)
        start = whole("start", start, 0, stop)
        return self._texts(np.arange(start, stop, dtype=np.int64))

    def vectors(self, words: Iterable[str | bytes]) -> NDArray[np.float32]:
        """Return the vectors of words, known or not, with few requests.

        Parameters
        ----------
        words : iterable of str or bytes

        Returns
        -------
        ndarray
            float32, shape (words, dim); the bits are those of the file itself.

        Raises
        ------
        InputTypeError
            `words` is one word, or an item is not a word.
        UnknownWordError
            The model has no vector for a word.
        FileError
            The server fails, or its file has changed.
        FormatError
            The file is damaged.
        """
        if isinstance(words, (str, bytes)):
            raise InputTypeError(f"words must be several words, not one; use model[{words!r}]")
        keys = list(WordBatch(words))
        self._need_rows(keys, self._ids(keys))
        return self._model.vectors(keys, threads=1)

    def neighbors(
        self, query: str | bytes | NDArray[Any], k: int = 10, *, effort: int = 64
    ) -> list[Neighbor]:
        """Return words whose vectors are near a query, along the graph of the file.

        The rows of the graph and of the words that a search comes across are read, some hundred
        kilobytes for a query.

        Parameters
        ----------
        query : str, bytes or array_like
            A word, which is left out of the result, or a vector of shape (dim,).
        k : int
            Number of neighbors.
        effort : int
            Number of words that are kept during the search, at least `k`: more of them find more of
            the nearest words, and read more.

        Returns
        -------
        list of Neighbor
            Best first, with their cosines.

        Raises
        ------
        ModelKindError
            The file has no graph: `fasttext_lite.convert` writes one with ``graph=True``.
        InputTypeError, InputValueError
            An argument has the wrong type or value.
        """
        k = whole("k", k, 1)
        effort = max(whole("effort", effort, 1), k + 1)
        graph = self._graph()
        own = -1
        if isinstance(query, (str, bytes)):
            own = int(self._ids([to_bytes(query)])[0])
            vector = self[query]
        else:
            vector = np.asarray(query, np.float32)
            if vector.shape != (self.dim,):
                raise InputTypeError(f"query must be a word or a vector of shape ({self.dim},)")
        ids, scores = self._walk(graph, vector.astype(np.float64), effort)
        chosen = ids != own
        ids, scores = ids[chosen][:k], scores[chosen][:k]
        texts = self._texts(ids)
        return [Neighbor(text, float(x)) for text, x in zip(texts, scores, strict=True)]

    def _walk(
        self, graph: GraphArrays, query: NDArray[np.float64], effort: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Search best first, `_EXPANDED` nodes at a time; return ids and cosines, best first."""
        best = np.unique(graph.entries.astype(np.int64))
        self._check_ids(best)
        scores = self._cosines(best, query)
        seen = set(best.tolist())
        expanded: set[int] = set()
        while True:
            order = np.lexsort((best, -scores))[:effort]
            best, scores = best[order], scores[order]
            nodes = [i for i in best.tolist() if i not in expanded][:_EXPANDED]
            if not nodes:
                return best, scores
            expanded.update(nodes)
            rows = np.array(nodes, np.int64)
            self._need_items("neighbors.graph", rows, graph.neighbors.shape[1] * 4)
            found = np.unique(graph.neighbors[rows].astype(np.int64))
            self._check_ids(found)
            new = np.array([i for i in found.tolist() if i not in seen], np.int64)
            seen.update(new.tolist())
            best = np.concatenate([best, new])
            scores = np.concatenate([scores, self._cosines(new, query)])

    def _check_ids(self, ids: NDArray[np.int64]) -> None:
        if len(ids) and int(ids.max()) >= self.info.word_count:
            raise self._damaged("neighbors.graph", f"it names word {ids.max()}, which is not there")

    def _damaged(self, name: str, reason: str) -> FormatError:
        return FormatError(name, self._header.tensors[name].offset, reason, self._path)

    def _cosines(self, ids: NDArray[np.int64], query: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the cosines of a query and the rows of words."""
        self._need_matrix("words", ids)
        rows = np.empty((len(ids), self.dim), np.float32)
        assert self._parts.vectors is not None  # noqa: S101
        self._parts.vectors.rows.take(ids, rows)
        exact = rows.astype(np.float64)
        lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(query)
        products = exact @ query
        cosines: NDArray[np.float64] = np.zeros_like(products)
        np.divide(products, lengths, out=cosines, where=lengths > 0)
        return cosines

    def _graph(self) -> GraphArrays:
        graph, vectors = self._parts.graph, self._parts.vectors
        if graph is None or vectors is None:
            raise ModelKindError(
                "neighbors of a remote file need a graph: write it with convert(…, graph=True)"
            )
        if not self._graph_checked:
            for name in ("entries", "fingerprint"):
                self._need_array(f"neighbors.graph.{name}")
            count = vectors.rows.count
            self._need_matrix("words", np.arange(64 if count else 0) * (count - 1) // 63)
            rows = cast("DenseRows", vectors.rows)
            if not np.array_equal(graph.fingerprint, fingerprint(rows)):
                raise self._damaged("neighbors.graph", "the graph was made of other rows")
            self._graph_checked = True
        return graph

    def _need(self, begin: int, end: int) -> None:
        self._file.need(np.array([begin]), np.array([end]))

    def _need_array(self, name: str) -> None:
        tensor = self._header.tensors[name]
        self._need(tensor.offset, tensor.offset + tensor.size)

    def _need_items(self, name: str, items: NDArray[np.int64], width: int, count: int = 1) -> None:
        """Read items of an array that take so many bytes each, with those that follow them."""
        begins = self._header.tensors[name].offset + items * width
        self._file.need(begins, begins + count * width)

    def _need_matrix(self, name: str, rows: NDArray[np.int64]) -> None:
        tensor = self._header.tensors[name]
        self._need_items(name, rows, tensor.size // max(tensor.shape[0], 1))
        if f"{name}.scales" in self._header.tensors:
            self._need_items(f"{name}.scales", rows, 4)

    def _array(self, name: str, dtype: str) -> NDArray[Any]:
        tensor = self._header.tensors[name]
        view: NDArray[Any] = np.ndarray(tensor.shape, dtype, self._file.data, tensor.offset)
        return view

    def _places(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the texts of entries begin and end in the file; they are read."""
        self._need_items("vocabulary.offsets", ids, 8, count=2)
        offsets = self._array("vocabulary.offsets", "<u8")
        text = self._header.tensors["vocabulary.text"]
        starts, stops = offsets[ids], offsets[ids + 1]
        if (starts > stops).any() or (stops > text.size).any():
            raise self._damaged("vocabulary.offsets", "an entry is not inside the text")
        begins, ends = text.offset + starts.astype(np.int64), text.offset + stops.astype(np.int64)
        self._file.need(begins, ends)
        return begins, ends

    def _texts(self, ids: NDArray[np.int64]) -> list[str]:
        places = zip(*self._places(ids), strict=True)
        return [decode(bytes(self._file.data[begin:end])) for begin, end in places]

    def _ids(self, keys: list[bytes]) -> NDArray[np.int64]:
        """Return the ids of entries, -1 for others; the look-up of `Vocabulary` then finds them."""
        hashes = np.array([fnv1a(key) for key in keys], np.int64)
        slots = self._array("vocabulary.index", "<u4")
        ids = np.full(len(keys), -1, np.int64)
        unit = 1 << self._entries.bit_length()
        active, at = np.arange(len(keys)), hashes % len(slots)
        for _ in range(_MOST_PROBES):
            if not len(active):
                break
            self._need_items("vocabulary.index", at, 4)
            found = slots[at].astype(np.int64)
            candidates = found % unit - 1
            same = (found > 0) & (found // unit == hashes[active] // unit)
            same &= (candidates >= 0) & (candidates < self._entries)
            places = self._places(candidates[same])
            going = found > 0
            for i, id_, begin, end in zip(
                np.flatnonzero(same), candidates[same], *places, strict=True
            ):
                if self._file.data[begin:end] == keys[active[i]]:
                    ids[active[i]] = id_
                    going[i] = False
            active, at = active[going], (at[going] + 1) % len(slots)
        return ids

    def _need_rows(self, keys: list[bytes], ids: NDArray[np.int64]) -> None:
        """Read the rows of words and, where they are unknown, those of their n-grams."""
        info, subwords = self.info, self._parts.subwords
        supervised = info.kind == "supervised"
        name = "input" if supervised else "words"
        known = (ids >= 0) & (ids < info.word_count)
        self._need_matrix(name, ids[known])
        if self._parts.closed:
            return
        parameters = info.parameters
        # Without a prune index and a first row, the row of an n-gram is its bucket.
        hashing = Subwords(
            parameters.minn, parameters.maxn, parameters.bucket, 0, None, parameters.hash_count
        )
        computed = [
            key for key, is_known in zip(keys, known, strict=True) if supervised or not is_known
        ]
        buckets = {bucket for key in computed for _, bucket in hashing.ngrams(key)}
        rows = np.array(sorted(buckets), np.int64)
        if subwords.prune is not None:
            # The core may read all of them, to build a filter.
            self._need_array("subwords.buckets")
            self._need_array("subwords.table")
            kept = self._array("subwords.buckets", "<i4")
            rows = np.flatnonzero(np.isin(kept, rows))
        if supervised:
            rows = rows + info.word_count
        else:
            # The row of a label is that of an n-gram.
            own = ids[ids >= info.word_count] - info.word_count
            rows = np.concatenate([rows, own[own < info.subword_rows]])
        self._need_matrix("input" if supervised else "subwords", rows)


def open_remote(address: str, *, filesystem: Any = None, store: Any = None) -> RemoteModel:
    """Open a compact file on a server without downloading it.

    The head of the file is read, and then only the ranges that a question needs. They are kept in a
    sparse temporary file until the model is dropped.

    Parameters
    ----------
    address : str
        ``https://HOST/FILE`` on a server that sends ranges; ``hf://ORG/REPO/FILE[@REVISION]``; or,
        with `filesystem` or `store`, a path in it.
    filesystem : fsspec file system, optional
    store : object store with ``head`` and ``get_ranges``, as of obstore, optional

    Returns
    -------
    RemoteModel
        It answers ``model[word]``, `vectors`, `words` and `neighbors`.

    Raises
    ------
    InputValueError
        The address has another form.
    MissingFileError, FileError
        The file is not there, or cannot be read by ranges.
    FormatError
        It is no compact file, or is damaged.

    Examples
    --------
    >>> model = open_remote("https://example.org/vectors.safetensors")  # doctest: +SKIP
    >>> model["doomscrolling"].shape  # doctest: +SKIP
    (300,)
    """
    if not isinstance(address, str):
        raise InputTypeError(f"address must be str, not {type(address).__name__}")
    source: RangeSource
    if filesystem is not None:
        source = FileSystemRanges(filesystem, address)
    elif store is not None:
        source = StoreRanges(store, address)
    else:
        if not is_address(address):
            raise InputTypeError(f"{address}: a path is opened by load, an address begins https://")
        place = parse(address)
        if place.sha256:
            raise InputValueError("a file that is read by ranges has no SHA-256 to check")
        if is_offline():
            raise FileError("HF_HUB_OFFLINE forbids requests", address)
        if isinstance(place, Hub):
            wanted = describe(place).wanted
            source = WebRanges(wanted.url, wanted.token)
        else:
            source = WebRanges(place.url)
    return RemoteModel(source, address.partition("?")[0])
