"""Files that are no models: what they are, and what to do.

Nothing here reads such a file: it is named by its first bytes, and a pickle is never unpickled.
"""

from __future__ import annotations

import codecs
import re

__all__ = ["archive", "reason"]

_PICKLE = (
    "this is a Python pickle, which is never unpickled, since that runs code of the file: open it "
    "with the program that wrote it, and save the vectors as .bin, .vec or word2vec"
)
_GENSIM = (
    "this is a model in the format of gensim, a Python pickle, which is never unpickled: open it "
    "with gensim (KeyedVectors.load, FastText.load), and write it by "
    "gensim.models.fasttext.save_facebook_model(model, path) or "
    "vectors.save_word2vec_format(path, binary=True)"
)
_TORCH = (
    "this is a PyTorch file, which is never unpickled: open it with torch.load, and write the "
    "vectors as .vec or word2vec"
)
_NPY = (
    "this is a NumPy array without words (beside a model of gensim, it is a part of that): write "
    "words and vectors as .vec or word2vec"
)
_PAGE = "this is a web page (HTML), not a model: the download gave the answer of a server; check "
_PAGE += "the address and download the model again"
_XML = "this is XML, not a model, as servers answer with an error: check the address and download "
_XML += "the model again"
_JSON = "this is JSON, not a model: an answer of a server, or a configuration; check the address "
_JSON += "and download the model again"
_UTF_16 = "this is text in {}, but word vectors must be in UTF-8: convert it (iconv -f {} -t UTF-8)"
_OTHER_PROGRAM = "open it with its own program, and write the vectors as .vec or word2vec"

_BY_MAGIC = (
    (b"\x93NUMPY", _NPY),
    (b"GGUF", "this is a GGUF file, a model for llama.cpp, not a fastText model"),
    (b"\x89HDF\r\n\x1a\n", f"this is an HDF5 file (Keras, MATLAB): {_OTHER_PROGRAM}"),
    (b"SQLite format 3\0", f"this is an SQLite database: {_OTHER_PROGRAM}"),
    (b"PAR1", f"this is a Parquet file: {_OTHER_PROGRAM}"),
    (b"ARROW1", f"this is an Arrow file: {_OTHER_PROGRAM}"),
    (b"%PDF-", "this is a PDF document, not a model: check the address"),
    (b"7z\xbc\xaf\x27\x1c", "this is a 7z archive: unpack it first"),
    (b"Rar!\x1a\x07", "this is a RAR archive: unpack it first"),
    (b"\x04\x22\x4d\x18", "this is lz4 data: decompress it first"),
    (b"\x1f\x9d", "this is data of compress (.Z): decompress it first"),
    (b"LZIP", "this is lzip data: decompress it first"),
    (b"\x5d\0\0", "this is data of the old format of LZMA (.lzma): decompress it first"),
    (b"version https://git-lfs", "this is a Git LFS pointer: fetch the file itself (git lfs pull)"),
    (b"/annex/objects/", "this is a git-annex pointer: fetch the file itself (git annex get)"),
    (codecs.BOM_UTF32_LE, _UTF_16.format("UTF-32", "UTF-32")),
    (codecs.BOM_UTF32_BE, _UTF_16.format("UTF-32", "UTF-32")),
    (codecs.BOM_UTF16_LE, _UTF_16.format("UTF-16", "UTF-16")),
    (codecs.BOM_UTF16_BE, _UTF_16.format("UTF-16", "UTF-16")),
)
# Of a pickle with protocol 0 or 1, the first opcodes.
_OLD_PICKLE = re.compile(
    rb"c[a-zA-Z_][\w.]*\n\w+\n|\((?:[dl]p?\d*\n|[dl]q|c[\w.]+\n)|[}\]]q|[(\])}]\(?[lpq]?\d+\n"
    rb"|\((?:i[\w.]+\n\w+\n|[IFL][\d.+eL-]*\n|K.[KMJt(])"
)
_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|script|meta|title|h\d|p|div|center)[\s>]", re.I
)
_MARKUP = re.compile(rb"<(?:[?!]|[a-zA-Z][\w:.-]*[\s/>])")
_JSON_BEGIN = re.compile(rb'\{\s*["}]|\[\s*[\[{"\]]|\[\s*-?\d+\s*[,\]]')
# Field 1 is a version, and a field of bytes follows it.
_PROTOBUF = re.compile(rb"\x08[\x01-\x14][\x12\x1a\x3a\x42]")
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


def reason(begin: bytes) -> str | None:
    """Return what a file of another kind is, and what to do; None if that is unknown.

    Parameters
    ----------
    begin : bytes
        The first bytes: some thousand, or all of a shorter file.
    """
    for magic, told in _BY_MAGIC:
        if begin.startswith(magic):
            return told
    # Protocols 2 to 5.
    if (begin[:1] == b"\x80" and begin[1:2] in b"\2\3\4\5") or _OLD_PICKLE.match(begin):
        if b"gensim" in begin:
            return _GENSIM
        torch = b"torch" in begin or begin[2:13] == b"\x8a\nl\xfc\x9cF\xf9 j\xa8P"
        return _TORCH if torch else _PICKLE
    if begin[4:8] == b"TFL3":
        return f"this is a TensorFlow Lite file: {_OTHER_PROGRAM}"
    if _PROTOBUF.match(begin):
        return f"this is an ONNX or TensorFlow file (protocol buffers): {_OTHER_PROGRAM}"
    if begin[:2] in _ZLIB and len(begin) > 2 and begin[2] > 127:
        return "this is zlib data, perhaps of joblib: decompress it first"
    if len(begin) >= 16 and not any(begin):
        return (
            "the file begins with zeros: a download that was not finished; download the model again"
        )
    wide = _wide_text(begin)
    if wide:
        return _UTF_16.format("UTF-16", wide)
    return _text(begin.removeprefix(codecs.BOM_UTF8).lstrip())


def _wide_text(begin: bytes) -> str:
    """Return the encoding of text in UTF-16 without a byte order mark; empty for other data."""
    first = begin[: min(len(begin), 64) // 2 * 2]
    for letters, zeros, encoding in (
        (first[::2], first[1::2], "UTF-16LE"),
        (first[1::2], first[::2], "UTF-16BE"),
    ):
        if (
            len(letters) >= 4
            and not any(zeros)
            and all(32 <= x < 127 or x in b"\r\n\t" for x in letters)
        ):
            return encoding
    return ""


def _text(content: bytes) -> str | None:
    if _HTML.match(content):
        return _PAGE
    if _MARKUP.match(content):
        # A declaration or a comment may precede the page.
        return _PAGE if _HTML.search(content[:2048]) else _XML
    return _JSON if _JSON_BEGIN.match(content) else None


def archive(names: list[str]) -> str | None:
    """Return what an archive with these files is, if it belongs to another program."""
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return _TORCH
    if names and all(name.endswith(".npy") for name in names):
        return (
            "this is a NumPy archive (.npz): open it with numpy.load, and write words and vectors "
            "as .vec or word2vec"
        )
    if "model.weights.h5" in names:
        return f"this is a Keras model: {_OTHER_PROGRAM}"
    return None
