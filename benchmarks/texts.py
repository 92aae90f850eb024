"""Texts to classify and to embed, the same on every machine."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SEED = 20160715
# Articles 1 and 3 of the Universal Declaration of Human Rights in 64 languages.
SENTENCES = Path(__file__).resolve().with_name("sentences.txt")


def languages() -> list[list[str]]:
    """Return the words of each language."""
    words: dict[str, list[str]] = {}
    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        language, _, text = line.partition("\t")
        words.setdefault(language, []).extend(text.split())
    return list(words.values())


def multilingual(count: int, fewest_bytes: int, most_bytes: int) -> list[str]:
    """Draw texts of one language each, between two lengths in bytes of UTF-8.

    Languages take turns. The words of a text are drawn from that language's sentences, so texts
    rarely repeat, and their words and n-grams are real ones.
    """
    rng = random.Random(SEED)
    words_of = languages()
    texts = []
    for number in range(count):
        words = words_of[number % len(words_of)]
        least = rng.randint(fewest_bytes, most_bytes)
        text = rng.choice(words)
        while len(text.encode()) < least:
            text = f"{text} {rng.choice(words)}"
        # Where a word is a sentence, as in Chinese, the last one may be much too long.
        texts.append(text.encode()[:most_bytes].decode(errors="ignore"))
    return texts


def of_words(words: Sequence[str], count: int, length: int) -> list[str]:
    """Draw texts of ``length`` random words each."""
    rng = random.Random(SEED)
    return [" ".join(rng.choices(words, k=length)) for _ in range(count)]
