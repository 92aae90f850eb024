"""Objects of the gensim layer beside those of gensim: classes, files, what is handed out, names."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import GOLDEN
from support.builders import Quantizer, build

import fasttext_lite as ftl
from fasttext_lite.compat import gensim as layer

gensim_models = pytest.importorskip("gensim.models")
gensim_fasttext = pytest.importorskip("gensim.models.fasttext")

SAMPLE = ftl.SAMPLE
WORDS = [b"</s>", b"one", "größe".encode(), b"gr\xf6\xdfe", b"a\\xe9", b"three"]
MODEL = {"words": WORDS, "minn": 2, "maxn": 4, "bucket": 50, "dim": 6}
UNKNOWN = ["zzyzx", "ones", "日本語", "größer", "</S>"]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(build(**MODEL))
    return path


@pytest.fixture
def vectors(path):
    return layer.load_facebook_vectors(path)


@pytest.fixture
def small():
    small = layer.KeyedVectors(3)
    small.add_vectors(["a", "b"], np.array([[1, 2, 3], [4, 5, 6]], np.float32))
    return small


def test_objects_are_instances_of_the_classes_of_gensim(path, vectors, small):
    assert isinstance(vectors, gensim_models.KeyedVectors)
    assert isinstance(vectors, gensim_fasttext.FastTextKeyedVectors)
    assert isinstance(vectors, layer.FastTextKeyedVectors)
    assert isinstance(vectors, layer.KeyedVectors)
    assert isinstance(small, gensim_models.KeyedVectors)
    assert not isinstance(small, gensim_fasttext.FastTextKeyedVectors)
    assert isinstance(small, layer.KeyedVectors)
    model = layer.load_facebook_model(path)
    assert isinstance(model, gensim_models.FastText)
    assert isinstance(model, gensim_models.Word2Vec)
    assert isinstance(model, layer.FastText)
    assert not isinstance(model, gensim_models.KeyedVectors)
    assert not isinstance(gensim_models.KeyedVectors(3), layer.KeyedVectors)


@pytest.mark.parametrize("way", [lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy])
def test_copies_keep_their_type(path, vectors, small, way):
    for one in (vectors, small, layer.load_facebook_model(path)):
        assert type(way(one)) is type(one)
    assert_array_equal(way(vectors)[UNKNOWN], vectors[UNKNOWN])
    assert_array_equal(way(small).vectors, small.vectors)


def test_their_attributes_are_listed(vectors, small):
    assert {"to_gensim", "vectors", "key_to_index"} <= set(dir(vectors)) & set(dir(small))
    assert "recalc_char_ngram_buckets" not in dir(vectors)


def test_gensim_is_not_imported_for_that(path):
    code = (
        "import sys; from fasttext_lite.compat import gensim as g\n"
        f"v = g.load_facebook_vectors({str(path)!r}); m = g.load_facebook_model({str(path)!r})\n"
        "assert v.__class__ is g.FastTextKeyedVectors and m.__class__ is g.FastText\n"
        "assert isinstance(v, g.KeyedVectors) and v['one'].any()\n"
        "assert 'gensim' not in sys.modules\n"
        "from gensim.models import KeyedVectors, FastText\n"
        "assert isinstance(v, KeyedVectors) and isinstance(m, FastText)\n"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True)


FILES = {
    "dense": MODEL,
    "no n-grams": MODEL | {"minn": 0, "maxn": 0, "bucket": 0},
    "no lengths": MODEL | {"minn": 3, "maxn": 2},
    "quantised": MODEL | {"input_quantizer": Quantizer()},
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_an_object_of_gensim_gives_the_same_answers(kind, encoding, tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(build(**FILES[kind]))
    ours = layer.load_facebook_vectors(path, encoding)
    made = ours.to_gensim()
    assert type(made) is gensim_fasttext.FastTextKeyedVectors
    assert made.index_to_key == list(ours.index_to_key)
    assert_allclose(made.vectors, ours.vectors, atol=2e-6)
    for word in [*made.index_to_key, *UNKNOWN]:
        assert (word in made) == (word in ours)
        if word in made:
            assert_allclose(made[word], ours[word], atol=2e-6)
    assert made.get_vecattr("one", "count") == ours.get_vecattr("one", "count")
    if kind in ("dense", "no n-grams"):  # gensim opens no other
        theirs = gensim_fasttext.load_facebook_vectors(str(path), encoding)
        assert_array_equal(made.vectors_vocab, theirs.vectors_vocab)
        assert_array_equal(made.vectors_ngrams, theirs.vectors_ngrams)
        assert_array_equal(made.vectors, theirs.vectors)
        assert vars(made).keys() == vars(theirs).keys()


def test_an_object_of_gensim_from_a_compact_file_knows_unknown_words(path, tmp_path):
    ftl.convert(path, tmp_path / "m.safetensors")
    ours = layer.load_facebook_vectors(tmp_path / "m.safetensors")
    made = ours.to_gensim()
    assert_allclose(made.vectors, ours.vectors, atol=1e-5)
    assert_allclose(made[UNKNOWN], ours[UNKNOWN], atol=2e-6)


def test_an_object_of_gensim_is_its_own(vectors, small, tmp_path):
    for ours in (vectors, small):
        made, before = ours.to_gensim(), ours.vectors.copy()
        made.save(str(tmp_path / "native"))
        made.vectors[:] = 0
        made.expandos.get("count", np.empty(1))[:] = 7
        assert_array_equal(ours.vectors, before)
        again = type(made).load(str(tmp_path / "native"))
        assert_allclose(again.vectors, before, atol=2e-6)
    assert type(small.to_gensim()) is gensim_models.KeyedVectors


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("computed", [False, True])
@pytest.mark.parametrize("kind", FILES)
def test_what_was_saved_answers_the_same(kind, encoding, computed, tmp_path):
    path, target = tmp_path / "model.bin", tmp_path / "cache.kv"
    path.write_bytes(build(**FILES[kind]))
    ours = layer.load_facebook_vectors(path, encoding)
    if computed:
        ours.fill_norms()
    ours.save(str(target), separately=["vectors"])
    assert sorted(tmp_path.iterdir()) == [target, path]
    for again in (
        layer.KeyedVectors.load(str(target), mmap="r"),
        layer.FastTextKeyedVectors.load(target),
        layer.FastText.load(str(target)).wv,
    ):
        assert type(again) is layer.FastTextKeyedVectors
        assert list(again.index_to_key) == list(ours.index_to_key)
        assert_array_equal(again.vectors, ours.vectors)
        for word in [*ours.index_to_key, *UNKNOWN]:
            assert (word in again) == (word in ours)
            if word in ours:
                assert_array_equal(again[word], ours[word])
        assert again.get_vecattr("one", "count") == ours.get_vecattr("one", "count")
        assert [key for key, _ in again.most_similar("one")] == [
            key for key, _ in ours.most_similar("one")
        ]
        assert (again.min_n, again.max_n, again.bucket) == (ours.min_n, ours.max_n, ours.bucket)


def test_keyed_vectors_in_memory_are_saved_too(small, tmp_path):
    target = tmp_path / "cache"
    small.save(target)
    again = layer.KeyedVectors.load(target, mmap="r")
    assert type(again) is layer.KeyedVectors
    assert again.index_to_key == ["a", "b"]
    assert_array_equal(again.vectors, small.vectors)
    assert_array_equal(again.get_vector(1), small.get_vector(1))
    again.add_vectors("c", [7, 8, 9])
    again.save(target)
    assert layer.KeyedVectors.load(target).index_to_key == ["a", "b", "c"]
    with pytest.raises(ftl.InputTypeError, match="key 0 is int"):
        layer.KeyedVectors._of([3], np.zeros((1, 2), np.float32), None).save(target)
    assert len(layer.KeyedVectors.load(target)) == 3


def test_a_program_that_caches_its_vectors_runs_twice(path, tmp_path):
    def program(module, load):
        try:
            return module.KeyedVectors.load(str(tmp_path / "cache"), mmap="r"), True
        except FileNotFoundError:
            found = load(str(path))
            found.save(str(tmp_path / "cache"))
            return found, False

    for module, load in (
        (layer, layer.load_facebook_vectors),
        (gensim_models, gensim_fasttext.load_facebook_vectors),
    ):
        first, cached = program(module, load)
        assert not cached
        second, cached = program(module, load)
        assert cached
        assert_array_equal(first["one"], second["one"])
        (tmp_path / "cache").unlink()


@pytest.mark.parametrize("name", ["KeyedVectors", "FastTextKeyedVectors", "FastText"])
def test_a_missing_file_is_not_found(name, tmp_path):
    for options in ({}, {"mmap": "r"}):
        with pytest.raises(FileNotFoundError):
            getattr(layer, name).load(str(tmp_path / "missing"), **options)


def test_a_file_that_cannot_be_written_leaves_the_old_one(vectors, tmp_path):
    target = tmp_path / "folder" / "cache"
    with pytest.raises(ftl.FileError):
        vectors.save(target)
    with pytest.raises(ftl.InputTypeError):
        vectors.save(3)


def test_the_kind_of_a_model_decides_whether_it_opens(tmp_path):
    path = tmp_path / "with-label.bin"
    path.write_bytes(build(words=[b"</s>", b"bonjour"], labels=[b"__label__"]))
    assert_array_equal(layer.load_facebook_vectors(path)["bonjour"], ftl.load(path)["bonjour"])
    assert layer.load_facebook_model(path).wv.index_to_key == ["</s>", "bonjour"]
    layer.load_facebook_vectors(path).save(tmp_path / "saved")
    assert layer.KeyedVectors.load(tmp_path / "saved").index_to_key == ["</s>", "bonjour"]


def added(module):
    found = module.KeyedVectors(vector_size=2)
    found.add_vectors(["a", "b"], [np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    found.add_vectors(["b", "c"], np.array([[5, 6], [7, 8]], np.float64))
    found["a"] = np.array([9.0, 9.0])
    found[["c", "d"]] = [np.array([0.5, 0.5]), np.array([0.25, 4.0])]
    found.add_vectors("e", np.array([1.0, 1.0]), replace=True)
    return found


@pytest.mark.filterwarnings("ignore:Adding single vectors:UserWarning")
def test_vectors_are_added_as_in_gensim():
    ours, theirs = added(layer), added(gensim_models)
    assert ours.index_to_key == theirs.index_to_key
    assert ours.key_to_index == theirs.key_to_index
    assert_array_equal(ours.vectors, theirs.vectors)
    assert ours.vectors.dtype == theirs.vectors.dtype
    assert ours.expandos == theirs.expandos == {}
    assert ours.norms.shape == (5,)
    assert ours.add_vector("f", [2, 2]) == theirs.add_vector("f", np.array([2, 2])) == 5
    assert_allclose(ours.get_normed_vectors(), theirs.get_normed_vectors())
    assert [key for key, _ in ours.most_similar("f")] == [
        key for key, _ in theirs.most_similar("f")
    ]
    with pytest.raises(ftl.InputValueError, match=r"shape \(1, 2\)"):
        ours.add_vectors("g", [1, 2, 3])
    with pytest.raises(ftl.InputTypeError, match="vector_size"):
        layer.KeyedVectors("2")


def word2vec_file(tmp_path, binary):
    theirs = gensim_models.KeyedVectors(3)
    theirs.add_vectors(["x", "ÿ", "z"], np.arange(9, dtype=np.float32).reshape(3, 3))
    path = tmp_path / "w2v"
    theirs.save_word2vec_format(str(path), binary=binary)
    return path


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("limit", [None, 0, 2, 9])
def test_word2vec_files_are_read_as_by_gensim(tmp_path, binary, limit):
    path = word2vec_file(tmp_path, binary)
    ours = layer.KeyedVectors.load_word2vec_format(path, binary=binary, limit=limit)
    theirs = gensim_models.KeyedVectors.load_word2vec_format(str(path), binary=binary, limit=limit)
    assert ours.index_to_key == theirs.index_to_key
    assert_array_equal(ours.vectors, theirs.vectors)
    assert_array_equal(ours.expandos["count"], theirs.expandos["count"])
    assert type(ours) is layer.KeyedVectors
    with pytest.raises(ftl.UnsupportedError, match="fvocab"):
        layer.KeyedVectors.load_word2vec_format(path, "vocabulary")


# What gensim 4 keeps of the names of gensim 3, with a warning, and what it only names.
KEPT = {
    "word_vec": lambda v: v.word_vec("one"),
    "words_closer_than": lambda v: v.words_closer_than("one", "three"),
    "init_sims": lambda v: v.init_sims(),
}
GONE = ["vocab", "index2word", "index2entity", "vectors_norm"]


@pytest.mark.parametrize("name", KEPT)
def test_a_kept_name_warns_and_answers_as_in_gensim(name, path, vectors):
    theirs = gensim_fasttext.load_facebook_vectors(str(path))
    answers = []
    for one in (theirs, vectors):
        with pytest.warns(DeprecationWarning, match=f"deprecated `{name}`") as caught:
            answers.append(KEPT[name](one))
        assert caught[0].filename == __file__
    if name == "word_vec":
        assert_allclose(*answers, rtol=1e-6)
    else:
        assert answers[0] == answers[1]


@pytest.mark.parametrize("name", GONE)
def test_a_name_that_is_gone_names_its_successor(name, path, vectors):
    theirs = gensim_fasttext.load_facebook_vectors(str(path))
    successor = {"vocab": "key_to_index", "vectors_norm": "get_normed_vectors"}
    for one in (theirs, vectors):
        assert not hasattr(one, name)
        with pytest.raises(AttributeError, match=successor.get(name, "index_to_key")):
            getattr(one, name)


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")
def test_names_of_gensim_3_on_a_model(path, vectors):
    with pytest.warns(DeprecationWarning, match="load_fasttext_format"):
        model = layer.FastText.load_fasttext_format(path)
    assert_array_equal(model.wv["one"], vectors["one"])
    model.init_sims()
    with pytest.raises(ftl.UnsupportedError, match="get_normed_vectors"):
        model.init_sims(replace=True)
    for options in ({"vector_size": 4, "window": 3}, {"sentences": [["a"]]}):
        with pytest.raises(NotImplementedError, match="load_facebook_model"):
            layer.FastText(**options)
    with pytest.raises(AttributeError, match=r"wv\.most_similar"):
        model.most_similar("one")
    with pytest.raises(NotImplementedError, match="Doc2Vec"):
        vectors.similarity_unseen_docs([], [])


HANDED_OUT = {
    "get_vector": lambda v: v.get_vector("one"),
    "unit": lambda v: v.get_vector("one", norm=True),
    "unknown": lambda v: v["zzyzx"],
    "many": lambda v: v[["one", "three"]],
    "vectors": lambda v: v.vectors,
    "norms": lambda v: (v.fill_norms(), v.norms)[1],
    "normed": lambda v: v.get_normed_vectors(),
    "mean": lambda v: v.get_mean_vector(["one"], pre_normalize=False),
    "sentence": lambda v: v.get_sentence_vector(["one"]),
    "distances": lambda v: v.distances("one"),
    "cosines": lambda v: v.most_similar("one", topn=None),
    "count": lambda v: v.expandos["count"],
    "ngrams": lambda v: v.vectors_ngrams,
    "words": lambda v: v.vectors_vocab,
}
# Attributes, and what gensim protects as well.
VIEWS = {"get_vector", "vectors", "norms", "count", "ngrams", "words"}


@pytest.mark.parametrize("name", HANDED_OUT)
@pytest.mark.parametrize("compact", [False, True])
def test_what_is_handed_out_can_be_rounded_and_changes_nothing(name, compact, path, tmp_path):
    if compact:
        ftl.convert(path, tmp_path / "m.safetensors")
        path = tmp_path / "m.safetensors"
        if name in ("ngrams", "words"):
            pytest.skip("a compact file holds none")
    vectors = layer.load_facebook_vectors(path)
    fresh = layer.load_facebook_vectors(path)
    for prepare in (False, True):
        if prepare:
            vectors.fill_norms()
        found = HANDED_OUT[name](vectors)
        if name in VIEWS:
            assert not found.flags.writeable
        elif name != "unit":
            np.round(found, 1, out=found)
            found[:] = 99
        for again in HANDED_OUT:
            if not (compact and again in ("ngrams", "words")):
                assert_array_equal(HANDED_OUT[again](vectors), HANDED_OUT[again](fresh))


def test_vectors_in_memory_do_not_share_what_was_given(small):
    given = np.ones((1, 3), np.float32)
    small.add_vectors(["c"], given)
    given[:] = 0
    assert_array_equal(small["c"], [1, 1, 1])
    subset = small.vectors_for_all(["a", "c"])
    with pytest.raises(ValueError, match="read-only"):
        subset.vectors[0] = 0
    keys = list(small.index_to_key)
    assert subset.index_to_key == ["a", "c"]
    assert small.index_to_key == keys
    assert not small.norms.flags.writeable
    assert not subset.expandos["count"].flags.writeable


def test_gensim_takes_the_objects_for_its_own(vectors):
    from gensim.similarities import WordEmbeddingSimilarityIndex

    theirs = vectors.to_gensim()
    answers = [
        [key for key, _ in WordEmbeddingSimilarityIndex(one).most_similar("one", topn=3)]
        for one in (vectors, theirs)
    ]
    assert answers[0] == answers[1]


def test_without_gensim_the_extra_is_named(vectors, monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim.models.fasttext", None)
    with pytest.raises(ftl.MissingExtraError, match=r"fasttext-lite\[gensim\]"):
        vectors.to_gensim()


def test_the_sample_becomes_an_object_of_gensim():
    ours = layer.load_facebook_vectors(Path(SAMPLE))
    made = ours.to_gensim()
    theirs = gensim_fasttext.load_facebook_vectors(SAMPLE)
    assert_array_equal(made.vectors, theirs.vectors)
    assert made.most_similar("king", topn=5) == theirs.most_similar("king", topn=5)


def test_any_model_becomes_an_object_of_gensim(path, tmp_path):
    model = ftl.load(path)
    for source in (model, path, str(path)):
        made = layer.to_gensim(source)
        assert type(made) is gensim_fasttext.FastTextKeyedVectors
        assert_allclose(made.vectors, layer.load_facebook_vectors(path).vectors, atol=2e-6)
        assert_allclose(made[UNKNOWN], model.vectors(UNKNOWN), atol=2e-6)
    (tmp_path / "words.vec").write_text("2 2\none 1 2\ntwo 3 4\n")
    made = layer.to_gensim(tmp_path / "words.vec")
    assert type(made) is gensim_models.KeyedVectors
    assert made["two"].tolist() == [3, 4]
    supervised = ftl.load(GOLDEN / "softmax.bin")
    made = layer.to_gensim(supervised)
    words = [word for word in supervised.words if word != "</s>"]
    assert_allclose(made[words], supervised.vectors(words), atol=2e-6)


def test_what_gensim_cannot_hold_is_refused(path, tmp_path):
    ftl.convert(path, tmp_path / "ngrams.safetensors", subwords="only")
    with pytest.raises(ftl.InputValueError, match="no words"):
        layer.to_gensim(tmp_path / "ngrams.safetensors")
    with pytest.raises(ftl.MissingFileError):
        layer.to_gensim(tmp_path / "missing.bin")
    with pytest.raises(ftl.InputTypeError):
        layer.to_gensim(3)
    with pytest.raises(ftl.UnknownEncodingError):
        layer.to_gensim(path, "klingon")
