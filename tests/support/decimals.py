"""Find the float32 nearest to a decimal number, in exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fasttext_lite._core.files.textrows import TextRows

# The smallest number whose nearest float32 is infinite.
TOP = Fraction(float.fromhex("0x1.ffffffp127"))


def parse_decimals(*decimals: str) -> np.ndarray:
    """Parse decimal numbers with the package, as float32."""
    parser = TextRows(len(decimals), 1, 0, "the test says")
    parser.take(memoryview(b"w " + " ".join(decimals).encode()), True)
    parser.finish()
    return np.frombuffer(parser.numbers, np.float32)


def is_nearest(found: np.float32, exact: Fraction) -> bool:
    """Return whether a float32 is the nearest, with ties to even."""
    if abs(exact) >= TOP:
        return bool(np.isinf(found)) and (found > 0) == (exact > 0)
    distance = abs(Fraction(float(found)) - exact)
    for direction in (-np.inf, np.inf):
        with np.errstate(over="ignore", under="ignore"):
            other = np.nextafter(found, np.float32(direction))
        if not np.isfinite(other):
            continue
        other_distance = abs(Fraction(float(other)) - exact)
        if other_distance < distance:
            return False
        if other_distance == distance and found.view(np.uint32) & 1:
            return False
    return True
