"""A map as a table: Parquet as embedding-atlas reads it, or tab-separated lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.errors import MissingExtraError
from fasttext_lite.maps.parts import shown

if TYPE_CHECKING:
    from fasttext_lite.maps.parts import MapParts

__all__ = ["parquet_table", "tab_table"]


def _cluster_names(parts: MapParts) -> list[str | None]:
    names = [shown(name) for name in parts.names]
    return [names[label] if label >= 0 else None for label in parts.labels.tolist()]


def parquet_table(parts: MapParts) -> bytes:
    """Return a map as Parquet.

    The columns are ``word``, ``x``, ``y``, ``cluster`` (its name; null for none), ``cluster_id``
    (-1 for none), ``count`` (if counts are known) and ``neighbors``, a struct of ``ids``, the rows
    of the nearest words counted from 0, and ``distances``, 1 minus their cosines.

    Raises
    ------
    MissingExtraError
        pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "arrow") from None
    present = parts.neighbors >= 0
    starts = np.concatenate([[0], present.sum(axis=1).cumsum()]).astype(np.int32)
    distances = (1 - parts.cosines[present]).clip(min=0)
    columns = {
        "word": pa.array([shown(word) for word in parts.words], pa.string()),
        "x": pa.array(parts.xy[:, 0]),
        "y": pa.array(parts.xy[:, 1]),
        "cluster": pa.array(_cluster_names(parts), pa.string()),
        "cluster_id": pa.array(parts.labels),
        "neighbors": pa.StructArray.from_arrays(
            [
                pa.ListArray.from_arrays(starts, parts.neighbors[present].astype(np.int64)),
                pa.ListArray.from_arrays(starts, distances),
            ],
            ["ids", "distances"],
        ),
    }
    if parts.counts is not None:
        columns["count"] = pa.array(parts.counts)
    written = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns), written)
    return written.getvalue().to_pybytes()  # type: ignore[no-any-return]


def tab_table(parts: MapParts) -> bytes:
    """Return a map as lines with tabs between word, x, y, cluster, its name and the count."""
    counts = [""] * len(parts.words) if parts.counts is None else parts.counts.tolist()
    lines = ["word\tx\ty\tcluster_id\tcluster\tcount\n"]
    rows = zip(
        parts.words, parts.xy.tolist(), parts.labels, _cluster_names(parts), counts, strict=True
    )
    for word, (x, y), label, name, occurrences in rows:
        texts = [" ".join(shown(text).split()) for text in (word, name or "")]
        lines.append(f"{texts[0]}\t{x:.5g}\t{y:.5g}\t{label}\t{texts[1]}\t{occurrences}\n")
    return "".join(lines).encode()
