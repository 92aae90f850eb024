"""Evaluation on word pairs and analogies, by the rules of gensim."""

from __future__ import annotations

from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from fasttext_lite.arguments import flag, path_name
from fasttext_lite.compat.gensim.lookup import cosine, divided
from fasttext_lite.compat.gensim.similarity import best
from fasttext_lite.errors import EmptyInputError, InputValueError, MissingExtraError
from fasttext_lite.lines import open_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.compat.gensim.similarity import Similarity

__all__ = ["Section", "word_analogies", "word_pairs"]

Quad = tuple[str, str, str, str]

# gensim searches this many of the nearest words for one that the test allows.
_CANDIDATES = 5
# Number of analogies that are scored together.
_BLOCK = 64


class Section(TypedDict):
    """The analogies of a section of a test set."""

    section: str
    correct: list[Quad]
    incorrect: list[Quad]


def word_pairs(
    vectors: Similarity,
    pairs: PathType,
    delimiter: str = "\t",
    encoding: str = "utf8",
    restrict_vocab: int | None = 300000,
    case_insensitive: bool = True,
    dummy4unknown: bool = False,
) -> tuple[Any, Any, float]:
    """Correlate the similarities of word pairs with human scores.

    Parameters
    ----------
    vectors : Similarity
    pairs : path
        A text file of lines ``word, word, number``; other lines and comments (``#``) are skipped.
    delimiter, encoding : str
        The separator of the columns, and the encoding of the file.
    restrict_vocab : int, optional
        Use only the first `restrict_vocab` words; other words count as unknown.
    case_insensitive : bool
        Compare words in upper case; of words that become equal the first is used.
    dummy4unknown : bool
        Use similarity 0 for a pair with an unknown word, instead of skipping it.

    Returns
    -------
    pearson, spearman : results of SciPy
        The coefficient and its two-sided p-value.
    oov_ratio : float
        Percentage of pairs with an unknown word.

    Raises
    ------
    FileError
        The file cannot be read.
    InputValueError
        No pair is left, or the file has another encoding.
    MissingExtraError
        SciPy, which computes the correlations, is not installed: ``pip install
        'fasttext-lite[evaluate]'``.
    """
    case_insensitive = flag("case_insensitive", case_insensitive)
    dummy4unknown = flag("dummy4unknown", dummy4unknown)
    try:
        stats = import_module("scipy.stats")
    except ImportError:
        raise MissingExtraError("SciPy", "evaluate") from None
    known = _known(vectors, restrict_vocab, case_insensitive)
    given: list[float] = []
    found: list[float] = []
    unknown = 0
    for line in _lines(pairs, encoding):
        if line.startswith("#"):
            continue
        try:
            a, b, number = (line.upper() if case_insensitive else line).split(delimiter)
            similarity = float(number)
        except ValueError:
            continue
        if a in known and b in known:
            given.append(similarity)
            rows = vectors.vectors[[known[a], known[b]]]
            found.append(float(cosine(*rows)))
        else:
            unknown += 1
            if dummy4unknown:
                given.append(similarity)
                found.append(0.0)
    if not given:
        raise InputValueError(
            f"No valid similarity judgements found in {path_name(pairs)}: either invalid format or "
            f"all are out-of-vocabulary in {vectors}"
        )
    total = len(given) if dummy4unknown else len(given) + unknown
    return stats.pearsonr(given, found), stats.spearmanr(given, found), unknown / total * 100


