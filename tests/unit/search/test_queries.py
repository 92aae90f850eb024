"""Queries of a search: arrays of any library, mixtures, phrases, ids, and a least score."""

from __future__ import annotations

import array

import numpy as np
import pytest
from support.builders import build

import fasttext_lite as ftl


@pytest.fixture(scope="module")
def model():
    return ftl.load("sample")


class Tensor:
    """An array of another library."""

    def __init__(self, values, error=None):
        self._values = np.asarray(values)
        self._error = error

    def __len__(self):
        return len(self._values)

    def __getitem__(self, index):
        return Tensor(self._values[index])

    def __array__(self, dtype=None, copy=None):
        if self._error:
            raise self._error
        return self._values if dtype is None else self._values.astype(dtype)


class Exchanged:
    """An array that has nothing but DLPack."""

    def __init__(self, values):
        self._values = np.asarray(values)

    def __dlpack__(self, **options):
        return self._values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._values.__dlpack_device__()


@pytest.mark.parametrize("kind", [np.asarray, Tensor, Exchanged, lambda v: Tensor(v.astype("f8"))])
def test_arrays_of_any_library_are_queries(model, kind):
    king, queen = model["king"], model["queen"]
    expected = model.neighbors(king, k=3)
    assert model.neighbors(kind(king), k=3) == expected
    assert model.neighbors(kind(king[None]), k=3) == [expected]
    both = [expected, model.neighbors(queen, k=3)]
    assert model.neighbors(kind(np.stack([king, queen])), k=3) == both
    assert model.neighbors([kind(king), kind(queen[None])], k=3) == both


def test_a_query_may_mix_words_and_vectors(model):
    king = model["king"]
    mixed = ["war", king, b"peace", king[None], Tensor(king)]
    one_by_one = [model.neighbors(query) for query in ("war", king, "peace", king, king)]
    assert model.neighbors(mixed) == one_by_one
    holder = np.empty(len(mixed), object)
    holder[:] = mixed
    assert model.neighbors(holder) == one_by_one
    assert model.neighbors(iter(mixed)) == one_by_one


def test_a_tensor_that_numpy_cannot_read_is_refused(model):
    for error in (RuntimeError("requires grad"), TypeError("on a GPU"), ValueError("odd")):
        tensor = Tensor(model["king"], error)
        for query in (tensor, ["king", tensor]):
            with pytest.raises(ftl.InputTypeError, match=f"Tensor that NumPy cannot read: {error}"):
                model.neighbors(query)


@pytest.mark.parametrize("shape", [(2, 40), (1, 39), (1, 1, 40), (41,), ()])
def test_vectors_of_other_shapes_are_refused(model, shape):
    with pytest.raises((ftl.InputValueError, ftl.InputTypeError), match="query 1 must"):
        model.neighbors(["king", np.zeros(shape)])
    with pytest.raises((ftl.InputValueError, ftl.InputTypeError)):
        model.neighbors([Tensor(np.zeros(shape)), "king"])


def test_tensors_of_pytorch_are_queries(model):
    torch = pytest.importorskip("torch")
    king = torch.from_numpy(model["king"])
    assert model.neighbors(king) == model.neighbors(model["king"])
    assert model.neighbors([king[None], "war"]) == model.neighbors([model["king"], "war"])
    with pytest.raises(ftl.InputTypeError, match="Tensor that NumPy cannot read"):
        model.neighbors(king.requires_grad_())
    assert model.neighbors("war", among=torch.tensor([3, 4])) == model.neighbors(
        "war", among=[3, 4]
    )


def test_the_error_for_a_phrase_names_its_vector(tmp_path):
    path = tmp_path / "words.vec"
    path.write_text("2 2\nnew 1 2\nyork 3 4\n")
    words = ftl.load(path)
    for phrase in ("new york", b"new york"):
        for query in (phrase, ["new", phrase]):
            with pytest.raises(ftl.UnknownWordError, match=r"sentence_vector\('new york'\)"):
                words.neighbors(query)
    with pytest.raises(ftl.UnknownWordError, match=r"'old' is not") as error:
        words.neighbors("old")
    assert "sentence_vector" not in str(error.value)
    assert words.neighbors(words.sentence_vector("new york"))


def test_words_may_be_given_by_name_or_id(model):
    near = [one.word for one in model.neighbors("king", k=6)]
    ids = [model.word_id(word) for word in near]
    for given in (near, ids, [*near[:3], *ids[3:]], np.array(ids), array.array("i", ids),
                  np.array(near), [word.encode() for word in near], Tensor(ids)):  # fmt: skip
        assert [one.word for one in model.neighbors("king", among=given)] == near
        assert not set(near) & {one.word for one in model.neighbors("king", exclude=given)}
    pyarrow = pytest.importorskip("pyarrow")
    for given in (
        pyarrow.array(near),
        pyarrow.array(ids),
        pyarrow.chunked_array([ids[:2], ids[2:]]),
    ):
        assert [one.word for one in model.neighbors("king", among=given)] == near


@pytest.mark.parametrize("query", ["king", ["king", "zzyzx"]])
@pytest.mark.parametrize("least", [-2, 0.3, np.float32(0.5), 1, 7])
def test_a_least_score_cuts_the_answers(model, query, least):
    whole = model.neighbors(query, k=50)
    found = model.neighbors(query, k=50, min_score=least)
    if isinstance(query, str):
        whole, found = [whole], [found]
    assert found == [[near for near in one if near.score >= least] for one in whole]


def test_a_least_score_is_a_number(model):
    with pytest.raises(ftl.InputTypeError, match="min_score must be a number"):
        model.neighbors("king", min_score="0.3")
    with pytest.raises(ftl.InputValueError, match="min_score must be a number, not NaN"):
        model.neighbors("king", min_score=float("nan"))
    assert model.neighbors("king", min_score=None) == model.neighbors("king")
    analogies = model.analogies("paris", "berlin", "germany", k=20, min_score=0.4)
    assert analogies
    assert all(near.score >= 0.4 for near in analogies)


def test_words_that_a_file_holds_twice_are_left_out_of_cut_answers(tmp_path):
    path = tmp_path / "twice.bin"
    path.write_bytes(build(words=[b"a", b"b", b"a", b"c", b"a"], minn=0, maxn=0))
    twice = ftl.load(path)
    near = twice.neighbors("a", k=5)
    assert "a" not in [one.word for one in near]
    assert twice.neighbors("a", k=5, min_score=near[0].score) == near[:1]
