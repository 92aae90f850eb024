"""The head of a fastText file: its first 92 bytes, or 76 without a magic number.

The files of two other programs differ little. sent2vec has two more kinds of models, which the
official program opens as unsupervised ones. floret has two more fields, mode and hashCount.

Sources: ``Args::save`` and ``Dictionary::save`` of fastText, sent2vec and floret.
"""

# No `from __future__ import annotations`, as in `parts`.
import struct
from typing import NamedTuple

from fasttext_lite.errors import FormatError, InputValueError
from fasttext_lite.formats.cursor import Cursor
from fasttext_lite.parts import Parameters

__all__ = [
    "LONGEST",
    "MOST_HASHES",
    "SHAPE_SIZE",
    "Head",
    "has_magic",
    "is_model",
    "pack_head",
    "read_head",
]

_MAGIC = 793712314
_LOSSES = {1: "hs", 2: "ns", 3: "softmax", 4: "ova"}
_KINDS = {1: "cbow", 2: "skip-gram", 3: "supervised", 4: "sent2vec", 5: "sent2vec-cbow"}
_PARAMETERS = (
    "dim", "ws", "epoch", "minCount", "neg", "wordNgrams", "loss", "model", "bucket", "minn",
    "maxn", "lrUpdateRate",
)  # fmt: skip
# The mode of a floret file is 1 (hashes of fastText) or 2 (MurmurHash).
_FLORET_PARAMETERS = (*_PARAMETERS[:-1], "mode", "hashCount", _PARAMETERS[-1])
_FLORET_MODES = (1, 2)
MOST_HASHES = 4
SHAPE_SIZE = 16
# Bytes of the longest head, which is that of floret.
LONGEST = 100

