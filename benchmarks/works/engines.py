"""Language identification of a Parquet file in several engines.

Each engine reads the file, labels the texts, and writes another file. The official package is used
as is common today: a function of one text, called for each row.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import texts
from benchmarks.agreement import labels
from benchmarks.clusters import CLUSTERS, WORKERS
from benchmarks.libraries import OFFICIAL, OURS, open_model
from benchmarks.timing import seconds
from benchmarks.work import Figure, Outcome, Task, Unit, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    # Labels the texts of a file, with a model, into a file or folder.
    # A cluster is the first argument.
    Run = Callable[..., object]

DISTINCT = 20_000
ROW_GROUP = 20_000

# Rows that the official package labels one by one, in the place of our command.
SCRIPT = """
import sys, fasttext, pyarrow as pa, pyarrow.parquet as pq
model = fasttext.load_model(sys.argv[1])
source = pq.ParquetFile(sys.argv[2])
schema = source.schema_arrow.append(pa.field("label", pa.string()))
with pq.ParquetWriter(sys.argv[3], schema) as target:
    for batch in source.iter_batches():
        texts = batch["text"].to_pylist()
        found = [model.f.predict(f"{text}\\n", 1, 0.0, "strict")[0][1] for text in texts]
        target.write_batch(pa.RecordBatch.from_arrays([*batch.columns, found], schema=schema))
