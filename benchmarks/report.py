"""Convert runs to JSON, and JSON to tables and charts.

    python -m benchmarks.report RUNS.json [RUNS.json ...] [--markdown FILE] [--readme README.md]
                                [--table docs/performance.md] [--charts FOLDER]

Several files of runs are merged: a later run adds the works and libraries that earlier ones lack.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import charts, overview
from benchmarks.files import write_text
from benchmarks.libraries import LIBRARIES, OFFICIAL, OURS
from benchmarks.work import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.measure import Measured

STAND_IN = "†"
NOTHING = "–"
BEGIN, END = "<!-- benchmarks -->", "<!-- end of benchmarks -->"
SIZES = {
    "tiny": "10,000 words, 10,000 buckets, 300 dimensions, 0.04 GB",
    "small": "100,000 words, 100,000 buckets, 300 dimensions, 0.36 GB",
    "full": "2 million words, 2 million buckets, 300 dimensions, 7.24 GB",
}

Document = dict[str, Any]
FigureRuns = dict[str, Any]


def work_document(measured: Measured, first_try: Sequence[str] = ()) -> Document:
    """Return every run of a work, with medians and ratios, ready for JSON.

    `first_try` holds the floors that an earlier measurement missed.
    """
    figures = {}
    for figure in measured.work.figures:
        medians = {
            library: value
            for library in measured.runs
            if (value := measured.median(figure, library)) is not None
        }
        if OURS in medians:
            figures[figure.key] = {
                "title": figure.title,
                "unit": figure.unit.value,
                "ceiling": figure.ceiling,
                "floor": figure.floor,
                "compared": figure.compared,
                "headline": figure.headline,
                "point": asdict(figure.point) if figure.point else None,
                "medians": medians,
                "stand_ins": [name for name in medians if measured.stands_in(figure, name)],
                "ratios": {
                    library: ratio
                    for library in medians
                    if library != OURS and (ratio := measured.ratio(figure, library)) is not None
                },
            }
    return {
        "title": measured.work.title,
        "figures": figures,
        "runs": measured.runs,
        "agreement": measured.agreement,
        "failures": measured.failures,
        "notes": measured.notes,
        "first_try": list(first_try),
    }


def merge(documents: Sequence[Document]) -> Document:
    """Merge runs that were made one after the other.

    Parameters
    ----------
    documents : sequence of dict
        In any order. A run that was started later adds the works and libraries that earlier
        ones lack. The ratios of a library are those of its run.

    Raises
    ------
    ValueError
        The runs are of different machines or of models of different sizes.
    """
    earliest, *others = sorted(documents, key=lambda document: str(document["started"]))
    first: Document = json.loads(json.dumps(earliest))
    for document in others:
        if document["size"] != first["size"]:
            raise ValueError(f"runs of the {document['size']} and the {first['size']} model")
        mine, theirs = ({**d["machine"], "date": ""} for d in (first, document))
        if mine != theirs:
            raise ValueError(
                "runs of different machines: " + _machine(first) + "; " + _machine(document)
            )
        first["machine"]["date"] = max(first["machine"]["date"], document["machine"]["date"])
        first["commands"] += [c for c in document["commands"] if c not in first["commands"]]
        first["versions"] = {**document["versions"], **first["versions"]}
        for name, work in document["works"].items():
            if name in first["works"]:
                _add(first["works"][name], work)
            else:
                first["works"][name] = work
    order = list(LIBRARIES)
    first["versions"] = dict(sorted(first["versions"].items(), key=lambda v: order.index(v[0])))
    return first


def _add(work: Document, later: Document) -> None:
    """Add the libraries of a later run that an earlier run of the work lacks."""
    new = {library for library in later["runs"] if library not in work["runs"]}
    for part in ("runs", "agreement", "failures", "notes"):
        work[part] |= {name: said for name, said in later[part].items() if name in new}
    for key, figure in later["figures"].items():
        own = work["figures"].setdefault(
            key, {**figure, "medians": {}, "ratios": {}, "stand_ins": []}
        )
        for part in ("medians", "ratios"):
            own[part] |= {name: value for name, value in figure[part].items() if name in new}
        own["stand_ins"] += [name for name in figure["stand_ins"] if name in new]


def floor_met(figure: FigureRuns) -> bool | None:
    """Return whether the ratio to the official package reaches its floor; None without one."""
    ratio = figure["ratios"].get(OFFICIAL)
    if figure["floor"] is None or ratio is None:
        return None
    return bool(ratio >= figure["floor"])


def missed(work: Document) -> list[str]:
    """Say of each figure of a work whose floor is missed by how much."""
    return [
        f"{figure['title']}: {_times(figure['ratios'][OFFICIAL])} where the floor is"
        f" {figure['floor']:g} ×"
        for figure in work["figures"].values()
        if floor_met(figure) is False
    ]


def ceiling_met(figure: FigureRuns) -> bool | None:
    """Return whether our figure is within its ceiling; None without one."""
    value = figure["medians"].get(OURS)
    if figure["ceiling"] is None or value is None:
        return None
    return bool(value <= figure["ceiling"])


def _met(figure: FigureRuns) -> str:
    """Return "yes" if every limit is measured and met, "**no**" if one is missed."""
    verdicts = []
    if figure["ceiling"] is not None:
        verdicts.append(ceiling_met(figure))
    if figure["floor"] is not None:
        verdicts.append(floor_met(figure))
    if False in verdicts:
        return "**no**"
    return "yes" if verdicts and None not in verdicts else NOTHING


def _limit(figure: FigureRuns) -> str:
    parts = []
    if figure["ceiling"] is not None:
        parts.append(f"at most {Unit(figure['unit']).text(figure['ceiling'])}")
    if figure["floor"] is not None:
        parts.append(f"at least {figure['floor']:g} ×")
    return ", ".join(parts) or NOTHING


def _cell(figure: FigureRuns, library: str) -> str:
    value = figure["medians"].get(library)
    if value is None:
        return NOTHING
    mark = f" {STAND_IN}" if library in figure["stand_ins"] else ""
    return Unit(figure["unit"]).text(value) + mark


def _times(ratio: float | None) -> str:
    if ratio is None:
        return NOTHING
    return f"{ratio:,.2f} ×" if ratio < 10 else f"{ratio:,.0f} ×"


def ahead(figure: FigureRuns) -> list[str]:
    """Return the peers whose figure is better than ours, best first."""
    medians = figure["medians"]
    if not figure["compared"] or OURS not in medians:
        return []
    sign = -1 if Unit(figure["unit"]).more_is_better else 1
    better = [name for name in medians if sign * medians[name] < sign * medians[OURS]]
    return sorted(better, key=lambda name: sign * medians[name])


def _table(rows: Iterable[Sequence[str]]) -> str:
    head, *body = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body])


def _work_section(work: Document) -> str:
    figures = list(work["figures"].values())
    libraries = [name for name in LIBRARIES if any(name in f["medians"] for f in figures)]
    rows = [["", *libraries, f"ratio to {OFFICIAL}", "limit", "met", "ahead of us"]]
    rows += [
        [
            figure["title"],
            *(_cell(figure, library) for library in libraries),
            _times(figure["ratios"].get(OFFICIAL)),
            _limit(figure),
            _met(figure),
            ", ".join(ahead(figure)) or NOTHING,
        ]
        for figure in figures
    ]
    notes = [
        f"- {library}, answers beside those of the official package: {words}."
        for library, words in work["agreement"].items()
    ]
    notes += [f"- {library} failed: {words}" for library, words in work["failures"].items()]
    notes += [f"- {library}: {line}." for library, said in work["notes"].items() for line in said]
    notes += [
        f"- Measured again, since a first try missed: {line}." for line in work.get("first_try", ())
    ]
    blocks = [f"### {work['title']}", _table(rows) if figures else "Nothing was measured."]
    return "\n\n".join([*blocks, "\n".join(notes)] if notes else blocks)


def _machine(document: Document) -> str:
    return ", ".join(document["machine"].values())


def _packages(document: Document) -> str:
    return "; ".join(
        f"{name}: {own['package']} (Python {own['python']}, NumPy {own['numpy']})"
        for name, own in document["versions"].items()
    )


def _stands_in(document: Document) -> bool:
    works = document["works"].values()
    return any(figure["stand_ins"] for work in works for figure in work["figures"].values())


def markdown(document: Document) -> str:
    """Return a table and remarks for each work, and a line about the machine."""
    blocks = [_work_section(work) for work in document["works"].values()]
    if _stands_in(document):
        blocks.append(f"{STAND_IN} has no such call or file: its nearest figure instead.")
    blocks.append(
        f"Model: {SIZES[document['size']]}. Machine: {_machine(document)}.\n{_packages(document)}."
    )
    return "\n\n".join(blocks) + "\n"


def _emphasised(text: str, yes: bool) -> str:
    return f"**{text}**" if yes else text


def _headline_row(figure: FigureRuns) -> list[str]:
    better = ahead(figure)
    unit = Unit(figure["unit"])
    others = {
        name: value for name, value in figure["medians"].items() if name not in (OURS, OFFICIAL)
    }
    choose = max if unit.more_is_better else min
    best = choose(others, key=lambda name: others[name]) if others else None
    return [
        figure["headline"],
        _cell(figure, OURS),
        _emphasised(_cell(figure, OFFICIAL), OFFICIAL in better),
        _emphasised(f"{best} {_cell(figure, best)}", best in better) if best else NOTHING,
        _times(figure["ratios"].get(OFFICIAL)),
    ]


def readme(document: Document) -> str:
    """Return the README's table: a few figures, the official ones, and the machine."""
    table = [["", "fasttext-lite", OFFICIAL, "ratio"]]
    figures = list(overview.rows(document))
    table += [
        [
            name,
            _cell(figure, OURS),
            _emphasised(_cell(figure, OFFICIAL), OFFICIAL in ahead(figure)),
            _times(figure["ratios"].get(OFFICIAL)),
        ]
        for name, figure in figures
    ]
    marked = any(OFFICIAL in figure["stand_ins"] for _, figure in figures)
    note = (
        f"{STAND_IN} The official package has no such call or file: its nearest figure. " * marked
    )
    return f"{_table(table)}\n\n{note}{_conditions(document)}\n"


