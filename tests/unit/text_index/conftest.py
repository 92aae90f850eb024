"""A model, texts and indexes of them."""

from __future__ import annotations

import pytest
from support.text import plain_lines

import fasttext_lite as ftl


@pytest.fixture(scope="session")
def model():
    return ftl.load("sample")


@pytest.fixture(scope="session")
def titles():
    """400 short texts, all different."""
    words = [word for line in plain_lines() for word in line.split()]
    found = [" ".join(words[i : i + 4]) for i in range(0, len(words), 3)]
    found = list(dict.fromkeys(found))[:400]
    assert len(found) == 400
    return found


@pytest.fixture
def saved(model, titles, tmp_path):
    """The path of an index with ids and labels."""
    index = ftl.TextIndex.build(
        model,
        titles,
        ids=[f"t{i}" for i in range(len(titles))],
        labels=[("a", "b", None)[i % 3] for i in range(len(titles))],
    )
    index.save(tmp_path / "texts.safetensors")
    return tmp_path / "texts.safetensors"
