"""Train the rows of a mapped file with sparse gradients, and save what was learnt.

pip install 'fasttext-lite[torch]'
"""

import pickle
import tempfile
from pathlib import Path

import torch

import fasttext_lite as ftl
from fasttext_lite.integrations.torch import FastTextBag

TRAIN = {
    "food": ["bread with butter", "soup of beans", "a sweet cake", "roasted meat", "fresh cheese"],
    "war": ["the army attacked", "a naval battle", "troops and weapons", "soldiers", "an enemy"],
    "money": ["the bank", "a tax on income", "prices rose", "paid the debt", "a federal budget"],
}
TEST = ["uncooked", "buttery", "warplanes", "unarmed soldiers", "taxable", "repayments"]

torch.manual_seed(0)
texts = [text for group in TRAIN.values() for text in group]
topics = torch.arange(len(TRAIN)).repeat_interleave(5)

layer = FastTextBag("sample", freeze=False)
linear = torch.nn.Linear(layer.embedding.embedding_dim, len(TRAIN))
step = torch.optim.SGD([*layer.parameters(), *linear.parameters()], lr=1)
bags = layer.bags(texts)
for epoch in range(61):
    step.zero_grad()
    loss = torch.nn.functional.cross_entropy(linear(layer(*bags)), topics)
    loss.backward()
    step.step()
    if epoch % 20 == 0:
        print(f"epoch {epoch:2}: loss {loss:.3f}")

print("\nwords and texts that were not in the training texts:")
for text, scores in zip(TEST, linear(layer(TEST)).softmax(1), strict=True):
    print(f"{text:18}{list(TRAIN)[scores.argmax()]:6} {scores.max():.0%}")

words = layer.embedding
changed = sum(len(changes.rows) for changes in words.changes().values())
print(f"\n{changed} of {words.num_embeddings} rows were learnt, and took memory")
print(f"a pickle of the layer: {len(pickle.dumps(words)):,} bytes, its path and these rows")
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "learnt.safetensors")
    words.save(path)
    moved = ftl.load(path)["buttery"] - ftl.load("sample")["buttery"]
    print(f"saved: {path.stat().st_size:,} bytes; “buttery” moved by {(moved**2).sum() ** 0.5:.2f}")
