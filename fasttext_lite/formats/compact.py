"""The compact file: one safetensors file with the results of the model it was converted from.

``docs/compact-file.md`` specifies it. Opening builds no tables: the hash index of the vocabulary
and the table over the kept buckets are in the file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite._core.lookup.buckets import PruneIndex
from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite._core.lookup.subwords import Subwords
from fasttext_lite._core.lookup.vocabulary import Vocabulary
from fasttext_lite._core.search.codes import Codes, row_width
from fasttext_lite.errors import FormatError, InputValueError
from fasttext_lite.formats.cursor import largest_dim
from fasttext_lite.formats.head import MOST_HASHES
from fasttext_lite.formats.safetensors import Header, Tensor, Writer, read_header
from fasttext_lite.parts import GraphArrays, Info, Matrix, Parameters, Parts, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from numpy.typing import NDArray

    from fasttext_lite.casting import Cast
    from fasttext_lite.formats.file import ModelFile

    # Codes, scales and errors.
    Coded: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]

__all__ = ["DTYPES", "FORMAT", "GRAPH", "NEIGHBORS_INDEX", "Contents", "GraphPlan", "read", "write"]

FORMAT = "fasttext-lite"
# Models with the hashes of floret have version 2, which older readers refuse.
_VERSIONS = ("1", "2")
DTYPES = {"float32": "F32", "float16": "F16", "int8": "I8"}
NEIGHBORS_INDEX = ("neighbors.codes", "neighbors.scales", "neighbors.errors")
GRAPH = tuple(f"neighbors.graph{part}" for part in ("", ".entries", ".accuracy", ".fingerprint"))
_FINGERPRINT = 32
_NAMES = {code: name for name, code in DTYPES.items()}
_KINDS = ("cbow", "skip-gram", "supervised", "sent2vec", "sent2vec-cbow", "vectors")
_LOSSES = ("hs", "ns", "softmax", "ova", "none")
_COUNTS = ("word_count", "label_count", "token_count")


def read(data: memoryview, path: str, file: ModelFile | None = None) -> Parts:
    """Find the parts of a compact file.

    Parameters
    ----------
    data : memoryview
        The bytes of the file; the parts keep a reference.
    path : str
        Path of the file, for errors.
    file : ModelFile, optional
        The file that `data` belongs to.

    Raises
    ------
    FormatError
        The container is damaged, was written by another program or a newer version, or its arrays
        do not fit its description of the model.
    """
    header = read_header(data, path)
    if header.metadata.get("format") != FORMAT:
        raise FormatError(
            "__metadata__", 8, "this is a safetensors file of another program, not a model", path
        )
    version = header.metadata.get("version")
    if version not in _VERSIONS:
        raise FormatError(
            "version",
            8,
            f"this is version {version!r} of the compact file, but only versions 1 and 2 "
            "are supported: update fasttext-lite, or convert the model again",
            path,
        )
    parameters, counts, closed = _read_model(header)
    try:
        return _parts(header, parameters, counts, closed, file)
    except InputValueError as problem:
        # The core rejects arrays that contradict each other.
        raise FormatError("arrays", 8, str(problem), path) from None


def _read_model(header: Header) -> tuple[Parameters, dict[str, int], bool]:
    """Read the description of the model in the metadata, and check each value."""

    def error(field: str, reason: str) -> FormatError:
        return FormatError(f"model.{field}", 8, reason, header.path)

    try:
        model = json.loads(header.metadata.get("model", ""))
    except (ValueError, RecursionError):
        model = None
    if not isinstance(model, dict):
        raise error("*", "the metadata does not describe a model")
    values: dict[str, Any] = {}
    floret = header.metadata["version"] == "2"
    for name in [*Parameters._fields, *_COUNTS]:
        if name == "hash_count" and not floret:
            continue
        value = model.get(name)
        kind: type | tuple[type, ...] = int
        if name in ("model", "loss"):
            kind = str
        elif name == "t":
            kind = (int, float)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise error(name, f"{name} is missing or has the wrong type: {value!r}")
        values[name] = value
    for name, known in (("model", _KINDS), ("loss", _LOSSES)):
        if values[name] not in known:
            raise error(name, f"{name} is {values[name]!r}, but must be one of {', '.join(known)}")
    most = 2**31 - 1
    for name, least, limit in (
        ("dim", 1, min(most, largest_dim(len(header.data)))),
        ("bucket", 0, most),
        ("word_count", 0, most),
        ("label_count", 0, most),
        *([("hash_count", 1, MOST_HASHES)] if floret else []),
    ):
        if not least <= values[name] <= limit:
            raise error(name, f"{name} is {values[name]}, outside [{least}, {limit}]")
    for name in ("minn", "maxn", "word_ngrams"):
        if not -most <= values[name] <= most:
            raise error(name, f"{name} is {values[name]}, outside [{-most}, {most}]")
    unknown = model.get("unknown_words")
    if unknown not in ("error", "subwords"):
        raise error("unknown_words", f"unknown_words is {unknown!r}, but must be error or subwords")
    counts = {name: values.pop(name) for name in _COUNTS}
    return Parameters(**values), counts, unknown == "error"


def _parts(
    header: Header,
    parameters: Parameters,
    counts: dict[str, int],
    closed: bool,
    file: ModelFile | None,
) -> Parts:
    words, labels = counts["word_count"], counts["label_count"]
    dim, bucket = parameters.dim, parameters.bucket
    supervised = parameters.model == "supervised"
    prune, kept = None, bucket
    if "subwords.buckets" in header.tensors:
        kept = _rows_of(header, "subwords.buckets")
        prune = PruneIndex(
            header.array("subwords.buckets", "I32", (kept,)),
            None,
            bucket,
            header.array("subwords.table", "U32", (PruneIndex.table_length(kept, bucket),)),
        )
    output = norms = codes = graph = None
    if supervised:
        input_ = _matrix(header, "input", words + kept, dim)
        output = _matrix(header, "output", labels, dim)
        vectors = None
    else:
        vectors = _matrix(header, "words", words, dim)
        norms = header.array("words.norms", "F32", (words,))
        codes = _codes(header, words, dim)
        graph = _graph(header, words)
        input_ = _matrix(header, "subwords", kept, dim)
    read_vocabulary = _vocabulary(header, words, labels)
    info = Info(
        path=header.path,
        format=f"fasttext-lite compact file, version {header.metadata['version']}, "
        f"{_NAMES[header.tensors['input' if supervised else 'words'].dtype]}",
        kind=parameters.model,
        word_count=words,
        label_count=labels,
        token_count=counts["token_count"],
        parameters=parameters,
        subword_rows=kept,
        pruned=prune is not None,
        file_size=len(header.data),
        sections=(
            Section("header", 0, next(iter(header.tensors.values())).offset),
            *(Section(t.name, t.offset, t.size) for t in header.tensors.values()),
        ),
    )
    subwords = Subwords(
        parameters.minn,
        parameters.maxn,
        bucket,
        words if supervised else 0,
        prune,
        parameters.hash_count,
    )
    return Parts(
        info,
        read_vocabulary,
        subwords,
        input_,
        output,
        vectors,
        closed,
        file=file,
        norms=norms,
        codes=codes,
        graph=graph,
    )


def _rows_of(header: Header, name: str) -> int:
    shape = header.tensors[name].shape
    return shape[0] if shape else 0


def _matrix(header: Header, name: str, rows: int, dim: int) -> Matrix:
    """Return a matrix of any of the three dtypes, with scales for int8."""
    tensor = header.tensors.get(name)
    dtype = tensor.dtype if tensor and tensor.dtype in _NAMES else "F32"
    array = header.array(name, dtype, (rows, dim))
    scales = header.array(f"{name}.scales", "F32", (rows,)) if dtype == "I8" else None
    # A view of no bytes cannot be cast.
    data = array.data.cast("B") if array.size else memoryview(b"")
    return Matrix(
        DenseRows(data, rows, dim, _NAMES[dtype], scales), array if dtype == "F32" else None
    )


def _codes(header: Header, words: int, dim: int) -> Codes | None:
    """Return the codes for the search of neighbors, if the file has them."""
    if not any(name in header.tensors for name in NEIGHBORS_INDEX):
        return None
    codes, scales, errors = (
        header.array(name, dtype, shape) for name, dtype, shape in _describe_codes(words, dim)
    )
    return Codes(codes.reshape(-1), scales, errors, dim, packed=True)


def _describe_codes(words: int, dim: int) -> list[tuple[str, str, tuple[int, ...]]]:
    """Return name, dtype and shape of the arrays for the search of neighbors.

    Raises
    ------
    InputValueError
        There are too many dimensions for codes.
    """
    shapes = (words, row_width(dim, packed=True)), (words,), (words,)
    return list(zip(NEIGHBORS_INDEX, ("U8", "F32", "F32"), shapes, strict=True))


def _graph(header: Header, words: int) -> GraphArrays | None:
    """Return the graph for approximate searches, if the file has one."""
    if not any(name in header.tensors for name in GRAPH):
        return None
    tensors = [header.tensors.get(name) for name in GRAPH[:3]]
    sizes = [list(tensor.shape) if tensor else [] for tensor in tensors]
    degree = sizes[0][-1] if sizes[0] else 0
    return GraphArrays(
        *(
            header.array(tensor.name, tensor.dtype, tensor.shape)
            for tensor in _describe_graph(
                words, degree, *(size[0] if size else 0 for size in sizes[1:])
            )
        )
    )


def _describe_graph(words: int, degree: int, entries: int, efforts: int) -> list[Tensor]:
    """Return names, dtypes and shapes of the arrays of a graph."""
    shapes = (words, degree), (entries,), (efforts, 2), (_FINGERPRINT,)
    return [
        Tensor(name, dtype, shape)
        for name, dtype, shape in zip(GRAPH, ("U32", "U32", "F32", "U8"), shapes, strict=True)
    ]


def _vocabulary(header: Header, words: int, labels: int) -> Callable[[], Vocabulary]:
    size = words + labels
    text = header.array("vocabulary.text", "U8", (_rows_of_text(header),))
    offsets: NDArray[np.uint64] = header.array("vocabulary.offsets", "U64", (size + 1,))
    counts: NDArray[np.int64] = header.array("vocabulary.counts", "I64", (size,))
    slots = Vocabulary.slot_count(size)
    index: NDArray[np.uint32] = header.array("vocabulary.index", "U32", (slots,))
    return lambda: Vocabulary.stored(text.data, offsets, counts, words, labels, index)


def _rows_of_text(header: Header) -> int:
    return _rows_of(header, "vocabulary.text") if "vocabulary.text" in header.tensors else 0


@dataclass(frozen=True, slots=True)
class GraphPlan:
    """The sizes of a graph, and a function that makes it.

    Attributes
    ----------
    builder : str
        How the graph is made, for the metadata.
    degree, entries, efforts : int
        Columns of the graph, number of its entries, and rows of the table of its accuracy.
    build : callable
        ``build(view)`` returns the arrays; ``view(name)`` returns an array that is written.
    """

    builder: str
    degree: int
    entries: int
    efforts: int
    build: Callable[[Callable[[str], NDArray[Any]]], GraphArrays]


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of a file to write.

    Attributes
    ----------
    parameters : Parameters
        With the dim of the matrices in the file.
    token_count, word_count, label_count : int
    unknown_words : {"subwords", "error"}
        How the model handles unknown words.
    pack : callable
        Returns text, offsets and counts of the words and labels, as `Vocabulary.pack` does.
    prune : PruneIndex or None
        The buckets that have a row, in their order; None for all buckets.
    bucket_rows : int
        Number of rows of n-grams.
    dtype : {"float32", "float16", "int8"}
    blocks : callable
        ``blocks(name)`` yields the rows of a matrix, block by block: "input" (words, then
        n-grams) and "output" for a supervised model; "words", with norms, and "subwords" for
        other models.
    codes : callable or None
        ``codes(read)`` yields codes, scales and errors for the search of neighbors, block by
        block; ``read(start, stop)`` returns the vectors as the file stores them.
    graph : GraphPlan or None
        How to make a graph of the vectors.
    more : list of (Tensor, ndarray)
        Arrays that are no part of the model; they are written last.
    metadata : dict of str to str
        Metadata that is no part of the model.
    """

    parameters: Parameters
    token_count: int
    word_count: int
    label_count: int
    unknown_words: str
    pack: Callable[[], tuple[bytes, NDArray[np.uint64], NDArray[np.int64]]]
    prune: PruneIndex | None
    bucket_rows: int
    dtype: str
    blocks: Callable[[str], Iterable[Cast]]
    codes: Callable[[Callable[[int, int], NDArray[Any]]], Iterable[Coded]] | None
    graph: GraphPlan | None = None
    more: list[tuple[Tensor, NDArray[Any]]] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)

    def matrices(self) -> dict[str, int]:
        """Return the names of the matrices and their numbers of rows, in file order."""
        if self.parameters.model == "supervised":
            return {"input": self.word_count + self.bucket_rows, "output": self.label_count}
        return {"words": self.word_count, "subwords": self.bucket_rows}


