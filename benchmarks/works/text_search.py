"""The search of 100,000 titles by misspelt queries.

Titles, model and index are those of `benchmarks.titles`. Queries are 1,000 titles with one edit in
each word (of four letters or more in the second figure): a letter is inserted, dropped, replaced,
or swapped with the next one. Ours embeds the query, walks along the graph and returns texts with
ids. rapidfuzz compares all titles, by WRatio. SQLite looks for any trigram of the query in its FTS5
index, and ranks by bm25.
"""

from __future__ import annotations

import threading
from functools import partial
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.files import replacing
from benchmarks.libraries import OURS, RAPIDFUZZ, SQLITE
from benchmarks.timing import seconds, typical
from benchmarks.titles import COUNT, index_of, misspelt, path_of, titles_of
from benchmarks.work import Figure, Outcome, Task, Unit, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    # Returns the rows of the ten best titles.
    Search = Callable[[str], list[int]]

QUERIES, NEAREST = 1000, 10


def _share(search: Search, queries: list[tuple[int, str]]) -> float:
    return sum(row in search(query) for row, query in queries) / len(queries)


def _measure(titles: list[str], search: Search, count: int, passes: int) -> Outcome:
    asked = misspelt(titles, 1, count)
    texts = [query for _, query in asked]
    shares = _share(search, asked), _share(search, misspelt(titles, 4, count))
    note = f"found in the first {NEAREST}: {shares[0]:.1%}; words of four letters: {shares[1]:.1%}"
    return Outcome({"one": typical(partial(_each, search, texts), count, passes)}, notes=[note])


def _each(search: Search, queries: list[str]) -> None:
    for query in queries:
        search(query)


def _ours(task: Task) -> Outcome:
    ftl = import_module("fasttext_lite")
    path, titles = index_of(task)
    begin = perf_counter()
    index = ftl.TextIndex.open(path)
    opened = perf_counter()
    index.search("teh godfahter")
    values = {"open": opened - begin, "first": perf_counter() - opened}

    def search(query: str, **options: Any) -> list[int]:
        return [hit.row for hit in index.search(query, NEAREST, threads=1, **options)]

    found = _measure(titles, search, QUERIES, task.passes)
    exact = partial(search, approximate=False)
    texts = [query for _, query in misspelt(titles, 1, QUERIES)]
    values["exact"] = typical(partial(_each, exact, texts), QUERIES, task.passes)
    values["together"] = typical(
        partial(index.search, texts, NEAREST, threads=2), QUERIES, task.passes
    )
    halves = [threading.Thread(target=_each, args=(search, texts[part::2])) for part in range(2)]
    values["threads"] = seconds(lambda: _run(halves)) / QUERIES
    share = _share(exact, misspelt(titles, 1, QUERIES))
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
    titles = titles_of(task)
    choices = [plain(title) for title in titles]

    def search(query: str) -> list[int]:
        return [row for _, _, row in process.extract(plain(query), choices, scorer=scorer,
                                                     limit=NEAREST)]  # fmt: skip

    return _measure(titles, search, QUERIES // 10, 1)


def _sqlite(task: Task) -> Outcome:
    sqlite3 = import_module("sqlite3")
    titles = titles_of(task)
    path = path_of(task, ".sqlite")
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
