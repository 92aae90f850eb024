"""Small files of every format and variant, as bytes, for tests that damage them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import fasttext_lite as ftl
from support.builders import (
    CBOW,
    HS,
    NS,
    OVA,
    SENT2VEC,
    SUPERVISED,
    Layout,
    Quantizer,
    build_with_layout,
)
from support.magnitude import magnitude

__all__ = [
    "BINARY", "BINARY_OPTIONS", "COMPACT", "LAYOUTS", "MAGNITUDE", "PACKED", "TABLE", "TEXT",
    "tarred", "zipped",
]  # fmt: skip

_LABELS = {"model": SUPERVISED, "labels": [b"__label__a", b"__label__b", b"__label__c"]}
_SOME = {"prune": [(3, 0), (1, 2), (7, 1)]}

# Options of `builders.build_with_layout`; together the files have every field of the format.
BINARY_OPTIONS = {
    "skip-gram": {},
    "cbow, version 11": {"version": 11, "model": CBOW, "loss": NS},
    "before the magic": {"magic": None},
    "no n-grams": {"bucket": 0, "maxn": 0},
    "softmax": _LABELS | {"word_ngrams": 3},
    "hierarchical softmax": _LABELS | {"loss": HS, "maxn": 0, "word_ngrams": 2},
    "one-vs-all, version 11": _LABELS | {"loss": OVA, "version": 11},
    "quantised": _LABELS | {"input_quantizer": Quantizer(dsub=3)},
    "quantised, norms, output too": _LABELS
    | {"input_quantizer": Quantizer(dsub=2, qnorm=True), "output_quantizer": Quantizer(dsub=2)},
    "pruned": _LABELS | _SOME | {"input_quantizer": Quantizer(dsub=2, qnorm=True)},
    "pruned, hierarchical, output too": _LABELS
    | _SOME
    | {
        "loss": HS,
        "input_quantizer": Quantizer(dsub=3),
        "output_quantizer": Quantizer(dsub=1, qnorm=True),
    },
    "pruned of all": _LABELS | {"prune": [], "input_quantizer": Quantizer(dsub=4)},
    "sent2vec": {"model": SENT2VEC, "minn": 0, "maxn": 0, "word_ngrams": 2},
    "floret": {"floret": (2, 3)},
    "floret, hashes of fastText": {"floret": (1, 1)},
    "floret, softmax": _LABELS | {"floret": (2, 2), "word_ngrams": 2},
    "floret, pruned": _LABELS | _SOME | {"floret": (2, 4), "input_quantizer": Quantizer(dsub=3)},
}

BINARY: dict[str, bytes] = {}
LAYOUTS: dict[str, Layout] = {}
for _name, _options in BINARY_OPTIONS.items():
    BINARY[_name], LAYOUTS[_name] = build_with_layout(**_options)


def _converted(name: str, dtype: str, **choice: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "source"), Path(folder, "target")
        source.write_bytes(BINARY[name])
        ftl.convert(source, target, dtype, **choice)
        return target.read_bytes()


COMPACT = {
    "float32": _converted("skip-gram", "float32"),
    "float16": _converted("cbow, version 11", "float16"),
    "int8, some n-grams": _converted("skip-gram", "int8", subwords="used"),
    "float32, neighbours": _converted("skip-gram", "float32", neighbors_index=True),
    "int8, neighbours": _converted("before the magic", "int8", neighbors_index=True),
    "float16, graph": _converted("skip-gram", "float16", graph=True),
    "no n-grams": _converted("skip-gram", "float16", subwords="none"),
    "no words": _converted("skip-gram", "float32", subwords="only"),
    "softmax": _converted("softmax", "float16"),
    "hierarchical softmax, int8": _converted("hierarchical softmax", "int8"),
    "pruned": _converted("pruned", "float32"),
    "sent2vec": _converted("sent2vec", "float32"),
    "floret": _converted("floret", "float16", subwords="used"),
    "floret, softmax": _converted("floret, softmax", "float32"),
}

_ROWS = {b"one": (1.0, -2.5, 0.125), b"two": (0.0, 3e-5, 7.0), "naïve".encode(): (1e9, -0.0, 2.0)}
_AS_TEXT = [word + b" " + b" ".join(b"%g" % x for x in row) for word, row in _ROWS.items()]
_AS_FLOATS = [word + b" " + struct.pack("<3f", *row) for word, row in _ROWS.items()]

TEXT = {
    "text": b"3 3\n" + b"\n".join(_AS_TEXT) + b"\n",
    "text, spaces at the ends": b"3 3\n" + b" \n".join(_AS_TEXT) + b" \n",
    "text, no head": b"\r\n".join(_AS_TEXT),
    "binary": b"3 3\n" + b"".join(_AS_FLOATS),
    "binary, line feeds": b"3 3\n" + b"\n".join(_AS_FLOATS) + b"\n",
}

TABLE = b"5 3 2 4 2 2166136261 < >\n" + b"".join(
    b"%d 0.%d -%d 1e-%d \n" % (i, i, i, i) for i in range(5)
)

_WORDS = [b"one", b"two words", "na\u00efve".encode(), b"</s>", b"One"]
MAGNITUDE = magnitude(
    [(word.decode(), (7 * i, -(10**7) + i, 5)) for i, word in enumerate(_WORDS)], 3
)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w", kind: int = tarfile.GNU_FORMAT) -> bytes:
    """Return a tar archive."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=kind) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


PACKED = {
    "gzip": gzip.compress(BINARY["skip-gram"], mtime=0),
    "bzip2": bz2.compress(BINARY["pruned"]),
    "xz": lzma.compress(COMPACT["float32"]),
    "zip": zipped({"m.bin": BINARY["softmax"]}),
    "zip, stored, two files": zipped({"README": b"A text.", "m.vec": TEXT["text"]}, 0),
    "tar": tarred({"m.bin": BINARY["skip-gram"]}),
    "tar, long name, in gzip": tarred(
        {"README": b"A text.", "x" * 120: TEXT["binary"]}, "w:gz", tarfile.PAX_FORMAT
    ),
}
