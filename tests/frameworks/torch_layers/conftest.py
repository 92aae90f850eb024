"""Files of the sample model in several formats."""

from __future__ import annotations

import shutil

import pytest

import fasttext_lite as ftl


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Return a function: the path of the sample as a file of a kind."""
    folder = tmp_path_factory.mktemp("files")
    made = {}

    def file(kind):
        if kind not in made:
            made[kind] = target = folder / f"sample.{kind.split()[-1]}.{kind.split()[0]}"
            if kind == "bin":
                shutil.copy(ftl.SAMPLE, target)
            elif kind == "vec":
                ftl.export("sample", target)
            else:
                ftl.convert("sample", target, kind.split()[1], max_words=2000)
        return made[kind]

    return file
