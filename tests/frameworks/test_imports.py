"""Libraries on top of vectors are imported only where they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support import GOLDEN

pytestmark = pytest.mark.frameworks

PROGRAM = f"""
import sys
import fasttext_lite as ftl

model = ftl.load("sample")
model["governmentish"], model.neighbors("king"), model.sentence_vector("a text")
ftl.SIF(model).vectors(["a text"])
ftl.load({str(GOLDEN / "softmax.bin")!r}).predict("a text")
ftl.convert, ftl.export, ftl.Annotator, ftl.columns
print(*{{name.partition(".")[0] for name in sys.modules}})
"""


def test_no_framework_is_imported_unasked():
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM], check=True, capture_output=True, text=True
    )
    imported = set(done.stdout.split())
    frameworks = {"gensim", "model2vec", "sentence_transformers", "sklearn", "spacy", "torch"}
    assert "numpy" in imported
    assert not frameworks & imported