def write(path: str, contents: Contents) -> int:
    """Write a compact file, which replaces its target when it is complete.

    Returns
    -------
    int
        Size of the file in bytes.

    Raises
    ------
    FileError
        The target cannot be written.
    InputValueError
        There are too many dimensions for codes.
    """
    parameters, size = contents.parameters, contents.word_count + contents.label_count
    text, offsets, counts = contents.pack()
    vocabulary = Vocabulary.stored(
        memoryview(text), offsets, counts, contents.word_count, contents.label_count
    )
    tensors = [
        Tensor("vocabulary.text", "U8", (len(text),)),
        Tensor("vocabulary.offsets", "U64", (size + 1,)),
        Tensor("vocabulary.counts", "I64", (size,)),
        Tensor("vocabulary.index", "U32", (Vocabulary.slot_count(size),)),
    ]
    prune, rows = contents.prune, contents.bucket_rows
    if prune is not None:
        length = PruneIndex.table_length(rows, parameters.bucket)
        tensors += [
            Tensor("subwords.buckets", "I32", (rows,)),
            Tensor("subwords.table", "U32", (length,)),
        ]
    for name in contents.matrices():
        tensors += _describe_matrix(contents, name)
    tensors += [tensor for tensor, _ in contents.more]
    with Writer(path, tensors, _metadata(contents)) as writer:
        writer.write("vocabulary.text", text)
        writer.write("vocabulary.offsets", offsets)
        writer.write("vocabulary.counts", counts)
        writer.write("vocabulary.index", vocabulary.index())
        # Free memory: writing the rows takes long.
        del vocabulary, text, offsets, counts
        if prune is not None:
            writer.write("subwords.buckets", np.asarray(prune.pairs()[0]))
            writer.write("subwords.table", prune.table())
        for name in contents.matrices():
            _write_matrix(writer, contents, name)
        for tensor, numbers in contents.more:
            writer.write(tensor.name, numbers)
    return writer.size


