"""Compare vectors of texts with TF-IDF as features of a linear support vector machine.

    python scripts/classify_glosses.py /usr/share/wordnet

A text is the gloss of a noun or verb in WordNet (Debian's package ``wordnet-base``); its class is
the lexicographer file of the synset, such as noun.food or verb.motion: 41 classes, 95,000 texts. A
model is trained on the glosses of the training set, without their classes, by the official program,
and the features of both kinds are the input of the same machine. It prints the table of
``docs/scikit-learn.md``.

Needs this package with the extra ``sklearn``, and the official ``fasttext``.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path

import fasttext
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import Normalizer
from sklearn.svm import LinearSVC

from fasttext_lite.integrations.sklearn import FastTextVectorizer

SIZES = (500, 5_000, 20_000)
TESTED = 10_000


def glosses(folder: Path) -> tuple[list[str], list[int]]:
    """Return glosses, split into words, and the numbers of their lexicographer files."""
    texts, classes = [], []
    for name in ("data.noun", "data.verb"):
        for line in (folder / name).read_text(encoding="latin-1").splitlines():
            head, _, gloss = line.partition(" | ")
            if gloss and not line.startswith(" "):
                texts.append(" ".join(re.findall(r"[a-z0-9']+", gloss.lower())))
                classes.append(int(head.split()[1]))
    return texts, classes


def main() -> None:
    """Train on more and more texts, and print the share of right answers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    texts, classes = glosses(parser.parse_args().folder)
    train, test, train_classes, test_classes = train_test_split(
        texts, classes, test_size=TESTED, random_state=0
    )
    print(f"{len(texts)} texts, {len(set(classes))} classes, {len(test)} of them for tests")
    with tempfile.TemporaryDirectory() as folder:
        corpus, path = Path(folder, "corpus.txt"), Path(folder, "model.bin")
        corpus.write_text("\n".join(train), encoding="utf-8")
        fasttext.train_unsupervised(
            str(corpus), dim=100, minCount=2, bucket=200_000, epoch=5, verbose=0
        ).save_model(str(path))

        tfidf = {"sublinear_tf": True, "token_pattern": r"\S+"}

        def vectors(weighting: str) -> object:
            return make_pipeline(FastTextVectorizer(path, weighting=weighting), Normalizer())

        features = {
            "TF-IDF": TfidfVectorizer(**tfidf),
            "fastText, mean": vectors("mean"),
            "fastText, SIF": vectors("sif"),
            "both": make_union(TfidfVectorizer(**tfidf), vectors("sif")),
        }
        print("| features |", " | ".join(f"{size:,} texts" for size in SIZES), "|")
        print("| --- |" + " ---: |" * len(SIZES))
        for name, one in features.items():
            row = []
            for size in SIZES:
                started = time.perf_counter()
                machine = make_pipeline(one, LinearSVC())
                machine.fit(train[:size], train_classes[:size])
                score = np.mean(machine.predict(test) == np.array(test_classes))
                row.append(f"{score:.3f} ({time.perf_counter() - started:.1f} s)")
            print(f"| {name} |", " | ".join(row), "|", flush=True)


if __name__ == "__main__":
    main()
