"""Files of other kinds are named for what they are, and pickles are never unpickled."""

from __future__ import annotations

import collections
import gzip
import io
import json
import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import build
from support.fixtures import BINARY, COMPACT, TEXT

import fasttext_lite as ftl
from fasttext_lite.cli import main
from fasttext_lite.compat import fasttext as ft
from fasttext_lite.compat import gensim as gs
from fasttext_lite.formats import foreign

BOM = b"\xef\xbb\xbf"
WORDS = "2 3\none 1 2 3\ntwo 4 5 6\n"


def npy():
    file = io.BytesIO()
    np.save(file, np.zeros((3, 3), "f4"))
    return file.getvalue()


def npz():
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3), b=np.zeros(3))
    return file.getvalue()


FILES = {
    "npy": (npy(), r"NumPy array.*\.vec or word2vec"),
    "npz": (npz(), r"NumPy archive \(\.npz\)"),
    "GGUF": (b"GGUF\3\0\0\0" + bytes(100), "GGUF"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
    "HTML": (b"\n\n<!DOCTYPE html><html><body>404</body></html>", r"web page \(HTML\).*address"),
    "HTML, small": (b"<h1>404</h1>", "web page"),
    "HTML, behind a comment": (b"<!-- cached -->\n<HTML>", "web page"),
    "XML": (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "XML"),
    "XML without a declaration": (b"<Error><Code>AccessDenied</Code></Error>", "XML"),
    "JSON": (json.dumps({"error": "Entry not found"}).encode(), "JSON.*address"),
    "JSON, a list": (b'[\n  {"error": 1}]', "JSON"),
    "JSON, long": (json.dumps({str(i): i for i in range(9000)}).encode(), "JSON"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    "annex": (b"/annex/objects/SHA256E-s1--0.bin\n", "git annex get"),
    "UTF-16": (WORDS.encode("utf-16"), "text in UTF-16.*iconv"),
    "UTF-16LE": (WORDS.encode("utf-16-le"), "iconv -f UTF-16LE"),
    "UTF-16BE": (WORDS.encode("utf-16-be"), "iconv -f UTF-16BE"),
    "UTF-16, other letters": ("größe 1 2 3\n水 1 2 3\n".encode("utf-16"), "UTF-16"),
    "UTF-32": (WORDS.encode("utf-32"), "UTF-32"),
    "ONNX": (b"\x08\x07\x12\x07pytorch\x1a\x052.1.0" + bytes(300), "ONNX or TensorFlow"),
    "torch": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + bytes(300), "PyTorch"),
    "Parquet": (b"PAR1" + bytes(90), "Parquet"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(90), "7z archive: unpack"),
    "zeros": (bytes(5000), "begins with zeros"),
    "text": (b"Entry not found", "text file.*check the address"),
}


@pytest.mark.parametrize("name", FILES)
def test_each_is_named_with_the_next_step(tmp_path, name):
    data, match = FILES[name]
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    for load in (ftl.load, ft.load_model, gs.load_facebook_vectors):
        with pytest.raises(ftl.FormatError, match=match) as caught:
            load(path)
        assert len(str(caught.value)) < 500 + len(str(path))
    assert main(["info", str(path)]) == 2
    with pytest.raises(ftl.FormatError, match=match):
        ftl.load(io.BytesIO(gzip.compress(data)))


@pytest.mark.parametrize("name", ["HTML", "HTML, small", "XML", "JSON", "JSON, a list"])
@pytest.mark.parametrize("before", [BOM, b" \r\n", BOM + b"\n\n"])
def test_a_byte_order_mark_and_spaces_change_nothing(name, before):
    data, match = FILES[name]
    with pytest.raises(ftl.FormatError, match=match):
        ftl.load(io.BytesIO(before + data))


class Trap:
    """An object whose pickle removes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.unlink, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_named_and_never_unpickled(tmp_path, protocol):
    canary = tmp_path / "canary"
    canary.touch()
    objects = [
        {"vectors": list(range(100))}, [1.5, 2], collections.OrderedDict(a=1), np.zeros(9),
        {1, 2}, Trap(str(canary)), {}, [],
    ]  # fmt: skip
    for value in objects:
        for suffix in (b"", bytes(200)):
            with pytest.raises(ftl.FormatError, match="Python pickle, which is never unpickled"):
                ftl.load(io.BytesIO(pickle.dumps(value, protocol) + suffix))
    assert canary.exists()


@pytest.mark.parametrize("protocol", range(3))
def test_a_model_of_gensim_is_named(tmp_path, protocol):
    models = pytest.importorskip("gensim.models")
    vectors = models.KeyedVectors(3)
    vectors.add_vectors(["a", "b"], np.ones((2, 3), np.float32))
    vectors.save(str(tmp_path / "model"), pickle_protocol=protocol + 2)
    with pytest.raises(ftl.FormatError, match=r"format of gensim.*save_facebook_model"):
        ftl.load(tmp_path / "model")
    with pytest.raises(ftl.FormatError, match="format of gensim"):
        ftl.load(io.BytesIO(pickle.dumps(vectors, protocol)))


def test_no_model_is_taken_for_another_kind():
    """Dimensions of the layout without a magic number begin like a pickle or like zlib data."""
    for dim in (0x80, 0x280, 0x380, 0x480, 0x178, 0x95D):
        assert ftl.load(io.BytesIO(build(magic=None, dim=dim))).dim == dim
    for files in (BINARY, COMPACT, TEXT):
        for name, data in files.items():
            assert ftl.load(io.BytesIO(data)).dim, name


@given(st.binary(max_size=200))
def test_any_bytes_are_named_or_unknown(data):
    told = foreign.reason(data)
    assert told is None or told.isascii()
    with pytest.raises((ftl.FormatError, ftl.UnknownWordError)):
        ftl.load(io.BytesIO(data))["none"]
