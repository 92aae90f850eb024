"""Layers that are stored, sent, copied, shared and saved."""

from __future__ import annotations

import contextlib
import copy
import gc
import io
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from support import TESTS
from support.compact_kinds import bits

import fasttext_lite as ftl
from fasttext_lite.errors import FileError, InputTypeError, InputValueError

torch = pytest.importorskip("torch")
from fasttext_lite.integrations.torch import FastTextEmbedding  # noqa: E402

pytestmark = [
    pytest.mark.frameworks,
    # Of PyTorch, about the gradients that it makes itself.
    pytest.mark.filterwarnings("ignore:Sparse invariant checks:UserWarning"),
]

WORDS = ["war", "warish", "peace", "the", "unheardness"]
KINDS = ["bin", "safetensors float32"]


def train(layer, words=WORDS):
    step = torch.optim.SGD(layer.parameters(), lr=0.5)
    layer(words).square().sum().backward()
    step.step()
    step.zero_grad()
    return layer


@pytest.fixture(params=KINDS)
def path(files, request):
    return files(request.param)


@pytest.mark.parametrize("trained", [False, True])
def test_a_pickle_holds_the_changed_rows_only(path, trained):
    layer = FastTextEmbedding(path, freeze=not trained)
    if trained:
        train(layer)
    data = pickle.dumps(layer)
    assert len(data) < 50_000
    again = pickle.loads(data)
    assert torch.equal(again(WORDS), layer(WORDS))
    assert again.weight.requires_grad == trained
    assert again.weight.data_ptr() != layer.weight.data_ptr()


def test_copies_are_independent(path):
    layer = train(FastTextEmbedding(path, freeze=False))
    before = layer(WORDS).detach()
    for made in (copy.deepcopy(layer), copy.copy(layer)):
        assert torch.equal(made(WORDS), before)
        train(made)
        assert torch.equal(layer(WORDS), before)
        assert not torch.equal(made(WORDS), before)


def test_bags_pickle_as_a_path(path):
    layer = FastTextEmbedding(path)
    data = pickle.dumps(layer.bags)
    assert len(data) < 1000
    for one, other in zip(pickle.loads(data)(WORDS), layer.bags(WORDS), strict=True):
        assert torch.equal(one, other)


def test_a_state_holds_the_changed_rows(path):
    layer = train(FastTextEmbedding(path, freeze=False))
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    assert file.tell() < 50_000
    file.seek(0)
    # Other rows of the layer that loads it were changed: they are those of the file again.
    other = train(FastTextEmbedding(path, freeze=False), ["government", "people"])
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(WORDS), layer(WORDS))
    assert [c.rows.tolist() for c in other.changes().values()] == [
        c.rows.tolist() for c in layer.changes().values()
    ]


def test_the_state_of_a_frozen_layer_names_the_file_only(path):
    layer = FastTextEmbedding(path)
    state = layer.state_dict()
    assert sum(value.numel() for value in state.values()) == 2
    trained = train(FastTextEmbedding(path, freeze=False))
    trained.load_state_dict(state)
    assert torch.equal(trained(WORDS), layer(WORDS))


def test_a_state_is_loaded_into_a_frozen_layer(path):
    trained, frozen = train(FastTextEmbedding(path, freeze=False)), FastTextEmbedding(path)
    if not frozen.weight.requires_grad:
        frozen.load_state_dict(trained.state_dict())
    assert torch.equal(frozen(WORDS), trained(WORDS))
    assert torch.equal(pickle.loads(pickle.dumps(frozen))(WORDS), trained(WORDS))


def test_a_whole_weight_is_loaded():
    layer = FastTextEmbedding("sample", freeze=False)
    plain = torch.nn.EmbeddingBag(layer.num_embeddings, 40, include_last_offset=True)
    layer.load_state_dict(plain.state_dict())
    rows, offsets = layer.bags(WORDS)
    assert torch.allclose(layer(rows, offsets), plain(rows, offsets), atol=1e-6)


def bad_states():
    state = train(FastTextEmbedding("sample", freeze=False)).state_dict()
    rows, values = state["weight.rows"], state["weight.values"]
    yield "another file", state | {"file": torch.tensor([1, 2])}, "another model"
    yield "no rows", {key: state[key] for key in state if key != "weight.rows"}, "Missing key"
    yield "more", state | {"bias": rows}, "Unexpected key"
    yield "a row too far", state | {"weight.rows": rows + (1 << 40)}, "outside"
    yield "a row below 0", state | {"weight.rows": rows - 10**6}, "outside"
    yield "fewer values", state | {"weight.values": values[1:]}, "the values are"
    yield "rows as floats", state | {"weight.rows": rows.float()}, "the rows are"
    yield "another dim", {"weight": torch.zeros(17081, 41)}, "the values are"
    yield "integers", {"weight": torch.zeros(17081, 40, dtype=torch.int64)}, "the values are"


