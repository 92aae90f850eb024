"""Write word vectors as a folder of model2vec, and search texts by it without fasttext-lite.

pip install fasttext-lite model2vec
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from model2vec import StaticModel

import fasttext_lite as ftl

TEXTS = [
    "the farmers sold their wheat and corn",
    "a treaty ended the war between both nations",
    "children learn to read and write at school",
    "doctors and nurses work in hospitals",
    "the river flows from the mountains to the sea",
    "taxes pay for roads and bridges",
]
QUESTIONS = ["peace agreement", "medical care", "education of students", "agriculture", "revenue"]

with TemporaryDirectory() as temporary:
    folder = Path(temporary, "sample")
    done = ftl.export("sample", folder, format="model2vec")
    print(f"{done.word_count:,} words, {done.size / 1e6:.1f} MB:")
    for path in sorted(folder.iterdir()):
        print(f"  {path.stat().st_size:>9,} {path.name}")
    static = StaticModel.from_pretrained(folder)
    # The same vectors, from the model itself.
    model = ftl.load("sample")
    texts = [" ".join(word for word in text.split() if word in model) for text in TEXTS]
    own = ftl.SIF(model, components=0).vectors(texts)
    print(f"largest difference from SIF: {np.abs(static.encode(texts) - own).max():.1e}\n")

vectors, questions = static.encode(TEXTS), static.encode(QUESTIONS)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
questions /= np.linalg.norm(questions, axis=1, keepdims=True)
for question, cosines in zip(QUESTIONS, questions @ vectors.T, strict=True):
    best = cosines.argmax()
    print(f"{question:24}{cosines[best]:.2f}  {TEXTS[best]}")
