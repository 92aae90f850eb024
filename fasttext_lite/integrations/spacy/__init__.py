"""Vectors of spaCy for known and unknown words, and a component that identifies languages.

>>> import spacy
>>> vectors = {"@vectors": "fasttext_lite.Vectors.v1", "path": "sample"}
>>> nlp = spacy.blank("en", config={"nlp": {"vectors": vectors}})
>>> bool(nlp("governmentish").vector.any())
True

spaCy finds both by the entry points of this package: nothing has to be imported.
"""

from __future__ import annotations

from fasttext_lite.integrations.spacy.language import LanguageDetector, create_language_detector
from fasttext_lite.integrations.spacy.vectors import FastTextVectors, create_vectors

__all__ = ["FastTextVectors", "LanguageDetector", "create_language_detector", "create_vectors"]
