"""Encode directions and search matrices with the kernels of this process; print the level."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import fasttext_lite as ftl
from fasttext_lite._core.kernels import cpu
from fasttext_lite._core.search import codes

COUNT = 70


def check_codes(random, dim):
    """Check that the errors of codes are upper bounds, and tight."""
    rows = random.standard_normal((2, dim)).astype(np.float32)
    found, scales, errors = codes.encode_directions(rows, False)
    units = rows / np.linalg.norm(rows.astype(float), axis=1, keepdims=True)
    missed = np.linalg.norm(units - scales[:, None] * (found - 63.5), axis=1)
    assert (missed <= errors).all()
    assert (errors < missed * 1.5 + 1e-5).all()


def check_search(random, folder, dim):
    """Check that rows are found in the order of exact cosines, for few queries and for many."""
    rows = random.standard_normal((COUNT, dim)).astype(np.float32)
    lines = [f"w{i} " + " ".join(map(repr, map(float, row))) for i, row in enumerate(rows)]
    (folder / "rows.vec").write_text(f"{COUNT} {dim}\n" + "\n".join(lines))
    for dtype in ("float32", "float16", "int8"):
        ftl.convert(folder / "rows.vec", folder / "file", dtype)
        model = ftl.load(folder / "file")
        vectors = model.word_vectors().astype(float)
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        for queries in (rows[:1], rows[:8]):
            answers = model.neighbors(list(queries), k=COUNT)
            for query, near in zip(queries, answers, strict=True):
                scores = units @ (query / np.linalg.norm(query.astype(float)))
                found = [scores[int(word[1:])] for word, _ in near]
                assert np.abs(found - np.sort(scores)[::-1]).max() < 1e-12


def main():
    random = np.random.default_rng(0)
    for dim in range(1, 1031):
        check_codes(random, dim)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for dim in (1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 100, 257):
            check_search(random, Path(folder), dim)
    print(cpu.chosen())


if __name__ == "__main__":
    main()
