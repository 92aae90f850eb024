"""Word similarity: rank correlation of cosines with human scores."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.arguments import flag, path_name
from fasttext_lite.errors import FormatError
from fasttext_lite.evaluate.lines import WHITE, columns, read_lines
from fasttext_lite.evaluate.unknown import as_unknown as unknown_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.evaluate.lines import Line
    from fasttext_lite.model import Model

__all__ = ["SimilarityResult", "spearman", "word_similarity"]

_WORDS = 2


@dataclass(frozen=True, slots=True)
class SimilarityResult:
    """The rank correlation of the cosines of a model with the scores in a file.

    Attributes
    ----------
    path : str
    rho : float or None
        Spearman's rank correlation; None if fewer than two pairs are left, or all of them have the
        same score.
    pairs : int
        Number of pairs in the file.
    unknown : int
        Number of pairs with a word that is not in the vocabulary.
    left_out : int
        Number of pairs without a cosine: a word has no vector or, with `known_only`, is unknown.
    """

    path: str
    rho: float | None
    pairs: int
    unknown: int
    left_out: int


def word_similarity(
    model: Model,
    path: PathType,
    *,
    lowercase: bool = False,
    known_only: bool = False,
    as_unknown: bool = False,
) -> SimilarityResult:
    """Correlate the cosines of word pairs with human scores.

    The layouts of WordSim-353 (Finkelstein and others 2002, "Placing Search in Context"),
    SimLex-999 (Hill, Reichart and Korhonen 2015, "SimLex-999: Evaluating Semantic Models with
    (Genuine) Similarity Estimation") and similar files are supported. Each line has two words and
    then more columns, separated by tabs, semicolons or commas (the first of these that occurs at
    least twice in the first line), or else by white space. **The score is in the first column after
    the words that holds a number in the second line**; columns before it, such as a part of speech,
    are skipped. A first line without a number in this column is a header. Empty lines and lines
    that begin with ``#`` are skipped.

    Parameters
    ----------
    model : Model
    path : str, bytes or os.PathLike
        A UTF-8 file.
    lowercase : bool
        Look up words in lower case.
    known_only : bool
        Leave out pairs with a word that is not in the vocabulary, instead of computing its vector
        from its n-grams.
    as_unknown : bool
        Compute the vectors of known words from their n-grams, too, as if the words were unknown.

    Returns
    -------
    SimilarityResult

    Raises
    ------
    FileError
        The file cannot be read.
    FormatError
        A line does not have two words, or has no number in the column of the scores.
    InputValueError, ModelKindError
        `as_unknown` is set, and the model has no n-grams or is supervised.
    """
    lowercase, known_only = flag("lowercase", lowercase), flag("known_only", known_only)
    as_unknown = flag("as_unknown", as_unknown)
    name = path_name(path)
    pairs = _read_pairs(name)
    if lowercase:
        pairs = [(first.lower(), second.lower(), score) for first, second, score in pairs]
    if as_unknown:
        found = {model.word_id(word) for pair in pairs for word in pair[:2]} - {-1}
        model = unknown_model(model, np.array(sorted(found), np.int64))
    cosines, scores = [], []
    unknown = 0
    for *words, score in pairs:
        new = any(word not in model for word in words)
        unknown += new
        if new and known_only:
            continue
        a, b = map(model.get, words)
        cosine = None if a is None or b is None else _cosine(a, b)
        if cosine is not None:
            cosines.append(cosine)
            scores.append(score)
    rho = spearman(np.array(cosines), np.array(scores))
    return SimilarityResult(name, rho, len(pairs), unknown, len(pairs) - len(scores))


def spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Return Spearman's rank correlation: that of Pearson for ranks, where ties have mean ranks.

    Returns None if it is undefined: for fewer than two pairs, or if all values of one side tie.
    """
    if len(a) < 2:
        return None
    x, y = _ranks(a), _ranks(b)
    x -= x.mean()
    y -= y.mean()
    size = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / size if size else None


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float | None:
    """Return the cosine of two vectors; None if one of them is zero."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    size = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / size if size else None


def _read_pairs(path: str) -> list[tuple[str, str, float]]:
    lines = [line for line in read_lines(path) if not line.text.startswith("#")]
    if not lines:
        raise FormatError("line 1", 0, "the file holds no word pairs", path)
    separator = next((mark for mark in "\t;," if lines[0].text.count(mark) >= _WORDS), None)
    rows = [_split(line, separator) for line in lines]
    column = next((i for i, text in _scores(rows[min(1, len(rows) - 1)])), None)
    if column is None:
        line = lines[min(1, len(rows) - 1)]
        raise line.error(
            "there is no number after the two words (files of analogies begin with a line "
            '": name of the section")'
        )
    pairs = []
    for i, (line, row) in enumerate(zip(lines, rows, strict=True)):
        score = _number(row[column]) if column < len(row) else None
        if score is None:
            if i == 0:
                continue
            raise line.error(f"column {column + 1} must hold the score, but holds no number")
        if not row[0] or not row[1]:
            raise line.error("a word is empty")
        pairs.append((row[0], row[1], score))
    return pairs


def _split(line: Line, separator: str | None) -> list[str]:
    if separator is None:
        return columns(line.text)
    if separator == "\t":
        return [field.strip(WHITE) for field in line.text.split(separator)]
    try:
        return [field.strip(WHITE) for field in next(csv.reader([line.text], delimiter=separator))]
    except csv.Error as error:
        raise line.error(f"the line cannot be split at {separator!r}: {error}") from None


def _scores(row: list[str]) -> list[tuple[int, str]]:
    """Return the columns after the words that hold a number."""
    return [(i, text) for i, text in enumerate(row) if i >= _WORDS and _number(text) is not None]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
