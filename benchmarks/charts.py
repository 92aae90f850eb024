"""Draw the measured runs as SVG charts; needs matplotlib."""

from __future__ import annotations

import textwrap
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.files import replacing
from benchmarks.libraries import LIBRARIES
from benchmarks.work import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The colour-blind-safe palette of Okabe and Ito, greys, and some of Tol's muted palette.
_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#E69F00",
    "#009E73",
    "#56B4E9",
    "#F0E442",
    "#999999",
    "#555555",
    "#000000",
    "#882255",
    "#332288",
    "#999933",
    "#AA4499",
    "#117733",
    "#661100",
    "#6699CC",
    "#88CCEE",
    "#44AA99",
    "#DDCC77",
)
COLOURS = dict(zip(LIBRARIES, _COLOURS, strict=True))
MARKERS = "osD^vP*X"
WIDTH = 8.0
AXES = {
    Unit.SECONDS: "time",
    Unit.BYTES: "memory or file",
    Unit.LINES_PER_SECOND: "lines a second",
    Unit.TIMES: "share",
    Unit.REQUESTS: "requests",
}
SCALES = {
    Unit.SECONDS: ((1e-6, "µs"), (1e-3, "ms"), (1.0, "s")),
    Unit.BYTES: ((1e3, "kB"), (1e6, "MB"), (1e9, "GB")),
    Unit.LINES_PER_SECOND: ((1.0, "/s"), (1e3, "thousand/s"), (1e6, "million/s")),
    Unit.TIMES: ((1.0, "×"),),
    Unit.REQUESTS: ((1.0, ""),),
}
STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "benchmarks",  # the same bytes for the same figures
}


def draw(document: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw a chart for each work: bars for each library, or lines of growth.

    Parameters
    ----------
    document : dict
        As `benchmarks.report` reads it.
    folder : Path
        Created if it does not exist. Charts are named after their works.

    Returns
    -------
    list of Path
        The SVG files.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    import matplotlib as mpl

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with mpl.rc_context(STYLE):
        for name, work in document["works"].items():
            figures = list(work["figures"].values())
            if not figures:
                continue
            growing = figures[0]["point"] is not None
            figure = _curves(work["title"], figures) if growing else _bars(work["title"], figures)
            path = folder / f"{name}.svg"
            with replacing(path) as unfinished:
                figure.savefig(unfinished, format="svg", metadata={"Date": None})
            paths.append(path)
    return paths


def _bars(title: str, figures: list[dict[str, Any]]) -> Any:
    """Draw groups of bars, a group for each figure, in a panel for each unit."""
    from matplotlib.figure import Figure

    panels = {
        unit: own for unit in Unit if (own := [f for f in figures if f["unit"] == unit.value])
    }
    heights = [sum(len(f["medians"]) + 1.2 for f in own) for own in panels.values()]
    chart = Figure(
        figsize=(WIDTH, 1.2 + 0.19 * sum(heights) + 0.5 * len(panels)), layout="constrained"
    )
    chart.suptitle(title, fontweight="bold")
    axes = chart.subplots(len(panels), squeeze=False, height_ratios=heights)[:, 0]
    for (unit, own), axis in zip(panels.items(), axes, strict=True):
        _panel(axis, unit, own)
    shown = [name for name in LIBRARIES if any(name in f["medians"] for f in figures)]
    handles = [_patch(name) for name in shown]
    if any(f["stand_ins"] for f in figures):
        handles.append(_stand_in_patch())
    chart.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    return chart


def _tick(unit: Unit, value: float, position: object = None) -> str:
    """Return the label of a tick."""
    if value == 0:
        return "0"
    fitting = [scale for scale in SCALES[unit] if abs(value) >= 0.999 * scale[0]]
    scale, name = fitting[-1] if fitting else SCALES[unit][0]
    return f"{value / scale:g} {name}"


def _patch(library: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(facecolor=COLOURS[library], edgecolor="black", linewidth=0.4, label=library)


def _stand_in_patch() -> Any:
    from matplotlib.patches import Patch

    return Patch(
        facecolor="white",
        edgecolor="black",
        linewidth=0.4,
        hatch="///",
        label="† no such call or file: nearest figure",
    )


def _panel(axis: Any, unit: Unit, figures: list[dict[str, Any]]) -> None:
    y, ticks, names = 0.0, [], []
    values = [value for figure in figures for value in figure["medians"].values()]
    # A linear scale is readable while no bar is more than ten times as long as another.
    log = min(values) > 0 and max(values) > 10 * min(values)
    for figure in figures:
        start = y
        for library in LIBRARIES:
            value = figure["medians"].get(library)
            if value is None:
                continue
            stands_in = library in figure["stand_ins"]
            axis.barh(
                y,
                value,
                color=COLOURS[library],
                edgecolor="black",
                linewidth=0.4,
                hatch="///" if stands_in else None,
            )
            mark = " †" if stands_in else ""
            axis.annotate(
                f"{unit.text(value)}{mark}",
                (max(value, 0.0), y),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
            y += 1
        ticks.append((start + y - 1) / 2)
        names.append(textwrap.fill(figure["title"], 32))
        y += 1.2
    axis.set_yticks(ticks, names)
    axis.set_ylim(y - 1.5, -0.8)
    if log:
        axis.set_xscale("log")
        axis.set_xlim(min(values) / 3, max(values) * 6)
    else:
        axis.set_xlim(min(0.0, *values), max(values) * 1.2)
    axis.xaxis.set_major_formatter(partial(_tick, unit))
    better = "more" if unit.more_is_better else "less"
    axis.set_xlabel(f"{AXES[unit]}{', log scale' if log else ''} ({better} is better)")
    axis.grid(axis="x", linewidth=0.3)


def _curves(title: str, figures: list[dict[str, Any]]) -> Any:
    """Draw a line for each kind of figure and library, over the quantity that grows."""
    from matplotlib.figure import Figure

    lines: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for figure in figures:
        for library, value in figure["medians"].items():
            key = (library, figure["point"]["line"])
            lines.setdefault(key, []).append((figure["point"]["x"], value))
    chart = Figure(figsize=(WIDTH, 4.5), layout="constrained")
    chart.suptitle(title, fontweight="bold")
    axis = chart.subplots()
    names = list(dict.fromkeys(line for _, line in lines))
    colours = [colour for colour in _COLOURS if colour != "#F0E442"]  # yellow lines are hard to see
    for (library, line), points in lines.items():
        number = names.index(line)
        x, y = zip(*points, strict=True)
        axis.plot(
            x,
            y,
            color=colours[number],
            marker=MARKERS[number],
            linestyle="-" if library == "ours" else ":",
            label=f"{line}: {library}",
        )
    xs = sorted({figure["point"]["x"] for figure in figures})
    if xs[-1] >= 100 * max(xs[0], 1) and xs[0] > 0:
        axis.set_xscale("log")
    axis.set_xticks(xs, [f"{x:,.0f}" for x in xs])
    axis.minorticks_off()
    axis.set_yscale("log")
    axis.set_xlabel(figures[0]["point"]["axis"])
    axis.yaxis.set_major_formatter(partial(_tick, Unit(figures[0]["unit"])))
    axis.set_ylabel("time, log scale (less is better)")
    axis.grid(linewidth=0.3)
    chart.legend(loc="outside right center", frameon=False, fontsize=8)
    return chart
