"""Add, copy and multiply rows of every kind with the kernels of this process.

Writes the level, "|" and the bytes of all sums and products to stdout.
``tests/unit/test_kernels.py`` compares them between levels.
"""

from __future__ import annotations

import sys

import numpy as np

import fasttext_lite  # noqa: F401 (the kernels are chosen as for a user)
from fasttext_lite._core.kernels import cpu
from fasttext_lite._core.lookup import rows

COUNT = 20


def dense(random, dim, dtype):
    """Return the bytes of a sum of dense rows, and of their dot products."""
    numbers = random.standard_normal((COUNT, dim))
    numbers *= 10.0 ** random.integers(-9, 5, (COUNT, dim))
    scales = None
    if dtype == "int8":
        numbers = random.integers(-128, 128, (COUNT, dim))
        scales = random.random(COUNT).astype(np.float32)
    numbers = numbers.astype(dtype)
    offset = dim % 7
    data = memoryview(b"x" * offset + numbers.tobytes())[offset:]
    matrix = rows.DenseRows(data, COUNT, dim, dtype, scales)
    factors = np.float32(1) if scales is None else scales[:, None]

    copied = np.empty((COUNT, dim), np.float32)
    matrix.take(np.arange(COUNT), copied)
    assert copied.tobytes() == (numbers.astype(np.float32) * factors).tobytes()

    vector = random.standard_normal(dim).astype(np.float32)
    found = np.array(matrix.dots(np.arange(COUNT), vector), np.float32)
    exact = numbers.astype(np.float64) * factors
    bound = 1e-6 * (np.abs(exact) @ np.abs(vector) + 1e-30)
    assert (np.abs(found - exact @ vector) <= bound).all()

    total = np.zeros(dim, np.float32)
    matrix.sum(random.integers(0, COUNT, 45), total)
    return total.tobytes() + found.tobytes()


def quantized(random, dim, dsub):
    """Return the bytes of a sum of product-quantised rows."""
    parts = -(-dim // dsub)
    codes, norm_codes = random.bytes(COUNT * parts), random.bytes(COUNT)
    centroids = random.standard_normal(dim * 256).astype(np.float32)
    norms = random.random(256).astype(np.float32)
    matrix = rows.QuantizedRows(codes, centroids, COUNT, dim, dsub, norm_codes, norms)

    decoded = np.zeros((COUNT, dim), np.float32)
    for part in range(parts):
        at, width = part * dsub, min(dsub, dim - part * dsub)
        book = centroids[at * 256 : (at + width) * 256].reshape(256, width)
        decoded[:, at : at + width] = book[np.frombuffer(codes, np.uint8)[part::parts]]
    decoded *= norms[np.frombuffer(norm_codes, np.uint8)][:, None]
    copied = np.zeros((COUNT, dim), np.float32)
    matrix.take(np.arange(COUNT), copied)
    assert (copied == decoded).all()

    ids = random.integers(0, COUNT, 45)
    total, expected = np.zeros((2, dim), np.float32)
    matrix.sum(ids, total)
    for i in ids:
        expected += decoded[i]
    assert (total == expected).all()
    return total.tobytes()


def main():
    out = bytearray()
    for dim in (*range(1, 140), 300, 320, 321, 700):
        random = np.random.default_rng(dim)
        for dtype in ("float32", "float16", "int8"):
            out += dense(random, dim, dtype)
        for dsub in sorted({1, 2, 3, 4, 5, dim, dim + 1}):
            out += quantized(random, dim, dsub)
    sys.stdout.buffer.write(cpu.chosen().encode() + b"|" + out)


if __name__ == "__main__":
    main()
