"""Writers of the official format: ``.bin`` with dense rows, ``.ftz`` with quantised rows.

``formats/fasttext.py`` reads them. The official format stores rows, not word vectors. The vector of
a word is the mean of its word row and the rows of its n-grams. If a model holds vectors, each word
row is computed so that this mean is the vector.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite._core.files.word_rows import WordRows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite.arguments import whole
from fasttext_lite.errors import InputValueError
from fasttext_lite.formats.atomic import AtomicFile
from fasttext_lite.formats.head import SHAPE_SIZE, Head, pack_head
from fasttext_lite.quantization import SAMPLE, RowQuantizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from numpy.typing import NDArray

    from fasttext_lite.quantization import ProductQuantizer
    from fasttext_lite.source import Source

    Take: TypeAlias = Callable[[NDArray[np.int64]], NDArray[np.float32]]

__all__ = ["Agreement", "Plan", "write_bin", "write_ftz"]

_MOST_CODES = 2**31 - 1
_CENTROIDS = 256
_ENTRY_TAIL = 10


def _range(start: int, stop: int) -> NDArray[np.int64]:
    return np.arange(start, stop, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near the vectors of known words in an official file come to those of its source.

    The official program computes them in float32 from rows, which limits how near they can come.

    Attributes
    ----------
    words : int
        Number of words.
    equal : int
        Number of words whose vectors are equal, bit for bit.
    one_ulp : int
        Number of other words none of whose numbers is off by more than one unit in its last place.
    equal_numbers : float
        Share of all numbers that are equal, bit for bit.
    worst : float
        The largest difference of a number, relative to the largest number of its vector.
    """

    words: int
    equal: int
    one_ulp: int
    equal_numbers: float
    worst: float


