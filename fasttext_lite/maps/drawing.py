"""A map as a picture: PNG, SVG or PDF."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.errors import MissingExtraError
from fasttext_lite.maps.parts import cluster_color, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fasttext_lite.maps.parts import MapParts

__all__ = ["picture"]

_GREY = (0.66, 0.68, 0.70)
_BLUE = (0.04, 0.34, 0.82)
# More points than this are pixels in a vector graphic, which would be too large otherwise.
_MANY = 3000
_LONGEST = 30
# Names of clusters and words that are drawn at most, and words that are tried for that.
_NAMES, _WORDS, _TRIED = 45, 160, 4000
# Fonts for scripts that the default font lacks, where they are installed.
_FONTS = (
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Arial Unicode MS",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Segoe UI",
)


def picture(parts: MapParts, kind: str, title: str | None) -> bytes:
    """Return a map as a picture on white, with the names that have room.

    Parameters
    ----------
    parts : MapParts
    kind : {"png", "svg", "pdf"}
    title : str or None

    Raises
    ------
    MissingExtraError
        Matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.font_manager import fontManager
    except ImportError:
        raise MissingExtraError("matplotlib", "map") from None
    installed = {font.name for font in fontManager.ttflist}
    fonts = ["DejaVu Sans", *(name for name in _FONTS if name in installed)]
    # Equal maps are equal files: SVG names its parts by this, and holds no date.
    settings: Any = {"svg.hashsalt": "fasttext-lite", "font.family": fonts}
    drawn = io.BytesIO()
    with warnings.catch_warnings(), matplotlib.rc_context(settings):
        # No installed font may have the characters of a word, which is drawn as boxes then.
        warnings.filterwarnings("ignore", message=r"Glyph|.*[Mm]atplotlib.*(natively|RTL)")
        figure = Figure(figsize=(8, 8 * _aspect(parts)), layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)
        axes = figure.add_subplot(aspect="equal")
        axes.set_axis_off()
        if title:
            axes.set_title(shown(title), parse_math=False)
        _draw_points(axes, parts)
        canvas.draw()
        _draw_names(axes, canvas.get_renderer(), parts)
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
        figure.savefig(drawn, format=kind, dpi=200, metadata=metadata)
    return drawn.getvalue()


def _aspect(parts: MapParts) -> float:
    width, height = np.ptp(parts.xy, axis=0)
    return float(np.clip(height / width if width else 1, 0.4, 1.6))


def _draw_points(axes: Any, parts: MapParts) -> None:
    plain = _GREY if parts.names else _BLUE
    palette = np.array([*map(cluster_color, range(len(parts.names))), plain])
    # Frequent words are on top.
    axes.scatter(
        *parts.xy[::-1].T,
        s=float(np.clip(12000 / len(parts.words), 1, 24)),
        c=palette[parts.labels[::-1]],
        alpha=0.75,
        linewidths=0,
        rasterized=len(parts.words) > _MANY,
    )


def _candidates(parts: MapParts) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield names, the words at whose places they belong, and how they are drawn."""
    for cluster, (name, anchor) in enumerate(
        zip(parts.names[:_NAMES], parts.anchors()[:_NAMES], strict=True)
    ):
        dark = tuple(0.75 * part for part in cluster_color(cluster))
        yield name, anchor, {"fontsize": 8, "fontweight": "bold", "color": dark, "ha": "center"}
    titles = set(parts.names[:_NAMES])
    for i, word in enumerate(parts.words[:_TRIED]):
        if word not in titles:
            yield word, i, {"fontsize": 5, "color": "black", "ha": "left"}


def _draw_names(axes: Any, renderer: Any, parts: MapParts) -> None:
    """Draw names that do not overlap, those of large clusters and frequent words first."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=1.5, foreground="white")]
    boxes = np.empty((0, 4))
    words = 0
    for name, i, style in _candidates(parts):
        if words == _WORDS:
            break
        text = axes.annotate(
            _shortened(name),
            parts.xy[i],
            xytext=(0, 0) if style["ha"] == "center" else (2, 0),
            textcoords="offset points",
            va="center",
            path_effects=halo,
            annotation_clip=False,
            parse_math=False,
            **style,
        )
        box = text.get_window_extent(renderer).padded(3).extents
        overlap = (boxes[:, :2] < box[2:]).all(axis=1) & (boxes[:, 2:] > box[:2]).all(axis=1)
        if overlap.any():
            text.remove()
            continue
        boxes = np.vstack([boxes, box])
        words += style["ha"] == "left"


def _shortened(name: str) -> str:
    line = " ".join(shown(name).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1].rstrip()}…"
