"""Models to convert to compact files."""

from __future__ import annotations

import pytest
from support.builders import build
from support.compact_kinds import KINDS

import fasttext_lite as ftl


@pytest.fixture
def source(tmp_path):
    """Return a function that builds a file and returns its path."""

    def write(kind="skip-gram", **options):
        path = tmp_path / f"{len(list(tmp_path.glob('*.bin')))}.bin"
        path.write_bytes(build(**(KINDS[kind] | options)))
        return path

    return write


@pytest.fixture
def convert(tmp_path):
    """Return a function that converts a model, and returns the report and the new model."""

    def convert_and_load(path, *arguments, **options):
        number = len(list(tmp_path.glob("*.safetensors")))
        target = tmp_path / f"{number}.safetensors"
        report = ftl.convert(path, target, *arguments, **options)
        assert report.target == str(target)
        assert not list(tmp_path.glob("*.part"))
        return report, ftl.load(target)

    return convert_and_load