"""


# What runs in a worker is a nested function or class: it is sent itself, since a worker cannot
# import this module.


def _our_polars(model: str, source: str, target: str) -> None:
    import polars as pl

    import fasttext_lite.integrations.polars  # noqa: F401

    label = pl.col("text").fasttext.label(model).struct.field("label")  # type: ignore[attr-defined]
    pl.scan_parquet(source).with_columns(label).sink_parquet(target)


def _official_polars(model: str, source: str, target: str) -> None:
    import polars as pl

    predict = official_label(model)
    label = pl.col("text").map_elements(predict, return_dtype=pl.String).alias("label")
    pl.scan_parquet(source).with_columns(label).sink_parquet(target)


def _duckdb(register: Callable[[Any, str], object], expression: str) -> Run:
    def run(model: str, source: str, target: str) -> None:
        import duckdb

        with duckdb.connect() as con:
            register(con, model)
            con.execute(
                f"COPY (SELECT *, {expression} AS label FROM '{source}') TO '{target}' "  # noqa: S608
                "(FORMAT parquet)"
            )

    return run


def _our_functions(con: Any, model: str) -> None:
    from fasttext_lite.integrations.duckdb import register

    register(con, model)


def _official_functions(con: Any, model: str) -> None:
    con.create_function("label", official_label(model), ["VARCHAR"], "VARCHAR")


def official_label(model: str) -> Callable[[str], str]:
    """Return a function of one text, whose process loads the model once."""

    def label(text: str) -> str:
        import fasttext

        loaded = vars(fasttext).get("loaded")
        if loaded is None:
            loaded = fasttext.loaded = fasttext.load_model(model)
        # As `predict` of the package does, which fails with NumPy 2.
        return loaded.f.predict(f"{text}\n", 1, 0.0, "strict")[0][1]  # type: ignore[no-any-return]

    return label


def _our_spark(session: Any, model: str, source: str, target: str) -> None:
    from fasttext_lite.integrations.spark import annotate

    found = annotate(session.read.parquet(source), model, probability=None)
    found.write.mode("overwrite").parquet(target)


def _official_spark(session: Any, model: str, source: str, target: str) -> None:
    from pyspark.sql.functions import udf

    frame = session.read.parquet(source)
    found = frame.withColumn("label", udf(official_label(model), "string")("text"))
    found.write.mode("overwrite").parquet(target)


def _our_ray(ray: Any, model: str, source: str, target: str) -> None:
    from fasttext_lite.integrations.ray import annotate

    pool = ray.data.ActorPoolStrategy(size=WORKERS)
    found = annotate(_dataset(ray, source), model, probability=None, compute=pool)
    found.write_parquet(target, mode="overwrite")


def _official_ray(ray: Any, model: str, source: str, target: str) -> None:
    label = official_label(model)

    class Labeller:
        def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
            return {**row, "label": label(row["text"])}

    pool = ray.data.ActorPoolStrategy(size=WORKERS)
    found = _dataset(ray, source).map(Labeller, compute=pool)
    found.write_parquet(target, mode="overwrite")


def _dataset(ray: Any, source: str) -> Any:
    return ray.data.read_parquet(source, override_num_blocks=4 * WORKERS)


def _our_command(model: str, source: str, target: str) -> None:
    command = [sys.executable, "-I", "-m", "fasttext_lite", "annotate", model, source]
    subprocess.run([*command, "--out", target, "--overwrite"], check=True)


def _official_command(model: str, source: str, target: str) -> None:
    Path(target).mkdir(exist_ok=True)
    file = str(Path(target, "labelled.parquet"))
    subprocess.run([sys.executable, "-I", "-c", SCRIPT, model, source, file], check=True)


def _write(many: list[str], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"id": np.arange(len(many)), "text": many})
    pq.write_table(table, path, row_group_size=ROW_GROUP)


def _first_labels(target: str) -> NDArray[Any]:
    """Return the labels of the first texts, in their order."""
    import pyarrow.parquet as pq

    table = pq.read_table(target, columns=["id", "label"]).sort_by("id")
    found = table["label"].slice(0, DISTINCT).to_pylist()
    return np.array([label.removeprefix("__label__") for label in found])


class _Measuring:
    """Runs the engines that are installed, and keeps their figures."""

    def __init__(self, task: Task, folder: Path) -> None:
        self.outcome = Outcome({})
        self._model, self._folder = task.lid, folder
        many = texts.multilingual(DISTINCT, 50, 100)
        self.lines = (many * -(-task.lines // DISTINCT))[: task.lines]
        self._source, self._short = str(folder / "texts.parquet"), str(folder / "short.parquet")
        _write(self.lines, Path(self._source))
        _write(many[:ROW_GROUP], Path(self._short))

    def bare(self, predict: Callable[[list[str]], object]) -> None:
        """Time a call for a list, which the engines are compared with."""
        predict(self.lines[:ROW_GROUP])
        self._rate("bare", seconds(partial(predict, self.lines)))

    def try_engine(self, name: str, label: Run) -> None:
        """Measure an engine if it is installed."""
        try:
            with CLUSTERS[name]() if name in CLUSTERS else nullcontext() as cluster:
                self._engine(name, partial(label, cluster) if cluster else label)
        except ImportError as error:
            self.outcome.notes.append(f"without {name}: {error}")

    def _engine(self, name: str, label: Run) -> None:
        """Label a few texts, and then all: what an engine prepares only once is not counted."""
        target = str(self._folder / name)
        label(self._model, self._short, f"{target}-short")
        taken = seconds(partial(label, self._model, self._source, target))
        self._rate(name, taken)
        self.outcome.answers[name] = _first_labels(target)
        if bare := self.outcome.values.get("bare"):
            self.outcome.values[f"{name}_added"] = taken / len(self.lines) - 1 / bare

    def _rate(self, name: str, taken: float) -> None:
        self.outcome.values[name] = len(self.lines) / taken


def _measure(task: Task, bare: Callable[..., object] | None, engines: Mapping[str, Run]) -> Outcome:
    """Measure the engines that are installed."""
    with tempfile.TemporaryDirectory() as name:
        measuring = _Measuring(task, Path(name))
        if bare is not None:
            measuring.bare(bare)
        for engine, label in engines.items():
            measuring.try_engine(engine, label)
    return measuring.outcome


def _ours(task: Task) -> Outcome:
    model = open_model(OURS, task.lid)
    engines = {
        "command": _our_command,
        "polars": _our_polars,
        "duckdb": _duckdb(_our_functions, "label(text).label"),
        "spark": _our_spark,
        "ray": _our_ray,
    }
    return _measure(task, partial(model.predict, threads=WORKERS), engines)


def _official(task: Task) -> Outcome:
    engines = {
        "command": _official_command,
        "polars": _official_polars,
        "duckdb": _duckdb(_official_functions, "label(text)"),
        "spark": _official_spark,
        "ray": _official_ray,
    }
    return _measure(task, None, engines)


_TITLES = {
    "command": "`annotate`",
    "polars": "Polars",
    "duckdb": "DuckDB",
    "spark": f"Spark, {WORKERS} workers",
    "ray": f"Ray Data, {WORKERS} actors",
}

WORK = Work(
    title="Labelling a Parquet file in an engine",
    figures=(
        Figure("bare", "`predict` of a list, two threads", Unit.LINES_PER_SECOND, compared=False),
        *(
            Figure(name, f"{title}, end to end", Unit.LINES_PER_SECOND)
            for name, title in _TITLES.items()
        ),
        *(
            Figure(f"{name}_added", f"{title}: what it adds a line", Unit.SECONDS, compared=False)
            for name, title in _TITLES.items()
        ),
    ),
    libraries={OURS: _ours, OFFICIAL: _official},
    rule=labels,
    needs=("lid",),
    rounds=3,
)
