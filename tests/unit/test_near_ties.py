"""Labels of nearly equal scores are in the official order, whatever the length of a text.

``tests/golden/make.py`` trained the models briefly, and recorded the official labels.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from support.text import labelled_texts

import fasttext_lite as ftl

FOLDER = Path(__file__).parents[1] / "golden" / "near_ties"


@cache
def official_labels() -> dict[str, dict[str, list[list[int]]]]:
    return json.loads((FOLDER / "labels.json").read_text(encoding="ascii"))


@pytest.mark.parametrize("name", sorted(official_labels()))
@pytest.mark.parametrize("k", [1, 3, 9])
def test_no_text_gets_another_label(name: str, k: int) -> None:
    model = ftl.load(FOLDER / name)
    found, _ = model.predict_ids(labelled_texts(), k)
    names = [int(label[-3:]) for label in model.labels]
    assert [[names[i] for i in one] for one in found] == official_labels()[name][str(k)]
