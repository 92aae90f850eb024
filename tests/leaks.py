"""Call each public function many times, and check whether memory grows.

    python tests/leaks.py [--calls 1000000]

measures the resident memory of the process before and after. Slow functions are called as often as
a minute allows. `tests/unit/test_leaks.py` makes some hundred calls of each function, and counts
the memory blocks in use instead.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from support.builders import HS, SUPERVISED, Quantizer, build

import fasttext_lite as ftl
from fasttext_lite.formats.gzipped import holds_model

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["make_calls", "resident_bytes"]

_WORDS = ["one", "two", "unknown", b"\xff\xfe", "naïve🙂", "x" * 300]
_LABELS = {"model": SUPERVISED, "labels": [b"__label__a", b"__label__b"]}


def _refused(call: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    try:
        call(*arguments, **options)
    except ftl.FastTextLiteError:
        return
    raise AssertionError(f"{call} was not refused")


def make_calls(folder: Path) -> dict[str, Callable[[], object]]:
    """Write models into a folder, and return named calls of all public functions."""
    (folder / "dense.bin").write_bytes(build())
    (folder / "supervised.bin").write_bytes(build(**_LABELS, word_ngrams=2, loss=HS))
    quantised = build(**_LABELS, input_quantizer=Quantizer(qnorm=True), prune=[(1, 0), (3, 1)])
    (folder / "quantised.ftz").write_bytes(quantised)
    (folder / "rows.vec").write_bytes(b"2 2\none 1 2\ntwo 3 4\n")
    (folder / "bad.bin").write_bytes(build()[:200])
    (folder / "bad.vec").write_bytes(b"2 2\none 1 2\ntwo 3 x\n")
    (folder / "lines.txt").write_text("__label__a one two\n__label__b three\n")
    ftl.convert(
        folder / "dense.bin", folder / "dense.safetensors", "int8", subwords="used", graph=True
    )
    ftl.convert(folder / "dense.bin", folder / "closed.safetensors", subwords="none")
    models = {
        name: ftl.load(folder / name)
        for name in ("dense.bin", "supervised.bin", "quantised.ftz", "dense.safetensors")
    }
    calls: dict[str, Callable[[], object]] = {}
    vector = np.ones(4, np.float32)
    for name, model in models.items():
        calls |= {
            f"{name} load": lambda name=name: ftl.load(folder / name),
            f"{name} load and index": lambda name=name: "one" in ftl.load(folder / name),
            f"{name} len, in, id": lambda m=model: (len(m), "one" in m, m.word_id("one")),
            f"{name} []": lambda m=model: m["unknown"],
            f"{name} [[]]": lambda m=model: m[_WORDS],
            f"{name} get": lambda m=model: m.get("none of it"),
            f"{name} vectors": lambda m=model: m.vectors(_WORDS, threads=2),
            f"{name} word_vectors": lambda m=model: m.word_vectors(),
            f"{name} words, labels": lambda m=model: (*m.words, *m.labels, repr(m.words)),
            f"{name} index": lambda m=model: m.words.index("one"),
            f"{name} counts": lambda m=model: (m.counts, m.label_counts),
            f"{name} subwords": lambda m=model: m.subwords("naïve"),
            f"{name} ngrams": lambda m=model: m.ngrams(_WORDS),
            f"{name} row": lambda m=model: m.row(len(m)),
            f"{name} similarity": lambda m=model: m.similarity("one", "two"),
            f"{name} neighbors": lambda m=model: m.neighbors(["one", vector], k=2),
            f"{name} sentence_vector": lambda m=model: m.sentence_vector("one two three"),
            f"{name} sentence_vectors": lambda m=model: m.sentence_vectors(["one", "two three"]),
            f"{name} wrong type": lambda m=model: _refused(m.vectors, ["one", 3]),
            f"{name} surrogate": lambda m=model: _refused(m.__getitem__, "\ud800"),
        }
        if model.holds_vectors:
            graph = model._neighbors._graph
            calls |= {
                f"{name} approximate": lambda m=model: m.neighbors(["one", vector], accuracy=0.9),
                f"{name} graph": lambda g=graph: g.search(vector[None], [[0]], 2, 8),
            }
        if model.info.label_count:
            calls |= {
                f"{name} predict": lambda m=model: m.predict("one two", k=2),
                f"{name} predict many": lambda m=model: list(m.predict(["one", "two"], k=-1)),
                f"{name} predict_ids": lambda m=model: m.predict_ids(["one", "two"]),
                f"{name} predict among": lambda m=model: m.predict("one", labels=[m.labels[0], 1]),
                f"{name} unknown label": lambda m=model: _refused(
                    lambda label: m.predict("one", labels=[label]), "none"
                ),
                f"{name} probabilities": lambda m=model: m.probabilities(
                    ["one", None, "\ud800\n"], missing="empty", newlines="space", errors="replace"
                ),
                f"{name} evidence": lambda m=model: m.evidence(["one", "two"]),
                f"{name} keywords": lambda m=model: m.keywords(0, k=3),
                f"{name} explain": lambda m=model: m.explain("one two"),
                f"{name} test": lambda m=model: m.test(folder / "lines.txt"),
                f"{name} classifier": lambda m=model: m.classifier("__", True).predict("one"),
                f"{name} newline": lambda m=model: _refused(m.predict, "one\ntwo"),
            }
            calls |= {
                f"{name} columns": lambda m=model: (
                    ftl.columns.labels(m, ["one", None]).__arrow_c_array__(),
                    ftl.columns.labels(m, ["one", None], k=2).to_numpy(),
                ),
                f"{name} columns refused": lambda m=model: _refused(
                    ftl.columns.labels(m, ["one"]).__arrow_c_array__, "no capsule"
                ),
                f"{name} annotator": lambda name=name: ftl.Annotator(folder / name)(
                    {"text": ["one", None]}
                ),
            }
    columns = ftl.columns.vectors(models["dense.bin"], ["one", None])
    calls |= {
        "column of vectors": lambda: ftl.columns.vectors(
            models["dense.bin"], ["one", None]
        ).__arrow_c_array__(),
        "column of sentences": lambda: ftl.columns.sentence_vectors(
            models["dense.bin"], ["one two", None]
        ).__arrow_c_array__(),
        "column of a column": lambda: columns.__arrow_c_array__(columns.__arrow_c_schema__()),
        "column as words": lambda: models["dense.bin"].vectors(
            ftl.Annotator(folder / "supervised.bin", probability=None).columns(["one"])["label"]
        ),
    }
    closed = ftl.load(folder / "closed.safetensors")
    calls |= {
        "unknown word": lambda: _refused(closed.__getitem__, "unknown"),
        "unknown words": lambda: _refused(closed.vectors, ["one", "unknown"]),
        "rows.vec load": lambda: ftl.load(folder / "rows.vec")["one"],
        "bad.bin load": lambda: _refused(ftl.load, folder / "bad.bin"),
        "bad.vec load": lambda: _refused(ftl.load, folder / "bad.vec"),
        "holds_model": lambda: holds_model(str(folder / "dense.bin")),
        "convert": lambda: ftl.convert(folder / "dense.bin", folder / "out", subwords="used"),
        "export": lambda: ftl.export(models["dense.bin"], folder / "out.bin"),
    }
    return calls


def resident_bytes() -> int:
    """Return the resident memory of this process in bytes."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * 4096


def main() -> None:
    """Measure each call, and exit with an error if the process grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=60, help="time limit for one function")
    options = parser.parse_args()
    grown = []
    with tempfile.TemporaryDirectory() as folder:
        for name, call in make_calls(Path(folder)).items():
            done, before = _repeat(call, options.calls // 10, options.seconds / 10)
            done, after = _repeat(call, options.calls, options.seconds)
            per_call = (after - before) / done
            print(f"{name:40}{done:10} calls {per_call:10.3f} bytes a call", flush=True)
            # A leaked block takes at least 16 bytes; the number of pages fluctuates.
            if after - before > max(4 << 20, 4 * done):
                grown.append(name)
    if grown:
        sys.exit(f"memory grows with: {', '.join(grown)}")


def _repeat(call: Callable[[], object], calls: int, seconds: float) -> tuple[int, int]:
    """Call until either limit; return the number of calls, and the memory afterwards."""
    end = time.monotonic() + seconds
    done = 0
    while done < calls and time.monotonic() < end:
        for _ in range(100):
            call()
        done += 100
    gc.collect()
    return done, resident_bytes()


if __name__ == "__main__":
    main()