def word_analogies(
    vectors: Similarity,
    analogies: PathType,
    restrict_vocab: int | None = 300000,
    case_insensitive: bool = True,
    dummy4unknown: bool = False,
) -> tuple[float, list[Section]]:
    """Count the analogies that the vectors solve: the nearest word to b - a + c is the fourth.

    Parameters
    ----------
    vectors : Similarity
    analogies : path
        A UTF-8 file of lines of four words, in sections that begin with ``: name``.
    restrict_vocab : int, optional
        Use only the first `restrict_vocab` words; other words count as unknown.
    case_insensitive : bool
        Compare words in upper case; of words that become equal the first is used.
    dummy4unknown : bool
        Count an analogy with an unknown word as incorrect, instead of skipping it.

    Returns
    -------
    score : float
        Share of correct analogies.
    sections : list of Section
        The sections of the file, then one with all analogies.

    Raises
    ------
    FileError
        The file cannot be read.
    InputValueError
        An analogy precedes the first section, or the file is not UTF-8.
    EmptyInputError
        The file holds no analogy.
    """
    case_insensitive = flag("case_insensitive", case_insensitive)
    dummy4unknown = flag("dummy4unknown", dummy4unknown)
    known = _known(vectors, restrict_vocab, case_insensitive)
    sections: list[Section] = []
    quads: list[tuple[Section, Quad]] = []
    for number, line in enumerate(_lines(analogies, "utf-8")):
        if line.startswith(": "):
            name = line.lstrip(": ").strip()
            sections.append(Section(section=name, correct=[], incorrect=[]))
            continue
        if not sections:
            raise InputValueError(
                f"Missing section header before line #{number} in {path_name(analogies)}"
            )
        words = tuple((line.upper() if case_insensitive else line).split())
        if len(words) == 4:
            quads.append((sections[-1], words))
    if not quads:
        raise EmptyInputError(f"no analogies in {path_name(analogies)}")
    askable = [quad for _, quad in quads if known.keys() >= set(quad)]
    answers = dict(
        zip(askable, _solve(vectors, askable, known, restrict_vocab, case_insensitive), strict=True)
    )
    for section, quad in quads:
        if quad in answers:
            section["correct" if answers[quad] == quad[3] else "incorrect"].append(quad)
        elif dummy4unknown:
            section["incorrect"].append(quad)
    total = Section(
        section="Total accuracy",
        correct=[quad for section in sections for quad in section["correct"]],
        incorrect=[quad for section in sections for quad in section["incorrect"]],
    )
    sections.append(total)
    asked = len(total["correct"]) + len(total["incorrect"])
    return len(total["correct"]) / asked if asked else 0.0, sections


def _known(vectors: Similarity, limit: int | None, case_insensitive: bool) -> dict[str, int]:
    """Map the words that a test may use to their indexes; of equal words the first is used."""
    known: dict[str, int] = {}
    for index, key in enumerate(vectors.index_to_key[:limit]):
        known.setdefault(key.upper() if case_insensitive else key, index)
    return known


def _solve(
    vectors: Similarity,
    quads: list[Quad],
    known: dict[str, int],
    limit: int | None,
    case_insensitive: bool,
) -> Iterator[str]:
    """Yield the answer of the vectors to each analogy."""
    rows, lengths = vectors.vectors[:limit], vectors.norms[:limit]
    for start in range(0, len(quads), _BLOCK):
        block = quads[start : start + _BLOCK]
        asked = np.array([[known[word] for word in quad[:3]] for quad in block])
        units = divided(rows[asked], lengths[asked][:, :, np.newaxis])
        means = units[:, 1] + units[:, 2] - units[:, 0]
        scores = divided(rows @ means.T, lengths[:, np.newaxis])
        for column, quad, given in zip(scores.T, block, asked, strict=True):
            column[given] = -np.inf
            yield _answer(vectors, best(column, _CANDIDATES), quad, known, case_insensitive)


def _answer(
    vectors: Similarity,
    places: NDArray[np.int64],
    quad: Quad,
    known: dict[str, int],
    case_insensitive: bool,
) -> str:
    answer = ""
    for place in places.tolist():
        answer = vectors.index_to_key[place]
        if case_insensitive:
            answer = answer.upper()
        if answer in known and answer not in quad[:3]:
            break
    return answer


def _lines(path: PathType, encoding: str) -> Iterator[str]:
    try:
        with open_binary(path_name(path)) as data, TextIOWrapper(data, encoding) as file:
            yield from file
    except UnicodeDecodeError as error:
        raise InputValueError(
            f"{path_name(path)}: this is not {encoding}: {error.reason}"
        ) from None
