"""Run every query of a model from many threads at once; by hand:

    python tests/stress.py --minutes 15 --threads 32

queries a raw, a compact, a quantised supervised and a text model for a quarter of the time each.
Every answer is compared with that of a single thread. The resident memory is printed, and must not
grow from the second quarter to the last. Exits with 1 if an answer differs or the memory grows.
"""

from __future__ import annotations

import argparse
import gc
import os
import pickle
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from support.builders import SUPERVISED, Quantizer, build

import fasttext_lite as ftl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Question = Callable[[ftl.Model], Any]

# Number of turns; each opens one of the four models afresh.
_TURNS = 40
# Megabytes by which the memory may differ, since malloc keeps arenas for threads.
_SLACK = 16


def write_models(folder: Path) -> list[Path]:
    """Write a model of each kind."""
    raw = Path(ftl.load("sample").info.path)
    compact, text = folder / "sample.safetensors", folder / "sample.vec"
    ftl.convert(raw, compact, "float16", graph=True)
    ftl.export(raw, text)
    quantized = folder / "quantised.ftz"
    quantized.write_bytes(
        build(
            model=SUPERVISED,
            dim=12,
            word_ngrams=2,
            words=[b"</s>", *(b"word%d" % i for i in range(2000))],
            labels=[b"__label__%d" % i for i in range(50)],
            bucket=3000,
            input_quantizer=Quantizer(dsub=2, qnorm=True),
        )
    )
    return [raw, compact, quantized, text]


def questions(model: ftl.Model, seed: int) -> list[Question]:
    """Return random queries of every kind that the model supports."""
    draw = random.Random(seed)
    known = list(model.words[:2000])
    closed = model.info.kind == "vectors"

    def word() -> str:
        one = draw.choice(known)
        return one if closed or draw.random() < 0.5 else one + draw.choice(["ish", "ость", "_"])

    def words(count: int) -> list[str]:
        return [word() for _ in range(count)]

    def text() -> str:
        return " ".join(words(draw.randrange(30)))

    def path(found: ftl.Model) -> str:
        return found.info.path

    made: list[Question] = [path, repr, len, lambda m: m.dim, lambda m: m.counts]
    for _ in range(4):
        a, b, many, few = word(), word(), words(3000), words(5)
        texts = [text() for _ in range(300)]
        row, start = draw.randrange(len(model)), draw.randrange(len(known))
        vector = model[a]
        made += [
            lambda m, a=a: m[a],
            lambda m, b=b: m.get(b, 0),
            lambda m, a=a: a in m,
            lambda m, a=a: m.word_id(a),
            lambda m, many=many: m.vectors(many),
            lambda m, many=many: m.vectors(many, threads=3),
            lambda m, few=few: m[few],
            lambda m, start=start: list(m.words[start : start + 50]),
            lambda m, a=known[start]: m.words.index(a),
            lambda m, a=a: m.subwords(a),
            lambda m, few=few: m.ngrams(few),
            lambda m, a=a, b=b: m.similarity(a, b),
            lambda m, a=a: m.neighbors(a, 5),
            lambda m, few=few, vector=vector: m.neighbors([*few, vector], 3),
            lambda m: m.word_vectors().sum(axis=0),
            lambda m: m.verify(),
            lambda m, a=a: pickle.loads(pickle.dumps(m))[a],
        ]
        if model._parts.graph is not None:
            made += [
                lambda m, a=a: m.neighbors(a, 5, accuracy=0.9),
                lambda m, many=many: m.neighbors(many[:200], 5, approximate=True),
            ]
        if not closed:
            made += [
                lambda m, texts=texts: m.sentence_vector(texts[0]),
                lambda m, texts=texts: m.sentence_vectors(texts),
                lambda m, row=row: m.row(len(m) + row % max(m.info.subword_rows, 1)),
            ]
        if model.labels:
            made += [
                lambda m, texts=texts: m.predict(texts[0], 3),
                lambda m, texts=texts: list(m.predict(texts, 2, 0.01)),
                lambda m, texts=texts: m.predict_ids(texts, 4, threads=2),
                lambda m, texts=texts: m.predict(texts[0], 2, labels=[0, len(m.labels) - 1]),
                lambda m, texts=texts: m.probabilities(texts, renormalize=True, threads=2),
                lambda m, texts=texts: m.evidence(texts),
                lambda m: m.keywords(0, k=3),
                lambda m, texts=texts: m.explain(texts[1]),
                lambda m: list(m.labels),
                lambda m: m.label_counts,
            ]
        for name in ("input_matrix", "word_matrix", "output_matrix"):
            made += [lambda m, name=name, row=row: _row_of(m, name, row)]
    return made


