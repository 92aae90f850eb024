"""Create the golden files: small models of the official program, and its answers about them.

Run it from the root of the repository, with the official package installed::

    PYTHONPATH=tests python tests/golden/make.py

Training is not repeatable, so every run replaces all files. After a change to the layout of the
compact file, ``compact()`` alone replaces its golden file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
from support.text import (
    CURIOSITIES,
    labelled_texts,
    language_lines,
    plain_lines,
    topic_lines,
    unknown_words,
)
from support.training import train_official

import fasttext_lite as ftl

GOLDEN = Path(__file__).parent
SUPERVISED: dict[str, Any] = {"model": "supervised", "dim": 8, "bucket": 500}
MODELS: dict[str, dict[str, Any]] = {
    "cbow.bin": {
        "lines": plain_lines(30),
        "model": "cbow",
        "dim": 10,
        "minn": 3,
        "maxn": 6,
        "bucket": 700,
    },
    "skipgram.bin": {
        "lines": plain_lines(30),
        "model": "skipgram",
        "loss": "hs",
        "dim": 13,
        "minn": 1,
        "maxn": 4,
        "bucket": 500,
    },
    "no_buckets.bin": {"lines": plain_lines(30), "model": "skipgram", "dim": 10, "maxn": 0},
    "softmax.bin": SUPERVISED
    | {"lines": language_lines(34), "minn": 2, "maxn": 3, "wordNgrams": 2},
    "hs.bin": SUPERVISED | {"lines": language_lines(34), "loss": "hs", "minn": 3, "maxn": 6},
    "odd_dsub.ftz": SUPERVISED
    | {"lines": language_lines(34), "minn": 2, "maxn": 4, "quantize": {"dsub": 3}},
    "pruned.ftz": SUPERVISED
    | {
        "lines": topic_lines(256),
        "minn": 2,
        "maxn": 5,
        "quantize": {"qnorm": True, "qout": True, "cutoff": 300},
    },
}
COMPACT = "skipgram.safetensors"
# Barely trained, so that all labels score nearly the same and the last bit of a sum decides.
NEAR_TIES: dict[str, dict[str, Any]] = {
    f"{loss}.bin": SUPERVISED
    | {"lines": topic_lines(90), "loss": loss, "epoch": 1, "lr": 0.01, "minn": 2, "maxn": 4}
    | {"wordNgrams": 2}
    for loss in ("softmax", "hs", "ns", "ova")
}
QUERIES = [word for word in (*CURIOSITIES, *unknown_words(100)[-10:]) if len(word) < 20]


def main() -> None:
    answers: dict[str, Any] = {"queries": [as_text(query) for query in QUERIES], "models": {}}
    vectors: dict[str, np.ndarray] = {}
    for name, options in MODELS.items():
        train_official(GOLDEN / name, **options)
        model = fasttext.load_model(str(GOLDEN / name))
        answers["models"][name] = answers_about_entries(model) | answers_about_queries(model)
        vectors[f"{name}.words"] = vectors_of(model, answers["models"][name]["words"])
        vectors[f"{name}.queries"] = vectors_of(model, answers["queries"])
    text = json.dumps(answers, separators=(",", ":")).replace('],"', '],\n"')
    (GOLDEN / "expected.json").write_text(text + "\n", encoding="ascii")
    np.savez_compressed(GOLDEN / "expected.npz", **vectors)
    compact()
    near_ties()


def near_ties() -> None:
    """Create the files of ``near_ties``: models, and the best labels of ``labelled_texts``."""
    folder = GOLDEN / "near_ties"
    answers = {}
    for name, options in NEAR_TIES.items():
        train_official(folder / name, **options)
        model = fasttext.load_model(str(folder / name))
        lines = [f"{text}\n" for text in labelled_texts()]
        answers[name] = {}
        for k in (1, 3, 9):
            found, _ = model.f.multilinePredict(lines, k, 0.0, "strict")
            answers[name][k] = [[int(label[-3:]) for label in one] for one in found]
    text = json.dumps(answers, separators=(",", ":"))
    (folder / "labels.json").write_text(text + "\n", encoding="ascii")


def compact() -> None:
    ftl.convert(GOLDEN / "skipgram.bin", GOLDEN / COMPACT, "int8", subwords="used")


def as_text(word: bytes) -> str:
    return word.decode(errors="surrogateescape")


def answers_about_entries(model: Any) -> dict[str, Any]:
    words, counts = model.f.getVocab("surrogateescape")
    labels, label_counts = model.f.getLabels("surrogateescape")
    return {"words": words, "counts": counts, "labels": labels, "label_counts": label_counts}


def answers_about_queries(model: Any) -> dict[str, Any]:
    subwords = [model.f.getSubwords(query, "surrogateescape") for query in QUERIES]
    rows = [rows for _, rows in subwords]
    # For a pruned model the official program also lists n-grams without a row, so texts and rows
    # can't be matched.
    complete = all(len(texts) == len(rows) for texts, rows in subwords)
    return {
        "subword_rows": rows,
        "subword_texts": [texts for texts, _ in subwords] if complete else None,
    }


def vectors_of(model: Any, words: list[str]) -> np.ndarray:
    encoded = [word.encode(errors="surrogateescape") for word in words]
    return np.array([model.get_word_vector(word) for word in encoded])


if __name__ == "__main__":
    main()
