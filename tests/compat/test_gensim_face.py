"""The gensim layer compared with gensim: results, their order, and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.builders import build
from support.gensim_pairs import (
    NEARLY,
    SAMPLE,
    STRANGE,
    Pair,
    answer,
    assert_same,
    first,
    open_both,
)

import fasttext_lite as ftl
from fasttext_lite.compat import gensim as face

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

gensim_test = pytest.importorskip("gensim.test.utils")


TRAINED = {
    "skipgram": {"model": "skipgram", "minn": 3, "maxn": 6, "bucket": 5000, "dim": 20},
    "short n-grams": {"model": "cbow", "minn": 1, "maxn": 3, "bucket": 997, "dim": 16},
    "any n-grams": {"model": "cbow", "minn": 0, "maxn": 4, "bucket": 2000, "dim": 10},
    "one bucket": {"model": "skipgram", "loss": "hs", "minn": 2, "maxn": 2, "bucket": 1, "dim": 10},
    "no n-grams": {"model": "skipgram", "minn": 0, "maxn": 0, "dim": 20},
}
FILES = {
    "lee_fasttext.bin": "utf-8",
    "lee_fasttext_new.bin": "utf-8",
    "non_ascii_fasttext.bin": "utf-8",
    "crime-and-punishment.bin": "utf-8",
    "cp852_fasttext.bin": "cp852",
}


@pytest.fixture(scope="module", params=["sample", *TRAINED, *FILES])
def pair(request: pytest.FixtureRequest, trained: Callable[..., Path]) -> Pair:
    if request.param == "sample":
        return open_both(SAMPLE)
    if request.param in FILES:
        return open_both(gensim_test.datapath(request.param), FILES[request.param])
    return open_both(trained(**TRAINED[request.param]))


@pytest.fixture(scope="module")
def sample() -> Pair:
    return open_both(SAMPLE)


def test_keys_are_equal(pair: Pair) -> None:
    assert list(pair.ours.index_to_key) == pair.words
    assert dict(pair.ours.key_to_index) == pair.theirs.key_to_index
    assert pair.ours.index_to_key == pair.words
    assert pair.ours.index_to_key[3:7] == pair.words[3:7]
    assert pair.ours.index_to_key[-1] == pair.words[-1]
    assert list(reversed(pair.ours.index_to_key)) == pair.words[::-1]
    assert pair.ours.index_to_key.index(pair.words[5]) == 5
    assert pair.words[5] in pair.ours.index_to_key[5:]
    assert pair.words[5] not in pair.ours.index_to_key[6:]
    assert len(pair.ours) == len(pair.ours.key_to_index) == len(pair.words)
    assert [pair.ours.get_vecattr(word, "count") for word in pair.words] == [
        pair.theirs.get_vecattr(word, "count") for word in pair.words
    ]


def test_matrices_are_equal(pair: Pair) -> None:
    assert_array_equal(pair.ours.vectors_vocab, pair.theirs.vectors_vocab)
    assert_array_equal(pair.ours.vectors_ngrams, pair.theirs.vectors_ngrams)
    assert_same(pair.ours.vectors, pair.theirs.vectors)
    assert_same(pair.ours.get_normed_vectors(), pair.theirs.get_normed_vectors())
    assert_same(pair.ours.norms, pair.theirs.norms)


def test_known_words_have_the_same_vector_before_and_after_all_are_computed(pair: Pair) -> None:
    words = pair.words[:300]
    fresh = face.FastTextKeyedVectors(pair.ours._model, pair.ours._spelling.encoding)
    for _ in range(2):
        assert_same(fresh[words], pair.theirs[words])
        assert_same([fresh[word] for word in words], [pair.theirs[word] for word in words])
        assert_same(
            [fresh.get_vector(word, norm=True) for word in words],
            [pair.theirs.get_vector(word, norm=True) for word in words],
        )
        fresh.fill_norms()


def test_what_has_an_index_is_in(pair: Pair) -> None:
    for key in [*STRANGE, *pair.words[:3], 0, 3, np.int64(3), 10**9, -1, None, 2.5, b"x", ("a",)]:
        assert (key in pair.ours) == (key in pair.theirs)
        assert (key in pair.ours.key_to_index) == (key in pair.theirs.key_to_index)
        assert pair.ours.has_index_for(key) == pair.theirs.has_index_for(key)
        assert pair.ours.get_index(key, 77) == pair.theirs.get_index(key, 77)


def turned(pairs: list[tuple[Any, str]]) -> list[tuple[str, Any]]:
    return [(key, score) for score, key in pairs]


# Each call is made on both, with the first words of the model.
CALLS: dict[str, Callable[[Any, list[str]], Any]] = {
    "str": lambda kv, w: str(kv),
    "get_vector writeable": lambda kv, w: [kv[word].flags.writeable for word in w],
    "get_mean_vector": lambda kv, w: kv.get_mean_vector(w),
    "get_mean_vector as it is": lambda kv, w: kv.get_mean_vector(w, pre_normalize=False),
    "get_mean_vector unit": lambda kv, w: kv.get_mean_vector(w, post_normalize=True),
    "get_mean_vector weights": lambda kv, w: kv.get_mean_vector(w[:3], [1, -2, 0.5]),
    "get_mean_vector array": lambda kv, w: kv.get_mean_vector(w[:2], np.array([1.0, 2.0])),
    "get_mean_vector vectors": lambda kv, w: kv.get_mean_vector([kv[w[0]], w[1], 3]),
    "get_sentence_vector": lambda kv, w: kv.get_sentence_vector(w),
    "most_similar": lambda kv, w: kv.most_similar(w[0]),
    "most_similar few": lambda kv, w: kv.most_similar(w[0], topn=3),
    "most_similar none": lambda kv, w: kv.most_similar(w[0], topn=0),
    "most_similar below none": lambda kv, w: kv.most_similar(w[0], topn=-1),
    "most_similar scores": lambda kv, w: kv.most_similar(w[0], topn=None),
    "most_similar positive": lambda kv, w: kv.most_similar(positive=w[:3]),
    "most_similar negative": lambda kv, w: kv.most_similar(negative=w[0]),
    "most_similar analogy": lambda kv, w: kv.most_similar([w[0], w[1]], [w[2]]),
    "most_similar weights": lambda kv, w: kv.most_similar([(w[0], 0.3), w[1]], [(w[2], -0.9)]),
    "most_similar vector": lambda kv, w: kv.most_similar(kv[w[0]]),
    "most_similar matrix": lambda kv, w: kv.most_similar(kv[w[:2]]),
    "most_similar clip": lambda kv, w: kv.most_similar(w[0], clip_start=3, clip_end=9),
    "most_similar clip start": lambda kv, w: kv.most_similar(w[0], topn=None, clip_start=5),
    "most_similar restrict": lambda kv, w: kv.most_similar(w[0], restrict_vocab=8, clip_start=3),
    "similar_by_word": lambda kv, w: kv.similar_by_word(w[1], 4),
    "similar_by_key": lambda kv, w: kv.similar_by_key(w[1], restrict_vocab=20),
    "similar_by_vector": lambda kv, w: kv.similar_by_vector(kv[w[1]], topn=4),
    "cosmul": lambda kv, w: kv.most_similar_cosmul(w[:2], w[2]),
    "cosmul one": lambda kv, w: kv.most_similar_cosmul(w[0], topn=5),
    "cosmul scores": lambda kv, w: kv.most_similar_cosmul(w[0], w[1], topn=None),
    "cosmul none": lambda kv, w: kv.most_similar_cosmul(w[0], topn=0),
    "cosmul vector": lambda kv, w: kv.most_similar_cosmul(kv.get_vector(w[0], norm=True)),
    "similarity": lambda kv, w: kv.similarity(w[0], w[1]),
    "similarity itself": lambda kv, w: kv.similarity(w[0], w[0]),
    "distance": lambda kv, w: kv.distance(w[0], w[1]),
    "distances": lambda kv, w: kv.distances(w[0]),
    "distances some": lambda kv, w: kv.distances(w[0], w[1:4]),
    "distances vector": lambda kv, w: kv.distances(kv[w[0]], [w[1], 5]),
    "n_similarity": lambda kv, w: kv.n_similarity(w[:2], w[2:5]),
    "cosine_similarities": lambda kv, w: kv.cosine_similarities(kv[w[0]], kv[w]),
    "doesnt_match": lambda kv, w: kv.doesnt_match(w[:4]),
    "rank_by_centrality": lambda kv, w: turned(kv.rank_by_centrality(w[:5])),
    "rank_by_centrality as it is": lambda kv, w: turned(kv.rank_by_centrality(w[:5], False)),
    "most_similar_to_given": lambda kv, w: kv.most_similar_to_given(w[0], w[1:5]),
    "relative_cosine": lambda kv, w: kv.relative_cosine_similarity(w[0], w[1]),
    "relative_cosine few": lambda kv, w: kv.relative_cosine_similarity(w[0], w[1], 3),
}
# Calls with unknown words, which have vectors if the model has n-grams.
UNKNOWN_CALLS: dict[str, Callable[[Any, list[str]], Any]] = {
    "item": lambda kv, w: kv["unheardofness"],
    "items": lambda kv, w: kv[["unheardofness", w[0], "", "日本語", w[1]]],
    "int": lambda kv, w: kv[3],
    "ints": lambda kv, w: kv[[3, 4]],
    "get_vector": lambda kv, w: kv.get_vector("unheardofness", norm=True),
    "get_vector empty": lambda kv, w: kv.get_vector(""),
    "writeable": lambda kv, w: kv["unheardofness"].flags.writeable,
    "get_mean_vector": lambda kv, w: kv.get_mean_vector(["unheardofness", w[0], 3]),
    "get_mean_vector strict": lambda kv, w: kv.get_mean_vector(
        ["unheardofness", w[0]], ignore_missing=False
    ),
    "most_similar": lambda kv, w: kv.most_similar("unheardofness"),
    "most_similar int": lambda kv, w: kv.most_similar(3, topn=5),
    "cosmul": lambda kv, w: kv.most_similar_cosmul(["unheardofness", w[0]], topn=5),
    "similarity": lambda kv, w: kv.similarity("unheardofness", w[0]),
    "distances": lambda kv, w: kv.distances("unheardofness"),
    "distances to": lambda kv, w: kv.distances(w[0], ["unheardofness"]),
    "n_similarity": lambda kv, w: kv.n_similarity(["unheardofness"], w[:2]),
    "doesnt_match": lambda kv, w: kv.doesnt_match([*w[:3], "unheardofness"]),
    "closer_than": lambda kv, w: kv.closer_than("unheardofness", w[0]),
    "get_index": lambda kv, w: kv.get_index("unheardofness"),
    "key_to_index": lambda kv, w: kv.key_to_index["unheardofness"],
    "get_vecattr": lambda kv, w: kv.get_vecattr("unheardofness", "count"),
}
WRONG_CALLS: dict[str, Callable[[Any, list[str]], Any]] = {
    "no keys": lambda kv, w: kv[[]],
    "index_to_key": lambda kv, w: kv.index_to_key[10**9],
    "unhashable": lambda kv, w: kv.key_to_index[[]],
    "get_index": lambda kv, w: kv.get_index(-5),
    "get_vecattr": lambda kv, w: kv.get_vecattr(w[0], "colour"),
    "mean of nothing": lambda kv, w: kv.get_mean_vector([]),
    "mean of other weights": lambda kv, w: kv.get_mean_vector(w[:2], [1]),
    "sentence": lambda kv, w: kv.get_sentence_vector([]),
    "most_similar": lambda kv, w: kv.most_similar(),
    "most_similar_cosmul": lambda kv, w: kv.most_similar_cosmul(negative=w[:2]),
    "n_similarity": lambda kv, w: kv.n_similarity([], w[:2]),
    "rank_by_centrality": lambda kv, w: kv.rank_by_centrality([]),
    "doesnt_match": lambda kv, w: kv.doesnt_match([]),
    "relative_cosine": lambda kv, w: kv.relative_cosine_similarity(w[0], w[1], 0),
    "item assignment": lambda kv, w: kv.index2word,
    "vocab": lambda kv, w: kv.vocab,
    "vectors_norm": lambda kv, w: kv.vectors_norm,
    "other attribute": lambda kv, w: kv.colour,
}


def test_the_keys_that_are_closer_differ_by_ties_alone(pair: Pair) -> None:
    key, *others = first(pair.words, 30)[::3]
    distances = pair.theirs.distances(key)
    for other in others:
        ours, theirs = (kv.closer_than(key, other) for kv in (pair.ours, pair.theirs))
        near = np.abs(distances - distances[pair.words.index(other)]) < NEARLY
        assert set(ours) ^ set(theirs) <= {pair.words[i] for i in np.flatnonzero(near)}
        assert ours == sorted(ours, key=pair.words.index)
        assert pair.ours.rank(key, other) == len(ours) + 1
        assert abs(pair.theirs.rank(key, other) - len(ours) - 1) < np.count_nonzero(near)


# gensim calls its own deprecated functions, and divides by zero lengths.
@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.parametrize("name", CALLS)
def test_the_answer_is_that_of_gensim(name: str, pair: Pair) -> None:
    words = first(pair.words, 30)[::3]
    assert_same(CALLS[name](pair.ours, words), CALLS[name](pair.theirs, words))


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", UNKNOWN_CALLS)
def test_unknown_words_are_answered_or_refused_as_by_gensim(name: str, pair: Pair) -> None:
    words = first(pair.words, 30)[::3]
    ours, theirs = (answer(UNKNOWN_CALLS[name], kv, words) for kv in (pair.ours, pair.theirs))
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs))
        assert isinstance(ours, ftl.FastTextLiteError)
        assert ours.args == theirs.args
    else:
        assert_same(ours, theirs)


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", WRONG_CALLS)
def test_what_is_wrong_raises_what_gensim_raises(name: str, sample: Pair) -> None:
    words = first(sample.words, 10)
    ours, theirs = (answer(WRONG_CALLS[name], kv, words) for kv in (sample.ours, sample.theirs))
    assert isinstance(theirs, Exception)
    assert isinstance(ours, type(theirs))
    if isinstance(ours, (ValueError, KeyError)) and name != "no keys":
        assert ours.args == theirs.args


def test_the_answer_for_several_keys_is_that_for_each(pair: Pair) -> None:
    known = pair.words[:20]
    keys = known if pair.ours.bucket == 0 else [*known, *STRANGE, 3, "</s>"]
    assert_array_equal(pair.ours[keys], np.array([pair.ours[key] for key in keys]))


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize("inferred", [True, False])
def test_vectors_for_all_are_those_of_gensim(pair: Pair, inferred: bool, copied: bool) -> None:
    keys = [pair.words[4], "unheardofness", pair.words[2], pair.words[4], "日本語"]
    theirs, ours = (
        kv.vectors_for_all(iter(keys), allow_inference=inferred, copy_vecattrs=copied)
        for kv in (pair.theirs, pair.ours)
    )
    assert ours.index_to_key == theirs.index_to_key
    assert ours.key_to_index == theirs.key_to_index
    assert_same(ours.vectors, theirs.vectors)
    assert str(ours) == str(theirs)
    for key in ours.index_to_key:
        assert_same(ours.get_vector(key, norm=True), theirs.get_vector(key, norm=True))
        if copied and key in pair.words:
            assert ours.get_vecattr(key, "count") == theirs.get_vecattr(key, "count")
    assert ours[0].flags.writeable == theirs[0].flags.writeable
    assert ("unheardofness" in ours) == ("unheardofness" in theirs)
    for key in ("quux", 99):
        assert answer(lambda kv, _: kv[key], ours, []).args == (  # noqa: B023
            answer(lambda kv, _: kv[key], theirs, []).args  # noqa: B023
        )


def test_vectors_for_no_key_are_none(sample: Pair) -> None:
    assert len(sample.ours.vectors_for_all([])) == 0
    assert sample.ours.vectors_for_all([]).vectors.shape == (0, sample.ours.vector_size)


@pytest.mark.parametrize("norm", [True, False])
def test_documents_are_as_far_apart_as_in_gensim(pair: Pair, norm: bool) -> None:
    pytest.importorskip("ot")
    words = first(pair.words, 12)
    documents = [
        (words[:4], words[3:9]),
        (words[:2] * 3 + words[:5], words[5:]),
        (words[:1], words[:1] * 2),
        ([], words[:2]),
        (words[:2], ["unheardofness", "日本語", *words[:3]]),
    ]
    for a, b in documents:
        theirs = pair.theirs.wmdistance(a, b, norm=norm)
        assert pair.ours.wmdistance(a, b, norm=norm) == pytest.approx(theirs, rel=1e-4, abs=1e-6)


def test_what_changes_vectors_is_refused_with_a_reason(sample: Pair) -> None:
    for name in ("resize_vectors", "set_vecattr", "vocab", "index2word"):
        with pytest.raises(ftl.UnsupportedError, match=name):
            getattr(sample.ours, name)
        assert not hasattr(sample.ours, name)
    for add in (sample.ours.add_vector, sample.ours.add_vectors, sample.ours.__setitem__):
        with pytest.raises(ftl.UnsupportedError, match="read-only"):
            add("war", np.zeros(sample.ours.vector_size))
    with pytest.raises(ftl.UnsupportedError, match="exact"):
        sample.ours.most_similar("war", indexer=object())
    with pytest.raises(ValueError, match="read-only"):
        sample.ours.vectors[0] = 0


@pytest.mark.parametrize(
    ("module", "extra", "call"),
    [
        ("ot", "wmd", lambda kv: kv.wmdistance(["war"], ["peace"])),
        ("scipy.stats", "evaluate", lambda kv: kv.evaluate_word_pairs("pairs.tsv")),
    ],
)
def test_a_missing_extra_is_named(
    sample: Pair,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    extra: str,
    call: Callable[[Any], Any],
) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ImportError, match=rf"fasttext-lite\[{extra}\]"):
        call(sample.ours)


def test_a_word_of_zeros_is_like_no_other(tmp_path: Path) -> None:
    path = tmp_path / "zeros.bin"
    rows = np.ones((4, 4), np.float32)
    rows[2] = 0
    path.write_bytes(build(bucket=0, maxn=0, minn=0, dim=4, input_matrix=rows))
    ours = face.load_facebook_vectors(path)
    assert ours.similarity("two", "one") == 0
    assert_array_equal(ours.most_similar("one", topn=None), [1, 1, 0, 1])
    assert_array_equal(ours.distances("two"), np.ones(4))
    assert_array_equal(ours.get_normed_vectors()[2], np.zeros(4))
    assert_allclose(ours.most_similar_cosmul("one", topn=None), [1, 1, 0.5, 1], rtol=1e-5)
