"""Texts under a learnt mask."""

from __future__ import annotations

import pickle

import pytest

from fasttext_lite.errors import InputTypeError, InputValueError

torch = pytest.importorskip("torch")
from fasttext_lite.integrations.torch import FastTextBag, FastTextEmbedding, TextBags  # noqa: E402

pytestmark = [
    pytest.mark.frameworks,
    # Of PyTorch, about the gradients that it makes itself.
    pytest.mark.filterwarnings("ignore:Sparse invariant checks:UserWarning"),
]

TEXTS = ["war and peace", "", ["the", "unheardness"], "war\tand\x0bwar"]
SPLIT = [["war", "and", "peace"], [], ["the", "unheardness"], ["war", "and", "war"]]
KINDS = ["bin", "safetensors float32", "safetensors int8"]


@pytest.mark.parametrize("mode", ["mean", "sum"])
@pytest.mark.parametrize("mask", ["words", "one"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_is_the_sum_of_its_masked_words(files, kind, mask, mode):
    layer = FastTextBag(files(kind), mode=mode, mask=mask)
    vectors = FastTextEmbedding(files(kind))
    with torch.no_grad():
        for parameter in layer.parameters():
            if parameter.requires_grad:
                parameter.normal_()
    found = layer(TEXTS)
    for i, words in enumerate(SPLIT):
        expected = torch.zeros(40)
        for word in words:
            rows, _ = vectors.bags([word])
            own = layer.mask if mask == "one" else layer.mask.weight[rows].mean(0)
            expected = expected + vectors([word])[0] * (1 + own)
        if mode == "mean":
            expected = expected / max(len(words), 1)
        assert torch.allclose(found[i], expected, atol=1e-5)
    assert torch.equal(layer(*layer.bags(TEXTS)), found)


def test_texts_begin_as_means_of_their_words():
    words = FastTextEmbedding("sample")(SPLIT[0])
    assert torch.allclose(FastTextBag("sample")(TEXTS)[0], words.mean(0), atol=1e-6)


@pytest.mark.parametrize("freeze", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_masks_are_learnt_of_the_words_only(files, freeze, shared):
    layer = FastTextBag(files("bin"), freeze, shared=shared)
    step = torch.optim.SGD(layer.parameters(), lr=0.5)
    layer(TEXTS).square().sum().backward()
    assert layer.mask.weight.grad.is_sparse
    step.step()
    rows, _, _ = layer.bags(TEXTS)
    assert layer.mask.changes()["weight"].rows.tolist() == sorted(set(rows.tolist()))
    assert bool(len(layer.embedding.changes()["weight"].rows)) != freeze
    again = pickle.loads(pickle.dumps(layer))
    assert torch.equal(again(TEXTS), layer(TEXTS))
    fresh = FastTextBag(files("bin"), freeze)
    fresh.load_state_dict(layer.state_dict())
    assert torch.equal(fresh(TEXTS), layer(TEXTS))


def test_a_layer_of_words_is_used_as_it_is():
    words = FastTextEmbedding("sample", freeze=False, sparse=False)
    layer = FastTextBag(words)
    assert layer.embedding is words
    layer(TEXTS).sum().backward()
    assert not words.weight.grad.is_sparse
    assert not layer.mask.weight.grad.is_sparse


def test_wrong_texts_are_named():
    layer = FastTextBag("sample")
    for texts, message in (("war", "single text"), ([b"war"], "item 0"), ([3], "item 0")):
        with pytest.raises(InputTypeError, match=message):
            layer(texts)
    rows, offsets, texts = layer.bags(TEXTS)
    with pytest.raises(InputValueError, match="texts must begin with 0"):
        layer(rows, offsets, texts[:-1])
    with pytest.raises(InputValueError, match="outside"):
        layer(rows + 10**6, offsets, texts)
    with pytest.raises(InputValueError, match="mask"):
        FastTextBag("sample", mask="none")
    with pytest.raises(InputValueError, match="mode"):
        FastTextBag("sample", mode="max")


def test_bags_of_texts_pickle_as_a_path():
    bags = pickle.loads(pickle.dumps(TextBags("sample")))
    assert [part.tolist() for part in bags(TEXTS)][2] == [0, 3, 3, 5, 8]
