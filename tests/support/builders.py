"""Write tiny fastText files byte by byte, well formed or not.

Nothing here uses the package or the reference, so their mistakes are not repeated here.

``build_with_layout`` also returns the offsets of all fields, for tests that set a field to a wrong
value (``layout.patch``) or truncate the file at a boundary (``layout.boundaries``)::

    data, layout = build_with_layout(words=[b"one", b"two"])
    data[layout["nwords"]:]                       # from that field on
    layout.patch(data, {"nwords": -1})            # the same file with a wrong value
    [data[:cut] for cut in layout.boundaries]     # the file truncated before every field
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = 793712314
CBOW, SKIPGRAM, SUPERVISED = 1, 2, 3
# The two kinds of sent2vec.
SENT2VEC, SENT2VEC_CBOW = 4, 5
HS, NS, SOFTMAX, OVA = 1, 2, 3, 4
CENTROIDS = 256
WORD, LABEL = 0, 1


class Field(NamedTuple):
    """Offset and format of a field; ``format`` is for `struct`, without the byte order."""

    offset: int
    format: str

    @property
    def size(self) -> int:
        return struct.calcsize("<" + self.format)


class Layout(Mapping[str, int]):
    """Byte offset of each field of a file, by name, in the order of the file.

    ``magic version``; ``dim ws epoch min_count neg word_ngrams loss model bucket minn maxn``,
    ``mode hash_count`` (floret), ``lr_update_rate t size nwords nlabels ntokens pruneidx_size``;
    of every entry ``words[i]`` and ``labels[i]`` its ``.text`` (with the NUL), ``.count`` and
    ``.type``; ``prune[i].bucket`` and ``.row``; then, for ``input`` and for ``output``, the
    flag ``input.quantized`` and

    - dense: ``input.rows .columns .data``
    - quantised: ``input.qnorm .rows .columns .codesize .codes``, the quantiser ``input.pq.dim
      .nsubq .dsub .lastdsub .centroids``, and with norms ``input.norm_codes`` and the same
      fields under ``input.npq``

    and ``trailing`` for trailing bytes. Fields that a variant lacks are not in the table. The
    values of texts, flags and blocks are bytes, all others are numbers.
    """

    def __init__(self, fields: dict[str, Field], end: int) -> None:
        self.fields = fields
        self.end = end

    def __getitem__(self, name: str) -> int:
        return self.fields[name].offset

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    @property
    def boundaries(self) -> list[int]:
        """Offsets of all fields, and the end of the file; ascending."""
        return sorted({field.offset for field in self.fields.values()} | {self.end})

    def read(self, data: bytes, name: str) -> Any:
        """Return the value of a field."""
        field = self.fields[name]
        return struct.unpack_from("<" + field.format, data, field.offset)[0]

    def patch(self, data: bytes, values: Mapping[str, Any]) -> bytes:
        """Return a copy of the file with other values in some of its fields."""
        patched = bytearray(data)
        for name, value in values.items():
            field = self.fields[name]
            struct.pack_into("<" + field.format, patched, field.offset, value)
        return bytes(patched)


@dataclass(frozen=True)
class Quantizer:
    """How to quantise a matrix: floats per code, and whether the norms are coded as well."""

    dsub: int = 2
    qnorm: bool = False


class _Pen:
    """Write fields one after the other and record their offsets."""

    def __init__(self, seed: int) -> None:
        self.data = bytearray()
        self.fields: dict[str, Field] = {}
        self.random = np.random.default_rng(seed)

    def value(self, name: str, layout: str, value: float) -> None:
        self.fields[name] = Field(len(self.data), layout)
        self.data += struct.pack("<" + layout, value)

    def block(self, name: str, block: bytes) -> None:
        self.fields[name] = Field(len(self.data), f"{len(block)}s")
        self.data += block

    def entry(self, name: str, text: bytes, count: int, kind: int) -> None:
        self.block(f"{name}.text", text + b"\0")
        self.value(f"{name}.count", "q", count)
        self.value(f"{name}.type", "b", kind)

    def floats(self, name: str, floats: NDArray[np.float32]) -> None:
        self.block(name, floats.astype("<f4").tobytes())

    def codes(self, name: str, count: int) -> None:
        self.block(name, self.random.integers(0, CENTROIDS, count, np.uint8).tobytes())

    def dense(self, name: str, matrix: NDArray[np.float32]) -> None:
        self.value(f"{name}.rows", "q", matrix.shape[0])
        self.value(f"{name}.columns", "q", matrix.shape[1])
        self.floats(f"{name}.data", matrix)

    def quantized(self, name: str, rows: int, columns: int, quantizer: Quantizer) -> None:
        code_size = rows * -(-columns // quantizer.dsub)
        self.value(f"{name}.qnorm", "B", quantizer.qnorm)
        self.value(f"{name}.rows", "q", rows)
        self.value(f"{name}.columns", "q", columns)
        self.value(f"{name}.codesize", "i", code_size)
        self.codes(f"{name}.codes", code_size)
        self.product_quantizer(f"{name}.pq", columns, quantizer.dsub)
        if quantizer.qnorm:
            self.codes(f"{name}.norm_codes", rows)
            self.product_quantizer(f"{name}.npq", 1, 1)

    def product_quantizer(self, name: str, dim: int, dsub: int) -> None:
        self.value(f"{name}.dim", "i", dim)
        self.value(f"{name}.nsubq", "i", -(-dim // dsub))
        self.value(f"{name}.dsub", "i", dsub)
        self.value(f"{name}.lastdsub", "i", dim % dsub or dsub)
        self.floats(f"{name}.centroids", self.random.standard_normal(dim * CENTROIDS, np.float32))

    def matrix(
        self,
        name: str,
        shape: tuple[int, int],
        matrix: NDArray[np.float32] | None,
        quantizer: Quantizer | None,
    ) -> None:
        if quantizer is not None:
            self.quantized(name, *shape, quantizer)
        elif matrix is not None:
            self.dense(name, matrix)
        else:
            self.dense(name, self.random.standard_normal(shape, np.float32))


def build_with_layout(
    *,
    seed: int = 0,
    magic: int | None = MAGIC,
    version: int = 12,
    dim: int = 4,
    ws: int = 5,
    epoch: int = 5,
    min_count: int = 1,
    neg: int = 5,
    word_ngrams: int = 1,
    loss: int = SOFTMAX,
    model: int = SKIPGRAM,
    bucket: int = 10,
    minn: int = 3,
    maxn: int = 6,
    lr_update_rate: int = 100,
    t: float = 1e-4,
    floret: tuple[int, int] | None = None,
    ntokens: int | None = None,
    words: Sequence[bytes] = (b"</s>", b"one", b"two", b"three"),
    counts: Sequence[int] | None = None,
    labels: Sequence[bytes] = (),
    label_counts: Sequence[int] | None = None,
    prune: Sequence[tuple[int, int]] | None = None,
    input_matrix: NDArray[np.float32] | None = None,
    input_quantizer: Quantizer | None = None,
    output_matrix: NDArray[np.float32] | None = None,
    output_quantizer: Quantizer | None = None,
    flags: tuple[bytes, bytes] | None = None,
    trailing: bytes = b"",
) -> tuple[bytes, Layout]:
    """Build a file, and return its bytes and the offsets of its fields.

    Parameters
    ----------
    seed : int
        Seed of all matrices, codes and centroids that are not given.
    magic : int or None
        None writes a file older than the magic: no magic, version, pruneidx_size and flags.
    floret : (mode, hash_count), optional
        Writes these two after ``maxn``, as floret does.
    ntokens : int, optional
        Default: the sum of all counts.
    words, labels : sequence of bytes
        Entries without the NUL. Default counts fall from the number of entries to 1.
    prune : sequence of (bucket, row), optional
        None builds a model that is not pruned, an empty sequence one without n-grams.
    input_matrix, output_matrix : float32 array, shape (rows, columns), optional
        Dense matrices of any shape; default: random ones of the right shape.
    input_quantizer, output_quantizer : Quantizer, optional
        Writes random codes and centroids in place of a dense matrix.
    flags : (bytes, bytes), optional
        Bytes of any number in place of the two flags.
    trailing : bytes
        Bytes after the output matrix.
    """
    pen = _Pen(seed)
    counts = range(len(words), 0, -1) if counts is None else counts
    label_counts = range(len(labels), 0, -1) if label_counts is None else label_counts
    if flags is None:
        flags = (bytes([input_quantizer is not None]), bytes([output_quantizer is not None]))

    if magic is not None:
        pen.value("magic", "i", magic)
        pen.value("version", "i", version)
    for name, value in (
        ("dim", dim),
        ("ws", ws),
        ("epoch", epoch),
        ("min_count", min_count),
        ("neg", neg),
        ("word_ngrams", word_ngrams),
        ("loss", loss),
        ("model", model),
        ("bucket", bucket),
        ("minn", minn),
        ("maxn", maxn),
    ):
        pen.value(name, "i", value)
    if floret is not None:
        pen.value("mode", "i", floret[0])
        pen.value("hash_count", "i", floret[1])
    pen.value("lr_update_rate", "i", lr_update_rate)
    pen.value("t", "d", t)

    pen.value("size", "i", len(words) + len(labels))
    pen.value("nwords", "i", len(words))
    pen.value("nlabels", "i", len(labels))
    pen.value("ntokens", "q", sum(counts) + sum(label_counts) if ntokens is None else ntokens)
    if magic is not None:
        pen.value("pruneidx_size", "q", -1 if prune is None else len(prune))
    for i, (word, count) in enumerate(zip(words, counts, strict=True)):
        pen.entry(f"words[{i}]", word, count, WORD)
    for i, (label, count) in enumerate(zip(labels, label_counts, strict=True)):
        pen.entry(f"labels[{i}]", label, count, LABEL)
    for i, (old, new) in enumerate(prune or ()):
        pen.value(f"prune[{i}].bucket", "i", old)
        pen.value(f"prune[{i}].row", "i", new)

    input_rows = len(words) + (bucket if prune is None else len(prune))
    if magic is not None:
        pen.block("input.quantized", flags[0])
    pen.matrix("input", (input_rows, dim), input_matrix, input_quantizer)
    output_rows = len(labels if model == SUPERVISED else words)
    if magic is not None:
        pen.block("output.quantized", flags[1])
    pen.matrix("output", (output_rows, dim), output_matrix, output_quantizer)

    if trailing:
        pen.block("trailing", trailing)
    return bytes(pen.data), Layout(pen.fields, len(pen.data))


def build(**options: Any) -> bytes:
    """Return the bytes of a file; the options are those of `build_with_layout`."""
    return build_with_layout(**options)[0]
