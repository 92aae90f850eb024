"""Memory of the workers of engines with a model of the size of a published one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import texts
from benchmarks.clusters import CLUSTERS, WORKERS
from benchmarks.libraries import OFFICIAL, OURS
from benchmarks.work import Figure, Outcome, Task, Unit, Work
from benchmarks.works.engines import official_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    # Labels a batch of Arrow and returns what has to be kept of it.
    Label = Callable[[Any], object]

TEXTS = 4_000
BATCH = 500
SCHEMA = "pid long, private double, resident double, proportional double"


def _measured(label: Label, file: str) -> Label:
    """Return a function of a batch whose value is the memory of its process, as one row.

    It is a nested function, which is sent itself: a worker cannot import this module.
    """

    def measure(batch: Any) -> Any:
        import os
        import time
        from pathlib import Path

        import pyarrow as pa

        def private() -> float:
            summary = Path("/proc/self/smaps_rollup").read_text().split()
            return int(summary[summary.index("Private_Dirty:") + 1]) * 1024.0

        # What the engine needs itself, which the module keeps for the next batch.
        before = vars(pa).setdefault("private_before", private())
        kept = label(batch)
        growth = private() - before
        resident = proportional = 0.0
        mapped = False
        for line in Path("/proc/self/smaps").read_text().splitlines():
            name, *rest = line.split()
            if not name.endswith(":"):
                mapped = line.endswith(file)
            elif mapped and name == "Rss:":
                resident += int(rest[0]) * 1024
            elif mapped and name == "Pss:":
                proportional += int(rest[0]) * 1024
        del kept
        time.sleep(0.2)  # so that the other worker gets some batches, too
        row = [[os.getpid()], [growth], [resident], [proportional]]
        names = ["pid", "private", "resident", "proportional"]
        return type(batch).from_arrays([pa.array(one) for one in row], names=names)

    return measure


def _with_spark(session: Any, many: list[str], measure: Label) -> list[dict[str, float]]:
    session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", BATCH)

    def iterate(batches: Iterable[Any]) -> Iterator[Any]:
        yield from map(measure, batches)

    frame = session.createDataFrame([(text,) for text in many], "text string")
    rows = frame.repartition(2 * WORKERS).mapInArrow(iterate, SCHEMA).collect()
    return [row.asDict() for row in rows]


def _with_ray(ray: Any, many: list[str], measure: Label) -> list[dict[str, float]]:
    import pyarrow as pa

    class Actor:
        def __call__(self, batch: Any) -> Any:
            return measure(batch)

    blocks = [pa.table({"text": many[i : i + BATCH]}) for i in range(0, len(many), BATCH)]
    rows: list[dict[str, float]] = (
        ray.data.from_arrow(blocks)
        .map_batches(
            Actor,
            batch_format="pyarrow",
            batch_size=BATCH,
            compute=ray.data.ActorPoolStrategy(size=WORKERS),
        )
        .take_all()
    )
    return rows


RUNS = {"spark": _with_spark, "ray": _with_ray}


def _outcome(task: Task, label: Label) -> Outcome:
    outcome = Outcome({})
    many = texts.multilingual(TEXTS, 100, 1000)
    for engine, run in RUNS.items():
        try:
            with CLUSTERS[engine]() as session:
                rows = run(session, many, _measured(label, task.wide))
        except ImportError as error:
            outcome.notes.append(f"without {engine}: {error}")
            continue
        if len({row["pid"] for row in rows}) < WORKERS:
            outcome.notes.append(f"{engine}: one worker did all")
        outcome.values[f"{engine}_private"] = max(row["private"] for row in rows)
        if most := max(row["resident"] for row in rows):
            # While both workers are alive and have read most of what they need.
            late = [row["proportional"] for row in rows if row["resident"] > 0.9 * most]
            outcome.values[f"{engine}_resident"] = most
            outcome.values[f"{engine}_share"] = min(late)
    return outcome


def _ours(task: Task) -> Outcome:
    import fasttext_lite as ftl

    return _outcome(task, ftl.Annotator(task.wide))


def _official(task: Task) -> Outcome:
    one = official_label(task.wide)

    def label(batch: Any) -> list[str]:
        return [one(text) for text in batch["text"].to_pylist()]

    return _outcome(task, label)


WORK = Work(
    title=f"Memory of {WORKERS} workers with a model of 2,102 languages",
    figures=tuple(
        figure
        for engine, title in (("spark", "Spark"), ("ray", "Ray Data"))
        for figure in (
            Figure(
                f"{engine}_private",
                f"{title}, what the model adds to the private memory of a worker",
                Unit.BYTES,
                ceiling=60e6,
            ),
            Figure(
                f"{engine}_resident",
                f"{title}, pages of the file that a worker uses",
                Unit.BYTES,
                compared=False,
            ),
            Figure(
                f"{engine}_share",
                f"{title}, its share of them, where others use them, too",
                Unit.BYTES,
                compared=False,
            ),
        )
    ),
    libraries={OURS: _ours, OFFICIAL: _official},
    needs=("wide",),
    rounds=1,
)
