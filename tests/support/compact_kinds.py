"""Models of every kind to convert to compact files, and comparisons of vectors."""

from __future__ import annotations

import numpy as np

from support.builders import CBOW, OVA, SUPERVISED, Quantizer
from support.text import plain_lines, unknown_words

__all__ = ["DTYPES", "KINDS", "LABELS", "UNKNOWN", "bits", "cosines"]

DTYPES = {"float32": ("F32", np.float32), "float16": ("F16", np.float16), "int8": ("I8", np.int8)}
LABELS = [b"__label__a", b"__label__b"]
PRUNE = [(3, 0), (1, 2), (7, 1)]
KINDS = {
    "skip-gram": {},
    "cbow": {"model": CBOW, "minn": 1, "maxn": 3, "dim": 37},
    "quantised": {"input_quantizer": Quantizer(dsub=3, qnorm=True)},
    "pruned": {"input_quantizer": Quantizer(), "prune": PRUNE},
    "pruned to nothing": {"input_quantizer": Quantizer(), "prune": []},
    "with labels": {"labels": LABELS},
    "supervised": {"model": SUPERVISED, "labels": LABELS, "loss": OVA, "word_ngrams": 2},
    "supervised, quantised": {
        "model": SUPERVISED,
        "labels": LABELS,
        "input_quantizer": Quantizer(dsub=3, qnorm=True),
        "output_quantizer": Quantizer(qnorm=True),
    },
    "supervised, pruned": {
        "model": SUPERVISED,
        "labels": LABELS,
        "input_quantizer": Quantizer(),
        "prune": PRUNE,
    },
    "supervised, version 11": {"model": SUPERVISED, "labels": LABELS, "version": 11},
    "version 11": {"version": 11},
    "before the magic": {"magic": None},
    "no buckets": {"bucket": 0, "maxn": 0},
    "no n-grams": {"minn": -1},
    "n-grams of any length": {"maxn": -1},
    "no words": {"words": []},
    "words twice": {"words": [b"one", b"two", b"one", b"three", b"two", b"two"]},
    "supervised, words twice": {
        "model": SUPERVISED,
        "words": [b"one", b"</s>", b"one", b"__label__a"],
        "labels": [*LABELS, *LABELS],
    },
    "no UTF-8": {"words": [b"\xff\xfe", b"a\x80", b"\x80", b"\xe4\xb8", b"caf\xe9"], "minn": 1},
    "many words": {
        "words": sorted({word.encode() for line in plain_lines() for word in line.split()}),
        "bucket": 500,
    },
}
UNKNOWN = unknown_words()


def bits(vectors):
    return np.ascontiguousarray(vectors).view(np.uint32)


def cosines(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.sum(a * b, axis=1)[norms > 0] / norms[norms > 0]
