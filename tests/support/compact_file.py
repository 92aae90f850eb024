"""A compact file taken apart, and what its damage may lead to."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fasttext_lite as ftl
from support.builders import SUPERVISED
from support.queries import LABEL_QUESTIONS, QUESTIONS, ask_everything
from support.text import unknown_words

__all__ = ["FILES", "LABELS", "WORDS", "CompactFile", "answers_everything", "refused"]

LABELS = [b"__label__a", b"__label__b"]
FILES = {
    "float16": ({}, "float16", {}),
    "int8, some n-grams": ({"bucket": 40}, "int8", {"subwords": "used"}),
    "supervised": ({"model": SUPERVISED, "labels": LABELS}, "int8", {}),
    "supervised, some n-grams": (
        {"model": SUPERVISED, "labels": LABELS, "bucket": 40},
        "float32",
        {"subwords": "used"},
    ),
}
WORDS = [b"one", b"two", b"</s>", b"threes", b"on", *LABELS, b"x" * 400]
WORDS += [word for word in unknown_words(100) if len(word) < 60]


class CompactFile:
    """A file taken apart, to be reassembled with wrong values."""

    def __init__(self, data):
        start = 8 + int.from_bytes(data[:8], "little")
        self.header = json.loads(data[8:start])
        self.body = data[start:]
        self.start = start
        self.model = json.loads(self.header["__metadata__"]["model"])

    @property
    def arrays(self):
        return [name for name in self.header if name != "__metadata__"]

    def bytes(self, text=None, *, size=None):
        """Return the bytes of the file, optionally with another header."""
        if text is None:
            self.header["__metadata__"]["model"] = json.dumps(self.model)
            text = json.dumps(self.header)
        header = text.encode() if isinstance(text, str) else text
        header += b" " * (-(len(header) + 8) % 64)
        return (len(header) if size is None else size).to_bytes(8, "little") + header + self.body

    def slot(self, name):
        """Return the slice of an array in the body."""
        return slice(*self.header[name]["data_offsets"])

    def fill(self, name, array):
        """Replace the numbers of an array."""
        data = array.tobytes()
        place = self.slot(name)
        assert len(data) == place.stop - place.start
        self.body = self.body[: place.start] + data + self.body[place.stop :]

    def array(self, name, dtype):
        return np.frombuffer(self.body[self.slot(name)], dtype)


def refused(load, data, match):
    with pytest.raises(ftl.FormatError, match=match) as caught:
        load(data)
    assert caught.value.field
    assert 0 <= caught.value.offset <= len(data)
    assert caught.value.path in str(caught.value)
    return caught.value


def answers_everything(model):
    """Ask whatever reads the arrays of a file; every answer has to come back."""
    expected = QUESTIONS if model.info.kind == "supervised" else QUESTIONS - LABEL_QUESTIONS
    assert ask_everything(model, WORDS) == expected
