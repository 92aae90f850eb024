"""How the parts of a text index are made: from texts, and from one another into a file."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite._core.text.batch import to_bytes
from fasttext_lite.arguments import flag, whole
from fasttext_lite.casting import Cast
from fasttext_lite.collection import NO_LABEL, TextArrays, TextIds, encoded, joined_ids, stored_rows
from fasttext_lite.conversion import plan_graph
from fasttext_lite.errors import InputTypeError, InputValueError, MissingExtraError
from fasttext_lite.formats import text_index as layout
from fasttext_lite.formats.compact import DTYPES, Contents, GraphPlan
from fasttext_lite.formats.compact import write as write_compact
from fasttext_lite.formats.word_vectors import parameters_of_vectors
from fasttext_lite.graph_building import FEW, RowsOfGraph, build_graph, builder_of
from fasttext_lite.progress import progress_bar
from fasttext_lite.texts import is_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from fasttext_lite.collection import Collection
    from fasttext_lite.text_embedding import TextEmbedding

__all__ = ["built", "collected", "write"]

# Texts whose vectors are computed at a time.
_BLOCK = 1 << 14


def collected(
    embedding: TextEmbedding,
    texts: Iterable[Any],
    ids: Iterable[Any] | None,
    labels: Iterable[Any] | None,
    names: list[str],
    *,
    dtype: str,
    threads: int | None,
    progress: bool,
    like: NDArray[np.int64] | TextIds | range | None = None,
    first: int = 0,
    known: Mapping[Any, int] | None = None,
) -> TextArrays:
    """Check texts, and compute their vectors.

    Parameters
    ----------
    embedding : TextEmbedding
    texts, ids, labels, dtype, threads, progress
        As for `TextIndex.build`.
    names : list of str
        The labels so far; new ones are appended.
    like : ndarray, TextIds or range, optional
        The ids so far, if texts are added.
    first : int
        The row of the first text.
    known : mapping, optional
        Its keys are the ids so far.

    Raises
    ------
    InputTypeError, InputValueError
        As for `TextIndex.build`.
    """
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise InputValueError(f"dtype must be one of {', '.join(DTYPES)}, not {dtype!r}")
    texts = _many("texts", texts)
    source, lengths, encoded_texts = iter(texts), [0], []
    numbers: list[NDArray[Any]] = []
    scales: list[NDArray[np.float32]] = []
    norms: list[NDArray[np.float32]] = []
    total = len(texts) if isinstance(texts, Sized) else None
    with progress_bar("vectors", total, "texts", show=progress) as advance:
        while True:
            block = list(islice(source, _BLOCK))
            if not block and numbers:
                break
            items = [_text(item, len(lengths) - 1 + i) for i, item in enumerate(block)]
            encoded_texts.append(b"".join(items))
            lengths += map(len, items)
            found, factors, lengths_of = stored_rows(embedding.vectors(items, threads), dtype)
            numbers.append(found)
            scales += [] if factors is None else [factors]
            norms.append(lengths_of)
            advance(len(items))
    count = len(lengths) - 1
    return TextArrays(
        np.frombuffer(b"".join(encoded_texts), np.uint8),
        np.cumsum(lengths, dtype=np.uint64),
        np.concatenate(numbers),
        np.concatenate(scales) if scales else None,
        np.concatenate(norms),
        _label_numbers(labels, count, names),
        _checked_ids(ids, count, like, first, known or {}),
    )


def _many(name: str, values: Any) -> Iterable[Any]:
    """Return an iterable of values; those of pyarrow as Python objects."""
    if hasattr(values, "to_pylist"):
        values = values.to_pylist()
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise InputTypeError(f"{name} must be an iterable of {name}, not {type(values).__name__}")
    found: Iterable[Any] = values
    return found


def _text(item: Any, i: int) -> bytes:
    """Return a text as UTF-8; a missing one is empty."""
    if not isinstance(item, (str, bytes)):
        if is_missing(item):
            return b""
        raise InputTypeError(f"texts[{i}]: a text must be str or bytes, not {type(item).__name__}")
    return to_bytes(item, "text", True)


def _checked_ids(
    ids: Iterable[Any] | None,
    count: int,
    like: NDArray[np.int64] | TextIds | range | None,
    first: int,
    known: Mapping[Any, int],
) -> NDArray[np.int64] | TextIds | range:
    if ids is None:
        if like is not None and not isinstance(like, range):
            raise InputValueError("this index has ids: give one for each text")
        return range(first, first + count)
    if isinstance(like, range):
        raise InputValueError("the ids of this index are the numbers of its rows: give none")
    found = list(_many("ids", ids))
    if len(found) != count:
        raise InputValueError(f"there are {count} texts, but {len(found)} ids")
    are_texts = isinstance(like, TextIds) or (
        like is None and bool(found) and isinstance(found[0], str)
    )
    seen: dict[Any, int] = {}
    for i, one in enumerate(found):
        if are_texts and not isinstance(one, str):
            raise InputTypeError(f"ids[{i}] must be str as the others, not {type(one).__name__}")
        if not are_texts:
            one = found[i] = whole(f"ids[{i}]", one, -(2**63), 2**63 - 1)
        if one in seen or one in known:
            raise InputValueError(f"ids[{i}]: {one!r:.60} is the id of another text, too")
        seen[one] = i
    if not are_texts:
        return np.array(found, np.int64)
    items = [to_bytes(one, "id") for one in found]
    return TextIds(
        np.frombuffer(b"".join(items), np.uint8),
        np.cumsum([0, *map(len, items)], dtype=np.uint64),
        "",
    )


def _label_numbers(
    labels: Iterable[Any] | None, count: int, names: list[str]
) -> NDArray[np.uint32]:
    """Return the number of the label of each text; append new labels to `names`."""
    if labels is None:
        return np.full(count, NO_LABEL, np.uint32)
    numbers = {name: i for i, name in enumerate(names)}
    found = []
    for i, label in enumerate(_many("labels", labels)):
        if is_missing(label):
            found.append(NO_LABEL)
            continue
        if not isinstance(label, str):
            raise InputTypeError(f"labels[{i}] must be str or None, not {type(label).__name__}")
        to_bytes(label, "label")
        found.append(numbers.setdefault(label, len(numbers)))
    if len(found) != count:
        raise InputValueError(f"there are {count} texts, but {len(found)} labels")
    names[:] = numbers
    return np.array(found, np.uint32)


def _wants_graph(graph: Any, count: int) -> bool:
    """Return whether to make a graph of this many texts."""
    if graph != "auto":
        return flag("graph", graph) and count > 0
    if count <= FEW:
        return False
    try:
        builder_of(count)
    except MissingExtraError:
        return False
    return True


def built(arrays: TextArrays, graph: Any, threads: int | None, *, progress: bool) -> TextArrays:
    """Return the same texts with codes and a graph, if these are worth it."""
    count = len(arrays.numbers)
    wanted = _wants_graph(graph, count)
    if not wanted and count <= FEW:
        return arrays
    arrays = replace(arrays, codes=encoded(arrays))
    if not wanted:
        return arrays
    matrix = RowsOfGraph(arrays.rows(), arrays.norms, arrays.coded())
    found, report = build_graph(matrix, threads=threads, progress=progress)
    return replace(arrays, graph=found, builder=report.builder)


def write(
    path: str,
    embedding: TextEmbedding,
    parts: Sequence[Collection],
    names: Sequence[str],
    graph: Any,
    *,
    threads: int | None,
    progress: bool,
) -> None:
    """Write the parts of an index as one file.

    Raises
    ------
    FileError, MissingExtraError
        As for `TextIndex.save`.
    """
    pieces = [part.arrays for part in parts]
    for piece in pieces:
        piece.check_offsets()
    count, dim = sum(map(len, parts)), pieces[0].numbers.shape[1]
    main, ids = pieces[0], joined_ids([piece.ids for piece in pieces])
    known = main.graph if len(pieces) == 1 else None
    wanted = _wants_graph(graph, count) or (graph == "auto" and known is not None)
    coded = wanted or count > FEW
    labels = [name.encode("utf-8", "surrogateescape") for name in names]

    def pack() -> tuple[bytes, NDArray[np.uint64], NDArray[np.int64]]:
        texts = [piece.text[: int(piece.offsets[-1])].tobytes() for piece in pieces]
        lengths = [np.diff(piece.offsets) for piece in pieces]
        every = np.concatenate([*lengths, np.array([*map(len, labels)], np.uint64)])
        offsets = np.zeros(len(every) + 1, np.uint64)
        np.cumsum(every, out=offsets[1:])
        counts = np.ones(len(every), np.int64)
        return b"".join([*texts, *labels]), offsets, counts

    def blocks(name: str) -> Iterator[Cast]:
        for piece in pieces if name == "words" else ():
            yield Cast(piece.numbers, piece.scales, piece.norms, None)

    def codes(read: Callable[[int, int], NDArray[Any]]) -> Iterator[Any]:
        del read  # The numbers are at hand.
        for piece in pieces:
            yield piece.codes or encoded(piece)

    contents = Contents(
        parameters=parameters_of_vectors(dim),
        token_count=0,
        word_count=count,
        label_count=len(labels),
        unknown_words="error",
        pack=pack,
        prune=None,
        bucket_rows=0,
        dtype=main.dtype,
        blocks=blocks,
        codes=codes if coded else None,
        more=layout.more_arrays([piece.labels for piece in pieces], ids, embedding.common),
        metadata=layout.metadata(embedding.description() | {"ids": layout.id_kind(ids)}),
    )
    if wanted and known is not None:
        plan = GraphPlan(
            main.builder, known.neighbors.shape[1], len(known.entries), len(known.accuracy),
            lambda view: known,
        )  # fmt: skip
        contents = replace(contents, graph=plan)
    elif wanted:
        plan = plan_graph(contents, [], threads, progress=progress)
        contents = replace(contents, graph=plan)
    write_compact(path, contents)
