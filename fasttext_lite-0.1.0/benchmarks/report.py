"""The measured runs as a Markdown table and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.libraries import OFFICIAL, OURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.measure import Measured
    from benchmarks.work import Figure

STAND_IN = "†"


def _cell(measured: Measured, figure: Figure, library: str) -> str:
    value = measured.median(figure, library)
    if value is None:
        return "–"
    mark = f" {STAND_IN}" if measured.stands_in(figure, library) else ""
    return figure.unit.text(value) + mark


def _times(ratio: float | None) -> str:
    if ratio is None:
        return "–"
    return f"{ratio:,.2f} ×" if ratio < 10 else f"{ratio:,.0f} ×"


def floor_met(measured: Measured, figure: Figure) -> bool | None:
    """Tell whether the ratio to the official package reaches its floor; None without one."""
    ratio = measured.ratio(figure, OFFICIAL)
    return None if figure.floor is None or ratio is None else ratio >= figure.floor


def _ceiling_met(measured: Measured, figure: Figure) -> bool | None:
    value = measured.median(figure, OURS)
    return None if figure.ceiling is None or value is None else value <= figure.ceiling


def _limit(figure: Figure) -> str:
    parts = []
    if figure.ceiling is not None:
        parts.append(f"at most {figure.unit.text(figure.ceiling)}")
    if figure.floor is not None:
        parts.append(f"at least {figure.floor:g} ×")
    return ", ".join(parts) or "–"


def _met(measured: Measured, figure: Figure) -> str:
    """Say whether every stated limit is kept; a limit that was not measured is no yes."""
    verdicts = []
    if figure.ceiling is not None:
        verdicts.append(_ceiling_met(measured, figure))
    if figure.floor is not None:
        verdicts.append(floor_met(measured, figure))
    if False in verdicts:
        return "**no**"
    return "yes" if verdicts and None not in verdicts else "–"


def _rows(measured: Measured, libraries: Sequence[str]) -> Iterable[list[str]]:
    work = measured.work
    yield [f"**{work.title}**", *[""] * (len(libraries) + 3)]
    for figure in work.figures:
        cells = [_cell(measured, figure, library) for library in libraries]
        if any(cell != "–" for cell in cells):
            ratio = _times(measured.ratio(figure, OFFICIAL))
            yield [figure.title, *cells, ratio, _limit(figure), _met(measured, figure)]


def _notes(measured: Measured) -> Iterable[str]:
    title = measured.work.title
    for library, words in measured.agreement.items():
        yield f"- {title}: answers of {library} and of the official package: {words}."
    for library, words in measured.failures.items():
        yield f"- {title}: {library} failed: {words}"


def markdown(
    results: Sequence[Measured],
    versions: Mapping[str, Mapping[str, str]],
    machine: Mapping[str, str],
    size: str,
) -> str:
    """Write the table, what is to be said of it, and the machine's line."""
    libraries = list(versions)
    head = ["work", *libraries, f"ratio to {OFFICIAL}", "limit", "met"]
    lines = [head, ["---"] * len(head)]
    for measured in results:
        lines += _rows(measured, libraries)
    table = [f"| {' | '.join(line)} |" for line in lines]
    packages = "; ".join(
        f"{name}: {own['package']} (Python {own['python']}, NumPy {own['numpy']})"
        for name, own in versions.items()
    )
    notes = [note for measured in results for note in _notes(measured)]
    if any(STAND_IN in line for line in table):
        notes.append(f"- {STAND_IN} has no call for many words: its rate one by one.")
    where = f"Model: {size}. Machine: {', '.join(machine.values())}."
    blocks = ["\n".join(table), "\n".join(notes), f"{where}\n{packages}."]
    return "\n\n".join(block for block in blocks if block) + "\n"


def document(
    results: Mapping[str, Measured],
    versions: Mapping[str, Mapping[str, str]],
    machine: Mapping[str, str],
    size: str,
) -> dict[str, Any]:
    """Return every run of every library, with medians and ratios, ready for JSON."""
    works = {}
    for name, measured in results.items():
        figures = {}
        for figure in measured.work.figures:
            figures[figure.key] = {
                "title": figure.title,
                "unit": figure.unit.value,
                "ceiling": figure.ceiling,
                "floor": figure.floor,
                "medians": {library: measured.median(figure, library) for library in versions},
                "ratios": {
                    library: measured.ratio(figure, library)
                    for library in versions
                    if library != OURS
                },
            }
        works[name] = {
            "figures": figures,
            "runs": measured.runs,
            "agreement": measured.agreement,
            "failures": measured.failures,
        }
    return {"size": size, "machine": machine, "versions": versions, "works": works}
