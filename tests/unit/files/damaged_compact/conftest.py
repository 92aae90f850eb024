"""Compact files to damage."""

from __future__ import annotations

from itertools import count

import pytest
from support.builders import build
from support.compact_file import FILES, CompactFile

import fasttext_lite as ftl


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compact")
    made = {}
    for name, (options, dtype, choice) in FILES.items():
        (folder / "source.bin").write_bytes(build(**options))
        ftl.convert(folder / "source.bin", folder / "target", dtype, **choice)
        made[name] = (folder / "target").read_bytes()
    return made


@pytest.fixture(params=FILES)
def original(request, originals):
    return originals[request.param]


@pytest.fixture
def file(originals):
    return CompactFile(originals["float16"])


@pytest.fixture
def load(tmp_path):
    """Return a function that writes bytes to a new file, which may stay mapped, and opens it."""
    numbers = count()

    def write_and_load(data, *, mmap=True):
        path = tmp_path / f"{next(numbers)}.safetensors"
        path.write_bytes(data)
        return ftl.load(path, mmap=mmap)

    return write_and_load
