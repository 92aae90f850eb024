"""Files of clusters: a table of words as TSV or Parquet, or the clusters as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fasttext_lite.arguments import path_name
from fasttext_lite.errors import InputValueError, MissingExtraError
from fasttext_lite.formats.atomic import AtomicFile, check_target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType

    class Clusters(Protocol):
        """What is written of the object whose method `write` this is."""

        labels: NDArray[np.int32]
        centrality: NDArray[np.float32]
        words: Sequence[str] | range
        graph: Any
        recipe: Any

        @property
        def names(self) -> list[str]: ...
        @property
        def noise(self) -> list[Any]: ...
        def rows(self, number: int) -> NDArray[np.int32]: ...
        def __len__(self) -> int: ...
        def __iter__(self) -> Iterator[Any]: ...


__all__ = ["check_cluster_file", "write_clusters"]

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def check_cluster_file(path: PathType) -> str:
    """Check that clusters can be written to a path, and return it as str.

    Raises
    ------
    InputValueError
        The suffix says no format.
    MissingExtraError
        It is that of Parquet, and pyarrow is not installed.
    FileError
        The path cannot be written.
    """
    name = path_name(path)
    suffix = PurePath(name).suffix
    if suffix not in _WRITERS:
        raise InputValueError(
            f"{name}: the name of a file of clusters ends in {', '.join(_WRITERS)}"
        )
    if suffix == ".parquet":
        _arrow()
    check_target("", name)
    return name


def write_clusters(clusters: Clusters, path: PathType) -> None:
    """Write clusters to a file; see `Clusters.write`."""
    name = check_cluster_file(path)
    with AtomicFile(name) as file:
        for block in _WRITERS[PurePath(name).suffix](clusters):
            file.write(block)


def _tsv(clusters: Clusters) -> Iterator[bytes]:
    column = "row" if isinstance(clusters.words, range) else "word"
    yield f"{column}\tcluster\tname\tcentrality\n".encode()
    for number, name in [*enumerate(clusters.names), (-1, "")]:
        rows = clusters.rows(number)
        fixed = f"\t{number}\t{name.translate(_ESCAPES)}\t"
        lines = [
            str(clusters.words[row]).translate(_ESCAPES)
            + fixed
            + ("" if number < 0 else f"{centrality:.4f}")
            for row, centrality in zip(
                rows.tolist(), clusters.centrality[rows].tolist(), strict=True
            )
        ]
        yield "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def _json(clusters: Clusters) -> Iterator[bytes]:
    """Yield one JSON object, with a line for each cluster."""
    recipe = json.dumps(asdict(clusters.recipe) | {"k": clusters.graph.k})
    yield f'{{"recipe": {recipe},\n"clusters": ['.encode()
    for i, cluster in enumerate(clusters):
        found = asdict(cluster) | {"tightness": round(cluster.tightness, 4)}
        yield (",\n" if i else "\n").encode() + json.dumps(found).encode()
    yield b'],\n"noise": ' + json.dumps(clusters.noise).encode() + b"}\n"


def _parquet(clusters: Clusters) -> Iterator[bytes]:
    pa, parquet = _arrow()
    order = np.concatenate([clusters.rows(i) for i in [*range(len(clusters)), -1]])
    labels, centrality = clusters.labels[order], clusters.centrality[order]
    # Arrow holds UTF-8 only: bytes that are not become U+FFFD.
    names = pa.array([_valid(name) for name in clusters.names], pa.string())
    if isinstance(clusters.words, range):
        words = {"row": pa.array(order)}
    else:
        given = [_valid(clusters.words[i]) for i in order.tolist()]
        words = {"word": pa.array(given, pa.string())}
    noise = labels < 0
    table = pa.table(
        words
        | {
            "cluster": pa.array(labels),
            "name": pa.DictionaryArray.from_arrays(pa.array(labels, mask=noise), names),
            "centrality": pa.array(centrality, mask=noise),
        }
    )
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    yield memoryview(sink.getvalue())  # type: ignore[misc]


def _valid(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "arrow") from None
    return pyarrow, parquet


_WRITERS = {".tsv": _tsv, ".parquet": _parquet, ".json": _json}
