"""Read words in workers of a DataLoader, and train one weight from two processes.

    python torch_workers.py METHOD MODEL

Prints how many batches agree with the model, and how many words every process learnt.
"""

from __future__ import annotations

import sys
import warnings

import torch
from torch import multiprocessing
from torch.utils.data import DataLoader

from fasttext_lite.integrations.torch import FastTextEmbedding

WORDS = ["war", "peace", "warish", "unheardness"]
STEPS = 300


def teach(layer, words, goal):
    """Let the vectors of words come close to a goal."""
    torch.set_num_threads(1)
    step = torch.optim.SGD(layer.parameters(), lr=0.9)
    for _ in range(STEPS):
        step.zero_grad()
        (layer(words) - goal).square().sum(1).mean().backward()
        step.step()


def main(method, path):
    frozen = FastTextEmbedding(path)
    loader = DataLoader(
        WORDS * 6, 2, collate_fn=frozen.bags, num_workers=2, multiprocessing_context=method
    )
    expected = [frozen(WORDS[:2]), frozen(WORDS[2:])]
    print("read", sum(torch.equal(frozen(*bag), expected[i % 2]) for i, bag in enumerate(loader)))

    layer = FastTextEmbedding(path, freeze=False, shared=True)
    context = multiprocessing.get_context(method)
    workers = [
        context.Process(target=teach, args=(layer, WORDS[part::2], float(part)))
        for part in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    goals = torch.tensor([0.0, 1, 0, 1])[:, None]
    distances = (layer(WORDS) - goals).abs().amax(1)
    print("learnt", int((distances < 0.05).sum()))


if __name__ == "__main__":
    # Of PyTorch, about the gradients that it makes itself.
    warnings.filterwarnings("ignore", "Sparse invariant checks", UserWarning)
    main(*sys.argv[1:])
