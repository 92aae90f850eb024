"""Vectors and labels of texts as estimators of scikit-learn.

>>> from sklearn.linear_model import LogisticRegression
>>> from sklearn.pipeline import make_pipeline
>>> from fasttext_lite.integrations.sklearn import FastTextVectorizer
>>> pipeline = make_pipeline(FastTextVectorizer("sample"), LogisticRegression())
>>> pipeline.fit(["the king", "a queen", "the army", "a war"], [0, 0, 1, 1]).predict(["warlike"])
array([1])

Both estimators learn from a file, not from `fit`, and work before it, except for
``weighting="sif"``. A clone or a pickle holds the path of the model, so that all processes of a
search share one mapped file.
"""

from __future__ import annotations

from fasttext_lite.integrations.sklearn.classifier import FastTextClassifier
from fasttext_lite.integrations.sklearn.vectorizer import FastTextVectorizer

__all__ = ["FastTextClassifier", "FastTextVectorizer"]
