"""Vectors and gradients of `FastTextEmbedding`."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from support import GOLDEN
from support.builders import build
from support.compact_kinds import KINDS, UNKNOWN, bits

import fasttext_lite as ftl
from fasttext_lite.errors import (
    FileError,
    FormatError,
    InputTypeError,
    InputValueError,
    MissingFileError,
    UnknownWordError,
)

torch = pytest.importorskip("torch")
from fasttext_lite.integrations.torch import FastTextEmbedding  # noqa: E402

pytestmark = [
    pytest.mark.frameworks,
    # Of PyTorch, about the gradients that it makes itself.
    pytest.mark.filterwarnings("ignore:Sparse invariant checks:UserWarning"),
]

COMPACT = ["safetensors float32", "safetensors float16", "safetensors int8"]
FORMATS = ["bin", *COMPACT, "vec"]
TRAINED = ["bin", "safetensors float32", "vec"]


def some_words(path):
    model = ftl.load(path)
    unknown = [] if model.unknown_words == "error" else ["warish", "", "naïveté", *UNKNOWN[:20]]
    return [*model.words[:300], *unknown, "war", *unknown]


@pytest.mark.parametrize("compact", [False, True], ids=["fasttext", "compact"])
@pytest.mark.parametrize("kind", KINDS)
def test_vectors_have_the_bits_of_the_model(tmp_path, kind, compact):
    path = tmp_path / "model.bin"
    path.write_bytes(build(**KINDS[kind]))
    if compact:
        ftl.convert(path, tmp_path / "model.safetensors")
        path = tmp_path / "model.safetensors"
    model = ftl.load(path)
    words = [*(word[:500] for word in UNKNOWN), *model.words, *model.labels]
    expected = bits(model.vectors(words))
    for options in ({}, {"widen": True}, {"freeze": False, "widen": True}):
        vectors = FastTextEmbedding(path, **options)(words).detach()
        assert vectors.dtype == torch.float32
        assert (bits(vectors.numpy()) == expected).all()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("opened", [False, True], ids=["path", "model"])
def test_a_path_and_a_model_give_the_same(files, kind, opened):
    path = files(kind)
    model = ftl.load(path)
    words = some_words(path)
    layer = FastTextEmbedding(model if opened else path)
    assert (bits(layer(words).numpy()) == bits(model.vectors(words))).all()
    assert layer.embedding_dim == model.dim
    assert not any(parameter.requires_grad for parameter in layer.parameters())


def test_zeros_keep_their_signs(tmp_path):
    (tmp_path / "zeros.vec").write_text("2 2\none -0.0 0.0\ntwo 1 -0.0\n")
    ftl.convert(tmp_path / "zeros.vec", tmp_path / "zeros.safetensors")
    found = FastTextEmbedding(tmp_path / "zeros.safetensors")(["two", "one"]).numpy()
    assert (np.signbit(found) == [[False, True], [True, False]]).all()


def test_lists_of_words_give_a_tensor_each():
    layer = FastTextEmbedding("sample")
    one, none, two = layer([["war", "peace"], [], ["warish"]])
    assert torch.equal(torch.cat([one, none, two]), layer(["war", "peace", "warish"]))
    assert none.shape == (0, 40)


def test_bags_may_be_empty_and_mixed(files):
    layer = FastTextEmbedding(files("safetensors float32"))
    count = len(layer.weight)
    rows = torch.tensor([3, count + 1, 5, 3])
    found = layer(rows, torch.tensor([0, 0, 2, 2, 4]))
    assert torch.equal(found[0], torch.zeros(40))
    assert torch.equal(found[2], torch.zeros(40))
    assert torch.allclose(found[1], (layer.weight[3] + layer.ngrams[1]) / 2)
    assert torch.allclose(found[3], (layer.weight[5] + layer.weight[3]) / 2)
    assert layer(torch.zeros(0, dtype=torch.int32), torch.zeros(1, dtype=torch.int32)).shape == (
        0,
        40,
    )


def reference(layer, rows, offsets, mode):
    """A dense `EmbeddingBag` over the same rows."""
    matrices = [m.detach() for m in (layer.weight, layer.ngrams) if m is not None]
    dense = torch.nn.EmbeddingBag.from_pretrained(
        torch.cat(matrices).clone(), freeze=False, mode=mode, include_last_offset=True
    )
    return dense, dense(rows, offsets)


@pytest.mark.parametrize("mode", ["mean", "sum"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("kind", TRAINED)
def test_gradients_are_those_of_a_dense_layer(files, kind, sparse, mode):
    layer = FastTextEmbedding(files(kind), freeze=False, sparse=sparse, mode=mode)
    rows, offsets = layer.bags(some_words(files(kind)))
    dense, expected = reference(layer, rows, offsets, mode)
    factors = torch.randn(expected.shape)
    found = layer(rows, offsets)
    assert torch.allclose(found, expected, atol=1e-6)
    (found * factors).sum().backward()
    (expected * factors).sum().backward()
    grads = [m.grad for m in (layer.weight, layer.ngrams) if m is not None]
    assert all(grad.is_sparse == sparse for grad in grads)
    grads = [grad.to_dense() for grad in grads]
    assert torch.allclose(torch.cat(grads), dense.weight.grad, atol=1e-5)


@pytest.mark.parametrize("compact", [False, True])
def test_numeric_gradients_agree(tmp_path, compact):
    path = tmp_path / "tiny.bin"
    path.write_bytes(build(dim=3, bucket=4))
    if compact:
        ftl.convert(path, tmp_path / "tiny.safetensors")
        path = tmp_path / "tiny.safetensors"
    layer = FastTextEmbedding(path, freeze=False, sparse=False).double()
    rows, offsets = layer.bags([*layer.bags.model.words, "unheard", ""])
    names = [name for name, _ in layer.named_parameters()]

    def forward(*matrices):
        given = dict(zip(names, matrices, strict=True))
        return torch.func.functional_call(layer, given, (rows, offsets))

    assert torch.autograd.gradcheck(forward, tuple(layer.parameters()))


OPTIMIZERS = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
    "Adagrad": lambda parameters: torch.optim.Adagrad(parameters, lr=0.1),
    "SparseAdam": lambda parameters: torch.optim.SparseAdam(list(parameters), lr=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("kind", TRAINED)
def test_sparse_steps_change_the_rows_of_the_words(files, kind, name):
    path = files(kind)
    before = path.read_bytes()
    layer = FastTextEmbedding(path, freeze=False)
    same = FastTextEmbedding(path, freeze=False)
    whole = copy.deepcopy(layer)
    words = some_words(path)[-8:]
    rows, offsets = layer.bags(words)
    step = OPTIMIZERS[name](layer.parameters())
    for _ in range(3):
        step.zero_grad()
        layer(rows, offsets).square().sum().backward()
        step.step()
    changed = layer.changes()
    shift = {"weight": 0, "ngrams": len(layer.weight)}
    found = torch.cat([changes.rows + shift[key] for key, changes in changed.items()])
    assert set(found.tolist()) == set(rows.tolist())
    assert torch.equal(changed["weight"].values, layer.weight[changed["weight"].rows])
    # Neither the file nor other layers over it see what one layer learns.
    assert path.read_bytes() == before
    assert torch.equal(same(words), whole(words))
    assert not torch.equal(layer(words), same(words))


def test_a_layer_can_be_unfrozen_where_rows_are_aligned(files):
    layer = FastTextEmbedding(files("safetensors float32")).requires_grad_(True)
    layer(["war", "warish"]).sum().backward()
    assert layer.weight.grad.is_sparse


def test_a_frozen_layer_over_unaligned_rows_says_how_to_train_it():
    layer = FastTextEmbedding("sample")
    if layer.weight.data_ptr() % 4 == 0:
        pytest.skip("the rows of the sample are aligned")
    layer.requires_grad_(True)
    with pytest.raises(InputValueError, match="freeze=False"):
        layer(["war"])


@pytest.mark.parametrize("kind", ["safetensors float16", "safetensors int8", "ftz"])
def test_rows_that_are_not_float32_are_widened_to_train(files, kind):
    path = GOLDEN / "odd_dsub.ftz" if kind == "ftz" else files(kind)
    for options in ({"freeze": False}, {"shared": True}):
        with pytest.raises(InputValueError, match="widen=True"):
            FastTextEmbedding(path, **options)
    layer = FastTextEmbedding(path, freeze=False, widen=True)
    assert layer.weight.dtype == torch.float32
    layer(["the", "unheardness"]).sum().backward()
    assert layer.weight.grad.is_sparse


def test_the_layer_compiles_whole(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(build(**KINDS["many words"]))
    layer = FastTextEmbedding(path, freeze=False)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    rows, offsets = layer.bags([*layer.bags.model.words, "unheard"])
    assert torch.equal(compiled(rows, offsets), layer(rows, offsets))
    compiled(rows, offsets).sum().backward()
    assert layer.weight.grad.is_sparse


@pytest.mark.parametrize("kind", COMPACT)
def test_compact_files_compile_with_breaks(files, kind):
    layer = FastTextEmbedding(files(kind))
    compiled = torch.compile(layer, backend="eager")
    rows, offsets = layer.bags(["war", "warish", "peace"])
    assert torch.equal(compiled(rows, offsets), layer(rows, offsets))


def test_types_can_be_changed(files):
    layer = FastTextEmbedding(files("bin"), freeze=False)
    words = ["war", "warish"]
    expected = layer(words)
    double = copy.deepcopy(layer).double()
    assert double(words).dtype == torch.float64
    assert torch.allclose(double(words).float(), expected)
    half = copy.deepcopy(layer).half()
    assert half(words).dtype == torch.float32
    assert torch.allclose(half(words), expected, atol=1e-2)
    again = pickle.loads(pickle.dumps(double))
    assert torch.equal(again(words), double(words))


BAD = {
    "floats": (torch.tensor([0.5]), torch.tensor([0, 1]), InputTypeError, "int64"),
    "a list": ([1], torch.tensor([0, 1]), InputTypeError, "must be a tensor"),
    "two dimensions": (torch.tensor([[1]]), torch.tensor([0, 1]), InputValueError, "dimension"),
    "a row below 0": (torch.tensor([-1]), torch.tensor([0, 1]), InputValueError, "row -1"),
    "a row too far": (torch.tensor([1 << 40]), torch.tensor([0, 1]), InputValueError, "outside"),
    "no end": (torch.tensor([1, 2]), torch.tensor([0, 1]), InputValueError, "include_last_offset"),
    "an end too far": (torch.tensor([1]), torch.tensor([0, 2]), InputValueError, "end with"),
    "no beginning": (torch.tensor([1]), torch.tensor([1, 1]), InputValueError, "begin with 0"),
    "falling": (torch.tensor([1]), torch.tensor([0, 1, 0, 1]), InputValueError, "must not fall"),
    "no offsets": (
        torch.tensor([1]),
        torch.tensor([], dtype=torch.int64),
        InputValueError,
        "empty",
    ),
    "rows alone": (torch.tensor([1]), None, InputTypeError, "both results"),
    "a word": ("war", None, InputTypeError, "single str"),
    "words and lists": ([["war"], "war"], None, InputTypeError, "item 1"),
    "numbers": ([1, 2], None, InputTypeError, "int"),
}


@pytest.mark.parametrize("case", BAD)
def test_wrong_bags_are_named(case):
    rows, offsets, error, message = BAD[case]
    with pytest.raises(error, match=message):
        FastTextEmbedding("sample")(rows, offsets)


def test_unknown_words_of_a_model_without_ngrams_raise(files):
    with pytest.raises(UnknownWordError):
        FastTextEmbedding(files("vec"))(["unheardness"])


OPTIONS = {
    "mode": ({"mode": "max"}, InputValueError, "mean"),
    "freeze": ({"freeze": "no"}, InputTypeError, "freeze"),
    "sparse": ({"sparse": 2}, InputTypeError, "sparse"),
    "widen": ({"widen": "float32"}, InputTypeError, "widen"),
    "shared": ({"shared": "no/such/folder"}, InputValueError, "folder"),
    "a number as shared": ({"shared": 3}, InputTypeError, "shared"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_wrong_options_are_named(name):
    options, error, message = OPTIONS[name]
    with pytest.raises(error, match=message):
        FastTextEmbedding("sample", **options)


def test_wrong_files_are_named(tmp_path):
    with pytest.raises(MissingFileError):
        FastTextEmbedding(tmp_path / "none.bin")
    (tmp_path / "damaged.bin").write_bytes(build()[:-5])
    with pytest.raises(FormatError):
        FastTextEmbedding(tmp_path / "damaged.bin")
    path = tmp_path / "replaced.bin"
    path.write_bytes(build())
    model = ftl.load(path)
    path.rename(tmp_path / "other.bin")
    path.write_bytes(build())
    with pytest.raises(FileError, match="changed"):
        FastTextEmbedding(model)
