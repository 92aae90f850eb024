"""Tables that speed up predictions: made when they pay, bounded in sum, without other answers."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import SANITIZED
from support.builders import SOFTMAX, SUPERVISED, Quantizer, build

import fasttext_lite as ftl
from fasttext_lite import layers

OPTIONS = {
    "model": SUPERVISED,
    "loss": SOFTMAX,
    "labels": [b"__label__a", b"__label__b"],
    "words": [b"</s>", *(b"word%d" % i for i in range(2000))],
    "dim": 16,
    "minn": 3,
    "maxn": 4,
    "bucket": 2_000_000,
    "prune": [(i * 7, i) for i in range(20_000)],
    "input_quantizer": Quantizer(2, qnorm=True),
}
TEXTS = [f"word{i} word{i + 1} other" for i in range(1900)]

# Prints the private memory of the process after each step, in bytes.
PROGRAM = """
import sys
import fasttext_lite as ftl

def private():
    with open("/proc/self/smaps_rollup") as file:
        return 1024 * sum(int(line.split()[1]) for line in file if line.startswith("Private_"))

path, texts = sys.argv[1], [f"word{i} word{i + 1} other" for i in range(1900)]
first = ftl.load(path)
first.predict(texts[:100], threads=1), first.predict(texts[0])
del first
print(private())
models = [ftl.load(path) for _ in range(15)]
for model in models:
    model.predict(texts[0])
print(private())
for model in models * 4:
    model.predict(texts, threads=1)
print(private())
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.ftz"
    path.write_bytes(build(**OPTIONS))
    return path


def table_sizes():
    gc.collect()
    return sum(sum(tables._sizes) for tables in layers._alive)


def test_tables_are_made_when_they_pay_and_given_back(path):
    before = table_sizes()
    model = ftl.load(path)
    model.predict(TEXTS[0])
    model.predict(TEXTS[:50])
    assert table_sizes() == before
    for _ in range(10):
        model.predict(TEXTS)
    assert before < table_sizes() <= before + (1 << 23)
    del model
    assert table_sizes() == before


@pytest.mark.parametrize(
    "ask",
    [
        lambda model, texts: model.predict(texts),
        lambda model, texts: [model.predict(text) for text in texts],
        lambda model, texts: model.predict_ids(texts),
        lambda model, texts: model.probabilities(texts),
        lambda model, texts: model.sentence_vectors(texts),
        lambda model, texts: [model.sentence_vector(text) for text in texts],
        lambda model, texts: model.classifier("#").predict(texts, threads=3),
    ],
)
def test_every_call_makes_them_and_answers_alike(path, ask):
    model, plain = ftl.load(path), ftl.load(path)
    for _ in range(3):
        ask(model, TEXTS * 2)
    few = TEXTS[:20]
    assert_allclose(model.probabilities(few), plain.probabilities(few), rtol=1e-5)
    assert_allclose(model.sentence_vectors(few), plain.sentence_vectors(few), atol=1e-6)
    assert_array_equal(model.evidence(few), plain.evidence(few))
    assert model.explain(few[0], "__label__a") == plain.explain(few[0], "__label__a")


def test_those_of_all_models_have_a_limit(path, monkeypatch):
    gc.collect()
    monkeypatch.setattr(layers, "_TABLE_SIZE", 2_000_000)
    monkeypatch.setattr(layers, "_ALL_TABLES", table_sizes() + 4_500_000)
    models = [ftl.load(path) for _ in range(6)]
    expected = models[0].probabilities(TEXTS[:30])
    for _ in range(4):
        for model in models:
            model.predict(TEXTS * 3)
            assert_allclose(model.probabilities(TEXTS[:30]), expected, rtol=1e-5)
            assert table_sizes() <= layers._ALL_TABLES
    full = table_sizes()
    assert full > layers._ALL_TABLES - 2_000_000
    # What one model gives back another one may take.
    del models[:3], model
    assert table_sizes() < full
    for _ in range(8):
        models[-1].predict(TEXTS * 3)
    assert sum(1 for tables in layers._alive if tables._sizes) >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.skipif(SANITIZED, reason="AddressSanitizer takes memory of its own")
def test_fifteen_classifiers_cost_about_what_their_files_cost(path):
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM, str(path)], capture_output=True, check=True
    )
    start, opened, used = map(int, done.stdout.split())
    files = 15 * path.stat().st_size
    assert opened - start < 1.5 * files + (4 << 20)
    assert used - start < 1.5 * files + (24 << 20)
