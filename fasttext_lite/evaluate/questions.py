"""Analogies: which word is to c as b is to a."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.arguments import flag, path_name, whole
from fasttext_lite.errors import FormatError
from fasttext_lite.evaluate.lines import WHITE, columns, read_lines
from fasttext_lite.evaluate.unknown import as_unknown as unknown_model
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType
    from fasttext_lite.model import Model

__all__ = ["AnalogyResult", "AnalogySection", "analogies", "holds_analogies"]

# Questions per step of the progress bar.
_BATCH = 1024


@dataclass(frozen=True, slots=True)
class AnalogySection:
    """The result of a model on one section of analogies.

    Attributes
    ----------
    name : str
    accuracy : float or None
        Share of correct answers among the questions that were asked; None if there were none.
    correct, asked : int
        Number of questions that were answered correctly, and that were asked.
    unknown : int
        Number of questions with a word that is not in the vocabulary.
    left_out : int
        Number of questions that were not asked: the answer is not among the searched words, or one
        of the three other words has no vector or, with `known_only`, is not among them.
    """

    name: str
    accuracy: float | None
    correct: int
    asked: int
    unknown: int
    left_out: int


@dataclass(frozen=True, slots=True)
class AnalogyResult:
    """The result of a model on a file of analogies.

    Attributes
    ----------
    path : str
    sections : tuple of AnalogySection
        In file order.
    total : AnalogySection
        The sum of all sections.
    """

    path: str
    sections: tuple[AnalogySection, ...]
    total: AnalogySection


def analogies(
    model: Model,
    path: PathType,
    *,
    max_words: int | None = 300_000,
    lowercase: bool = False,
    known_only: bool = False,
    as_unknown: bool = False,
    progress: bool = False,
) -> AnalogyResult:
    """Score a model on the questions of a file: a is to b as c is to d.

    The answer is the word whose vector has the greatest cosine with b - a + c, where a, b and c are
    unit vectors and their words are excluded (Mikolov, Chen, Corrado and Dean 2013, "Efficient
    Estimation of Word Representations in Vector Space"; called 3CosAdd by Levy and Goldberg 2014,
    "Linguistic Regularities in Sparse and Explicit Word Representations"). The file has the layout
    of ``questions-words.txt``: four words per line, and lines ``: name`` that begin a section.

    Parameters
    ----------
    model : Model
    path : str, bytes or os.PathLike
        A UTF-8 file.
    max_words : int, optional
        Search for answers among the first `max_words` words; None searches all words.
    lowercase : bool
        Look up words in lower case.
    known_only : bool
        Leave out questions with a word that is not among the searched words, as word2vec and
        gensim do, instead of computing its vector from its n-grams.
    as_unknown : bool
        Compute the vectors of known words from their n-grams, too, as if the words were unknown;
        those of the searched words are in memory then.
    progress : bool
        Show a progress bar on stderr, if stderr is a terminal.

    Returns
    -------
    AnalogyResult

    Raises
    ------
    FileError
        The file cannot be read.
    FormatError
        A line does not have four words, or the file has no questions.
    InputTypeError, InputValueError
        `max_words` is not a positive whole number; or `as_unknown` is set, and the model has no
        n-grams.
    """
    lowercase, known_only = flag("lowercase", lowercase), flag("known_only", known_only)
    as_unknown, progress = flag("as_unknown", as_unknown), flag("progress", progress)
    if max_words is not None:
        max_words = whole("max_words", max_words, 1)
    name = path_name(path)
    count = min(len(model), max_words or len(model))
    titles, sections, questions = _read_questions(name, lowercase=lowercase)
    words, places = _indexed(questions)
    ids = np.array([model.word_id(word) for word in words], np.int64)
    if as_unknown:
        model = unknown_model(model, np.union1d(np.arange(count), ids[ids >= 0]))
    usable = _usable(model, words)
    answerable = (ids >= 0) & (ids < count)
    if known_only:
        usable &= answerable
    asked = usable[places[:, :3]].all(axis=1) & answerable[places[:, 3]]
    unknown: NDArray[np.bool_] = np.any(ids[places] < 0, axis=1)
    answers = _answers(model, words, places[asked], count, progress=progress)
    right = np.zeros(len(places), bool)
    right[asked] = [
        answer == words[place] for answer, place in zip(answers, places[asked, 3], strict=True)
    ]

    def summed(title: str, chosen: NDArray[np.bool_]) -> AnalogySection:
        done, correct = int(asked[chosen].sum()), int(right[chosen].sum())
        return AnalogySection(
            name=title,
            accuracy=correct / done if done else None,
            correct=correct,
            asked=done,
            unknown=int(unknown[chosen].sum()),
            left_out=int(chosen.sum()) - done,
        )

    return AnalogyResult(
        path=name,
        sections=tuple(summed(title, sections == i) for i, title in enumerate(titles)),
        total=summed("total", np.ones(len(places), bool)),
    )


def holds_analogies(path: PathType) -> bool:
    """Return whether a file begins with a section line, as files of analogies do."""
    lines = read_lines(path_name(path))
    return bool(lines) and lines[0].text.startswith(":")


def _read_questions(
    path: str, *, lowercase: bool
) -> tuple[list[str], NDArray[np.int64], list[list[str]]]:
    """Read the names of the sections, the section of each question, and the questions."""
    titles: list[str] = []
    sections: list[int] = []
    questions: list[list[str]] = []
    for line in read_lines(path):
        if line.text.startswith(":"):
            titles.append(line.text[1:].strip(WHITE))
            continue
        words = columns(line.text)
        if len(words) != 4:
            raise line.error(f"a question has four words, but this line has {len(words)}")
        if not titles:
            titles.append("")
        sections.append(len(titles) - 1)
        questions.append([word.lower() for word in words] if lowercase else words)
    if not questions:
        raise FormatError("line 1", 0, "the file holds no questions", path)
    return titles, np.array(sections, np.int64), questions


def _indexed(questions: Sequence[Sequence[str]]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct words, and the indices of the four words of each question."""
    places: dict[str, int] = {}
    found = [[places.setdefault(word, len(places)) for word in words] for words in questions]
    return list(places), np.array(found, np.int64)


def _usable(model: Model, words: Sequence[str]) -> NDArray[np.bool_]:
    """Return which words have a nonzero vector."""
    vectors = (model.get(word) for word in words)
    return np.array([vector is not None and bool(vector.any()) for vector in vectors], bool)


def _answers(
    model: Model, words: Sequence[str], places: NDArray[np.int64], count: int, *, progress: bool
) -> list[str]:
    """Return the answers; many questions share one pass over the vocabulary."""
    answers = []
    with progress_bar("analogies", len(places), "questions", show=progress) as advance:
        for start in range(0, len(places), _BATCH):
            batch = places[start : start + _BATCH]
            triples = [(words[b], words[a], words[c]) for a, b, c, _ in batch]
            found = model.analogies(triples, k=1, max_words=count, progress=progress)
            answers += [near[0].word if near else "" for near in found]
            advance(len(batch))
    return answers
