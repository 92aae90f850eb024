"""Hand vectors to gensim, where unknown words keep their n-grams.

pip install 'fasttext-lite[gensim]'
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from gensim.models.fasttext import FastTextKeyedVectors

import fasttext_lite as ftl
from fasttext_lite.compat.gensim import to_gensim

TEXTS = [
    "farmers sold wheat and corn",
    "a treaty ended the battle",
    "children learn at school",
    "doctors and nurses in hospitals",
    "taxes pay for roads",
]
QUESTIONS = ["peace after the wars", "schoolteachers", "medical care", "federal budget"]

model = ftl.load("sample")
vectors = to_gensim(model)
print(f"{type(vectors).__module__}.{type(vectors).__name__}: {len(vectors):,} words")
for word in ("king", "schoolteachers", "farmlands"):
    known = "known" if word in vectors.key_to_index else "unknown"
    nearest = ", ".join(near for near, _ in vectors.most_similar(word, topn=3))
    print(f"{word} ({known}): {nearest}; off by {abs(vectors[word] - model[word]).max():.0e}")

with TemporaryDirectory() as folder:
    path = str(Path(folder, "sample.kv"))
    vectors.save(path)
    again = FastTextKeyedVectors.load(path)

print("\nsaved and loaded by gensim, which compares texts:")
for question in QUESTIONS:
    scores = [again.n_similarity(question.split(), text.split()) for text in TEXTS]
    best = max(range(len(TEXTS)), key=scores.__getitem__)
    print(f"{question:24}{scores[best]:.2f}  {TEXTS[best]}")
