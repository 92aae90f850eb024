"""Small maps, without a layout, which needs openTSNE."""

from __future__ import annotations

import numpy as np

from fasttext_lite.maps import WordMap

# Words that a page, a picture or a table could stumble over.
ODD = [
    "</script><img src=x onerror=alert(1)>",
    "<!-- {data} {script}",
    "caf\udce9",
    "tab\tand\nline",
    "a\x00b",
    "\u2028line\u2029",
    "$x_1^2$",
    "日本語",
    "שלום",
    "مرحبا",
    "👩‍👩‍👧",
    "e\u0301te",
    "__proto__",
    "constructor",
    "",
    "a very long text " * 20,
]


def drawn_map(count: int = 200, k: int = 6, words: list[str] | None = None) -> WordMap:
    """Return a map of words in a few groups; its first word is the most frequent one."""
    random = np.random.default_rng(0)
    words = [f"word{i}" for i in range(count)] if words is None else words
    count = len(words)
    groups = max(1, min(count // 20, 40))
    labels = np.sort(random.integers(0, groups, count)).astype(np.int32)
    sizes = np.bincount(labels, minlength=groups)
    labels = np.argsort(np.argsort(-sizes, kind="stable"))[labels].astype(np.int32)
    centers = random.normal(0, 20, (groups, 2))
    xy = (centers[labels] + random.normal(0, 2, (count, 2))).astype(np.float32)
    names = [words[int(np.flatnonzero(labels == i)[0])] for i in range(labels.max() + 1)]
    labels[4::9] = -1
    k = min(k, count - 1)
    away = np.arange(1, k + 1)
    neighbors = ((np.arange(count)[:, None] + away) % count).astype(np.int32)
    cosines = np.broadcast_to(1 - away / (k + 1), (count, k)).astype(np.float32)
    counts = np.arange(count, 0, -1, dtype=np.int64) ** 3
    return WordMap(words, xy, labels, names, neighbors, cosines, counts, "words", None)
