"""A map as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.maps.parts import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fasttext_lite.maps.parts import MapParts

__all__ = ["page"]

# In the order in which they depend on each other: together they are one module.
_SCRIPTS = ("data", "colors", "points", "names", "view", "panel", "map")
# Places along a side of the map.
_STEPS = 65535
# From a map as a whole to the closest view, at least; more words are zoomed into further.
_DEEPEST = 40


def page(parts: MapParts, title: str) -> bytes:
    """Return a map as HTML.

    The page has a policy that allows no other script than its own, and no connection. What comes
    from the model is data: no word, name or title is ever parsed as HTML or code.

    Parameters
    ----------
    parts : MapParts
    title : str
    """
    folder = Path(__file__).parent / "page"
    template = (folder / "map.html").read_text(encoding="utf-8")
    style = (folder / "map.css").read_text(encoding="utf-8")
    script = "\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    filled = {
        "title": html.escape(shown(title)),
        "style": style,
        "style_hash": _hash(style),
        "script": script,
        "script_hash": _hash(script),
        "data": _json(_data(parts, title)),
    }
    # In one pass, so that what is filled in is not searched for placeholders.
    return re.sub(r"\{(\w+)\}", lambda found: filled[found[1]], template).encode()


def _hash(text: str) -> str:
    """Return the source expression of a Content Security Policy that allows this text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(value: object) -> str:
    """Return JSON that does not end the element in which it stands."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _data(parts: MapParts, title: str) -> dict[str, object]:
    """Return what the script reads; `data.js` says how."""
    count = len(parts.words)
    low = parts.xy.min(axis=0)
    extent = parts.xy.max(axis=0) - low
    # The longer side has the length 1.
    scaled = (parts.xy - low) / (extent.max() or 1)
    sides = extent / (extent.max() or 1)
    # Upwards in a diagram is downwards in a window.
    scaled[:, 1] = sides[1] - scaled[:, 1]
    names = parts.names
    return {
        "title": shown(title),
        "kind": parts.kind,
        "words": [shown(word) for word in parts.words],
        "counts": None if parts.counts is None else parts.counts.tolist(),
        "places": _packed(np.rint(scaled * _STEPS).clip(0, _STEPS), 16),
        "extent": [round(float(side), 5) for side in sides],
        "center": [round(float(side) / 2, 5) for side in sides],
        "deepest": max(_DEEPEST, round(count**0.5)),
        "clusters": _clusters(parts, scaled),
        "labels": _packed(
            np.where(parts.labels < 0, len(names), parts.labels), _bits(len(names) + 1)
        ),
        "k": parts.neighbors.shape[1],
        # A word stands for a neighbor that is missing.
        "neighbors": _packed(
            np.where(parts.neighbors < 0, np.arange(count)[:, None], parts.neighbors), _bits(count)
        ),
        "cosines": _packed(np.rint(parts.cosines * 255).clip(0, 255), 8),
    }


def _bits(count: int) -> int:
    """Return the size of an unsigned number that tells so many values apart."""
    return 8 if count <= 1 << 8 else 16 if count <= 1 << 16 else 32


def _packed(numbers: NDArray[np.generic], bits: int) -> dict[str, object]:
    """Return unsigned numbers as little-endian bytes in base64."""
    data = np.ascontiguousarray(numbers, f"<u{bits // 8}").tobytes()
    return {"bits": bits, "data": base64.b64encode(data).decode()}


def _clusters(parts: MapParts, scaled: NDArray[np.float32]) -> Sequence[dict[str, object]]:
    """Return the name, size, middle word and extent of each cluster."""
    found = []
    for name, members, anchor in zip(parts.names, parts.members(), parts.anchors(), strict=True):
        away = np.linalg.norm(scaled[members] - scaled[anchor], axis=1)
        found.append(
            {
                "name": shown(name),
                "size": len(members),
                "anchor": anchor,
                # Two thirds of the words are nearer.
                "spread": round(float(np.quantile(away, 2 / 3)), 5),
            }
        )
    return found