@pytest.mark.parametrize("case", range(9))
def test_wrong_states_are_named(case):
    _, state, message = list(bad_states())[case]
    layer = FastTextEmbedding("sample", freeze=False)
    before = layer(WORDS).detach()
    with pytest.raises(RuntimeError, match=message):
        layer.load_state_dict(state)
    if "key" not in message:
        assert torch.equal(layer(WORDS), before)


def test_a_replaced_file_is_noticed_where_a_layer_is_sent(files, tmp_path):
    path = tmp_path / "model.bin"
    shutil.copy(files("bin"), path)
    data = pickle.dumps(FastTextEmbedding(path))
    ftl.export(files("safetensors float32"), path)
    with pytest.raises(FileError, match="another file"):
        pickle.loads(data)(WORDS)


@pytest.mark.parametrize("target", ["learnt.bin", "learnt.safetensors"])
@pytest.mark.parametrize("kind", ["bin", "safetensors float32", "safetensors float16", "vec"])
def test_what_was_learnt_is_saved(files, kind, target, tmp_path):
    words = WORDS[:4:2] if kind == "vec" else WORDS
    layer = train(FastTextEmbedding(files(kind), freeze=False, widen=True), words)
    layer.save(tmp_path / target)
    model = ftl.load(tmp_path / target)
    every = [*layer.bags.model.words, *words]
    expected = layer(every).detach().numpy()
    # The official format holds no vectors, but rows whose means they are.
    if kind == "bin" or target != "learnt.bin":
        assert (bits(model.vectors(every)) == bits(expected)).all()
    else:
        assert np.allclose(model.vectors(every), expected, atol=1e-5)
    if target == "learnt.bin":
        gensim = pytest.importorskip("gensim.models.fasttext")
        if kind == "bin":
            theirs = gensim.load_facebook_vectors(str(tmp_path / target))
            assert np.allclose(theirs["unheardness"], layer(["unheardness"]).detach(), atol=1e-6)


def test_an_int8_file_is_saved_of_what_was_learnt(path, tmp_path):
    layer = train(FastTextEmbedding(path, freeze=False))
    layer.save(tmp_path / "small.safetensors", dtype="int8")
    found = FastTextEmbedding(tmp_path / "small.safetensors")(WORDS)
    assert torch.allclose(found, layer(WORDS), atol=0.02)


def test_saving_keeps_the_neighbors_index(tmp_path):
    ftl.convert("sample", tmp_path / "a.safetensors", neighbors_index=True, max_words=500)
    train(FastTextEmbedding(tmp_path / "a.safetensors", freeze=False)).save(
        tmp_path / "b.safetensors"
    )
    assert "neighbors.codes" in {s.name for s in ftl.load(tmp_path / "b.safetensors").info.sections}


def test_wrong_targets_are_named(path, tmp_path):
    layer = FastTextEmbedding(path)
    with pytest.raises(FileError, match="source"):
        layer.save(path)
    with pytest.raises(InputValueError, match="dtype"):
        layer.save(tmp_path / "a.bin", dtype="int8")
    with pytest.raises(InputTypeError):
        layer.save(3)


def test_a_shared_file_is_deleted_with_the_layer(path, tmp_path):
    layer = FastTextEmbedding(path, freeze=False, shared=tmp_path)
    # Linux has no name of it, so that nothing stays behind if the process is killed.
    names = 0 if sys.platform == "linux" else len(list(layer.parameters()))
    assert len(list(tmp_path.iterdir())) == names
    assert "shared" in repr(layer)
    again = pickle.loads(pickle.dumps(layer))
    apart = copy.deepcopy(layer)
    train(again)
    assert torch.equal(layer(WORDS), again(WORDS))
    assert not torch.equal(apart(WORDS), again(WORDS))
    del layer, again, apart
    assert not list(tmp_path.iterdir())


def test_a_shared_weight_cannot_be_opened_without_the_layer(files, tmp_path):
    layer = FastTextEmbedding(files(KINDS[0]), freeze=False, shared=tmp_path)
    sent = pickle.dumps(layer)
    del layer
    gc.collect()
    with pytest.raises(FileError):
        pickle.loads(sent)
    # Another file may have its number now.
    with contextlib.ExitStack() as stack:
        for number in range(20):
            stack.enter_context((tmp_path / str(number)).open("w+b"))
        with pytest.raises(FileError):
            pickle.loads(sent)


def test_a_full_disk_is_noticed_before_it_is_written_to(path, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(FileError, match="only 10 are free"):
        FastTextEmbedding(path, shared=tmp_path)


PROGRAM = TESTS / "programs" / "torch_workers.py"


@pytest.mark.parametrize(
    ("method", "kind"), [("fork", KINDS[0]), ("spawn", KINDS[1]), ("forkserver", KINDS[0])]
)
def test_processes_share_a_model(files, method, kind):
    if method not in torch.multiprocessing.get_all_start_methods():
        pytest.skip(f"{method} is not on this platform")
    done = subprocess.run(
        [sys.executable, "-I", PROGRAM, method, files(kind)],
        check=False, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "read 12\nlearnt 4\n"
