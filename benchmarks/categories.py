"""Categories of words from WordNet 3.0: the direct hyponyms of some nouns.

Debian's package ``wordnet-base`` installs the files in ``/usr/share/wordnet``. A word belongs to a
category if its most frequent sense is a direct hyponym of the noun, and if it is in no other.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path("/usr/share/wordnet")
# The first word of the synset of each noun, in its first sense unless a number follows.
NOUNS = (
    "army_unit athlete beverage body_of_water body_part bodily_process building businessperson car "
    "chemical_element chromatic_color clergyman container crime criminal decade dish:2 edge_tool "
    "edible_fruit emotion fabric flower fuel garment gas:2 herb highway infectious_disease "
    "large_integer lawman legal_document letter:2 liquor meal medicine metallic_element "
    "metric_linear_unit metric_weight_unit musician noise place_of_worship political_orientation "
    "relative road room ruler scientist season:2 shop shrub skilled_worker song sport symptom "
    "time_unit tree vessel:3 weapon wood "
)
# Categories with fewer words are left out.
LEAST = 5


def categories(known: Callable[[str], bool]) -> dict[str, list[str]]:
    """Return the words of each category that a model knows, each in one category only.

    Parameters
    ----------
    known : callable
        Whether the model knows a word.
    """
    synsets: dict[str, tuple[list[str], list[str]]] = {}
    for line in _lines("data.noun"):
        fields = line.split(" | ")[0].split()
        words = int(fields[3], 16)
        after = 4 + 2 * words
        pointers = [
            fields[i : i + 2] for i in range(after + 1, after + 1 + 4 * int(fields[after]), 4)
        ]
        below = [offset for kind, offset in pointers if kind == "~"]
        synsets[fields[0]] = fields[4:after:2], below
    senses = {}
    for line in _lines("index.noun"):
        fields = line.split()
        senses[fields[0]] = fields[-int(fields[2]) :]
    found = {}
    for noun in NOUNS.split():
        name, _, sense = noun.partition(":")
        _, below = synsets[senses[name][int(sense or 1) - 1]]
        found[name] = [
            word
            for synset in below
            for word in synsets[synset][0]
            if word.isalpha() and word.islower() and senses[word][0] == synset and known(word)
        ]
    times = Counter(word for words in found.values() for word in words)
    single = {name: [word for word in words if times[word] == 1] for name, words in found.items()}
    return {name: words for name, words in single.items() if len(words) >= LEAST}


def _lines(name: str) -> list[str]:
    text = (FOLDER / name).read_text(encoding="latin-1")
    return [line for line in text.splitlines() if not line.startswith(" ")]