_OTHER_FORMATS = (
    (b"PK\x03\x04", "this is a zip archive: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "this is a zstd file: decompress it first"),
    (b"version https://git-lfs", "this is a Git LFS pointer: fetch the file itself (git lfs pull)"),
    (b"<!", "this is a web page, not a model: check the address and download the model again"),
    (b"<html", "this is a web page, not a model: check the address and download the model again"),
    (b"<?xml", "this is XML, not a model: check the address and download the model again"),
)


class Head(NamedTuple):
    """The head of a file, and the sizes that follow from it.

    `version` is 0 for the layout without a magic number; `stop` is the byte offset of the end;
    `floret` says whether floret wrote the file.
    """

    version: int
    parameters: Parameters
    word_count: int
    label_count: int
    token_count: int
    prune_size: int
    stop: int
    floret: bool = False

    @property
    def size(self) -> int:
        """Number of entries of the dictionary."""
        return self.word_count + self.label_count

    @property
    def flag_size(self) -> int:
        """Size in bytes of the flag before each matrix."""
        return 1 if self.version else 0

    @property
    def pruned(self) -> bool:
        """Whether buckets were dropped."""
        return self.prune_size >= 0

    @property
    def subword_rows(self) -> int:
        """Rows of the input matrix that belong to n-grams."""
        return self.prune_size if self.pruned else self.parameters.bucket

    @property
    def input_rows(self) -> int:
        """Rows of the input matrix."""
        return self.word_count + self.subword_rows

    @property
    def output_rows(self) -> int:
        """Rows of the output matrix."""
        return self.label_count if self.parameters.model == "supervised" else self.word_count

    def offset(self, field: str) -> int:
        """Return the byte offset of the field dim, size (the first of three) or pruneidx_size."""
        before_end = {"size": 28 if self.version else 20, "pruneidx_size": 8}
        if field in before_end:
            return self.stop - before_end[field]
        return 8 if self.version else 0

    def matrix_size(self, rows: int) -> int:
        """Return the size in bytes of the numbers of a dense matrix."""
        return rows * self.parameters.dim * 4


def has_magic(begin: bytes | memoryview) -> bool:
    """Return whether a file begins with the magic number of fastText."""
    return len(begin) >= 4 and int.from_bytes(begin[:4], "little") == _MAGIC


def is_model(begin: bytes) -> bool:
    """Return whether a file that begins like this is a fastText model, damaged or not.

    Parameters
    ----------
    begin : bytes
        The first `LONGEST` bytes, or all bytes of a shorter file.
    """
    data = memoryview(begin)
    try:
        # Without a magic number, any valid head is accepted.
        return has_magic(data) or read_head(Cursor(data, "")) is not None
    except FormatError:
        return False


def read_head(cursor: Cursor) -> Head:
    """Read and check the head, and move the cursor past it.

    Raises
    ------
    FormatError
        The file is not a fastText model, is truncated, or a field has an invalid value.
    """
    data = cursor.data
    version = 0
    if has_magic(data):
        cursor.take("magic", 4)
        version = cursor.integer("version", "i4")
        if version not in (11, 12):
            raise cursor.error(
                "version",
                f"this is version {version} of the fastText format, but only versions 11 and 12 "
                "are supported",
                4,
            )
    elif (reason := _foreign(data)) is not None:
        raise cursor.error("magic", reason)
    floret = bool(version) and _is_floret(data)
    names = _FLORET_PARAMETERS if floret else _PARAMETERS
    start = cursor.at
    values = cursor.unpack("training parameters", *["i4"] * len(names), "f8")
    numbers = dict(zip(names, map(int, values), strict=False))
    hash_count = numbers["hashCount"] if floret and numbers["mode"] == 2 else 0
    for position, (field, value) in enumerate(numbers.items()):
        problem = _parameter_problem(field, value)
        if problem is not None:
            if not version:
                raise cursor.error("magic", "this is not a fastText model: no magic number", 0)
            raise cursor.error(field, problem, start + 4 * position)
    if hash_count and not numbers["bucket"]:
        raise cursor.error("bucket", "bucket is 0, but a floret model has at least one", start + 32)
    at = cursor.at
    size, words, labels = (int(n) for n in cursor.unpack("dictionary sizes", "i4", "i4", "i4"))
    if size != words + labels and numbers["model"] == 5:
        raise cursor.error(
            "model",
            "this is a cbow-c+w-ngrams model of sent2vec, whose head has one more field "
            "(bucketChar): only sent2vec opens it; export its vectors there (print-word-vectors)",
            start + 28,
        )
    tokens = cursor.integer("ntokens", "i8")
    prune_size = cursor.integer("pruneidx_size", "i8") if version else -1
    for position, (field, value, least) in enumerate(
        [("size", size, 0), ("nwords", words, 0), ("nlabels", labels, 0), ("ntokens", tokens, 0)]
    ):
        if value < least:
            raise cursor.error(field, f"{field} is {value}, which is negative", at + 4 * position)
    if size != words + labels:
        raise cursor.error("size", f"size is {size}, but nwords + nlabels is {words + labels}", at)
    if prune_size < -1:
        raise cursor.error(
            "pruneidx_size", f"pruneidx_size is {prune_size}, which is below -1", at + 20
        )
    supervised = numbers["model"] == 3
    parameters = Parameters(
        dim=numbers["dim"],
        ws=numbers["ws"],
        epoch=numbers["epoch"],
        min_count=numbers["minCount"],
        neg=numbers["neg"],
        word_ngrams=numbers["wordNgrams"],
        loss=_LOSSES[numbers["loss"]],
        model=_KINDS[numbers["model"]],
        bucket=numbers["bucket"],
        minn=numbers["minn"],
        # Before version 12 supervised models had no character n-grams, whatever maxn is.
        maxn=0 if supervised and version < 12 else numbers["maxn"],
        lr_update_rate=numbers["lrUpdateRate"],
        t=float(values[-1]),
        hash_count=hash_count,
    )
    return Head(version, parameters, words, labels, tokens, prune_size, cursor.at, floret)


def pack_head(head: Head) -> bytes:
    """Return the bytes of a head, in the layout of version 12.

    Raises
    ------
    InputValueError
        A number does not fit its field.
    """
    parameters = head.parameters
    try:
        return struct.pack(
            "<14id3i2q",
            _MAGIC,
            12,
            parameters.dim,
            parameters.ws,
            parameters.epoch,
            parameters.min_count,
            parameters.neg,
            parameters.word_ngrams,
            next(code for code, name in _LOSSES.items() if name == parameters.loss),
            next(code for code, name in _KINDS.items() if name == parameters.model),
            parameters.bucket,
            parameters.minn,
            parameters.maxn,
            parameters.lr_update_rate,
            parameters.t,
            head.size,
            head.word_count,
            head.label_count,
            head.token_count,
            head.prune_size,
        )
    except struct.error:
        raise InputValueError(
            f"a number is too large for a fastText file: {parameters}, {head.token_count} tokens"
        ) from None


def _parameter_problem(field: str, value: int) -> str | None:
    if field == "loss" and value not in _LOSSES:
        return f"loss is {value}, but must be 1 (hs) to 4 (one-vs-all)"
    if field == "model" and value not in _KINDS:
        return f"model is {value}, but must be 1 (cbow) to 5 (sent2vec-cbow)"
    if field == "dim" and value < 1:
        return f"dim is {value}, but must be at least 1"
    if field == "bucket" and value < 0:
        return f"bucket is {value}, which is negative"
    return None


def _foreign(data: memoryview) -> str | None:
    """Return an error message for a file that is not a fastText model; None if it may be one."""
    begin = bytes(data[:64])
    for magic, reason in _OTHER_FORMATS:
        if begin.startswith(magic):
            return reason
    if len(data) < 76:
        return f"this is not a fastText model: the file has only {len(data)} bytes"
    if all(byte >= 32 or byte in b"\t\n\r" for byte in begin):
        return "this is a text file, not a fastText model"
    return None


def _is_floret(data: memoryview) -> bool:
    """Return whether the head has the two more fields of floret.

    They are where fastText has lrUpdateRate and half of t, so the sizes that follow do not add up
    when they are read as those of fastText.
    """
    if len(data) < LONGEST:
        return False
    mode, hash_count = struct.unpack_from("<2i", data, 52)
    size, words, labels = struct.unpack_from("<3i", data, 64)
    return (
        mode in _FLORET_MODES
        and 1 <= hash_count <= MOST_HASHES
        and (size != words + labels or min(size, words, labels) < 0)
    )
