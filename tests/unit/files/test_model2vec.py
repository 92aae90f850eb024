"""Folders of model2vec: what is written, what is read, and damaged ones."""

from __future__ import annotations

import json
import pickle
import struct

import numpy as np
import pytest
from support.builders import CBOW, build

import fasttext_lite as ftl

MODEL = ftl.load("sample")
DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I8": np.int8, "I64": np.int64}
CODES = {np.dtype(dtype): code for code, dtype in DTYPES.items()}


def write_safetensors(path, arrays, metadata=None):
    """Write a file as other programs do: without an alignment of 64 bytes."""
    header, at = {"__metadata__": metadata or {}}, 0
    for name, array in arrays.items():
        code = CODES.get(array.dtype, "U8")
        header[name] = {
            "dtype": code, "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]
        }  # fmt: skip
        at += array.nbytes
    text = json.dumps(header).encode()
    data = b"".join(array.tobytes() for array in arrays.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def word_level(*tokens, unknown="[UNK]"):
    return {
        "model": {
            "type": "WordLevel", "unk_token": unknown,
            "vocab": {token: i for i, token in enumerate(tokens)},
        }
    }  # fmt: skip


ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)
TOKENS = word_level("a", "b", "ü", "[UNK]")


def folder_of(path, arrays=None, tokenizer=TOKENS):
    path.mkdir(exist_ok=True, parents=True)
    write_safetensors(path / "model.safetensors", arrays or {"embeddings": ROWS})
    (path / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    return path


class TestWriting:
    def test_the_files_of_a_folder(self, tmp_path):
        done = ftl.export(MODEL, tmp_path / "out", format="model2vec")
        names = {path.name: path.stat().st_size for path in (tmp_path / "out").iterdir()}
        assert set(names) == {
            "README.md", "config.json", "model.safetensors", "modules.json", "tokenizer.json"
        }  # fmt: skip
        assert done.size == sum(names.values())
        assert (done.format, done.word_count, done.dim) == ("model2vec", len(MODEL), 40)
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        config = json.loads((tmp_path / "out/config.json").read_text())
        assert config["hidden_dim"] == 40
        assert config["normalize"] is False
        assert config["max_length"] is None
        assert config["sif_coefficient"] == 1e-3
        card = (tmp_path / "out/README.md").read_text()
        assert card.startswith("---\nlibrary_name: model2vec\n")

    def test_vectors_are_read_back_with_their_weights(self, tmp_path):
        ftl.export(MODEL, tmp_path / "out", format="model2vec")
        for path in (tmp_path / "out", tmp_path / "out" / "model.safetensors"):
            back = ftl.load(path)
            assert list(back.words) == list(MODEL.words)
            shares = MODEL.counts / MODEL.counts.sum()
            weights = (1e-3 / (1e-3 + shares)).astype(np.float32)
            assert np.array_equal(back.word_vectors(), MODEL.word_vectors() * weights[:, None])
        assert "king" in back
        assert "[UNK]" not in back
        with pytest.raises(ftl.UnknownWordError):
            back["kingish"]
        assert back.info.kind == "vectors"
        assert back.info.format.startswith("static embedding")
        again = pickle.loads(pickle.dumps(back))
        assert np.array_equal(again["king"], back["king"])
        assert ftl.convert(tmp_path / "out", tmp_path / "compact.safetensors").word_count == len(
            MODEL
        )

    def test_without_counts_there_are_no_weights(self, tmp_path):
        (tmp_path / "words.vec").write_text("2 2\nking 1 2\nqueen 3 4\n")
        ftl.export(tmp_path / "words.vec", tmp_path / "out", format="model2vec")
        back = ftl.load(tmp_path / "out")
        assert back["king"].tolist() == [1, 2]
        assert "SIF" not in (tmp_path / "out/README.md").read_text()
        assert "sif_coefficient" not in json.loads((tmp_path / "out/config.json").read_text())

    def test_odd_words(self, tmp_path):
        words = [b"plain", b"\xff\xfe", b"ctrl\x01\x1f", b'quo"te\\', "İ🙂".encode(), b"plain",
                 b"[UNK]", b"nul", b"</s>", "\u2028".encode()]  # fmt: skip
        data = build(words=words, model=CBOW, dim=3, seed=1)
        (tmp_path / "odd.bin").write_bytes(data)
        model = ftl.load(tmp_path / "odd.bin")
        done = ftl.export(model, tmp_path / "out", format="model2vec")
        assert done.word_count == 8
        back = ftl.load(tmp_path / "out")
        assert set(back.words) == {word.decode() for word in words if word != b"\xff\xfe"}
        vocabulary = json.loads((tmp_path / "out/tokenizer.json").read_text("utf-8"))["model"]
        assert "[[UNK]]" in vocabulary["vocab"]
        assert vocabulary["unk_token"].startswith("[[")
        for word in back.words:
            cosine = np.corrcoef(back[word], model[word])[0, 1]
            assert cosine == pytest.approx(1, abs=1e-5)

    def test_words_with_spaces_are_written(self, tmp_path):
        arrays = {"embeddings": ROWS}
        folder_of(tmp_path / "in", arrays, word_level("a b", "", "c\n", "[UNK]"))
        ftl.export(tmp_path / "in", tmp_path / "out", format="model2vec")
        assert list(ftl.load(tmp_path / "out").words) == ["a b", "", "c\n"]

    def test_an_earlier_folder_is_replaced(self, tmp_path):
        for count in (3, 5):
            ftl.convert("sample", tmp_path / "part.safetensors", max_words=count)
            ftl.export(tmp_path / "part.safetensors", tmp_path / "out", format="model2vec")
            assert len(ftl.load(tmp_path / "out")) == count
        (tmp_path / "empty").mkdir()
        ftl.export(MODEL, tmp_path / "empty", format="model2vec")
        assert len(ftl.load(tmp_path / "empty")) == len(MODEL)
        assert {path.name for path in tmp_path.iterdir()} == {"out", "empty", "part.safetensors"}

    def test_other_files_are_not_lost(self, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "thesis.txt").write_text("years")
        with pytest.raises(ftl.FileError, match=r"'thesis\.txt', which would be lost"):
            ftl.export(MODEL, tmp_path / "out", format="model2vec")
        (tmp_path / "file").write_text("text")
        with pytest.raises(ftl.FileError, match="this is a file"):
            ftl.export(MODEL, tmp_path / "file", format="model2vec")
        with pytest.raises(ftl.FileError, match="does not exist"):
            ftl.export(MODEL, tmp_path / "missing" / "out", format="model2vec")
        folder_of(tmp_path / "in")
        with pytest.raises(ftl.FileError, match="the folder of the source"):
            ftl.export(tmp_path / "in", tmp_path / "in", format="model2vec")
        assert (tmp_path / "file").read_text() == "text"

    @pytest.mark.parametrize("step", ["_write_matrix", "_replace"])
    def test_what_fails_leaves_the_earlier_folder(self, tmp_path, monkeypatch, step):
        folder_of(tmp_path / "out")

        def fail(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(f"fasttext_lite.formats.model2vec_writer.{step}", fail)
        with pytest.raises(ftl.FileError, match="No space left"):
            ftl.export(MODEL, tmp_path / "out", format="model2vec")
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        assert list(ftl.load(tmp_path / "out").words) == ["a", "b", "ü"]

    def test_options_of_other_formats_are_refused(self, tmp_path):
        with pytest.raises(ftl.InputValueError, match="precision is an option of the format vec"):
            ftl.export(MODEL, tmp_path / "out", format="model2vec", precision=3)
        ftl.convert("sample", tmp_path / "ngrams.safetensors", subwords="only")
        with pytest.raises(ftl.InputValueError, match="has no words"):
            ftl.export(tmp_path / "ngrams.safetensors", tmp_path / "out", format="model2vec")
        assert not (tmp_path / "out").exists()


class TestReading:
    @pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int8])
    @pytest.mark.parametrize("name", ["embeddings", "embedding.weight"])
    def test_every_type_of_number(self, tmp_path, dtype, name):
        model = ftl.load(folder_of(tmp_path / "in", {name: ROWS.astype(dtype)}))
        assert list(model.words) == ["a", "b", "ü"]
        assert np.array_equal(model.word_vectors(), ROWS[:3])

    def test_mapped_and_weighted_rows(self, tmp_path):
        arrays = {
            "embeddings": ROWS[:2],
            "mapping": np.array([1, 0, 1, 0]),
            "weights": np.array([1, 0.5, 2, 9], np.float32),
        }
        model = ftl.load(folder_of(tmp_path / "in", arrays))
        expected = ROWS[[1, 0, 1]] * np.array([[1], [0.5], [2]], np.float32)
        assert np.array_equal(model.word_vectors(), expected)

    def test_the_folder_of_sentence_transformers(self, tmp_path):
        folder_of(tmp_path / "in" / "0_StaticEmbedding", {"embedding.weight": ROWS})
        assert ftl.load(tmp_path / "in")["b"].tolist() == ROWS[1].tolist()

    def test_pieces_and_added_tokens(self, tmp_path):
        unigram = {
            "model": {
                "type": "Unigram",
                "unk_id": 0,
                "vocab": [["<unk>", 0], ["▁a", -1], ["b", -2]],
            },
            "added_tokens": [{"id": 0, "content": "<unk>"}, {"id": 3, "content": "<pad>"}],
        }
        model = ftl.load(folder_of(tmp_path / "in", tokenizer=unigram))
        assert list(model.words) == ["▁a", "b", "<pad>"]
        assert model["<pad>"].tolist() == ROWS[3].tolist()

    def test_rows_without_a_token_are_left_out(self, tmp_path):
        model = ftl.load(folder_of(tmp_path / "in", tokenizer=word_level("a", "b")))
        assert list(model.words) == ["a", "b"]

    @pytest.mark.parametrize(
        ("arrays", "field"),
        [
            ({"embeddings": ROWS[0]}, "embeddings"),
            ({"embeddings": ROWS[:, :0]}, "embeddings"),
            ({"embeddings": ROWS.view(np.uint8)}, "embeddings"),
            ({"embeddings": ROWS, "mapping": np.array([0, 1, 2, 4])}, "mapping"),
            ({"embeddings": ROWS, "mapping": np.array([0, 1, 2, -1])}, "mapping"),
            ({"embeddings": ROWS, "mapping": ROWS}, "mapping"),
            ({"embeddings": ROWS, "mapping": ROWS[0]}, "mapping"),
            ({"embeddings": ROWS, "weights": ROWS[0]}, "weights"),
            ({"embeddings": ROWS, "weights": ROWS}, "weights"),
            ({"embeddings": ROWS[:2]}, "model.vocab"),
        ],
    )
    def test_damaged_arrays_are_named(self, tmp_path, arrays, field):
        with pytest.raises(ftl.FormatError) as caught:
            ftl.load(folder_of(tmp_path / "in", arrays))
        assert caught.value.field == field

    @pytest.mark.parametrize(
        ("tokenizer", "field"),
        [
            ([], "model"),
            ({}, "model"),
            ({"model": 3}, "model"),
            ({"model": {}}, "model.vocab"),
            ({"model": {"vocab": [1]}}, "model.vocab"),
            ({"model": {"vocab": [[]]}}, "model.vocab"),
            ({"model": {"vocab": {"a": "b"}}}, "model.vocab"),
            ({"model": {"vocab": {"a": True}}}, "model.vocab"),
            ({"model": {"vocab": {"a": -1}}}, "model.vocab"),
            ({"model": {"vocab": {"a": 4}}}, "model.vocab"),
            ({"model": {"vocab": {"a": 1e99}}}, "model.vocab"),
            ({"model": {"vocab": {"a": 1, "b": 1}}}, "model.vocab"),
            ({"model": {"vocab": {"\ud800": 1}}}, "model.vocab"),
            ({"model": {"vocab": {"a": 1}}, "added_tokens": 3}, "added_tokens"),
            ({"model": {"vocab": {"a": 1}}, "added_tokens": [3]}, "added_tokens"),
            ({"model": {"vocab": {"a": 1}}, "added_tokens": [{}]}, "model.vocab"),
            ({"model": {"vocab": {"a": 1}}, "added_tokens": [{"id": 2, "content": 1}]},
             "model.vocab"),
        ],
    )  # fmt: skip
    def test_damaged_tokenizers_are_named(self, tmp_path, tokenizer, field):
        with pytest.raises(ftl.FormatError) as caught:
            ftl.load(folder_of(tmp_path / "in", tokenizer=tokenizer))
        assert caught.value.field == field

    @pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 100_000])
    def test_what_is_not_json_is_named(self, tmp_path, text):
        (folder_of(tmp_path / "in") / "tokenizer.json").write_bytes(text)
        with pytest.raises(ftl.FormatError, match="not valid JSON"):
            ftl.load(tmp_path / "in")

    def test_parts_that_are_missing(self, tmp_path):
        path = folder_of(tmp_path / "in")
        with (path / "model.safetensors").open("rb") as file, pytest.raises(ftl.FileError):
            ftl.load(_Stream(file.read()))
        (path / "tokenizer.json").unlink()
        with pytest.raises(ftl.MissingFileError, match=r"tokenizer\.json"):
            ftl.load(path)
        (path / "model.safetensors").unlink()
        with pytest.raises(ftl.FileError, match=r"a folder.*model\.safetensors"):
            ftl.load(path)

    def test_every_truncation_is_refused(self, tmp_path):
        path = folder_of(tmp_path / "in") / "model.safetensors"
        data = path.read_bytes()
        for size in range(len(data)):
            path.write_bytes(data[:size])
            with pytest.raises(ftl.FastTextLiteError):
                ftl.load(tmp_path / "in")


class _Stream:
    def __init__(self, data):
        self._data = data

    def read(self, count):
        found, self._data = self._data[:count], self._data[count:]
        return found
