"""model2vec and sentence-transformers open the folders that are written, and write folders."""

from __future__ import annotations

import numpy as np
import pytest

import fasttext_lite as ftl

pytestmark = pytest.mark.frameworks

model2vec = pytest.importorskip("model2vec", reason="model2vec is not installed")

MODEL = ftl.load("sample")
WORDS = list(MODEL.words)
TEXTS = ["the king and the queen", "war", "", " a\tking\n of\vthe  war ", " ".join(WORDS[:3000])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model2vec") / "sample"
    ftl.export(MODEL, path, format="model2vec")
    return path


@pytest.fixture(scope="module")
def static(folder):
    return model2vec.StaticModel.from_pretrained(folder)


@pytest.fixture(scope="module")
def transformer(folder):
    sentence_transformers = pytest.importorskip(
        "sentence_transformers", reason="sentence-transformers is not installed"
    )
    return sentence_transformers.SentenceTransformer(str(folder), device="cpu")


def expected(texts):
    return ftl.SIF(MODEL, components=0).vectors(texts, newlines="space")


class TestModel2vec:
    def test_texts(self, static):
        np.testing.assert_allclose(static.encode(TEXTS), expected(TEXTS), rtol=0, atol=1e-6)
        assert static.dim == 40

    def test_every_word(self, static, folder):
        found = static.encode(WORDS)
        assert np.array_equal(found, ftl.load(folder).vectors(WORDS))
        np.testing.assert_allclose(found, expected(WORDS), rtol=1e-6, atol=1e-7)

    def test_unknown_words_are_left_out(self, static):
        found = static.encode(["kingish the king 🙂"])
        np.testing.assert_allclose(found, expected(["the king"]), atol=1e-6)
        assert not static.encode(["kingish"]).any()

    def test_odd_words(self, tmp_path):
        words = ["ctrl\x01\x1f", 'quo"te\\', "İ🙂", "[UNK]", "</s>", "\u2028", "a\u00a0b", "\u3000"]
        lines = [f"{word} {i} 1\n" for i, word in enumerate(words)]
        (tmp_path / "odd.vec").write_text(
            f"{len(words)} 2\n{''.join(lines)}", "utf-8", newline="\n"
        )
        ftl.export(tmp_path / "odd.vec", tmp_path / "out", format="model2vec")
        static = model2vec.StaticModel.from_pretrained(tmp_path / "out")
        assert static.encode(words).tolist() == [[i, 1] for i in range(len(words))]

    @pytest.mark.parametrize("dtype", [None, "float16", "int8"])
    @pytest.mark.parametrize("clusters", [None, 50])
    def test_what_model2vec_saves_is_read(self, folder, tmp_path, dtype, clusters):
        if clusters:
            pytest.importorskip("sklearn", reason="scikit-learn is not installed")
        saved = model2vec.StaticModel.from_pretrained(
            folder, quantize_to=dtype, vocabulary_quantization=clusters
        )
        saved.save_pretrained(tmp_path / "saved")
        again = ftl.load(tmp_path / "saved")
        words = WORDS[:500]
        np.testing.assert_allclose(
            again.vectors(words), saved.encode(words).astype(np.float32), rtol=2e-3, atol=1e-6
        )


class TestSentenceTransformers:
    def test_texts(self, transformer):
        texts = [text for text in TEXTS if text]
        found = transformer.encode(texts)
        np.testing.assert_allclose(found, expected(texts), rtol=0, atol=1e-6)
        assert transformer.get_embedding_dimension() == 40

    def test_unknown_words_change_the_length_alone(self, transformer):
        found = transformer.encode(["kingish the king", "the king"], normalize_embeddings=True)
        np.testing.assert_allclose(found[0], found[1], atol=1e-6)

    def test_what_it_saves_is_read(self, transformer, tmp_path):
        transformer.save(str(tmp_path / "saved"))
        again = ftl.load(tmp_path / "saved")
        words = WORDS[:500]
        np.testing.assert_allclose(again.vectors(words), transformer.encode(words), atol=1e-6)
