"""The pieces of work, by the name that the command line takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.works import compact, importing, known_words, opening, unknown_words

if TYPE_CHECKING:
    from benchmarks.work import Work

WORKS: dict[str, Work] = {
    "opening": opening.WORK,
    "unknown-words": unknown_words.WORK,
    "known-words": known_words.WORK,
    "converting": compact.CONVERTING,
    "compact-opening": compact.OPENING,
    "compact-sharing": compact.SHARING,
    "importing": importing.WORK,
}
