"""Vectors and languages in pipelines of spaCy."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from support import GOLDEN
from support.text import labelled_texts

import fasttext_lite as ftl

pytestmark = pytest.mark.frameworks

spacy = pytest.importorskip("spacy", reason="spaCy is not installed")

from spacy.training import Example  # noqa: E402

from fasttext_lite.integrations.spacy import FastTextVectors  # noqa: E402

MODEL = ftl.load("sample")
SUPERVISED = ftl.load(GOLDEN / "softmax.bin")
TEXT = "the doomscrolling king"
TEXTS = labelled_texts(60)


def config(path="sample", **options):
    vectors = {"@vectors": "fasttext_lite.Vectors.v1", "path": str(path), **options}
    return {"nlp": {"vectors": vectors}}


def blank(path="sample", **options):
    return spacy.blank("en", config=config(path, **options))


@pytest.fixture
def path(tmp_path):
    ftl.convert("sample", tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_spacy_finds_both_without_an_import():
    code = f"""
import spacy, sys
nlp = spacy.blank("en", config={config()!r})
nlp.add_pipe("fasttext_lite_language", config={{"model": {str(GOLDEN / "softmax.bin")!r}}})
assert nlp("doomscrolling").vector.any() and nlp("the train")._.language
"""
    subprocess.run([sys.executable, "-I", "-W", "error", "-c", code], check=True)


class TestVectors:
    def test_known_and_unknown_words(self):
        nlp = blank()
        doc = nlp(TEXT)
        for token in doc:
            assert np.array_equal(token.vector, MODEL[token.text])
            assert token.has_vector
            assert not token.is_oov
        np.testing.assert_allclose(doc.vector, MODEL.vectors(TEXT.split()).mean(axis=0), rtol=1e-6)
        assert doc.vector.dtype == np.float32
        assert np.array_equal(nlp.vocab["kinglike"].vector, MODEL["kinglike"])
        assert np.array_equal(nlp.vocab.get_vector("kinglike"), MODEL["kinglike"])
        assert nlp("kinglike").similarity(nlp("king")) == pytest.approx(
            MODEL.similarity("kinglike", "king"), rel=1e-5
        )
        assert nlp.vocab.vectors_length == nlp.meta["vectors"]["width"] == 40
        assert len(nlp.vocab.vectors) == len(MODEL)
        assert nlp.vocab.vectors.minn == 3

    def test_batches_of_keys(self):
        nlp = blank()
        doc = nlp("a king and a queen and a kingish queenling")
        keys = doc.to_array("ORTH")
        expected = MODEL.vectors([token.text for token in doc])
        assert np.array_equal(nlp.vocab.vectors.get_batch(keys), expected)
        assert np.array_equal(nlp.vocab.vectors.get_batch(list(keys)), expected)
        words = [token.text for token in doc]
        assert np.array_equal(nlp.vocab.vectors.get_batch(words), expected)
        assert nlp.vocab.vectors.get_batch([]).shape == (0, 40)

    def test_a_model_without_ngrams_has_no_vectors_of_unknown_words(self, tmp_path):
        (tmp_path / "words.vec").write_text("2 2\nking 1 2\nqueen 3 4\n")
        doc = blank(tmp_path / "words.vec")("king kingish")
        assert doc[0].vector.tolist() == [1, 2]
        assert doc[1].vector.tolist() == [0, 0]
        assert [token.has_vector for token in doc] == [True, False]
        assert doc[1].is_oov
        assert doc.vector.tolist() == [0.5, 1]

    def test_another_attribute(self):
        doc = blank(attr="LOWER")("King KINGISH")
        assert np.array_equal(doc[0].vector, MODEL["king"])
        assert np.array_equal(doc[1].vector, MODEL["kingish"])

    def test_training_with_static_vectors(self):
        nlp = blank()
        categoriser = {
            "@architectures": "spacy.TextCatReduce.v1",
            "exclusive_classes": True,
            "use_reduce_mean": True,
            "use_reduce_max": False,
            "use_reduce_first": False,
            "use_reduce_last": False,
            "tok2vec": {
                "@architectures": "spacy.Tok2Vec.v2",
                "embed": {
                    "@architectures": "spacy.MultiHashEmbed.v2",
                    "width": 32,
                    "attrs": ["NORM"],
                    "rows": [50],
                    "include_static_vectors": True,
                },
                "encode": {
                    "@architectures": "spacy.MaxoutWindowEncoder.v2",
                    "width": 32, "window_size": 1, "maxout_pieces": 2, "depth": 1,
                },
            },
        }  # fmt: skip
        nlp.add_pipe("textcat", config={"model": categoriser})
        texts = {"war": ["army", "battle", "soldiers"], "money": ["bank", "tax", "debt"]}
        examples = [
            Example.from_dict(nlp.make_doc(text), {"cats": {one: one == topic for one in texts}})
            for topic, words in texts.items()
            for text in words
        ]
        spacy.util.fix_random_seed(0)
        optimizer = nlp.initialize(lambda: examples)
        for _ in range(30):
            nlp.update(examples, sgd=optimizer)
        static = next(
            node for node in nlp.get_pipe("textcat").model.walk() if node.name == "static_vectors"
        )
        assert static.get_dim("nM") == 40
        docs = [nlp.make_doc("armies bankers")]
        expected = MODEL.vectors(["armies", "bankers"]) @ static.get_param("W").T
        np.testing.assert_allclose(static.predict(docs).data, expected, rtol=1e-4, atol=1e-5)
        assert nlp("soldierlike").cats["war"] > 0.5
        assert nlp("taxable").cats["money"] > 0.5

    def test_memory_zones(self):
        nlp = blank()
        with nlp.memory_zone():
            vector = nlp("transientword")[0].vector.copy()
        assert np.array_equal(vector, MODEL["transientword"])
        assert np.array_equal(nlp("transientword")[0].vector, vector)

    def test_several_processes_get_the_same(self):
        nlp = blank()
        texts = [f"kinglike{i} words{i}" for i in range(20)]
        docs = nlp.pipe(texts, n_process=2, batch_size=5)
        for doc, text in zip(docs, texts, strict=True):
            np.testing.assert_allclose(
                doc.vector, MODEL.vectors(text.split()).mean(axis=0), rtol=1e-5
            )

    def test_a_pickled_pipeline(self, path):
        nlp = blank(path)
        nlp("seen")
        pickled = pickle.dumps(nlp.vocab)
        assert len(pickle.dumps(nlp.vocab.vectors)) < 20_000
        again = pickle.loads(pickled)
        assert np.array_equal(again["neverseen"].vector, MODEL["neverseen"])
        nlp = pickle.loads(pickle.dumps(nlp))
        assert np.array_equal(nlp("neverseen either")[1].vector, MODEL["either"])

    def test_a_saved_pipeline(self, path, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        nlp = blank(path.name)
        nlp.vocab.vectors.name = "mine"
        nlp.to_disk(tmp_path / "pipeline")
        assert sum(one.stat().st_size for one in (tmp_path / "pipeline/vocab").iterdir()) < 50_000
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        again = spacy.load(tmp_path / "pipeline")
        assert np.array_equal(again(TEXT)[1].vector, MODEL["doomscrolling"])
        assert again.vocab.vectors == nlp.vocab.vectors
        assert again.vocab.vectors.name == "mine"
        assert again.vocab.vectors != blank().vocab.vectors
        assert nlp.vocab.vectors != nlp
        data = nlp.to_bytes()
        monkeypatch.chdir(tmp_path)
        assert np.array_equal(blank(path.name).from_bytes(data)("kingish").vector, MODEL["kingish"])

    def test_the_file_of_a_saved_pipeline_moves(self, path, tmp_path):
        blank(path).to_disk(tmp_path / "pipeline")
        moved = tmp_path / "moved.safetensors"
        path.rename(moved)
        with pytest.raises(ftl.MissingFileError, match=r"'nlp.vectors.path'"):
            spacy.load(tmp_path / "pipeline")
        again = spacy.load(tmp_path / "pipeline", config={"nlp.vectors.path": str(moved)})
        assert np.array_equal(again("kingish").vector, MODEL["kingish"])
        ftl.convert("sample", path, max_words=10)
        with pytest.raises(ftl.FileError, match="another file"):
            spacy.load(tmp_path / "pipeline")

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[]",
            b"{}",
            b'{"path": 1, "absolute": "a", "fingerprint": null}',
            b'{"path": "a", "absolute": null, "fingerprint": null}',
            b'{"path": "a", "absolute": "a", "fingerprint": [1]}',
            b'{"path": "a", "absolute": "a", "fingerprint": ["a", "b"]}',
            b'{"path": "a", "absolute": "a", "fingerprint": 1}',
            b"\xff\xfe",
        ],
    )
    def test_damaged_states_are_refused(self, path, content):
        with pytest.raises(ftl.FormatError, match="save the pipeline again"):
            blank(path).vocab.vectors.from_bytes(content)

    def test_nothing_can_be_changed(self):
        nlp = blank()
        nlp.vocab.set_vector("king", np.zeros(40, "f"))
        assert np.array_equal(nlp.vocab["king"].vector, MODEL["king"])
        with pytest.raises(ValueError, match="E849"):
            nlp.vocab.prune_vectors(10)

    @pytest.mark.parametrize(
        ("options", "error"),
        [
            ({"attr": "LEMMA"}, ftl.InputValueError),
            ({"attr": 3}, Exception),
            ({"speed": 3}, Exception),
        ],
    )
    def test_wrong_options_are_refused(self, options, error):
        with pytest.raises(error):
            spacy.blank("en", config=config(**options))
        with pytest.raises(ftl.InputTypeError):
            FastTextVectors(None)
        with pytest.raises(ftl.InputTypeError):
            FastTextVectors("sample", 3)

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(ftl.MissingFileError, match=r"missing\.bin"):
            blank(tmp_path / "missing.bin")("king").vector  # noqa: B018


def with_languages(**options):
    nlp = spacy.blank("xx")
    nlp.add_pipe("fasttext_lite_language", config={"model": str(GOLDEN / "softmax.bin"), **options})
    return nlp


class TestLanguages:
    def test_labels_are_those_of_the_model(self):
        nlp = with_languages()
        expected = SUPERVISED.classifier(strip_prefix=True).predict(TEXTS)
        one_by_one = [nlp(text) for text in TEXTS]
        for docs in (nlp.pipe(TEXTS), nlp.pipe(TEXTS, n_process=2, batch_size=7), one_by_one):
            for doc, found in zip(docs, expected, strict=True):
                assert doc._.language == found.labels[0]
                assert doc._.language_score == found.probabilities[0]
        assert nlp("the train\nwas late")._.language == nlp("the train was late")._.language
        labels = nlp.get_pipe("fasttext_lite_language").labels
        assert labels == tuple(label[9:] for label in SUPERVISED.labels)
        nlp.select_pipes(disable="fasttext_lite_language")
        assert (nlp("text")._.language, nlp("text")._.language_score) == (None, 0.0)

    def test_thresholds_and_labels(self):
        doc = with_languages(threshold=2.0)(TEXTS[0])
        assert (doc._.language, doc._.language_score) == (None, 0.0)
        nlp = with_languages(labels=["en", "de"], renormalize=True, threads=2)
        docs = list(nlp.pipe(TEXTS))
        assert {doc._.language for doc in docs} <= {"en", "de"}
        assert min(doc._.language_score for doc in docs) >= 0.5

    def test_a_saved_pipeline(self, tmp_path, monkeypatch):
        shutil.copy(GOLDEN / "softmax.bin", tmp_path / "model.bin")
        monkeypatch.chdir(tmp_path)
        nlp = with_languages(model="model.bin", threshold=0.01)
        nlp.to_disk("pipeline")
        data = nlp.to_bytes()
        again = spacy.load("pipeline")
        assert again(TEXTS[0])._.language == nlp(TEXTS[0])._.language
        assert "threshold = 0.01" in (tmp_path / "pipeline" / "config.cfg").read_text()
        assert with_languages(model="model.bin").from_bytes(data)(TEXTS[0])._.language
        monkeypatch.chdir(tmp_path.parent)
        assert spacy.load(tmp_path / "pipeline")(TEXTS[0])._.language
        (tmp_path / "model.bin").rename(tmp_path / "moved.bin")
        option = "components.fasttext_lite_language.model"
        with pytest.raises(ftl.MissingFileError, match=option):
            spacy.load(tmp_path / "pipeline")
        moved = {option: str(tmp_path / "moved.bin")}
        assert spacy.load(tmp_path / "pipeline", config=moved)(TEXTS[0])._.language
        state = tmp_path / "pipeline" / "fasttext_lite_language" / "fasttext_lite.json"
        state.write_text(json.dumps({"path": "x"}))
        with pytest.raises(ftl.FormatError, match="save the pipeline again"):
            spacy.load(tmp_path / "pipeline", config=moved)

    @pytest.mark.skipif(sys.platform == "win32", reason="it is the only way there")
    def test_processes_that_are_started_anew(self, monkeypatch):
        monkeypatch.setattr("spacy.language.mp", multiprocessing.get_context("spawn"))
        nlp = with_languages()
        docs = list(nlp.pipe(TEXTS[:4], n_process=2, batch_size=2))
        assert [doc._.language for doc in docs] == [nlp(text)._.language for text in TEXTS[:4]]

    def test_errors_are_handled_as_in_spacy(self, tmp_path):
        nlp = with_languages(model=str(tmp_path / "later.bin"))
        with pytest.raises(ftl.MissingFileError, match=r"later\.bin"):
            list(nlp.pipe(["text"]))
        failed = []
        nlp.set_error_handler(lambda name, proc, docs, error: failed.append((name, len(docs))))
        assert not list(nlp.pipe(["text"] * 3))
        assert failed == [("fasttext_lite_language", 3)]

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"model": "sample"}, ftl.ModelKindError, "supervised"),
            ({"labels": ["klingon"]}, ftl.InputValueError, "not a label"),
            ({"threads": 0}, ftl.InputValueError, "threads"),
            ({"threshold": "high"}, Exception, "threshold"),
            ({"model": None}, Exception, "model"),
            ({"speed": 3}, Exception, "speed"),
        ],
    )
    def test_wrong_options_are_named(self, options, error, message):
        with pytest.raises(error, match=message):
            with_languages(**options)
        with pytest.raises(Exception, match="model"):
            spacy.blank("xx").add_pipe("fasttext_lite_language")
