"""Small files of every format."""

from __future__ import annotations

import gzip

import pytest
from support.builders import SUPERVISED, Quantizer, build

import fasttext_lite as ftl

VEC = b"2 3\none 1 2 3\ntwo 4 5 6\n"


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(build())
    return file


@pytest.fixture(params=["bin", "pre-magic", "ftz", "compact", "vec", "gz"])
def any_path(request, tmp_path):
    """Return a file of each format."""
    file = tmp_path / f"model.{request.param}"
    if request.param == "compact":
        (tmp_path / "source").write_bytes(build())
        ftl.convert(tmp_path / "source", file)
    else:
        quantized = {"model": SUPERVISED, "labels": [b"__label__a"], "input_quantizer": Quantizer()}
        file.write_bytes(
            {
                "bin": build(),
                "pre-magic": build(magic=None),
                "ftz": build(**quantized),
                "vec": VEC,
                "gz": gzip.compress(VEC),
            }[request.param]
        )
    return file