class Plan:
    """The contents of a file to write: words, buckets, and the sources of their rows.

    Parameters
    ----------
    source : Source
    dense : bool
        Whether the file is dense, so that each bucket needs a row.

    Attributes
    ----------
    words : ndarray
        int32: ids of the words.
    buckets : ndarray or None
        int32, ascending: the buckets that have a row; None for all buckets.
    sources : ndarray
        int64: the source row of each bucket row, or -1 for zeros.
    parameters : Parameters
        The parameters in the head of the file.
    """

    def __init__(self, source: Source, *, dense: bool) -> None:
        self.source = source
        parts = source.parts
        table = parts.subwords
        prune = table.prune
        self.words = np.arange(source.word_count, dtype=np.int32)
        self.buckets: NDArray[np.int32] | None = None
        self.sources = np.arange(table.bucket, dtype=np.int64) + table.first_row
        self.parameters = parts.info.parameters
        self.tokens = parts.info.token_count
        self.least_count = 0
        if self.parameters.model == "vectors":
            self.parameters = self.parameters._replace(model="skip-gram", loss="ns")
            # The counts are unknown, and gensim drops words with a count of 0.
            self.least_count, self.tokens = 1, max(self.tokens, source.word_count)
        kept = counted = table
        solve = parts.vectors is not None
        if table.hash_count and not (solve and (parts.closed or not table.has_ngrams)):
            raise InputValueError(
                "the official format has no place for the hashes of floret: export the vectors of "
                "the words (vec, word2vec, npy), or convert the model to a compact file"
            )
        if parts.closed or table.bucket == 0 or (prune is not None and prune.size == 0):
            # No n-gram has a row: without buckets the official program must not compute n-grams.
            kept = counted = Subwords(0, 0, 0, 0)
            self.sources = np.empty(0, np.int64)
            self.parameters = self.parameters._replace(
                bucket=0, word_ngrams=min(self.parameters.word_ngrams, 1), hash_count=0
            )
            if self.parameters.maxn:
                self.parameters = self.parameters._replace(minn=0, maxn=0)
        elif prune is not None:
            numbers, moved = prune.pairs()
            self.buckets = np.asarray(numbers)
            rows = np.arange(prune.size, dtype=np.int64) if moved is None else np.asarray(moved)
            self.sources = rows.astype(np.int64) + table.first_row
            if dense:
                counted = Subwords(table.minn, table.maxn, table.bucket, 0)
                solve = solve or prune.size < table.bucket
                self.sources = self._whole(self.buckets, table.bucket)
                self.buckets = None
        self._word_rows = None
        self._solved: list[tuple[int, int, int, float]] = []
        if solve:
            self._word_rows = WordRows(source.vocabulary, counted, kept, parts.input.rows)

    def _whole(self, buckets: NDArray[np.int32], count: int) -> NDArray[np.int64]:
        """Return the source rows of all buckets, -1 for those that were dropped."""
        if self.source.supervised and len(buckets) < count:
            raise InputValueError(
                "this supervised model is pruned, and a .bin file cannot be: zeros in place of the "
                "dropped rows would change its predictions; export it as .ftz"
            )
        whole = np.full(count, -1, np.int64)
        whole[buckets] = self.sources
        return whole

    @property
    def row_count(self) -> int:
        """Number of rows of the input matrix."""
        return len(self.words) + len(self.sources)

    def keep(self, places: NDArray[np.int64]) -> None:
        """Keep only these rows of the input matrix, given in ascending order."""
        count = len(self.words)
        chosen = places[places >= count] - count
        numbers = np.arange(len(self.sources), dtype=np.int32)
        self.buckets = (numbers if self.buckets is None else self.buckets)[chosen]
        self.sources = self.sources[chosen]
        self.words = self.words[places[places < count]]

    def rows(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return rows of the input matrix, given in ascending order."""
        split = int(np.searchsorted(places, len(self.words)))
        ids = self.words[places[:split]]
        if self._word_rows is None:
            word_rows = self.source.rows(ids.astype(np.int64))
        else:
            word_rows = self.source.vectors(ids)
            self._solved.append(self._word_rows.solve(ids, word_rows))
        if split == len(places):
            return word_rows
        return np.concatenate(
            [word_rows, self.source.rows(self.sources[places[split:] - len(self.words)])]
        )

    @property
    def agreement(self) -> Agreement | None:
        """How near vectors come whose rows were computed, once all rows were read."""
        if self._word_rows is None:
            return None
        count = len(self.words)
        equal, near, numbers, worst = zip(*self._solved, strict=True)
        share = sum(numbers) / (count * self.source.dim)
        return Agreement(count, sum(equal), sum(near), share, max(worst))

    def row_blocks(self, title: str) -> Iterator[NDArray[np.float32]]:
        """Yield the rows of the input matrix in blocks."""
        return self.source.blocks(title, lambda a, b: self.rows(_range(a, b)), self.row_count)

    def write_begin(self, file: AtomicFile) -> None:
        """Write everything before the input matrix."""
        info = self.source.parts.info
        head = Head(
            version=12,
            parameters=self.parameters,
            word_count=len(self.words),
            label_count=info.label_count,
            token_count=self.tokens,
            prune_size=-1 if self.buckets is None else len(self.buckets),
            stop=0,
        )
        file.write(pack_head(head))
        first = info.word_count
        labels = np.arange(first, first + info.label_count, dtype=np.int32)
        for kind, ids in enumerate((self.words, labels)):
            for block in self.source.packed_blocks(ids):
                if b"\0" in block.text:
                    raise InputValueError(
                        "a word holds a NUL byte, which ends a word in the official format; leave "
                        "it out with convert(words=…) first"
                    )
                tails = np.zeros((len(block.counts), _ENTRY_TAIL), np.uint8)
                counts = np.maximum(block.counts, self.least_count)
                tails[:, 1:9] = counts[:, None].view(np.uint8)
                tails[:, 9] = kind
                file.write(block.with_tails(tails).data)
        if self.buckets is not None:
            pairs = np.empty((len(self.buckets), 2), "<i4")
            pairs[:, 0] = self.buckets
            pairs[:, 1] = np.arange(len(self.buckets), dtype=np.int32)
            file.write(pairs.tobytes())

    @property
    def output_rows(self) -> int:
        """Number of rows of the output matrix."""
        return self.source.parts.info.label_count if self.source.supervised else len(self.words)

    def write_dense_output(self, file: AtomicFile) -> None:
        """Write the output matrix, or zeros if the source has none."""
        rows, dim = self.output_rows, self.source.dim
        file.write(struct.pack("<?qq", False, rows, dim))
        if self.source.parts.output is None:
            file.write_zeros(4 * rows * dim)
            return
        blocks = self.source.blocks(
            "output", lambda a, b: self.source.output_rows(_range(a, b)), rows
        )
        for block in blocks:
            file.write(block.data)


def write_bin(source: Source, target: str) -> tuple[int, Agreement | None]:
    """Write a dense file.

    Returns
    -------
    size : int
        Size of the file in bytes.
    agreement : Agreement or None
        How near the vectors of words come, if rows were computed from them.

    Raises
    ------
    FileError
        The target cannot be written, or the source changes during the call.
    InputValueError
        The model is supervised and pruned, which a dense file cannot represent.
    """
    plan = Plan(source, dense=True)
    size = 4 * source.dim * (plan.row_count + plan.output_rows) + 2 * (SHAPE_SIZE + 1)
    with AtomicFile(target, size) as file:
        plan.write_begin(file)
        file.write(struct.pack("<?qq", False, plan.row_count, source.dim))
        for block in plan.row_blocks("rows"):
            file.write(block.data)
        plan.write_dense_output(file)
    return file.written, plan.agreement


def write_ftz(
    source: Source, target: str, *, dsub: int, qnorm: bool, qout: bool, cutoff: int | None
) -> int:
    """Write a quantised file.

    Parameters
    ----------
    source : Source
    target : str
    dsub : int
        Number of columns that share a code.
    qnorm : bool
        Code the norms of rows separately.
    qout : bool
        Also quantise the output matrix.
    cutoff : int, optional
        Number of rows to keep: the row of ``</s>`` and those with the greatest norms.

    Returns
    -------
    int
        Size of the file in bytes.

    Raises
    ------
    FileError
        The target cannot be written, or the source changes during the call.
    InputTypeError, InputValueError
        An option is invalid, or there are too many codes for the format.
    MissingExtraError
        faiss is not installed.
    """
    plan = Plan(source, dense=False)
    dim = source.dim
    dsub = whole("dsub", dsub)
    if not 1 <= dsub <= dim:
        raise InputValueError(f"dsub must be between 1 and {dim}, not {dsub}")
    if cutoff is not None:
        _cut_off(plan, cutoff)
    quantize_output = qout and source.parts.output is not None
    parts = -(-dim // dsub)
    rows = max(plan.row_count, plan.output_rows if quantize_output else 0)
    if rows * parts > _MOST_CODES:
        raise InputValueError(
            f"{rows} rows of {parts} codes are more than the {_MOST_CODES} codes that the official "
            "format can hold: use a larger dsub, or keep fewer words or n-grams with convert first"
        )

    def write_matrix(file: AtomicFile, title: str, take: Take, rows: int) -> None:
        sample = np.linspace(0, rows - 1, min(rows, SAMPLE)).astype(np.int64)
        quantizer = RowQuantizer.train(take(sample), dsub, qnorm=qnorm, threads=source.threads)
        file.write(struct.pack("<??qqi", True, qnorm, rows, dim, rows * parts))
        norms = []
        for codes, norm_codes in source.blocks(
            title, lambda a, b: quantizer.encode(take(_range(a, b))), rows
        ):
            file.write(codes.data)
            norms.append(norm_codes)
        file.write(_pack_quantizer(quantizer.rows))
        if quantizer.norms is not None:
            file.write(np.concatenate(norms).data)
            file.write(_pack_quantizer(quantizer.norms))

    with AtomicFile(target, plan.row_count * parts) as file:
        plan.write_begin(file)
        write_matrix(file, "rows", plan.rows, plan.row_count)
        if quantize_output:
            write_matrix(file, "output", source.output_rows, plan.output_rows)
        elif source.supervised:
            plan.write_dense_output(file)
        else:
            _write_no_output(file, plan.output_rows, dim)
    return file.written


def _write_no_output(file: AtomicFile, rows: int, dim: int) -> None:
    """Write an output matrix of zeros, with one code per row.

    Only training needs the output matrix of an unsupervised model, and it would be the largest
    part of the file.
    """
    file.write(struct.pack("<??qqi", True, False, rows, dim, rows))
    file.write_zeros(rows)
    file.write(struct.pack("<4i", dim, 1, dim, dim))
    file.write_zeros(4 * dim * _CENTROIDS)


def _cut_off(plan: Plan, cutoff: int) -> None:
    """Keep the rows with the greatest norms."""
    cutoff = whole("cutoff", cutoff, least=1)
    if not plan.source.supervised:
        raise InputValueError(
            "cutoff is for supervised models; keep fewer words or n-grams of this one with "
            "convert first"
        )
    if cutoff >= plan.row_count:
        return
    # In float32, as in the official program.
    found = np.concatenate(
        [np.einsum("ij,ij->i", block, block) for block in plan.row_blocks("norms")]
    )
    end = plan.source.vocabulary.id("</s>")
    if 0 <= end < len(plan.words):
        # Every prediction uses the row of the end token.
        found[end] = np.inf
    plan.keep(np.sort(np.argsort(-found, kind="stable")[:cutoff]))


def _pack_quantizer(quantizer: ProductQuantizer) -> bytes:
    dim, dsub = quantizer.dim, quantizer.dsub
    parts = -(-dim // dsub)
    head = struct.pack("<4i", dim, parts, dsub, dim - (parts - 1) * dsub)
    return head + quantizer.centroids.astype("<f4").tobytes()
