"""Evaluation of models, comparison of two models, and their alignment.

>>> import fasttext_lite as ftl
>>> from fasttext_lite import evaluate
>>> evaluate.compare(ftl.load("sample"), "sample", sample=20).known.mean
1.0
"""

from fasttext_lite.cosines import Cosines
from fasttext_lite.evaluate.alignment import align
from fasttext_lite.evaluate.comparison import (
    Comparison,
    LabelAgreement,
    Overlap,
    Side,
    compare,
)
from fasttext_lite.evaluate.labels import Meter, Scores
from fasttext_lite.evaluate.pairs import SimilarityResult, word_similarity
from fasttext_lite.evaluate.questions import (
    AnalogyResult,
    AnalogySection,
    analogies,
    holds_analogies,
)
from fasttext_lite.evaluate.recall import Recall, graph_recall

__all__ = [
    "AnalogyResult",
    "AnalogySection",
    "Comparison",
    "Cosines",
    "LabelAgreement",
    "Meter",
    "Overlap",
    "Recall",
    "Scores",
    "Side",
    "SimilarityResult",
    "align",
    "analogies",
    "compare",
    "graph_recall",
    "holds_analogies",
    "word_similarity",
]