def _row_of(model: ftl.Model, name: str, row: int) -> Any:
    try:
        matrix = getattr(model, name)
    except ftl.FastTextLiteError as error:
        return str(error)
    return matrix[row % len(matrix)]


def plain(answer: Any) -> Any:
    """Convert an answer to tuples and bytes, which compare bit for bit."""
    if isinstance(answer, np.ndarray):
        return answer.dtype.str, answer.shape, answer.tobytes()
    if isinstance(answer, (list, tuple)):
        return tuple(map(plain, answer))
    return answer


def hammer(path: Path, threads: int, rounds: Iterable[int], seed: int = 0) -> tuple[int, list[str]]:
    """Query a model from many threads at once.

    The model is opened afresh, so that the threads race to compute its lazy values.

    Parameters
    ----------
    path : Path
    threads : int
    rounds : iterable of int
        Shared by all threads; for each item that a thread draws it runs one query.
    seed : int

    Returns
    -------
    int
        Number of answers.
    list of str
        Errors and wrong answers.
    """
    alone = ftl.load(path)
    asked = questions(alone, seed)
    expected = [plain(question(alone)) for question in asked]
    model = ftl.load(path)
    begin, taking = threading.Barrier(threads), threading.Lock()
    turns, wrong, counts = iter(rounds), [], []

    def ask(thread: int) -> None:
        draw, count = random.Random(f"{seed} {thread}"), 0
        begin.wait()
        while not wrong:
            with taking:
                if next(turns, None) is None:
                    break
            i = draw.randrange(len(asked))
            try:
                same = plain(asked[i](model)) == expected[i]
            except Exception as error:
                wrong.append(f"{path.name}, question {i}: {error!r}")
            else:
                count += 1
                if not same:
                    wrong.append(f"{path.name}, question {i}: another answer")
        counts.append(count)

    running = [threading.Thread(target=ask, args=[i]) for i in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(counts), wrong


def resident() -> float:
    """Return the resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    wrong: list[str] = []
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_models(Path(folder))
        memory = {path: [] for path in paths}
        total = 0
        # The models take turns, so that a leak of one shows up in later turns.
        for turn in range(_TURNS):
            if wrong:
                break
            path = paths[turn % len(paths)]
            until = time.monotonic() + options.minutes * 60 / _TURNS
            rounds = iter(lambda until=until: time.monotonic() < until, False)
            count, wrong = hammer(path, options.threads, rounds, options.seed + turn)
            gc.collect()
            memory[path].append(resident())
            total += count
            print(f"{path.suffix} {count} answers, {memory[path][-1]:.0f} MB", flush=True)
    for path, sizes in memory.items():
        quarter = max(len(sizes) // 4, 1)
        second, last = sizes[quarter : 2 * quarter], sizes[-quarter:]
        if second and statistics.median(last) - statistics.median(second) > _SLACK:
            wrong.append(f"{path.suffix}: memory grew: {[round(size) for size in sizes]} MB")
    print(f"{total} answers from {options.threads} threads in {time.monotonic() - begun:.0f} s")
    print("\n".join(wrong) or "all answers equal those of one thread, memory constant")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
