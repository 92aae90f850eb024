"""The figures that the README shows: a short table, and a chart for light and dark pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.files import replacing
from benchmarks.libraries import OFFICIAL, OURS
from benchmarks.work import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["THEMES", "draw", "rows"]

# Work, figure, and the title of the row.
ROWS = (
    ("opening", "open_and_first", "open a 7.2 GB `.bin`, first vector"),
    ("opening", "private_added", "its private memory"),
    ("unknown-words", "one_by_one", "vector of an unknown word"),
    ("known-words", "compact_one_by_one", "vector of a known word, float16 file"),
    ("predicting", "short_each", "language of a short text, `lid.176.ftz`"),
    ("predict-command", "lines", "`predict` command, end to end"),
    ("neighbors", "plain_one", "10 nearest of 2 million words, float16 file"),
    ("neighbors", "first_private", "private memory of a first search, `.bin`"),
)


@dataclass(frozen=True)
class Panel:
    """One panel of the chart: a figure, and the libraries whose bars it shows."""

    work: str
    figure: str
    title: str
    libraries: tuple[str, ...]


PANELS = (
    Panel("opening", "open", "Open a 7.2 GB model", (OURS, OFFICIAL, "fasttext-new")),
    Panel("opening", "private_added", "Private memory", (OURS, OFFICIAL, "fasttext-new")),
    Panel("unknown-words", "one_by_one", "Vector, unknown word", (OURS, OFFICIAL, "fasttext-new")),
    Panel("predicting", "short_each", "Language of a text", (OURS, OFFICIAL, "fasttext-new")),
)
NAMES = {OURS: "fasttext-lite", OFFICIAL: "fasttext"}
# Colours of the text, of our bar and of the others, readable on the background of the page.
THEMES = {
    "light": ("#1f2328", "#0969da", "#9aa4af"),
    "dark": ("#e6edf3", "#58a6ff", "#6e7681"),
}
STYLE = {"font.size": 9, "svg.fonttype": "none", "svg.hashsalt": "benchmarks"}


def _figure(document: Mapping[str, Any], work: str, figure: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = document["works"].get(work, {}).get("figures", {}).get(figure)
    return found if found and OURS in found["medians"] else None


def rows(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the figure of each measured row of the short table."""
    for work, key, name in ROWS:
        figure = _figure(document, work, key)
        if figure:
            yield name, figure


def draw(document: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw ``overview-light.svg`` and ``overview-dark.svg``, with a transparent background.

    Parameters
    ----------
    document : dict
        As `benchmarks.report` reads it.
    folder : Path
        An existing folder.

    Returns
    -------
    list of Path
        The SVG files; empty if a panel was not measured.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figures = [_figure(document, panel.work, panel.figure) for panel in PANELS]
    if None in figures:
        return []
    paths = []
    with mpl.rc_context(STYLE):
        for theme, (ink, ours, others) in THEMES.items():
            chart = Figure(figsize=(8.0, 2.8), layout="constrained")
            chart.get_layout_engine().set(hspace=0.12)
            for axis, panel, figure in zip(chart.subplots(2, 2).flat, PANELS, figures, strict=True):
                _bars(axis, panel, figure["medians"], figure["unit"], ink, ours, others)
            path = folder / f"overview-{theme}.svg"
            with replacing(path) as unfinished:
                chart.savefig(unfinished, format="svg", transparent=True, metadata={"Date": None})
            paths.append(path)
    return paths


def _bars(
    axis: Any,
    panel: Panel,
    medians: Mapping[str, float],
    unit: str,
    ink: str,
    ours: str,
    others: str,
) -> None:
    shown = [library for library in panel.libraries if library in medians]
    values = [medians[library] for library in shown]
    axis.barh(range(len(shown)), values, color=[ours, *[others] * (len(shown) - 1)], height=0.7)
    for y, (library, value) in enumerate(zip(shown, values, strict=True)):
        axis.annotate(
            Unit(unit).text(value),
            (value, y),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            color=ink,
            fontweight="bold" if library == OURS else "normal",
        )
    axis.set_title(panel.title, loc="left", color=ink, fontweight="bold", fontsize=10)
    axis.set_yticks(range(len(shown)), [NAMES.get(library, library) for library in shown])
    axis.tick_params(left=False, bottom=False, labelbottom=False, colors=ink)
    axis.set_xlim(0, max(values) * 1.3)
    axis.invert_yaxis()
    for spine in axis.spines.values():
        spine.set_visible(False)
