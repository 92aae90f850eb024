"""What all forms of a map are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["MapParts", "cluster_color", "shown"]

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")

# From OKLab to the cube roots of the responses of the cones, and from these to linear RGB.
_TO_CONES = np.array(
    [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.291485548],
    ]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.707614701],
    ]
)


def shown(text: str) -> str:
    r"""Return a text as it can be written as UTF-8 and into XML.

    Bytes that are not UTF-8, as lone surrogates, and control characters become U+FFFD.

    Examples
    --------
    >>> shown("caf\udce9\x00")
    'caf��'
    """
    return _CONTROLS.sub("\ufffd", re.sub("[\ud800-\udfff]", "\ufffd", text))


@dataclass(frozen=True, slots=True)
class MapParts:
    """A map whose texts can be written to any file.

    Attributes
    ----------
    words : list of str, length n
    xy : ndarray
        float32, shape (n, 2).
    labels : ndarray
        int32, shape (n,): the cluster of each word, by falling size; -1 for none.
    names : list of str
        Those of the clusters.
    neighbors : ndarray
        int32, shape (n, k): the nearest words, best first; -1 for one that is missing.
    cosines : ndarray
        float32, shape (n, k).
    counts : ndarray or None
        int64, shape (n,).
    kind : str
        What the words are: ``"words"``, ``"texts"`` or ``"labels"``.
    """

    words: list[str]
    xy: NDArray[np.float32]
    labels: NDArray[np.int32]
    names: list[str]
    neighbors: NDArray[np.int32]
    cosines: NDArray[np.float32]
    counts: NDArray[np.int64] | None
    kind: str

    def members(self) -> Sequence[NDArray[np.int64]]:
        """Return the words of each cluster, in the order of the map."""
        order = np.argsort(self.labels, kind="stable")
        return np.split(order, np.searchsorted(self.labels[order], range(len(self.names))))[1:]

    def anchors(self) -> list[int]:
        """Return the word of each cluster that is nearest to the median of their places."""
        found = []
        for members in self.members():
            places = self.xy[members]
            away = np.linalg.norm(places - np.median(places, axis=0), axis=1)
            found.append(int(members[np.argmin(away)]))
        return found


def cluster_color(cluster: int) -> tuple[float, float, float]:
    """Return the color of a cluster on white, as on a page: red, green and blue from 0 to 1.

    Ottosson, "A perceptual color space for image processing", 2020. The golden angle keeps the hues
    of successive clusters apart.
    """
    hue = 2.39996 * cluster + 0.5
    lightness, a, b = 0.52 + cluster % 3 * 0.06, 0.125 * np.cos(hue), 0.125 * np.sin(hue)
    linear = np.clip(_TO_RGB @ (_TO_CONES @ (lightness, a, b)) ** 3, 0, 1)
    red, green, blue = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return float(red), float(green), float(blue)