def _metadata(contents: Contents) -> dict[str, str]:
    model = contents.parameters._asdict() | {
        "word_count": contents.word_count,
        "label_count": contents.label_count,
        "token_count": contents.token_count,
        "unknown_words": contents.unknown_words,
    }
    version = "2" if model["hash_count"] else "1"
    if version == "1":
        del model["hash_count"]
    metadata = {"format": FORMAT, "version": version, "model": json.dumps(model)}
    if contents.graph is not None:
        metadata["graph"] = contents.graph.builder
    return metadata | contents.metadata


def _describe_matrix(contents: Contents, name: str) -> Iterator[Tensor]:
    rows, dim = contents.matrices()[name], contents.parameters.dim
    yield Tensor(name, DTYPES[contents.dtype], (rows, dim))
    if contents.dtype == "int8":
        yield Tensor(f"{name}.scales", "F32", (rows,))
    if name == "words":
        yield Tensor("words.norms", "F32", (rows,))
        if contents.codes is not None:
            yield from (Tensor(*array) for array in _describe_codes(rows, dim))
        if (plan := contents.graph) is not None:
            yield from _describe_graph(rows, plan.degree, plan.entries, plan.efforts)


def _write_matrix(writer: Writer, contents: Contents, name: str) -> None:
    """Write a matrix and its scales; for "words" also norms and codes."""
    scales, norms = [], []
    for block in contents.blocks(name):
        writer.write(name, block.numbers)
        if block.scales is not None:
            scales.append(block.scales)
        if block.norms is not None:
            norms.append(block.norms)
    if scales:
        writer.write(f"{name}.scales", np.concatenate(scales))
    if name != "words":
        return
    if norms:
        writer.write("words.norms", np.concatenate(norms))
    if contents.codes is not None:
        more = []
        for codes, *others in contents.codes(lambda a, b: writer.read(name, a, b)):
            writer.write(NEIGHBORS_INDEX[0], codes)
            more.append(others)
        for array, parts in zip(NEIGHBORS_INDEX[1:], zip(*more, strict=True), strict=False):
            writer.write(array, np.concatenate(parts))
    if contents.graph is not None:
        built: tuple[NDArray[Any], ...] = contents.graph.build(writer.view)
        for array, numbers in zip(GRAPH, built, strict=True):
            writer.write(array, numbers)