def headlines(document: Document) -> str:
    """Return the table of all headline figures, with the machine, the date and the commands."""
    rows = [["", "fasttext-lite", OFFICIAL, "best other", f"× {OFFICIAL}"]]
    figures = [figure for work in document["works"].values() for figure in work["figures"].values()]
    rows += [
        _headline_row(figure)
        for figure in figures
        if figure["headline"] and OURS in figure["medians"]
    ]
    marked = f" {STAND_IN} has no such call or file: its nearest figure." * _stands_in(document)
    commands = "\n".join(document["commands"])
    return (
        f"{_table(rows)}\n\n"
        f"Bold: a peer is ahead.{marked} {_conditions(document)} {_packages(document)}. "
        f"Made by:\n\n```sh\n{commands}\n```\n"
    )


def _conditions(document: Document) -> str:
    return f"Model: {SIZES[document['size']]}; page cache warm. Machine: {_machine(document)}."


def replace_block(text: str, block: str) -> str:
    """Replace the text between the markers.

    Raises
    ------
    ValueError
        The text does not have each marker exactly once.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"there is not one {BEGIN} and one {END}")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{block}{END}{after}"


def block_of(text: str) -> str:
    """Return the text between the markers."""
    return text.partition(BEGIN)[2].partition(END)[0].removeprefix("\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write tables and charts from files of runs."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report", description="Tables and charts from files of runs."
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUNS.json")
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for the merged runs")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="file for the tables")
    parser.add_argument(
        "--readme", type=Path, metavar="FILE", help="file with markers for the README's table"
    )
    parser.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="file with markers for the table of all headline figures",
    )
    parser.add_argument("--charts", type=Path, metavar="FOLDER", help="folder for the charts")
    options = parser.parse_args(arguments)
    try:
        document = merge([json.loads(path.read_text(encoding="utf-8")) for path in options.runs])
        for file, block in ((options.readme, readme), (options.table, headlines)):
            if file:
                text = file.read_text(encoding="utf-8")
                write_text(file, replace_block(text, block(document)))
        if options.json:
            write_text(options.json, json_text(document))
        if options.markdown:
            write_text(options.markdown, markdown(document))
        if options.charts:
            charts.draw(document, options.charts)
            overview.draw(document, options.charts)
    except (OSError, ValueError, ImportError) as error:
        parser.error(str(error))
    outputs = ("readme", "table", "json", "markdown", "charts")
    if not any(getattr(options, output) for output in outputs):
        sys.stdout.write(markdown(document))


def json_text(document: Mapping[str, Any]) -> str:
    """Return a document as JSON text."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
